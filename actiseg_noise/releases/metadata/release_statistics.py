"""How much noise a release has on disk, by configuration, kind and size: ``statistics.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from actiseg_data.annotations.sizes import SIZES, classify_size
from actiseg_data.core.statistics import summarise_values, wilson_interval
from actiseg_data.core.tables import Table, format_cell, render_csv
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.recipe_record import ACTIVITY, CLASS
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.releases.contents.escaping import escape_csv
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseContents

STATISTICS_FILE = "statistics.csv"

_QUANTILES = ("q05", "q25", "q50", "q75", "q95")


@dataclass(frozen=True)
class NoiseStatistics:
    """The noise of one group of items on disk.

    Attributes
    ----------
    configuration, split : str
        Where the items are.
    medium : str
        ``masks``, ``objects``, ``text``, ``labels`` or ``categories``.
    group : str
        ``all``, ``kind``, ``size`` or ``bystanders``. Bystanders are objects without noise of their
        own, of which those count as noisy that lost pixels to a neighbour.
    name : str
        Name of the kind or of the size; otherwise equal to `group`.
    items : int or None
        Items that noise could select: for a size, those of that size. Of whole objects, what one
        draw selects. None if nothing says it.
    noisy : int
        Items with noise.
    rate, rate_low, rate_high : float or None
        `noisy` divided by `items`, and the 95 % interval (Wilson). Exact recipes have no interval
        for all items.
    share : float or None
        `noisy` divided by the items of the group ``all``. None for bystanders.
    measure : str
        What the quantiles are of: ``iou`` with the clean object on disk, or WordNet ``similarity``
        of the new name and the clean one. Empty for labels and categories.
    minimum, q05, q25, q50, q75, q95, maximum : float or None
        The quantiles; None without items, and for several kinds of text noise together. The least
        and the greatest value; None for bystanders, of which summaries have no extremes.
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
    share: float | None
    measure: str
    minimum: float | None
    q05: float | None
    q25: float | None
    q50: float | None
    q75: float | None
    q95: float | None
    maximum: float | None


COLUMN_MEANINGS = {
    "configuration": "the configuration",
    "split": "the split of the source",
    "medium": "masks, objects (whole objects), text, labels (of active objects) or categories",
    "group": "all; kind; size; or bystanders, which are objects without noise of their own",
    "name": "name of the kind or the size; of labels forgotten (active objects labelled as "
    "inactive) and marked (the reverse)",
    "items": "items that noise could select; for a size, those of this size; for whole "
    "objects, what one draw selects in a clip or frame; for within-category, "
    "those that were not flipped and have another name; for bystanders, all of them; for forgotten "
    "the active objects, for marked the others",
    "noisy": "items that changed",
    "rate": "noisy divided by items",
    "rate_low": "lower end of the 95 % interval of the rate (Wilson)",
    "rate_high": "upper end of the interval",
    "share": "noisy divided by the items of the group all",
    "measure": "what the quantiles are of: iou with the clean mask on disk, or similarity (Wu and "
    "Palmer, WordNet 3.0) of the new and the clean class; empty for labels and categories",
    "minimum": "least value",
    "q05": "5 % quantile",
    "q25": "25 % quantile",
    "q50": "median",
    "q75": "75 % quantile",
    "q95": "95 % quantile",
    "maximum": "greatest value",
}
"""What the columns of the table have, for its documents."""


def list_statistics(contents: ReleaseContents) -> tuple[NoiseStatistics, ...]:
    """List the statistics of all configurations."""
    return tuple(
        row
        for configuration in contents.configurations
        for row in list_configuration_statistics(configuration)
    )


def list_configuration_statistics(configuration: Configuration) -> list[NoiseStatistics]:
    """List the statistics of a configuration, from its ledger and summary."""
    return [
        *_list_mask_rows(configuration),
        *_list_text_rows(configuration),
        *_list_label_rows(configuration),
        *_list_category_rows(configuration),
    ]


def render_statistics(rows: Sequence[NoiseStatistics]) -> str:
    """Return statistics as CSV; undefined values are empty cells."""
    columns = tuple(field.name for field in fields(NoiseStatistics))
    body = [[escape_csv(format_cell(value)) for value in astuple(row)] for row in rows]
    return render_csv(Table("", columns, body))


def _list_mask_rows(configuration: Configuration) -> Iterator[NoiseStatistics]:
    yield from _list_object_rows(configuration)
    rows = configuration.documents.outline_rows
    if configuration.split.recipe.outline_noise is None and not rows:
        return
    noise = configuration.documents.read_section("noise")
    group = _GroupFactory(configuration, "masks", noise.get("items"))
    yield group.make_row("all", "all", noise, [row.iou for row in rows])
    mask_noise = configuration.split.recipe.outline_noise
    together = mask_noise is not None and has_clip_units(mask_noise)
    for kind in sorted({row.kind for row in rows}):
        ious = [row.iou for row in rows if row.kind == kind]
        rate = _read_rate(noise, len(ious), together=together)
        yield group.make_row("kind", kind, rate, ious)
    for size, _ in SIZES:
        sized = [row for row in rows if classify_size(row.area) == size]
        items = {"items": _count_items(configuration, size, sized)}
        share = _read_rate(items, len(sized), together=together)
        yield group.make_row("size", size, share, [row.iou for row in sized])
    bystanders = configuration.documents.read_section("bystanders")
    if bystanders and configuration.origin is None:  # an import cannot distinguish them
        cut = bystanders.get("cut", 0)
        row = group.make_row("bystanders", "bystanders", _read_rate(bystanders, cut), [])
        values = bystanders.get("iou_of_cut", {})
        quantiles = {name: values.get(name) for name in _QUANTILES}
        yield replace(row, noisy=cut, share=None, **quantiles)


