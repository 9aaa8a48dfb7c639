"""Errors, checks of untrusted input, files, keys, workers and statistics, for all packages."""
