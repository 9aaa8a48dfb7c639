"""The categories of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Category:
    """A category of a dataset, such as those of COCO.

    Attributes
    ----------
    id : int
        Its id.
    name : str
        Its name.
    supercategory : str or None
        The group that it belongs to; None if the dataset has no groups.
    """

    id: int
    name: str
    supercategory: str | None = None


def parse_categories(values: Iterable[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Return categories from their form in a checked recipe, in its order.

    >>> parse_categories([{"id": 1, "name": "cat", "supercategory": None}])
    (Category(id=1, name='cat', supercategory=None),)
    """
    return tuple(Category(**value) for value in values)


def parse_coco_categories(values: Sequence[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Return the categories of a checked document of COCO, in its order.

    A supercategory that is not a text is none.

    >>> parse_coco_categories([{"id": 1, "name": "cat", "supercategory": "animal", "frequency": 3}])
    (Category(id=1, name='cat', supercategory='animal'),)
    """
    groups = [value.get("supercategory") for value in values]
    return tuple(
        Category(value["id"], value["name"], group if isinstance(group, str) else None)
        for value, group in zip(values, groups, strict=True)
    )
