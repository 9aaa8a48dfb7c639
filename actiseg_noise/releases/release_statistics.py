"""How much noise a release has on disk, by configuration, kind and size: ``statistics.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from actiseg_data.annotations.sizes import SIZES, classify_size
from actiseg_data.core.statistics import summarise_values, wilson_interval
from actiseg_data.core.tables import Table, format_cell, render_csv
from actiseg_data.records.ledger_record import MaskRow
from actiseg_noise.media.text_summary import summarise_similarity
from actiseg_noise.releases.escaping import escape_csv
from actiseg_noise.releases.release_contents import Configuration, ReleaseContents

STATISTICS_FILE = "statistics.csv"


@dataclass(frozen=True)
class NoiseStatistics:
    """The noise of one group of items on disk.

    Attributes
    ----------
    configuration, split : str
        Where the items are.
    medium : str
        ``masks`` or ``text``.
    group : str
        ``all``, ``kind``, ``size`` or ``bystanders``. Bystanders are objects without noise of their
        own, of which those count as noisy that lost pixels to a neighbour.
    name : str
        Name of the kind or of the size; otherwise equal to `group`.
    items : int or None
        Items that noise could select: for a size, those of that size. None if nothing says it.
    noisy : int
        Items with noise.
    rate, rate_low, rate_high : float or None
        `noisy` divided by `items`, and the 95 % interval. Exact recipes have no interval for all
        items.
    measure : str
        What the quantiles are of: ``iou`` with the clean object on disk, or WordNet ``similarity``
        of the new name and the clean one.
    q05, q25, q50, q75, q95 : float or None
        The quantiles; None without items.
    """

    configuration: str
    split: str
    medium: str
    group: str
    name: str
    items: int | None
    noisy: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    measure: str
    q05: float | None
    q25: float | None
    q50: float | None
    q75: float | None
    q95: float | None


def list_statistics(contents: ReleaseContents) -> tuple[NoiseStatistics, ...]:
    """List the statistics of all configurations."""
    return tuple(
        row
        for configuration in contents.configurations
        for row in list_configuration_statistics(configuration)
    )


def list_configuration_statistics(configuration: Configuration) -> list[NoiseStatistics]:
    """List the statistics of a configuration, from its ledger and summary."""
    return [*_list_mask_rows(configuration), *_list_text_rows(configuration)]


def render_statistics(rows: Sequence[NoiseStatistics]) -> str:
    """Return statistics as CSV; undefined values are empty cells."""
    columns = tuple(field.name for field in fields(NoiseStatistics))
    body = [[escape_csv(format_cell(value)) for value in astuple(row)] for row in rows]
    return render_csv(Table("", columns, body))


def _list_mask_rows(configuration: Configuration) -> Iterator[NoiseStatistics]:
    rows = configuration.documents.mask_rows
    if configuration.split.recipe.mask_noise is None and not rows:
        return
    noise = configuration.documents.read_section("noise")
    values = summarise_values(row.iou for row in rows)
    yield _make_row(configuration, "masks", ("all", "all"), noise, len(rows), values)
    for kind in sorted({row.kind for row in rows}):
        values = summarise_values(row.iou for row in rows if row.kind == kind)
        share = _read_rate(noise, values["n"])
        yield _make_row(configuration, "masks", ("kind", kind), share, values["n"], values)
    for size, _ in SIZES:
        sized = [row for row in rows if classify_size(row.area) == size]
        values = summarise_values(row.iou for row in sized)
        share = _read_rate({"items": _count_items(configuration, size, sized)}, values["n"])
        yield _make_row(configuration, "masks", ("size", size), share, values["n"], values)
    bystanders = configuration.documents.read_section("bystanders")
    if bystanders and configuration.origin is None:  # an import cannot distinguish them
        share = _read_rate(bystanders, bystanders.get("cut"))
        yield _make_row(
            configuration,
            "masks",
            ("bystanders", "bystanders"),
            share,
            bystanders.get("cut", 0),
            bystanders.get("iou_of_cut", {}),
        )


def _count_items(configuration: Configuration, size: str, rows: Sequence[MaskRow]) -> int | None:
    """Count the items of a size; an object that appeared has no clean pixel and adds to them."""
    if not configuration.clean_sizes:
        return None
    return configuration.clean_sizes.get(size, 0) + sum(row.area == 0 for row in rows)


def _list_text_rows(configuration: Configuration) -> Iterator[NoiseStatistics]:
    rows = configuration.documents.text_rows
    if configuration.split.recipe.text_noise is None and not rows:
        return
    section = configuration.documents.read_section("text")
    values = summarise_values(row.similarity for row in rows)
    yield _make_row(configuration, "text", ("all", "all"), section, len(rows), values)
    similarity = summarise_similarity(rows)
    sections = {"category": "flips", "within-category": "substitutions"}
    for kind in sorted({row.kind for row in rows}):
        values = similarity.get(kind, {})
        share = section.get(sections.get(kind, kind), {})
        count = sum(row.kind == kind for row in rows)
        yield _make_row(configuration, "text", ("kind", kind), share, count, values)


def _read_rate(section: Mapping[str, Any], noisy: int | None) -> dict[str, Any]:
    """Return the rate of some items among all items of a section of the summary."""
    items = section.get("items")
    if not items or noisy is None:
        return {"items": items}
    return {
        "items": items,
        "realised_rate": round(noisy / items, 6),
        "interval_95": wilson_interval(noisy, items),
    }


def _make_row(
    configuration: Configuration,
    medium: str,
    group: tuple[str, str],
    share: Mapping[str, Any],
    noisy: int,
    values: Mapping[str, Any],
) -> NoiseStatistics:
    low, high = share.get("interval_95") or (None, None)
    return NoiseStatistics(
        configuration=configuration.name,
        split=configuration.split.recipe.split,
        medium=medium,
        group=group[0],
        name=group[1],
        items=share.get("items"),
        noisy=noisy,
        rate=share.get("realised_rate"),
        rate_low=None if low is None else round(low, 6),
        rate_high=None if high is None else round(high, 6),
        measure="iou" if medium == "masks" else "similarity",
        q05=values.get("q05"),
        q25=values.get("q25"),
        q50=values.get("q50"),
        q75=values.get("q75"),
        q95=values.get("q95"),
    )
