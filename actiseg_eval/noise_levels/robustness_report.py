"""The outcome of scoring over levels of noise: figures, tables, documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.noise_levels.label_quality import LabelQuality, Share
from actiseg_eval.protocols import Protocol
from actiseg_eval.reporting.score_report import markdown_rows, split_text
from actiseg_eval.resampling.bootstrap import Bootstrap

SCHEMA = "actiseg/robustness/1"

_FIRST = ("giou", "p_miou", "n_miou", "ciou", "jf", "j", "f")
"""Figures that tables show where none is asked for."""

_COLUMNS = 5
"""Levels that one table shows."""


@dataclass(frozen=True)
class Point:
    """A figure at one level of noise.

    value: the mean over seeds; seeds: of each; interval: of the mean, over videos. None: undefined,
    or of too few videos.
    """

    level: float
    value: float | None
    interval: tuple[float, float] | None
    seeds: tuple[float | None, ...]


@dataclass(frozen=True)
class Price:
    """How much worse than the baseline a method is on clean data, in the figure's own direction.

    interval, p, adjusted, by: see `actiseg_eval.comparison.comparing.Difference`; None where videos were not
    resampled or are too few.
    """

    value: float | None
    interval: tuple[float, float] | None
    p: float | None
    adjusted: float | None
    by: str | None


@dataclass(frozen=True)
class Curve:
    """A figure of one method over levels of noise.

    area, interval: the mean over the range of levels that all methods share, and its interval.
    retained: the area as a share of the value at the range's lower end, see
    `actiseg_eval.noise_levels.curves.goodness`. breaks_at: the level at which more than the wanted share of that
    value is lost, None where it is not, or cannot be told (`retained` is None, too). price: None of
    the baseline, and where one of the two has no level 0.
    """

    method: str
    points: Sequence[Point]
    area: float | None
    interval: tuple[float, float] | None
    retained: float | None
    breaks_at: float | None
    price: Price | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **vars(self),
            "points": [dict(vars(point)) for point in self.points],
            "price": None if self.price is None else dict(vars(self.price)),
        }


@dataclass(frozen=True)
class Table:
    """A title, names of columns, and rows of as many cells."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Robustness:
    """Figures of methods over levels of noise.

    truth, split: what predictions were held against. rendered: see `actiseg_eval.reporting.score_report.Report`.
    baseline: the method that others are held against. drop: the share whose loss breaks a method.
    method: how intervals were made, None for none. cluster, clusters: what was resampled, and how
    many there are. folders: of each method, by level. span: the range of levels that all methods
    share, None where there is none. curves: by figure, in the order of methods. labels: what is
    known of the noisy copies, by level. notices: what is printed before the tables. left_out: what
    could not be told, and why.
    """

    protocol: Protocol
    measures: tuple[str, ...]
    truth: str
    split: str
    rendered: bool
    baseline: str
    drop: float
    method: Bootstrap | None
    cluster: str
    clusters: int
    folders: Mapping[str, Mapping[float, tuple[str, ...]]]
    span: tuple[float, float] | None
    curves: Mapping[str, Sequence[Curve]]
    labels: Mapping[float, LabelQuality]
    notices: Sequence[str]
    left_out: Mapping[str, str]
    toolkit: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `SCHEMA`."""
        intervals = self.method is not None
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "measures": list(self.measures),
            "truth": self.truth,
            "split": self.split,
            "rendered_frames": self.rendered,
            "baseline": self.baseline,
            "drop": self.drop,
            "confidence": self.method.level if self.method else None,
            "resamples": self.method.resamples if self.method else None,
            "cluster": self.cluster if intervals else None,
            "cluster_asked": self.method.cluster if self.method else None,
            "clusters": self.clusters,
            "methods": {
                name: [{"level": level, "runs": list(runs)} for level, runs in levels.items()]
                for name, levels in self.folders.items()
            },
            "range": None if self.span is None else list(self.span),
            "better": {figure: METRICS[figure].better for figure in self.curves},
            "figures": {
                figure: [curve.to_dict() for curve in curves]
                for figure, curves in self.curves.items()
            },
            "labels": [{"level": level, **of.to_dict()} for level, of in self.labels.items()],
            "notices": list(self.notices),
            "left_out": dict(self.left_out),
            "toolkit": self.toolkit,
        }

    def to_markdown(self, figures: Sequence[str] = ()) -> str:
        """The tables of some figures, by default of those in `format_name`, and what they mean."""
        of = split_text(self.split, rendered=self.rendered)
        lines = [f"# Robustness on {of}, protocol `{self.protocol.name}`", ""]
        lines += [f"Truth `{self.truth}`, baseline `{self.baseline}`, {self.toolkit}.", ""]
        for notice in self.notices:
            lines += [f"**{notice}**", ""]
        shown = tuple(figures) or self.shown
        for figure in shown:
            for table in self.tables(figure):
                lines += [f"## {table.title}", ""] if table.title else []
                lines += [*markdown_rows([table.columns, *table.rows]), ""]
        lines += [f"* {note}" for note in self.notes(shown)]
        return "\n".join(lines) + "\n"

    @property
    def shown(self) -> tuple[str, ...]:
        """The figures that tables show where none is asked for."""
        return tuple(name for name in _FIRST if name in self.curves) or tuple(self.curves)[:3]

    def tables(self, figure: str) -> Iterator[Table]:
        """The tables of a figure: its values by level, what the curves tell, and prices."""
        levels = sorted(
            {point.level for curve in self.curves[figure] for point in curve.points}
            | {level for level, of in self.labels.items() if of.figures is not None}
        )
        of = split_text(self.split, rendered=self.rendered)
        title = f"{METRICS[figure].symbol} by level of noise: {of}, {self.protocol.name}"
        for start in range(0, len(levels), _COLUMNS):
            part = levels[start : start + _COLUMNS]
            columns = [format_heading(figure), *(f"{level:g}" for level in part)]
            yield Table("" if start else title, columns, list(self._values(figure, part)))
        level = [] if self.method is None else [self._level]
        span = "" if self.span is None else f" {self.span[0]:g} to {self.span[1]:g}"
        columns = ["method", f"area{span}", *level, "retained", "breaks at"]
        curves = self.curves[figure]
        yield Table("", columns, [self._curve_row(curve) for curve in curves])
        if any(curve.price for curve in curves):
            columns = ["method", f"worse than {self.baseline} at 0", *level]
            columns += [] if self.method is None else ["p", "Holm"]
            rows = [self._price_row(of.method, of.price) for of in curves if of.price]
            yield Table("", columns, rows)

    def _values(self, figure: str, levels: list[float]) -> Iterator[list[str]]:
        for curve in self.curves[figure]:
            points = {point.level: point for point in curve.points}
            found = [points.get(level) for level in levels]
            yield [curve.method, *(format_value(of.value) if of else "" for of in found)]
            if self.method is not None:
                cells = (_ends(of.interval, ".3f") if of else "" for of in found)
                yield [f"  {self._level}", *cells]
            if any(of is not None and len(of.seeds) > 1 for of in found):
                yield ["  seeds", *(_seeds_text(of.seeds) if of else "" for of in found)]
        if self.protocol.needs_labels and figure.startswith("n_"):
            return  # of inactive objects labels hold nothing
        scored = {level: of for level, of in self.labels.items() if of.figures is not None}
        for split in dict.fromkeys(of.split for of in scored.values()):
            values = {
                level: format_value((of.figures or {}).get(figure))
                for level, of in scored.items()
                if of.split == split
            }
            yield [f"labels ({split})", *(values.get(level, "") for level in levels)]

    def _curve_row(self, curve: Curve) -> list[str]:
        breaks = "-" if curve.retained is None else f"> {curve.points[-1].level:g}"
        if curve.breaks_at is not None:
            breaks = f"{curve.breaks_at:.3f}"
        interval = [] if self.method is None else [_ends(curve.interval, ".3f")]
        return [
            curve.method,
            format_value(curve.area),
            *interval,
            format_value(curve.retained),
            breaks,
        ]

    def _price_row(self, method: str, price: Price) -> list[str]:
        row = [method, "-" if price.value is None else f"{price.value:+.4f}"]
        if self.method is not None:
            row += [_ends(price.interval, "+.3f"), format_value(price.p)]
            row += [format_value(price.adjusted)]
        return row

    @property
    def _level(self) -> str:
        return "" if self.method is None else f"{100 * self.method.level:g} %"

    def notes(self, shown: Sequence[str] = ()) -> Iterator[str]:
        """What the tables of some figures mean, how they were made, and what was left out."""
        shown = shown or self.shown
        curves = [curve for figure in shown for curve in self.curves[figure]]
        if self.span is not None:
            low, high = self.span
            yield (
                f"area: the mean figure over levels {low:g} to {high:g} (trapezoidal rule); "
                f"retained: the area as a share of the value at {low:g}"
            )
            if len({tuple(levels) for levels in self.folders.values()}) > 1:
                yield "methods differ in levels: areas and shares are over the range that all span"
            lost = f"{100 * self.drop:g} %"
            yield f"breaks at: the lowest level at which more than {lost} of that value is lost"
            if any(METRICS[figure].better == "lower" for figure in shown):
                yield "of figures where lower is better (↓), shares are of 1 less the figure"
        prices = [curve.price for curve in curves if curve.price is not None]
        if prices:
            text = f"worse than {self.baseline}: the price at level 0, whichever way is better"
            if self.method is not None:
                text += "; p: of no difference; Holm: over all methods"
            if any(price.by == "seeds" for price in prices):
                text += "; over seeds (Welch's t) where both have several at level 0"
            yield text
        if self.method is not None:
            asked = (
                "" if self.cluster == self.method.cluster else f" (too few {self.method.cluster}s)"
            )
            yield (
                f"intervals: {self.clusters} {self.cluster}s{asked} resampled "
                f"{self.method.resamples:,} times; they tell nothing of another seed"
            )
        if any(of.figures is not None for of in self.labels.values()):
            which, right = "masks", ""
            if self.protocol.needs_labels:
                which = "active objects' masks"
                right = "; inactive objects, which they leave out, count as right"
            yield (
                f"labels: the {which} of noisy copies against the clean ones of the same split"
                f"{right}; a reference, no bound: a robust learner can do better"
            )
        for level, of in self.labels.items():
            yield from _told_of_labels(level, of)
        for what, why in self.left_out.items():
            if what not in METRICS:
                yield f"left out: {what}: {why}"
            elif what in shown:
                yield f"without intervals: {METRICS[what].symbol}: {why}"


def _seeds_text(seeds: tuple[float | None, ...]) -> str:
    """Three seeds each, of more how many there are and how far they reach."""
    known = [seed for seed in seeds if seed is not None]
    if len(seeds) <= 3 or len(known) < len(seeds):
        return ", ".join(map(format_value, seeds))
    return f"{len(seeds)}: {min(known):.4f} to {max(known):.4f}"


def _told_of_labels(level: float, labels: LabelQuality) -> Iterator[str]:
    here = f"labels at {level:g} ({labels.split})"
    if labels.figures is None:
        yield f"{here}: noise on words alone, the masks are the clean ones: no figure"
    if labels.rate is not None and labels.rate != level:
        yield f"{here}: the rate in the copy's recipe is {labels.rate:g}"
    if labels.flipped is not None and labels.renamed is not None:
        yield (
            f"{here}: {_share_text(labels.flipped)} names flipped to another class, "
            f"{_share_text(labels.renamed)} others renamed within theirs"
        )


def _share_text(share: Share) -> str:
    percent = f" ({100 * share.selected / share.items:.1f} %)" if share.items else ""
    return f"{share.selected} of {share.items}{percent}"


def _ends(interval: tuple[float, float] | None, form: str) -> str:
    return "-" if interval is None else f"{interval[0]:{form}} to {interval[1]:{form}}"
