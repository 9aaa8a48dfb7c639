"""The baseline scores of noisy labels: what methods reach that were trained on them.

`actiseg-train bench` writes them as part of its report. A release has those of its own labels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_keys,
    check_schema,
    collect_valid,
    parse_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.names import check_name, refuse_value

BASELINES_FILE = "baselines.json"
BASELINES_SCHEMA = "actiseg/baselines/1"

MASKS_FIGURE, ACTIVITY_FIGURE = "p_miou_ungated", "auroc"
"""The figures of a baseline: p-mIoU with the activity gate off, and AUROC of activity."""

MAX_BYTES = 1 << 26
"""Largest document. A report of 30 cells with 20 methods each has 2 MB."""

MAX_TEXT = 2000
"""Longest text, in characters."""

Interval: TypeAlias = "tuple[float, float]"

_DIGEST = re.compile(r"[0-9a-f]{32}")
_FIGURES = (MASKS_FIGURE, ACTIVITY_FIGURE)
_CELL_KEYS = ("arm", "data", "rendered", "videos", "cell", "about", "labels", "noises", "rows")
_ROW_KEYS = ("method", "variant", "control", "seeds", "figures", "predictions")
_FIGURE_KEYS = ("value", "interval", "seeds", "kept", "kept_interval")


@dataclass(frozen=True)
class BaselineFigure:
    """A figure of a method.

    Attributes
    ----------
    value : float in [0, 1], or None
        The mean over seeds. None if it is undefined.
    interval : Interval or None
        Of 95 %, over videos and seeds.
    seeds : tuple of float in [0, 1], or None
        The value of each seed.
    kept : float or None
        The share of what clean labels teach: 0 for the frozen start, 1 for clean labels.
    kept_interval : Interval or None
    """

    value: float | None
    interval: Interval | None
    seeds: tuple[float | None, ...]
    kept: float | None
    kept_interval: Interval | None


@dataclass(frozen=True)
class PredictionDigest:
    """The predictions of a run on the test split.

    Attributes
    ----------
    fold, seed : int
    digest : str
        `actiseg_data.digest_raw_scores` of them.
    """

    fold: int
    seed: int
    digest: str


@dataclass(frozen=True)
class BaselineRow:
    """A method.

    Attributes
    ----------
    method, variant : str
        The variant is the value that tuning chose, or empty.
    control : bool
        Whether it is a control, not a method to compare.
    seeds : tuple of int
    masks, activity : BaselineFigure
        `MASKS_FIGURE` and `ACTIVITY_FIGURE`.
    predictions : tuple of PredictionDigest
        One for each fold and seed.
    """

    method: str
    variant: str
    control: bool
    seeds: tuple[int, ...]
    masks: BaselineFigure
    activity: BaselineFigure
    predictions: tuple[PredictionDigest, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        members = asdict(self)
        figures = {MASKS_FIGURE: members.pop("masks"), ACTIVITY_FIGURE: members.pop("activity")}
        return {**members, "figures": figures}


@dataclass(frozen=True)
class NoisyLabelsSource:
    """What noisy labels were made from. It identifies them.

    Attributes
    ----------
    recipe : str
        The digest of the recipe.
    clean : str
        The fingerprint of the clean split.
    """

    recipe: str
    clean: str


@dataclass(frozen=True)
class BaselineCell:
    """The methods that were trained on one kind of noise.

    Attributes
    ----------
    arm, cell : str
        The names of the data and of the noise in the plan.
    data, about : str
        What the data and the noise are.
    rendered : bool
        Whether the frames are rendered, not photographs.
    videos : int
        The videos that were tested.
    labels : float in [0, 1], or None
        The p-mIoU of the noisy labels themselves.
    noises : tuple of NoisyLabelsSource
        The training labels, one for each fold.
    rows : tuple of BaselineRow
        The frozen start and clean labels first.
    """

    arm: str
    data: str
    rendered: bool
    videos: int
    cell: str
    about: str
    labels: float | None
    noises: tuple[NoisyLabelsSource, ...]
    rows: tuple[BaselineRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "rows": [row.to_dict() for row in self.rows]}


@dataclass(frozen=True)
class Baselines:
    """The baseline scores of some noisy labels.

    Attributes
    ----------
    plan, about : str
        The plan of the benchmark: its name, and what it compares.
    cells : tuple of BaselineCell
    """

    plan: str
    about: str
    cells: tuple[BaselineCell, ...]

    def choose(self, labels: Iterable[NoisyLabelsSource]) -> Baselines:
        """Return the cells that were trained on some of these labels."""
        wanted = set(labels)
        cells = tuple(cell for cell in self.cells if wanted & set(cell.noises))
        return Baselines(self.plan, self.about, cells)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `BASELINES_SCHEMA`."""
        return {
            "schema": BASELINES_SCHEMA,
            "plan": self.plan,
            "about": self.about,
            "cells": [cell.to_dict() for cell in self.cells],
        }


def read_baselines(path: Path) -> Baselines:
    """Read a `BASELINES_FILE`.

    Raises
    ------
    InputError
        With every unknown or missing key, wrong type, and impossible number.
    """
    top = Cursor(parse_json(read_bytes(path, "baselines", MAX_BYTES), path), str(path))
    check_schema(top, BASELINES_SCHEMA, RELEASE_HINT)
    problems = ProblemCollector()
    check_keys(top, ("schema", "plan", "about", "cells"), problems)
    cells = collect_valid(top["cells"].iterate_elements(), _parse_cell, problems)
    problems.raise_if_any()
    return Baselines(parse_label(top["plan"]), parse_about(top["about"]), tuple(cells))


