"""Make a noisy copy of a split."""
