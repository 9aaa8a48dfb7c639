"""Score trivial masks: blank masks, and the true masks of all objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actiseg_eval.measures.results import SequenceResult, make_blank_result, make_true_result
from actiseg_eval.metrics.computing import MetricValues, compute_overall
from actiseg_eval.protocols import Protocol


@dataclass(frozen=True)
class References:
    """The scores of trivial masks, to compare a score with.

    Attributes
    ----------
    blank : mapping of str to float, int or None
        The metrics of blank masks, as in `Report.metrics`.
    everything : mapping of str to float, int or None
        The metrics of the true masks of all objects, active or not.
    """

    blank: MetricValues
    everything: MetricValues

    def to_dict(self) -> dict[str, Any]:
        """Return the references as JSON."""
        return {"blank": dict(self.blank), "all_objects": dict(self.everything)}


def make_references(
    results: list[SequenceResult], protocol: Protocol, metric_groups: tuple[str, ...]
) -> References:
    """Compute the references of some results from their pixel counts, without reading a mask."""
    blank = [make_blank_result(result, protocol) for result in results]
    everything = [make_true_result(result, protocol) for result in results]
    return References(
        compute_overall(blank, protocol, metric_groups),
        compute_overall(everything, protocol, metric_groups),
    )
