"""The outcome of a scoring: figures, tables, documents."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.metrics.definitions import (
    METRICS,
    PROFILE,
    choose_headline,
    format_heading,
    format_value,
)
from actiseg_eval.metrics.failure_table import FailureTable
from actiseg_eval.protocols import Protocol
from actiseg_eval.reporting.coverage import Coverage
from actiseg_eval.reporting.trivial_masks import References
from actiseg_eval.resampling.intervals import Intervals

SCHEMA = "actiseg/score/1"

_SHOWN: Mapping[str, tuple[str, ...]] = {
    "actionvos": ("p_miou", "n_miou", "p_ciou", "n_ciou", "giou", "acc"),
    "j-and-f": ("jf", "j", "j_recall", "j_decay", "f", "f_recall", "f_decay"),
    "j-and-late-j": ("j", "j_tr", "j_recall", "j_decay", "jf", "f", "f_recall", "f_decay"),
    "gres": ("giou", "ciou", "t_acc", "n_acc", "pr_70", "pr_80", "pr_90"),
}
"""The field's table of each kind of figures, in its order."""

_COUNTS = ("n_sequences", "n_objects", "n_units", "tp", "tn", "fp", "fn")


@dataclass(frozen=True)
class Stratum:
    """Figures of a group of units. None: undefined."""

    name: str
    figures: Mapping[str, float | int | None]


