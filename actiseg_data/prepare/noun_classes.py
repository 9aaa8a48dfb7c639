"""The EPIC-KITCHENS-100 noun classes, and the class that a VISOR name should have."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.errors import Problems, refuse
from actiseg_data.untrusted import check_text, read_csv

_MAX_LIST = 1 << 16


@dataclass(frozen=True)
class NounClasses:
    """The table of classes.

    ids: all class ids. of_name: the classes that list a name. names: what each class is called.
    supercategories: the group of each class, such as ``cutlery``; empty where the table has none.
    """

    ids: frozenset[int]
    of_name: dict[str, frozenset[int]]
    names: dict[int, str]
    supercategories: dict[int, str]

    def finding(self, name: str, class_id: int) -> str | None:
        """What is odd about an entity's class, or None.

        ``"unknown_classes"``: the table lacks the id. ``"differing_classes"``: the table lists the
        name, but under other ids only.
        """
        if class_id not in self.ids:
            return "unknown_classes"
        listed = self.of_name.get(name)
        return "differing_classes" if listed and class_id not in listed else None


def read_noun_classes(path: Path) -> NounClasses:
    """Read ``EPIC_100_noun_classes_v2.csv``; raises `Refused` with every faulty row."""
    problems = Problems()
    of_name: dict[str, set[int]] = {}
    names: dict[int, str] = {}
    supercategories: dict[int, str] = {}
    for line, row in enumerate(read_csv(path, ("id", "key", "instances")), 2):
        with problems.caught():
            where = f"{path}: row {line}"
            if not (row["id"].isascii() and row["id"].isdigit() and len(row["id"]) < 10):
                raise refuse(f"{row['id'][:60]!r} is no class id", where, "give the right table")
            class_id = int(row["id"])
            if class_id in names:
                raise refuse(f"class {row['id']} is listed twice", where, "give the right table")
            names[class_id] = check_text(spoken(row["key"]), where)
            if row.get("category"):
                supercategories[class_id] = check_text(row["category"], where)
            for instance in (row["key"], *parse_texts(row["instances"], where)):
                of_name.setdefault(spoken(instance), set()).add(class_id)
    problems.raise_if_any()
    return NounClasses(
        frozenset(names),
        {name: frozenset(of) for name, of in of_name.items()},
        names,
        supercategories,
    )


def spoken(instance: str) -> str:
    """The name that VISOR writes for an entry of the table, whose compounds are ``head:modifier``.

    >>> spoken("container:coffee:bean")
    'coffee bean container'
    """
    head, *modifiers = instance.split(":")
    return " ".join([*modifiers, head])


def parse_texts(text: str, where: object) -> tuple[str, ...]:
    """The texts of a list such as ``"['tap', 'tap:water']"``; anything else is refused.

    >>> parse_texts("['tap', 'tap:water']", "table")
    ('tap', 'tap:water')
    """
    try:
        value = ast.literal_eval(text.strip()) if len(text) <= _MAX_LIST else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refuse(f"{text[:60]!r} is no list of names", where, "give the right table")
    return tuple(value)
