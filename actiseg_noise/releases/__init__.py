"""Releases: noisy splits with all that a publication of a dataset needs."""
