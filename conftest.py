"""Doctests of the trainer need torch, which is in the extra [train]."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["reference_trainer"]
