"""The result of a scoring, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actiseg_data.core.errors import refuse
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.tables import Table, render_html, render_text
from actiseg_eval.metrics.definitions import (
    METRICS,
    choose_headline,
    format_heading,
    format_value,
    list_main_metrics,
    list_profile,
)
from actiseg_eval.metrics.failure_table import FailureTable
from actiseg_eval.protocols import Protocol
from actiseg_eval.reporting.coverage import Coverage
from actiseg_eval.reporting.trivial_masks import References
from actiseg_eval.resampling.intervals import Intervals

if TYPE_CHECKING:
    import pandas

SCHEMA = "actiseg/score/1"

LONG_DIVISIONS = ("sequence", "object")
"""Divisions with too many groups to read. JSON, CSV and data frames have them, tables do not."""


@dataclass(frozen=True)
class Stratum:
    """The metrics of a group of units.

    Attributes
    ----------
    name : str
        The name of the group.
    metrics : mapping of str to float, int or None
        By key; None if a metric is undefined.
    """

    name: str
    metrics: Mapping[str, float | int | None]


@dataclass(frozen=True, repr=False)
class Report:
    """The result of a scoring.

    ``print(report)`` shows the main table, and a notebook shows it as HTML.

    Attributes
    ----------
    protocol : Protocol
        The rules of the score.
    metric_groups : tuple of str
        The metric groups that were computed.
    truth, split, predictions : str
        The ground truth, its split, and the predictions.
    rendered : bool
        Whether the frames of the dataset are rendered, not photographs. Every table says so.
    coverage : Coverage
        How many sequences and masks were scored.
    metrics : mapping of str to float, int or None
        By key, see `actiseg_eval.metrics.definitions.METRICS`. Shares are fractions, and undefined
        metrics are None.
    references : References
        The same metrics of blank masks, and of the true masks of all objects.
    resampled_intervals : Intervals or None
        The confidence intervals and how they were made. None if there are none.
    strata : mapping of str to sequence of Stratum
        The metrics of groups of units, by what the units were divided by.
    failures : FailureTable or None
        What went wrong. None if the metric group ``failures`` was not computed.
    handled : mapping of str to int
        How often each special case of the input occurred.
    left_out : mapping of str to str
        What could not be computed, and why.
    toolkit : str
        Name and version of this package.

    Examples
    --------
    ::

        report = actiseg_eval.score("preds", gt="dataset_visor")
        report.metrics["giou"], report.intervals["giou"]
        report.to_dataframe()
    """

    protocol: Protocol
    metric_groups: tuple[str, ...]
    truth: str
    split: str
    predictions: str
    rendered: bool
    coverage: Coverage
    metrics: Mapping[str, float | int | None]
    references: References
    resampled_intervals: Intervals | None
    strata: Mapping[str, Sequence[Stratum]]
    failures: FailureTable | None
    handled: Mapping[str, int]
    left_out: Mapping[str, str]
    toolkit: str

    def __repr__(self) -> str:
        name = choose_headline(self.metrics)
        return (
            f"<Report {METRICS[name].symbol} {format_value(self.metrics[name])}: protocol "
            f"{self.protocol.name}, split {self.split}, {self.coverage.scored} of "
            f"{count_nouns(self.coverage.sequences, 'sequence')}>"
        )

    def __str__(self) -> str:
        return "\n".join([*self.notices, render_text(self.main_table), self.reference_note])

    def _repr_html_(self) -> str:
        return render_html(self.main_table)

    @property
    def intervals(self) -> dict[str, tuple[float, float] | None]:
        """The confidence interval of each ratio; None if too few clusters have the metric."""
        return {} if self.resampled_intervals is None else dict(self.resampled_intervals.bounds)

    @property
    def notices(self) -> list[str]:
        """Lines to print before the tables, if most sequences are unscored or all masks blank."""
        return [
            *self.coverage.describe_gap(),
            *self.coverage.describe_blankness(self.predictions),
        ]

    @property
    def reference_note(self) -> str:
        """A line with the reference scores of the headline metric."""
        name = choose_headline(self.metrics)
        blank = format_value(self.references.blank[name])
        everything = format_value(self.references.everything[name])
        return (
            f"for comparison: {METRICS[name].symbol} {blank} with blank masks, {everything} with "
            "the true masks of all objects"
        )

    @property
    def profile(self) -> tuple[str, ...]:
        """Keys of the foreground-background profile, empty if it was not computed."""
        return list_profile(self.metrics)

    @property
    def main_metrics(self) -> tuple[str, ...]:
        """Keys of the metrics in the main tables, in the order of the published tables."""
        return list_main_metrics(self.protocol.metric_set, self.metrics)

    @property
    def main_table(self) -> Table:
        """The main metrics of all units, without a title."""
        names = self.main_metrics
        values = [format_value(self.metrics[name]) for name in names]
        return Table("", [format_heading(name) for name in names], [values])

    @property
    def overall(self) -> list[Stratum]:
        """All units as one stratum, and the ends of the confidence intervals as two more."""
        rows = [Stratum("all", self.metrics)]
        if self.resampled_intervals is not None:
            level = self.resampled_intervals.bootstrap.percent
            for position, end in enumerate(("from", "to")):
                ends = {
                    name: bounds[position]
                    for name, bounds in self.intervals.items()
                    if bounds is not None
                }
                rows.append(Stratum(f"{level} {end}", ends))
        return rows

    def list_rows(self) -> list[dict[str, Any]]:
        """Return a row for all units, one for each end of the intervals, and one a stratum.

        Returns
        -------
        list of dict
            With the keys ``by`` (the division, or ``all``), ``name`` (the group), every metric
            (None if undefined) and ``rendered_frames`` (1 or 0).
        """
        return [
            {
                "by": division,
                "name": stratum.name,
                **{name: stratum.metrics.get(name) for name in self.metrics},
                "rendered_frames": int(self.rendered),
            }
            for division, strata in (("all", self.overall), *self.strata.items())
            for stratum in strata
        ]

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the rows of `list_rows` as a pandas data frame, NaN for undefined metrics.

        Raises
        ------
        InputError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise refuse(
                "pandas is not installed", "Report.to_dataframe", "run pip install pandas"
            ) from None
        frame: pandas.DataFrame = pandas.DataFrame.from_records(self.list_rows())
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "measures": list(self.metric_groups),
            "truth": self.truth,
            "split": self.split,
            "predictions": self.predictions,
            "rendered_frames": self.rendered,
            "coverage": self.coverage.to_dict(),
            "metrics": dict(self.metrics),
            "references": self.references.to_dict(),
            "intervals": {
                name: None if bounds is None else list(bounds)
                for name, bounds in self.intervals.items()
            },
            "bootstrap": None
            if self.resampled_intervals is None
            else self.resampled_intervals.to_dict(),
            "better": {name: METRICS[name].better for name in self.metrics if METRICS[name].better},
            "strata": {
                division: [{"name": stratum.name, **stratum.metrics} for stratum in strata]
                for division, strata in self.strata.items()
            },
            "failures": None if self.failures is None else self.failures.to_dict(),
            "handled": dict(self.handled),
            "left_out": dict(self.left_out),
            "toolkit": self.toolkit,
        }
