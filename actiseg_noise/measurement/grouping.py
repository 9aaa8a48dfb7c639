"""Group items, and name the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from actiseg_data.annotations.lexicon import Lexicon

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def group_by(items: Iterable[T], get_key: Callable[[T], K]) -> dict[K, list[T]]:
    """Group items by a key, in the order of each key's first item.

    >>> group_by([3, 8, 5], lambda number: number % 2)
    {1: [3, 5], 0: [8]}
    """
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(get_key(item), []).append(item)
    return groups


def name_class(class_id: int, lexicon: Lexicon, names: Iterable[str]) -> str:
    """Return the lexicon's name of a class, or else the most frequent of the items' names."""
    if class_id in lexicon.classes:
        return lexicon.classes[class_id].name
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))
