"""The EPIC-KITCHENS-100 noun classes, and the class that a VISOR name should have."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.errors import Problems, refuse
from actiseg_data.untrusted import read_csv

_MAX_LIST = 1 << 16


@dataclass(frozen=True)
class NounClasses:
    """The table of classes. ids: all class ids. of_name: the classes that list a name."""

    ids: frozenset[int]
    of_name: dict[str, frozenset[int]]

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
    names: dict[str, set[int]] = {}
    ids: set[int] = set()
    for line, row in enumerate(read_csv(path, ("id", "key", "instances")), 2):
        with problems.caught():
            where = f"{path}: row {line}"
            if not (row["id"].isascii() and row["id"].isdigit() and len(row["id"]) < 10):
                raise refuse(f"{row['id'][:60]!r} is no class id", where, "give the right table")
            if int(row["id"]) in ids:
                raise refuse(f"class {row['id']} is listed twice", where, "give the right table")
            ids.add(int(row["id"]))
            for instance in (row["key"], *parse_texts(row["instances"], where)):
                names.setdefault(spoken(instance), set()).add(int(row["id"]))
    problems.raise_if_any()
    return NounClasses(frozenset(ids), {name: frozenset(of) for name, of in names.items()})


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
