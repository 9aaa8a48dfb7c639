"""The list of categories in a recipe: which values are allowed, and their normal form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEMBERS = frozenset(("id", "name", "supercategory"))


def is_category_list(value: Any) -> bool:
    """Return whether a value is a list of categories with different ids.

    >>> is_category_list([{"id": 1, "name": "cat", "supercategory": "animal"}])
    True
    >>> is_category_list([{"id": 1, "name": "cat"}])
    False
    """
    if not isinstance(value, (list, tuple)) or not value or not all(map(_is_category, value)):
        return False
    return len({int(entry["id"]) for entry in value}) == len(value)


def _is_category(value: Any) -> bool:
    if not isinstance(value, Mapping) or value.keys() != _MEMBERS:
        return False
    number, name, group = value["id"], value["name"], value["supercategory"]
    is_whole = isinstance(number, (int, float)) and not isinstance(number, bool)
    return (
        is_whole
        and float(number).is_integer()
        and 0 <= number < 1 << 31
        and isinstance(name, str)
        and bool(name.strip())
        and (group is None or isinstance(group, str))
    )


def normalise_categories(value: Any) -> Any:
    """Return categories in the order of their ids, with whole ids; None stays None."""
    if value is None:
        return None
    entries = [
        {"id": int(entry["id"]), "name": entry["name"], "supercategory": entry["supercategory"]}
        for entry in value
    ]
    return sorted(entries, key=lambda entry: entry["id"])
