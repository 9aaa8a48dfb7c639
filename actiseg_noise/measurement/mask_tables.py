"""Tables of mask statistics, for inspections and audits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actiseg_data.core.tables import Table
from actiseg_noise.measurement.mask_changes import MaskGroup

MOST_CLASSES = 11
"""How many classes a table names. The JSON document has all."""

_COLUMNS = (
    *("rate", "interval", "IoU 5 %", "IoU 50 %", "IoU 95 %"),
    *("area", "shift", "|shift|"),
)


def tabulate_masks(name: str, touched: str, groups: Iterable[MaskGroup]) -> Table:
    """Tabulate groups of items, without columns that are undefined in all groups.

    Parameters
    ----------
    name : str
        What divides the groups, such as ``kind``.
    touched : str
        Head of the column that counts items with noise.
    groups : iterable of MaskGroup
        One row each.

    Returns
    -------
    Table
    """
    return _make_table(name, touched, [[group.name, *_format_group(group)] for group in groups])


def tabulate_mask_classes(touched: str, by_class: Mapping[int, MaskGroup]) -> Table:
    """Tabulate the classes with the most items, with one row for all others."""
    ranked = sorted(
        by_class.values(), key=lambda group: (-(group.items or group.touched), group.name)
    )
    rows = [[group.name, *_format_group(group)] for group in ranked[:MOST_CLASSES]]
    if len(ranked) > MOST_CLASSES:
        rows.append(_sum_groups(ranked[MOST_CLASSES:]))
    return _make_table("class", touched, rows)


def _make_table(name: str, touched: str, rows: list[list[str]]) -> Table:
    columns = (name, "items", touched, *_COLUMNS)
    kept = [
        position
        for position in range(len(columns))
        if position == 0 or any(row[position] != "-" for row in rows)
    ]
    return Table(
        f"by {name}",
        [columns[position] for position in kept],
        [[row[position] for position in kept] for row in rows],
    )


def _sum_groups(groups: list[MaskGroup]) -> list[str]:
    items = [group.items for group in groups if group.items is not None]
    touched = sum(group.touched for group in groups)
    rate = f"{touched / sum(items):.3f}" if sum(items) else "-"
    counts = [str(sum(items)) if items else "-", str(touched), rate]
    return [f"{len(groups)} others", *counts, *["-"] * (len(_COLUMNS) - 1)]


def _format_group(group: MaskGroup) -> list[str]:
    """Format the statistics of a group; a dash is an undefined value."""
    interval = group.interval_95
    return [
        "-" if group.items is None else str(group.items),
        str(group.touched),
        "-" if group.rate is None else f"{group.rate:.3f}",
        f"{interval[0]:.2f}-{interval[1]:.2f}" if interval else "-",
        *(_format_quantile(group.iou, name, ".3f") for name in ("q05", "q50", "q95")),
        _format_quantile(group.area_ratio, "q50", ".3f"),
        _format_quantile(group.shift, "q50", "+.2f"),
        _format_quantile(group.shift_absolute, "q50", ".2f"),
    ]


def _format_quantile(quantiles: Mapping[str, Any] | None, name: str, style: str) -> str:
    if quantiles is None or quantiles[name] is None:
        return "-"
    return format(quantiles[name], style)
