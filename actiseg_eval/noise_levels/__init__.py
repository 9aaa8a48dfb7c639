"""Measure how methods degrade over levels of label noise."""
