"""The result of a comparison of records, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.comparison.comparison_result import Difference
from actiseg_eval.raw_scores.raw_score_result import FigureValue, Interval
from actiseg_eval.raw_scores.record_figures import RECORD_FIGURES

COMPARISON_SCHEMA = "actiseg/record-comparison/1"


@dataclass(frozen=True, repr=False)
class RecordComparison:
    """Methods, compared in one figure of their records.

    Attributes
    ----------
    figure : str
        A key of `RECORD_FIGURES`.
    split : str
        The split that was scored.
    rendered : bool
        Whether the frames of the dataset are rendered, not photographs.
    clusters : int
        The number of videos.
    level : float
        The level of confidence.
    equivalence : float or None
        The margin of tests of equivalence.
    frozen, clean : str or None
        The methods that shares are of.
    seeds : mapping of str to tuple of int
        The seeds of each method, in the order of `FigureValue.seeds`.
    values : mapping of str to FigureValue
        The mean over seeds of each method, with its interval and its share of the clean gain.
    clean_gain : float or None
        How much better the clean run is than the frozen start: above 0 if it is better, also for
        figures where lower is better. None without the two, and if it is undefined.
    clean_gain_interval : (float, float) or None
        Its interval. If it is not above 0, no method has a share.
    differences : sequence of Difference
        How much better each method is than those that it was held against. p values are not
        adjusted, see `actiseg_eval.resampling.gains.apply_holm`.
    left_out : mapping of str to str
        Methods without intervals and differences, and why.
    """

    figure: str
    split: str
    rendered: bool
    clusters: int
    level: float
    equivalence: float | None
    frozen: str | None
    clean: str | None
    seeds: Mapping[str, tuple[int, ...]]
    values: Mapping[str, FigureValue]
    clean_gain: float | None
    clean_gain_interval: Interval | None
    differences: Sequence[Difference]
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<RecordComparison of {', '.join(self.values)}: {self.figure}, split {self.split}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `COMPARISON_SCHEMA`."""
        return {
            "schema": COMPARISON_SCHEMA,
            "figure": self.figure,
            "better": RECORD_FIGURES[self.figure].better,
            "split": self.split,
            "rendered_frames": self.rendered,
            "clusters": self.clusters,
            "level": self.level,
            "equivalence": self.equivalence,
            "frozen": self.frozen,
            "clean": self.clean,
            "clean_gain": self.clean_gain,
            "clean_gain_interval": self.clean_gain_interval,
            "left_out": dict(self.left_out),
            "methods": {
                name: {
                    **vars(value),
                    "seeds": dict(zip(self.seeds[name], value.seeds, strict=True)),
                }
                for name, value in self.values.items()
            },
            "differences": [difference.to_dict() for difference in self.differences],
        }
