"""Metrics: from the measures of all units to one number."""