def _list_object_rows(configuration: Configuration) -> Iterator[NoiseStatistics]:
    """List the kinds of whole-object noise. Their items are what one draw selects."""
    section = configuration.documents.read_section("objects")
    for noise in configuration.split.recipe.object_noises:
        rows = [row for row in configuration.documents.object_rows if row.kind == noise.kind]
        counts = section.get(noise.kind, {})
        group = _GroupFactory(configuration, "objects", None)
        row = group.make_row("kind", noise.kind, counts, [row.iou for row in rows])
        yield replace(row, noisy=counts.get("selected", 0))


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
    group = _GroupFactory(configuration, "text", section.get("items"))
    kinds = sorted({row.kind for row in rows})
    whole = group.make_row("all", "all", section, [row.similarity for row in rows])
    mixed: dict[str, Any] = dict.fromkeys(("minimum", *_QUANTILES, "maximum"))
    yield replace(whole, **mixed) if len(kinds) > 1 else whole
    sections = {"category": "flips", "within-category": "substitutions"}
    for kind in kinds:
        share = section.get(sections.get(kind, kind), {})
        yield group.make_row("kind", kind, share, [r.similarity for r in rows if r.kind == kind])


def _list_label_rows(configuration: Configuration) -> Iterator[NoiseStatistics]:
    rows = [row for row in configuration.documents.label_rows if row.kind == ACTIVITY]
    if configuration.split.recipe.activity_noise is None and not rows:
        return
    section = configuration.documents.read_section("labels").get(ACTIVITY, {})
    group = _GroupFactory(configuration, "labels", section.get("items"))
    yield group.make_plain_row("all", "all", section, len(rows))
    for name, value in (("forgotten", False), ("marked", True)):
        noisy, share = sum(row.value is value for row in rows), section.get(name, {})
        if noisy or share.get("items"):
            yield group.make_plain_row("kind", name, share, noisy)


def _list_category_rows(configuration: Configuration) -> Iterator[NoiseStatistics]:
    rows = [row for row in configuration.documents.label_rows if row.kind == CLASS]
    if configuration.split.recipe.class_noise is None and not rows:
        return
    share = configuration.documents.read_section("labels").get(CLASS, {}).get("changed", {})
    group = _GroupFactory(configuration, "categories", share.get("items"))
    yield group.make_plain_row("all", "all", share, sum(row.has_changed for row in rows))


def _read_rate(
    section: Mapping[str, Any], noisy: int | None, *, together: bool = False
) -> dict[str, Any]:
    """Return the rate of some items among all items of a section of the summary.

    Without an interval if a draw selects many items together.
    """
    items = section.get("items")
    if not items or noisy is None:
        return {"items": items}
    return {
        "items": items,
        "realised_rate": round(noisy / items, 6),
        "interval_95": None if together else wilson_interval(noisy, items),
    }


@dataclass(frozen=True)
class _GroupFactory:
    """Makes the statistics of the groups of one medium.

    Attributes
    ----------
    configuration : Configuration
        Where the items are.
    medium : str
        ``masks``, ``objects``, ``text``, ``labels`` or ``categories``.
    items : int or None
        Items of the group ``all``.
    """

    configuration: Configuration
    medium: str
    items: int | None

    def make_row(
        self, group: str, name: str, share: Mapping[str, Any], measured: Sequence[float]
    ) -> NoiseStatistics:
        """Make the statistics of one group, from its rate and the measure of each noisy item."""
        values = summarise_values(measured)
        return replace(
            self.make_plain_row(group, name, share, len(measured)),
            measure="iou" if self.medium == "masks" else "similarity",
            minimum=min(measured, default=None),
            maximum=max(measured, default=None),
            **{name: values[name] for name in _QUANTILES},
        )

    def make_plain_row(
        self, group: str, name: str, share: Mapping[str, Any], noisy: int
    ) -> NoiseStatistics:
        """Make the statistics of one group without a measure, from its rate."""
        low, high = share.get("interval_95") or (None, None)
        quantiles: dict[str, Any] = dict.fromkeys(("minimum", *_QUANTILES, "maximum"))
        return NoiseStatistics(
            configuration=self.configuration.name,
            split=self.configuration.split.recipe.split,
            medium=self.medium,
            group=group,
            name=name,
            items=share.get("items"),
            noisy=noisy,
            rate=share.get("realised_rate"),
            rate_low=None if low is None else round(low, 6),
            rate_high=None if high is None else round(high, 6),
            share=round(noisy / self.items, 6) if self.items else None,
            measure="",
            **quantiles,
        )
