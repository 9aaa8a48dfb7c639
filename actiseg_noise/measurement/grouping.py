"""Group items, and name the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from actiseg_data.annotations.class_names import name_supercategory
from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.layouts.split import Split

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_UNKNOWN_CLASS = -1
"""The class of an object without one."""


def group_by(items: Iterable[T], get_key: Callable[[T], K]) -> dict[K, list[T]]:
    """Group items by a key, in the order of each key's first item.

    >>> group_by([3, 8, 5], lambda number: number % 2)
    {1: [3, 5], 0: [8]}
    """
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(get_key(item), []).append(item)
    return groups


def group_by_class(items: Iterable[T], get_class: Callable[[T], int]) -> dict[int, list[T]]:
    """Group items by their class id, in its order; empty if no class is known.

    >>> group_by_class([-1, -1], int), group_by_class([2, -1], int)
    ({}, {-1: [-1], 2: [2]})
    """
    groups = group_by(items, get_class)
    return {} if set(groups) == {_UNKNOWN_CLASS} else dict(sorted(groups.items()))


@dataclass(frozen=True)
class ClassNames:
    """Names of classes and of their supercategories.

    Attributes
    ----------
    lexicon : Lexicon or None
        Has both, if the classes are those of the lexicon.
    supercategories : mapping of int to str
        Otherwise, those that the dataset has for its own categories.
    """

    lexicon: Lexicon | None
    supercategories: Mapping[int, str] = field(default_factory=dict)

    def name_class(self, class_id: int, names: Iterable[str]) -> str:
        """Return the name of a class, given the names of its items."""
        if self.lexicon is not None:
            return name_class(class_id, self.lexicon, names)
        return _find_commonest(names)

    def name_supercategory(self, class_id: int) -> str | None:
        """Return the supercategory of a class; None if it has none."""
        if self.lexicon is not None:
            return name_supercategory(class_id, self.lexicon)
        return self.supercategories.get(class_id)


def find_class_names(split: Split, lexicon: Lexicon) -> ClassNames:
    """Find the names of classes: those of the lexicon are for action lists alone.

    Raises
    ------
    InputError
        If a document of categories is damaged.
    """
    if split.has_action_lists:
        return ClassNames(lexicon)
    pairs = ((category.id, category.supercategory) for category in split.read_categories())
    return ClassNames(None, {class_id: name for class_id, name in pairs if name is not None})


def name_class(class_id: int, lexicon: Lexicon, names: Iterable[str]) -> str:
    """Return the lexicon's name of a class, or else the most frequent of the items' names."""
    if class_id in lexicon.classes:
        return lexicon.classes[class_id].name
    return _find_commonest(names)


def _find_commonest(names: Iterable[str]) -> str:
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))
