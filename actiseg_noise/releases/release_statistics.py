"""How much noise a release has on disk, as a table: by configuration, kind and size."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from actiseg_noise.releases.release_contents import Configuration

STATISTICS_FILE = "statistics.csv"


@dataclass(frozen=True)
class NoiseStatistics:
    """One row of the table.

    Attributes
    ----------
    configuration, split : str
        The noisy split.
    medium : str
        ``masks`` or ``text``.
    group : str
        ``all``, a kind of noise, a size class such as ``size small``, ``flips`` or
        ``substitutions``.
    items : int or None
        How many items could have this noise; None for a kind or size.
    noisy : int
        How many have it.
    rate, rate_low, rate_high : float or None
        The share, and its 95 % interval.
    iou_q05, iou_q25, iou_q50, iou_q75, iou_q95 : float or None
        Quantiles of the IoU of noisy and clean object on disk; None for text.
    """

    configuration: str
    split: str
    medium: str
    group: str
    items: int | None
    noisy: int
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    iou_q05: float | None = None
    iou_q25: float | None = None
    iou_q50: float | None = None
    iou_q75: float | None = None
    iou_q95: float | None = None


COLUMNS = tuple(field.name for field in fields(NoiseStatistics))


def list_statistics(configuration: Configuration) -> Iterator[NoiseStatistics]:
    """List the statistics of a configuration, which its summary has."""
    read = configuration.documents.read_section
    noise, text = read("noise"), read("text")
    if noise:
        quantiles = _get_mapping(noise, "iou")
        yield _make_row(configuration, "masks", "all", noise, quantiles.get("all"))
        for kind, values in quantiles.items():
            if kind != "all":
                yield _make_row(configuration, "masks", kind, {"selected": values["n"]}, values)
        for size, values in _get_mapping(noise, "iou_by_size").items():
            group = f"size {size}"
            yield _make_row(configuration, "masks", group, {"selected": values["n"]}, values)
    if text:
        yield _make_row(configuration, "text", "all", text, None)
        for group in ("flips", "substitutions"):
            counts = _get_mapping(text, group)
            if counts:
                yield _make_row(configuration, "text", group, counts, None)


def render_statistics(rows: Iterable[NoiseStatistics]) -> str:
    """Render the table as CSV with a header. Undefined values are empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(["" if value is None else value for value in vars(row).values()])
    return stream.getvalue()


def _make_row(
    configuration: Configuration,
    medium: str,
    group: str,
    counts: Mapping[str, Any],
    quantiles: Mapping[str, Any] | None,
) -> NoiseStatistics:
    low, high = counts.get("interval_95") or (None, None)
    found = quantiles or {}
    return NoiseStatistics(
        configuration.name,
        configuration.split.recipe.split,
        medium,
        group,
        counts.get("items"),
        counts["selected"],
        counts.get("realised_rate"),
        low,
        high,
        *(found.get(name) for name in ("q05", "q25", "q50", "q75", "q95")),
    )


def _get_mapping(section: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = section.get(name)
    return value if isinstance(value, Mapping) else {}
