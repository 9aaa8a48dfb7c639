"""Shared parts of the command lines: exit codes, options, progress, problems, tables."""
