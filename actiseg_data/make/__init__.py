"""Makers of datasets: raw VISOR, the built-in sample, rendered frames; and the default dataset."""
