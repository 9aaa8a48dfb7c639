"""Measure the noise of a split: inspection of own splits, audit of any noisy split."""
