"""The scores of trivial masks: blank ones, and the true ones of all objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actiseg_eval.measures.results import SequenceResult, make_blank_result, make_true_result
from actiseg_eval.metrics.computing import MetricValues, compute_overall
from actiseg_eval.protocols import Protocol


@dataclass(frozen=True)
class References:
    """Scores to compare a score with, by key, as in `Report.figures`.

    blank: of blank masks. everything: of the true masks of all objects, whether active or not.
    """

    blank: MetricValues
    everything: MetricValues

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"blank": dict(self.blank), "all_objects": dict(self.everything)}


def make_references(
    results: list[SequenceResult], protocol: Protocol, measures: tuple[str, ...]
) -> References:
    """The references of some results, from their counts alone: no mask is read for them."""
    blank = [make_blank_result(result, protocol) for result in results]
    everything = [make_true_result(result, protocol) for result in results]
    return References(
        compute_overall(blank, protocol, measures), compute_overall(everything, protocol, measures)
    )
