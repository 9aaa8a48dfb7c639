"""Differences between two noisy splits, releases or versions, by item and in sum."""
