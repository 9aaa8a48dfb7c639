"""Score trivial masks: blank masks, and the true masks of all objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actiseg_eval.measures.results import SequenceResult, blank_result, true_result
from actiseg_eval.metrics.computing import PlainFigures, whole_figures
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

    blank: PlainFigures
    everything: PlainFigures

    def to_dict(self) -> dict[str, Any]:
        """Return the references as JSON."""
        return {"blank": dict(self.blank), "all_objects": dict(self.everything)}


def make_references(
    results: list[SequenceResult], protocol: Protocol, metric_groups: tuple[str, ...]
) -> References:
    """Compute the references of some results from their pixel counts, without reading a mask."""
    blank = [blank_result(result, protocol) for result in results]
    everything = [true_result(result, protocol) for result in results]
    return References(
        whole_figures(blank, protocol, metric_groups),
        whole_figures(everything, protocol, metric_groups),
    )
