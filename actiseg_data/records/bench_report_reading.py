"""Read the baseline scores in a report of a benchmark."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_keys,
    check_schema,
    parse_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.records.baseline_record import (
    ACTIVITY_FIGURE,
    MASKS_FIGURE,
    MAX_BYTES,
    BaselineCell,
    Baselines,
    parse_about,
    parse_count,
    parse_label,
    parse_noises,
    parse_row,
    parse_share,
)

REPORT_SCHEMA = "actiseg/bench-report/2"

_TOP_KEYS = (
    *("schema", "plan", "about", "seeds", "arms", "primary", "untuned", "lacking"),
    *("profiles", "tuning", "failed", "left_out", "runs", "hours"),
)
_ARM_KEYS = ("name", "about", "rendered", "videos", "gains", "cells")
_CELL_KEYS = ("cell", "about", "labels", "noises", "rows", "modes")
_ROW_KEYS = (
    *("method", "variant", "control", "seeds", "figures", "meter", "seconds"),
    "predictions",
)
_FIGURE_KEYS = ("value", "interval", "seeds", "kept", "kept_interval", "gain", "tuned_gain")


def read_bench_report(path: Path) -> Baselines:
    """Read the baseline scores of all cells in a ``report.json`` of ``actiseg-train bench``.

    The report must have the figures `MASKS_FIGURE` and `ACTIVITY_FIGURE`. Of other figures and of
    tests only the names are checked.

    Raises
    ------
    InputError
        With every unknown or missing key, wrong type, and impossible number; if the plan has not
        these figures.
    """
    top = Cursor(parse_json(read_bytes(path, "report", MAX_BYTES), path), str(path))
    check_schema(top, REPORT_SCHEMA, RELEASE_HINT)
    problems = ProblemCollector()
    check_keys(top, _TOP_KEYS, problems)
    cells: list[BaselineCell] = []
    for arm in top["arms"].iterate_elements():
        check_keys(arm, _ARM_KEYS, problems)
        for cell in arm["cells"].iterate_elements():
            with problems.collect():
                cells.append(_parse_cell(arm, cell))
    problems.raise_if_any()
    return Baselines(parse_label(top["plan"]), parse_about(top["about"]), tuple(cells))


def _parse_cell(arm: Cursor, cell: Cursor) -> BaselineCell:
    problems = ProblemCollector()
    check_keys(cell, _CELL_KEYS, problems)
    rows = []
    for row in cell["rows"].iterate_elements():
        check_keys(row, _ROW_KEYS, problems)
        with problems.collect():
            _check_figures(row["figures"], problems)
            rows.append(parse_row(row))
    problems.raise_if_any()
    return BaselineCell(
        arm=parse_label(arm["name"]),
        data=parse_about(arm["about"]),
        rendered=arm["rendered"].as_flag(),
        videos=parse_count(arm["videos"]),
        cell=parse_label(cell["cell"]),
        about=parse_about(cell["about"]),
        labels=parse_share(cell["labels"]),
        noises=parse_noises(cell["noises"]),
        rows=tuple(rows),
    )


def _check_figures(figures: Cursor, problems: ProblemCollector) -> None:
    """Raise an `InputError` if a figure of baselines is missing."""
    for name, figure in figures.iterate_members():
        if name in (MASKS_FIGURE, ACTIVITY_FIGURE):
            check_keys(figure, _FIGURE_KEYS, problems)
    missing = [name for name in (MASKS_FIGURE, ACTIVITY_FIGURE) if name not in figures]
    if missing:
        hint = "name it under `figures` in the plan, and make the tables again (bench --results)"
        raise refuse(f"does not have the figure {' and '.join(missing)}", figures.where, hint)
