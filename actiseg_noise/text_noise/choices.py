"""What people name at the command line, as a recipe has it: matrices, pools, protected classes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.errors import ProblemCollector, find_nearest, refuse
from actiseg_data.core.validation import Cursor, parse_whole_number, read_bytes, read_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, list_splits
from actiseg_data.make.prepare.noun_classes import normalise_name


def read_matrix(path: Path, lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """A matrix of flips: a CSV table whose first column names the clean class of each row, and
    whose first row names the classes that these are flipped to, all by id or by a lexicon's name.

    Numbers are weights, of any sum; the diagonal is 0 or empty, because the rate says how many stay
    as they are. Returns weights above 0 by class ids. Raises `InputError` with every bad row.
    """
    try:
        text = read_bytes(path, "matrix").decode("utf-8-sig")
        table = [row for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise refuse("is no CSV table", path, "save the matrix as CSV in UTF-8") from None
    if len(table) < 2:
        raise refuse("has no row of weights", path, "give a header and a row for each class")
    problems = ProblemCollector()
    columns = [-1] * (len(table[0]) - 1)
    for at, name in enumerate(table[0][1:]):
        with problems.collect():
            where = f"{path}: column {at + 2} ({name[:40]!r})"
            class_id = _find_class(name, lexicon, where)
            if class_id in columns[:at]:
                raise refuse(f"class {class_id} has a column already", where, "give one for each")
            columns[at] = class_id
    matrix: dict[str, dict[str, float]] = {}
    for line, row in enumerate(table[1:], 2):
        where = f"{path}: row {line} ({row[0][:40]!r})"
        with problems.collect():
            class_id = _find_class(row[0], lexicon, where)
            if str(class_id) in matrix:
                raise refuse(f"class {class_id} has a row already", where, "give one for each")
            if len(row) != len(table[0]):
                raise refuse(
                    f"has {len(row) - 1} weights, the header {len(columns)} classes",
                    where,
                    "give one weight for each class of the header",
                )
            matrix[str(class_id)] = _parse_weights(row[1:], columns, class_id, where)
    problems.raise_if_any()
    return matrix


def _parse_weights(
    cells: list[str], columns: list[int], class_id: int, where: str
) -> dict[str, float]:
    weights: dict[str, float] = {}
    for cell, column in zip(cells, columns, strict=True):
        try:
            weight = float(cell) if cell.strip() else 0.0
        except ValueError:
            weight = math.nan
        if not 0 <= weight < 1e12:
            raise refuse(f"{cell[:40]!r} is no weight", where, "give numbers of 0 and more")
        if weight and column == class_id:
            raise refuse(
                "has a weight on the diagonal", where, "set it to 0: --rate says how many stay"
            )
        if weight:
            weights[str(column)] = weights.get(str(column), 0.0) + weight
    if not weights:
        raise refuse("has no weight above 0", where, "say what the class is flipped to")
    return weights


def _find_class(text: str, lexicon: Lexicon, where: str) -> int:
    """The class that an id or a name means; raises `InputError` where that is not one."""
    found = find_classes(text, lexicon)
    if len(found) == 1:
        return found[0]
    raise refuse(
        f"{text[:40]!r} is {'a name of several classes' if found else 'no class of the lexicon'}",
        where,
        f"use an id or a name of {lexicon.title!r}{suggest_names(text, lexicon)}",
    )


def find_classes(text: str, lexicon: Lexicon) -> tuple[int, ...]:
    """The classes that an id, a name, or a name as EPIC writes it (``board:cutting``) means."""
    text = text.strip()
    number = parse_whole_number(text)
    if number is not None and number in lexicon.classes:
        return (number,)
    return lexicon.classes_of(text) or lexicon.classes_of(normalise_name(text))


def find_protected_classes(names: Iterable[str], lexicon: Lexicon) -> list[int]:
    """The classes that names or ids stand for; raises `InputError` for every one that is none."""
    problems = ProblemCollector()
    found: set[int] = set()
    for name in names:
        classes = find_classes(name, lexicon)
        found.update(classes)
        if not classes:
            problems.add(
                f"{name[:60]!r} is no name of the lexicon {lexicon.title!r}",
                "--protect",
                f"use the name of an object or class{suggest_names(name, lexicon)}",
            )
    problems.raise_if_any()
    return sorted(found)


def suggest_names(text: str, lexicon: Lexicon) -> str:
    """Names of classes that a text comes near to, for a message; empty where there are none."""
    names = [noun.name for noun in lexicon.classes.values()]
    near = find_nearest(text, names)
    return f", such as {', '.join(near)}" if near else ""


def list_dataset_classes(root: Path) -> list[int]:
    """The classes of all objects of a dataset, in whichever of its lists."""
    found: set[int] = set()
    for name in list_splits(root):
        path = root / IMAGE_SETS / f"{name}.json"
        for record in Cursor(read_json(path, "action list"), str(path)).elements():
            for _, entry in record["object_classes"].members():
                found.add(entry["class_id"].integer())
    return sorted(found)
