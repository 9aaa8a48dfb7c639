"""The categories of objects in a ``meta.json``, as YouTube-VOS has it.

::

    {"videos": {VIDEO: {"objects": {ID: {"category": NAME, "frames": [FRAME, ...]}}}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actiseg_data.annotations.categories import Category
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_text

META = "meta.json"

CategoryNames = dict[str, dict[int, str]]
"""The name of the category of each object, by video and object id."""


def read_category_names(path: Path) -> CategoryNames:
    """Read the categories of all objects.

    Raises
    ------
    InputError
        With every fault.
    """
    problems = ProblemCollector()
    names: CategoryNames = {}
    for video, entry in Cursor(read_json(path), str(path))["videos"].iterate_members():
        names[video] = {}
        for number, member in entry["objects"].iterate_members():
            with problems.collect():
                if not (number.isdecimal() and 1 <= int(number) <= 255):
                    what = f"{number[:20]!r} is not an object id"
                    raise refuse(what, member.where, "use whole numbers from 1 to 255")
                category = member["category"]
                names[video][int(number)] = check_text(category.as_text(), category.where)
    problems.raise_if_any()
    return names


def number_categories(names: CategoryNames) -> tuple[Category, ...]:
    """Give the categories of all objects ids, because a ``meta.json`` has names alone.

    An id is the position of the name, from 1, in the order of the alphabet.

    >>> number_categories({"a": {1: "fish", 2: "bike"}, "b": {1: "fish"}})[1]
    Category(id=2, name='fish', supercategory=None)
    """
    every = sorted({name for objects in names.values() for name in objects.values()})
    return tuple(Category(position, name) for position, name in enumerate(every, 1))


def rename_categories(document: Any, changes: Mapping[str, Mapping[int, str]]) -> Any:
    """Return a ``meta.json`` with other categories of some objects, and all else as it was.

    Parameters
    ----------
    document : Any
        A checked document.
    changes : mapping
        The new names by video and object id.
    """
    videos = dict(document["videos"])
    for video in videos.keys() & changes.keys():
        objects = {
            number: {**entry, "category": changes[video].get(int(number), entry["category"])}
            for number, entry in videos[video]["objects"].items()
        }
        videos[video] = {**videos[video], "objects": objects}
    return {**document, "videos": videos}
