"""Check that a noisy split is what its recipe makes of the source."""
