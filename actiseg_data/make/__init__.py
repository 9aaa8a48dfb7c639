"""Make datasets: from raw VISOR, the built-in sample, rendered frames."""
