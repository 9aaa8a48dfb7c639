"""Noise in labels: which objects are active, and the category of an object."""