def _parse_cell(cursor: Cursor) -> BaselineCell:
    problems = ProblemCollector()
    check_keys(cursor, _CELL_KEYS, problems)
    rows = []
    for row in cursor["rows"].iterate_elements():
        check_keys(row, _ROW_KEYS, problems)
        check_keys(row["figures"], _FIGURES, problems)
        for figure in _FIGURES:
            check_keys(row["figures"][figure], _FIGURE_KEYS, problems)
        with problems.collect():
            rows.append(parse_row(row))
    problems.raise_if_any()
    return BaselineCell(
        arm=parse_label(cursor["arm"]),
        data=parse_about(cursor["data"]),
        rendered=cursor["rendered"].as_flag(),
        videos=parse_count(cursor["videos"]),
        cell=parse_label(cursor["cell"]),
        about=parse_about(cursor["about"]),
        labels=parse_share(cursor["labels"]),
        noises=parse_noises(cursor["noises"]),
        rows=tuple(rows),
    )


def parse_row(cursor: Cursor) -> BaselineRow:
    """Parse a method, in a report of a benchmark or in a `BASELINES_FILE`.

    Raises
    ------
    InputError
        If a member is missing, of a wrong type or impossible.
    """
    row = BaselineRow(
        method=parse_label(cursor["method"]),
        variant=parse_about(cursor["variant"]),
        control=cursor["control"].as_flag(),
        seeds=tuple(seed.as_integer() for seed in cursor["seeds"].iterate_elements()),
        masks=_parse_figure(cursor["figures"][MASKS_FIGURE]),
        activity=_parse_figure(cursor["figures"][ACTIVITY_FIGURE]),
        predictions=tuple(map(_parse_prediction, cursor["predictions"].iterate_elements())),
    )
    runs = [(run.fold, run.seed) for run in row.predictions]
    if len(set(runs)) < len(runs) or {seed for _, seed in runs} != set(row.seeds):
        what = "has not the predictions of each fold and seed once"
        raise refuse(what, cursor["predictions"].where, "make the report again")
    for figure in (row.masks, row.activity):
        if len(figure.seeds) != len(row.seeds):
            what = f"has {len(figure.seeds)} values for {len(row.seeds)} seeds"
            raise refuse(what, cursor["figures"].where, "make the report again")
    return row


def _parse_figure(cursor: Cursor) -> BaselineFigure:
    return BaselineFigure(
        value=parse_share(cursor["value"]),
        interval=_parse_interval(cursor["interval"]),
        seeds=tuple(map(parse_share, cursor["seeds"].iterate_elements())),
        kept=None if cursor["kept"].value is None else cursor["kept"].as_number(),
        kept_interval=_parse_interval(cursor["kept_interval"]),
    )


def _parse_prediction(cursor: Cursor) -> PredictionDigest:
    problems = ProblemCollector()
    check_keys(cursor, ("fold", "seed", "digest"), problems)
    problems.raise_if_any()
    fold, seed = cursor["fold"].as_integer(), cursor["seed"].as_integer()
    return PredictionDigest(fold, seed, _parse_digest(cursor["digest"]))


def parse_noises(cursor: Cursor) -> tuple[NoisyLabelsSource, ...]:
    """Parse what the training labels of a cell were made from."""
    problems = ProblemCollector()
    noises = []
    for entry in cursor.iterate_elements():
        check_keys(entry, ("recipe", "clean"), problems)
        recipe, clean = (_parse_digest(entry[name]) for name in ("recipe", "clean"))
        noises.append(NoisyLabelsSource(recipe, clean))
    problems.raise_if_any()
    return tuple(noises)


def _parse_digest(cursor: Cursor) -> str:
    text = cursor.as_text()
    if not _DIGEST.fullmatch(text):
        raise refuse_value("a digest of 32 hexadecimal digits", text, cursor.where)
    return text


def _parse_interval(cursor: Cursor) -> Interval | None:
    if cursor.value is None:
        return None
    ends = [end.as_number() for end in cursor.iterate_elements()]
    if len(ends) != 2 or not ends[0] <= ends[1]:
        raise refuse_value("an interval", cursor.value, cursor.where)
    return ends[0], ends[1]


def parse_share(cursor: Cursor) -> float | None:
    """Parse a number in [0, 1], or null."""
    if cursor.value is None:
        return None
    number = cursor.as_number()
    if not (math.isfinite(number) and 0 <= number <= 1):
        raise refuse_value("a number from 0 to 1", number, cursor.where)
    return number


def parse_count(cursor: Cursor) -> int:
    """Parse a whole number from 1."""
    number = cursor.as_integer()
    if number < 1:
        raise refuse_value("a whole number from 1", number, cursor.where)
    return number


def parse_label(cursor: Cursor) -> str:
    """Parse the name of a plan, an arm, a cell or a method."""
    return check_name(cursor.as_text(), "baseline", cursor.where)


def parse_about(cursor: Cursor) -> str:
    """Parse a text of at most `MAX_TEXT` characters, which may be empty."""
    text = cursor.as_text()
    if len(text) > MAX_TEXT:
        raise refuse_value(f"a text of at most {MAX_TEXT} characters", text, cursor.where)
    return text
