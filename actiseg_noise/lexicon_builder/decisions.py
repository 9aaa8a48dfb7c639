"""Read senses that people set by hand, which override those of the procedure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import MATCHES
from actiseg_data.core.documents import (
    Cursor,
    parse_json,
    read_csv,
)
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import read_bytes, read_text
from actiseg_data.core.names import check_text, parse_table_number

_SYNSET = re.compile(r"\S+\.[nvasr]\.\d+")

BY_HAND = "set by hand"


@dataclass(frozen=True)
class Decision:
    """A sense that people chose, the procedure's or another one; for `match` see `NounClass`."""

    synset: str
    match: str
    why: str


def read_decisions(path: Path) -> dict[int, Decision]:
    """Read a table of decisions with the columns ``class_id, synset, match, why``, by class id.

    Raises
    ------
    InputError
        With every invalid row.
    """
    problems = ProblemCollector()
    decisions: dict[int, Decision] = {}
    for line, row in enumerate(read_csv(path, ("class_id", "synset", "match", "why")), 2):
        where = f"{path}: row {line}"
        with problems.collect():
            class_id = parse_table_number(row["class_id"])
            if class_id is None:
                raise refuse(f"{row['class_id'][:60]!r} is not a class id", where, "correct the id")
            if class_id in decisions:
                raise refuse(f"class {class_id} has two decisions", where, "keep one of them")
            if row["match"] not in MATCHES:
                known = " or ".join(MATCHES)
                raise refuse(f"match {row['match'][:60]!r} is unknown", where, f"use {known}")
            texts = [check_text(row[column], where) for column in ("synset", "match", "why")]
            decisions[class_id] = Decision(*texts)
    problems.raise_if_any()
    return decisions


def read_senses(
    path: Path, classes: Mapping[str, int], problems: ProblemCollector
) -> dict[int, Decision]:
    """Read the senses of a user's file, by class id.

    Parameters
    ----------
    path : Path
        A JSON object ``{"mouse": "mouse.n.04"}``, a CSV table with the columns ``name, synset``
        (the header may be missing), or a table of `read_decisions`.
    classes : mapping of str to int
        The class of each name, by `make_name_key`.
    problems : ProblemCollector
        Collects every entry that does not name a class.

    Raises
    ------
    InputError
        If the file cannot be read at all.
    """
    columns = _read_header(path)
    if "class_id" in columns and "name" not in columns:
        decisions = read_decisions(path)
        for class_id in sorted(decisions.keys() - set(classes.values())):
            problems.add(f"there is no class {class_id}", path, "correct its id, or omit it")
        return decisions
    senses: dict[int, Decision] = {}
    for where, name, synset in _read_named_senses(path):
        decision = Decision(synset, "exact", BY_HAND)
        named = classes.get(make_name_key(name))
        if named is None:
            what = f"{name[:60]!r} is not a name of the list{suggest(make_name_key(name), classes)}"
            problems.add(what, where, "write the name as in the list")
        elif senses.setdefault(named, decision) != decision:
            problems.add(f"{name[:60]!r} has two senses", where, "keep one of them")
    return senses


def fold_name(name: str) -> str:
    """Convert a name to the form of a lexicon: lower case, and single spaces, no underscores.

    Examples
    --------
    >>> fold_name(" Wine_Glass")
    'wine glass'
    """
    return " ".join(name.replace("_", " ").split()).lower()


def make_name_key(name: str) -> str:
    """Make a key that is equal for all spellings of a name.

    >>> make_name_key("Teddy-Bear") == make_name_key("teddy_bear")
    True
    """
    return fold_name(name.replace("-", " "))


def _read_named_senses(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (location, name, synset) of each entry of a file."""
    if path.suffix.lower() == ".json":
        document = Cursor(parse_json(read_bytes(path, "file of senses"), path), str(path))
        for name, entry in document.iterate_members():
            yield entry.where, name, entry.as_text()
        return
    if _SYNSET.fullmatch((_read_header(path)[1:2] or [""])[0]):
        for line, row in enumerate(_read_rows(path), 1):
            if len(row) == 2:
                name, synset = (check_text(cell.strip(), path) for cell in row)
                yield f"{path}: row {line}", name, synset
            elif any(row):
                raise refuse(f"row {line} is not a name with a synset", path, "write name,synset")
        return
    for line, cells in enumerate(read_csv(path, ("name", "synset")), 2):
        where = f"{path}: row {line}"
        yield where, check_text(cells["name"], where), check_text(cells["synset"].strip(), where)


def _read_rows(path: Path) -> list[list[str]]:
    """Read the rows of a table without a header."""
    text = io.StringIO(read_text(path, "file of senses"), newline="")
    try:
        return list(csv.reader(text, skipinitialspace=True))
    except csv.Error as error:
        raise refuse(f"is not a CSV table ({error})", path, "write name,synset") from None


def _read_header(path: Path) -> list[str]:
    """Read the first line of a file, split at its commas."""
    first = read_text(path, "file of senses").partition("\n")[0]
    return [cell.strip() for cell in first.split(",")]
