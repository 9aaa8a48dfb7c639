"""The EPIC-KITCHENS-100 noun classes, and the expected class of a VISOR name."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import read_csv
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_text, parse_table_number

_MAX_LIST = 1 << 16


@dataclass(frozen=True)
class NounRow:
    """A class of the table.

    Attributes
    ----------
    class_id : int
        Its id.
    entries : tuple of str
        Its names as VISOR writes them, its own first.
    category : str or None
        Its group, such as ``cutlery``.
    """

    class_id: int
    entries: tuple[str, ...]
    category: str | None


@dataclass(frozen=True)
class NounClasses:
    """The table of classes.

    Attributes
    ----------
    ids : frozenset of int
        All class ids.
    of_name : dict of str to frozenset of int
        The classes that list a name.
    """

    ids: frozenset[int]
    of_name: dict[str, frozenset[int]]

    def describe_class(self, name: str, class_id: int) -> str | None:
        """Return the kind of finding about an entity's class, or None if the class is as expected.

        ``"unknown_classes"``: the table does not have the id. ``"differing_classes"``: the table
        lists the name, but only under other ids.
        """
        if class_id not in self.ids:
            return "unknown_classes"
        listed = self.of_name.get(name)
        return "differing_classes" if listed and class_id not in listed else None


def read_noun_classes(path: Path) -> NounClasses:
    """Read the classes of ``EPIC_100_noun_classes_v2.csv``."""
    of_name: dict[str, set[int]] = {}
    rows = read_noun_table(path)
    for row in rows:
        for entry in row.entries:
            of_name.setdefault(entry, set()).add(row.class_id)
    return NounClasses(
        frozenset(row.class_id for row in rows),
        {name: frozenset(ids) for name, ids in of_name.items()},
    )


def read_noun_table(path: Path) -> list[NounRow]:
    """Read ``EPIC_100_noun_classes_v2.csv``; an `InputError` lists every faulty row."""
    problems = ProblemCollector()
    rows: dict[int, NounRow] = {}
    for line, row in enumerate(read_csv(path, ("id", "key", "instances")), 2):
        with problems.collect():
            where = f"{path}: row {line}"
            class_id = parse_table_number(row["id"])
            if class_id is None:
                raise refuse(f"{row['id'][:60]!r} is not a class id", where, "give the right table")
            if class_id in rows:
                raise refuse(f"class {row['id']} is listed twice", where, "give the right table")
            entries = (row["key"], *parse_texts(row["instances"], where))
            names = tuple(check_text(normalise_name(entry), where) for entry in entries)
            category = check_text(row.get("category") or "", where) or None
            rows[class_id] = NounRow(class_id, names, category)
    problems.raise_if_any()
    return list(rows.values())


def normalise_name(instance: str) -> str:
    """Convert an entry of the table to the name in VISOR; compounds are ``head:modifier``.

    >>> normalise_name("container:coffee:bean")
    'coffee bean container'
    """
    head, *modifiers = instance.split(":")
    return " ".join([*modifiers, head])


def parse_texts(text: str, where: Path | str) -> tuple[str, ...]:
    """Parse a list such as ``"['tap', 'tap:water']"``; other texts raise an `InputError`.

    >>> parse_texts("['tap', 'tap:water']", "table")
    ('tap', 'tap:water')
    """
    try:
        value = ast.literal_eval(text.strip()) if len(text) <= _MAX_LIST else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refuse(f"{text[:60]!r} is not a list of names", where, "give the right table")
    return tuple(value)
