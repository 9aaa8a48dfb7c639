"""Counts with their nouns."""

from __future__ import annotations


def count_nouns(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, whose plural ends in ``s`` unless `plural` is given.

    >>> count_nouns(1, "frame"), count_nouns(12, "frame"), count_nouns(2, "class", "classes")
    ('1 frame', '12 frames', '2 classes')
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