@dataclass(frozen=True)
class Report:
    """What was scored, and how well.

    measures: what was measured. truth, split, predictions: what was held against what. rendered:
    the dataset's frames are painted, no photographs, and every table says so.
    coverage: of how many sequences and masks. figures: by key, see
    `actiseg_eval.metrics.definitions.METRICS`; shares as fractions, undefined ones None. references: the same
    figures of blank masks, and of the true masks of all objects.
    intervals: of figures, None where none were made. strata: groups of units by what they were
    divided by. failures: what went wrong, None where nobody looked. handled: counts of what was
    odd. left_out: what could not be told, and why. toolkit: name and version.
    """

    protocol: Protocol
    measures: tuple[str, ...]
    truth: str
    split: str
    predictions: str
    rendered: bool
    coverage: Coverage
    figures: Mapping[str, float | int | None]
    references: References
    intervals: Intervals | None
    strata: Mapping[str, Sequence[Stratum]]
    failures: FailureTable | None
    handled: Mapping[str, int]
    left_out: Mapping[str, str]
    toolkit: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "measures": list(self.measures),
            "truth": self.truth,
            "split": self.split,
            "predictions": self.predictions,
            "rendered_frames": self.rendered,
            "coverage": self.coverage.to_dict(),
            "metrics": dict(self.figures),
            "references": self.references.to_dict(),
            "intervals": self.bounds,
            "bootstrap": None if self.intervals is None else self.intervals.to_dict(),
            "better": {name: METRICS[name].better for name in self.figures if METRICS[name].better},
            "strata": {
                by: [{"name": stratum.name, **stratum.figures} for stratum in strata]
                for by, strata in self.strata.items()
            },
            "failures": None if self.failures is None else self.failures.to_dict(),
            "handled": dict(self.handled),
            "left_out": dict(self.left_out),
            "toolkit": self.toolkit,
        }

    @property
    def notices(self) -> list[str]:
        """What is printed before the tables: most sequences are not scored, or all masks are
        blank.
        """
        return [*self.coverage.gap(), *self.coverage.blankness(self.predictions)]

    @property
    def reference(self) -> str:
        """The reference scores of the headline metric."""
        name = choose_headline(self.figures)
        blank = format_value(self.references.blank[name])
        everything = format_value(self.references.everything[name])
        return (
            f"for comparison: {METRICS[name].symbol} {blank} with blank masks, {everything} with "
            "the true masks of all objects"
        )

    @property
    def bounds(self) -> dict[str, list[float] | None]:
        """The interval of each figure that has one."""
        if self.intervals is None:
            return {}
        return {
            name: None if bounds is None else list(bounds)
            for name, bounds in self.intervals.bounds.items()
        }

    def to_csv(self) -> str:
        """A row for all units, two for the ends of the intervals, and one for each stratum;
        undefined figures are empty. The last column is 1 where frames are painted, else 0.
        """
        stream = io.StringIO()
        names = list(self.figures)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["by", "name", *names, "rendered_frames"])
        for by, strata in (("all", self.whole), *self.strata.items()):
            for stratum in strata:
                values = (stratum.figures.get(name) for name in names)
                told = ("" if value is None else value for value in values)
                writer.writerow([by, stratum.name, *told, int(self.rendered)])
        return stream.getvalue()

    @property
    def whole(self) -> list[Stratum]:
        """All units, and the ends of the intervals."""
        rows = [Stratum("all", self.figures)]
        if self.intervals is not None:
            level = f"{100 * self.intervals.method.level:g} %"
            for at, end in enumerate(("from", "to")):
                ends = {name: of[at] for name, of in self.bounds.items() if of is not None}
                rows.append(Stratum(f"{level} {end}", ends))
        return rows

    def to_markdown(self) -> str:
        """The main table, and one for each division but those by sequence and object."""
        of = split_text(self.split, rendered=self.rendered)
        lines = [f"# {of}, protocol `{self.protocol.name}` {self.protocol.version}", ""]
        lines += [f"Predictions `{self.predictions}`, truth `{self.truth}`, {self.toolkit}.", ""]
        for notice in self.notices:
            lines += [f"**{notice}**", ""]
        lines += [*_markdown("", self.whole, self.shown), "", self.reference]
        for by, strata in self.strata.items():
            if by not in LONG:
                lines += ["", f"## By {by}", "", *_markdown(by, strata, self.shown)]
        if self.failures is not None:
            if self.profile:
                lines += ["", f"## {PROFILE_TITLE}", "", *_markdown("", self.whole, self.profile)]
            for title, (heads, *rows) in self.failures.make_tables().items():
                lines += ["", f"## {title.capitalize()}", "", *markdown_rows([heads, *rows])]
        return "\n".join(lines) + "\n"

    @property
    def profile(self) -> tuple[str, ...]:
        """Keys of the foreground-background profile, where it was measured."""
        return PROFILE if set(PROFILE) <= set(self.figures) else ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Keys of the figures that the main tables show, in the field's order."""
        first = _SHOWN[self.protocol.metric_set]
        more = [name for name in METRICS if name not in (*first, *_COUNTS, *PROFILE)]
        return tuple(name for name in (*first, *more) if name in self.figures)

    def __str__(self) -> str:
        """The field's table, and the reference scores.

        Counts of odd things are for `to_dict`.
        """
        names, values = self.shown, [format_value(self.figures[name]) for name in self.shown]
        heads = [format_heading(name) for name in names]
        widths = [max(len(head), len(value)) for head, value in zip(heads, values, strict=True)]
        lines = [
            "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
            for row in (heads, values)
        ]
        return "\n".join([*self.notices, *lines, self.reference])


def split_text(split: str, *, rendered: bool) -> str:
    """A split's name for the head of a table.

    >>> split_text("val_human", rendered=True)
    'val_human (rendered frames)'
    """
    return f"{split} (rendered frames)" if rendered else split


PROFILE_TITLE = "foreground and background: how many objects are predicted, and how well"

LONG = ("sequence", "object")
"""Divisions with too many groups to be read: they go to JSON and CSV alone."""


def markdown_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown, the first row its heads; the first column is text, others are figures.

    >>> markdown_rows([["mode", "units"], ["miss", "3"]])
    ['| mode | units |', '|---|---:|', '| miss | 3 |']
    """
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [lines[0], "|---|" + "---:|" * (len(rows[0]) - 1), *lines[1:]]


def _markdown(by: str, strata: Sequence[Stratum], shown: tuple[str, ...]) -> list[str]:
    names = [*shown, "n_units"]
    rows = [
        [stratum.name, *(format_value(stratum.figures.get(name)) for name in names)]
        for stratum in strata
    ]
    return markdown_rows([[by, *map(format_heading, names)], *rows])
