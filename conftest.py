"""Exclude the trainer's modules from the search for doctests if torch is not installed."""

from importlib.util import find_spec

# Globs, because pytest does not ignore a folder that its command line names.
_NEED_TORCH = ["reference_trainer/*", "tests/helpers/small_nets.py", "tests/helpers/trained.py"]
collect_ignore_glob = [] if find_spec("torch") else _NEED_TORCH
