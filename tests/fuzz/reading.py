"""What every reader must do with an input that it refuses."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TypeVar

from actiseg_data.core.errors import ProblemCollector

T = TypeVar("T")


def accepted(read: Callable[[], T]) -> T | None:
    """Return the result of a reader, or None if it refuses its input as it should."""
    problems = ProblemCollector()
    result = None
    with problems.collect():
        result = read()
    for problem in problems.collected:
        assert not is_forging(str(problem)), f"no plain line: {problem!r}"
        assert all(map(str.strip, (problem.what, problem.where, problem.hint)))
    return result


def is_forging(line: str) -> bool:
    """Return whether a line can look like another at a terminal, or cannot be written."""
    letters = set(line)
    kinds = {unicodedata.category(letter) for letter in letters}
    order = {unicodedata.bidirectional(letter) for letter in letters}
    return bool(kinds & {"Cc", "Cs", "Zl", "Zp"} or order & _REORDERING)


_REORDERING = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})
