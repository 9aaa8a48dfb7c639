"""Confidence intervals and tests by resampling videos."""
