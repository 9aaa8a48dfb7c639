"""Measures of one mask: pixel counts, boundaries, failure modes."""
