"""Translate names of classes that users give into ids: matrices, pools, protected classes."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.names import parse_whole_number
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.make.prepare.noun_classes import normalise_name
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.recipes.kind_parameters import FREQUENCY


def read_matrix(path: Path, lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """Read a flip matrix with classes of a lexicon, see `read_weight_table`."""
    return read_weight_table(path, lambda text, where: _find_class(text, lexicon, where))


def read_weight_table(
    path: Path, find_class: Callable[[str, str], int]
) -> dict[str, dict[str, float]]:
    """Read a flip matrix from a CSV table.

    The first column has the clean class of each row, the first row the classes that it is flipped
    to, all by id or by name. Numbers are weights with any sum. The diagonal is 0 or empty, because
    the rate decides how many objects keep their class.

    Parameters
    ----------
    path : Path
        The table.
    find_class : callable
        Returns the id of a class, given its id or name and its place in the table; raises
        `InputError` for an unknown one.

    Returns
    -------
    dict of str to dict of str to float
        Weights above 0 by class ids.

    Raises
    ------
    InputError
        With every invalid row and column.
    """
    try:
        text = read_bytes(path, "matrix").decode("utf-8-sig")
        table = [row for row in csv.reader(io.StringIO(text, newline="")) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise refuse("is not a CSV table", path, "save the matrix as CSV in UTF-8") from None
    if len(table) < 2:
        raise refuse("has no row of weights", path, "write a header and a row for each class")
    problems = ProblemCollector()
    columns = [-1] * (len(table[0]) - 1)
    for position, name in enumerate(table[0][1:]):
        with problems.collect():
            where = f"{path}: column {position + 2} ({name[:40]!r})"
            class_id = find_class(name, where)
            if class_id in columns[:position]:
                raise refuse(f"class {class_id} has two columns", where, "keep one of them")
            columns[position] = class_id
    matrix: dict[str, dict[str, float]] = {}
    for line, row in enumerate(table[1:], 2):
        where = f"{path}: row {line} ({row[0][:40]!r})"
        with problems.collect():
            class_id = find_class(row[0], where)
            if str(class_id) in matrix:
                raise refuse(f"class {class_id} has two rows", where, "keep one of them")
            if len(row) != len(table[0]):
                raise refuse(
                    f"has {len(row) - 1} weights, but the header has {len(columns)} classes",
                    where,
                    "write one weight for each class of the header",
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
            raise refuse(f"{cell[:40]!r} is not a weight", where, "write numbers of at least 0")
        if weight and column == class_id:
            raise refuse(
                "has a weight on the diagonal",
                where,
                "set it to 0: `rate` decides how many objects keep their class",
            )
        if weight:
            weights[str(column)] = weights.get(str(column), 0.0) + weight
    if not weights:
        raise refuse("has no weight above 0", where, "write a weight for at least one other class")
    return weights


def _find_class(text: str, lexicon: Lexicon, where: str) -> int:
    """Return the class that an id or a name means; raise `InputError` unless it is exactly one."""
    classes = find_classes(text, lexicon)
    if len(classes) == 1:
        return classes[0]
    what = "a name of several classes"
    if not classes:
        what = f"not a class of the lexicon{suggest_class(text, lexicon)}"
    hint = f"use an id or a name of {lexicon.title!r}"
    raise refuse(f"{text[:40]!r} is {what}", where, hint)


def find_classes(text: str, lexicon: Lexicon) -> tuple[int, ...]:
    """Return the classes that an id, a name, or an EPIC name (``board:cutting``) means."""
    text = text.strip()
    number = parse_whole_number(text)
    if number is not None and number in lexicon.classes:
        return (number,)
    return lexicon.find_classes(text) or lexicon.find_classes(normalise_name(text))


def find_protected_classes(names: Iterable[str], lexicon: Lexicon) -> list[int]:
    """Return the ids of classes to protect, given by name or id.

    Raises
    ------
    InputError
        With every name that the lexicon lacks.
    """
    problems = ProblemCollector()
    protected: set[int] = set()
    for name in names:
        classes = find_classes(name, lexicon)
        protected.update(classes)
        if not classes:
            problems.add(
                f"{name[:60]!r} is not a name of the lexicon {lexicon.title!r}"
                f"{suggest_class(name, lexicon)}",
                "`protect`",
                "use the name of an object or class",
            )
    problems.raise_if_any()
    return sorted(protected)


def suggest_class(text: str, lexicon: Lexicon) -> str:
    """Return the end of a message: the class with a name near a text, as `suggest` asks for it."""
    return suggest(text, [noun.name for noun in lexicon.classes.values()])


def freeze_frequencies(recipe: Recipe, sequences: Iterable[VideoSequence]) -> Recipe:
    """Return a recipe with the frequencies of a split for the pool `FREQUENCY`.

    Parameters
    ----------
    recipe : Recipe
        The recipe. Without this pool, it is returned as it is.
    sequences : iterable of VideoSequence
        All sequences of the split, whose objects count.

    Raises
    ------
    InputError
        If the split has objects without a class.
    """
    noise = recipe.text_noise
    if noise is None or noise.parameters.get("pool") != FREQUENCY:
        return recipe
    counts = Counter(label.class_id for sequence in sequences for label in sequence.objects)
    if min(counts, default=-1) < 0:
        what = "counts the classes of objects, and the dataset has objects without a class"
        raise refuse(what, "`pool`", "leave it out, or give a list of class ids")
    pool = {str(class_id): counts[class_id] for class_id in sorted(counts)}
    frozen = replace(noise, parameters={**noise.parameters, "pool": pool})
    noises = tuple(frozen if part is noise else part for part in recipe.noises)
    return replace(recipe, noises=noises)


def list_dataset_classes(root: Path) -> list[int]:
    """Return the ids of the classes of all objects in a dataset's lists.

    Raises
    ------
    InputError
        If the dataset has no action lists.
    """
    names = list_splits(root)
    if not names:
        what = "has no action lists, whose classes the pool 'dataset' has"
        raise refuse(what, root, "leave `pool` out, and give the dataset's nouns as `lexicon`")
    classes: set[int] = set()
    for name in names:
        path = root / IMAGE_SETS / f"{name}.json"
        for record in Cursor(read_json(path, "action list"), str(path)).iterate_elements():
            for _, entry in record["object_classes"].iterate_members():
                classes.add(entry["class_id"].as_integer())
    return sorted(classes)
