"""How much of a split was scored, and how many of the predicted masks are blank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.protocols import Protocol

_REASONS = {
    "sequences_filtered": "flagged by people (--no-filter scores them)",
    "sequences_not_given": "not given to the scorer",
    "sequences_without_scored_frames": "without a frame that {protocol!r} scores",
    "sequences_without_objects": "without an object",
}
"""Why a sequence is not scored, by the key under which that is counted."""


@dataclass(frozen=True)
class Coverage:
    """What was scored.

    protocol: its name. sequences: of the split; scored: those that have a unit; unscored: how many
    others there are, by reason, see `Report.handled`. masks: frames that were scored; blank: those
    without a predicted pixel; missing: masks that were not there and were taken for blank.
    """

    protocol: str
    sequences: int
    scored: int
    unscored: Mapping[str, int]
    masks: int
    blank: int
    missing: int

    @property
    def is_blank(self) -> bool:
        """Whether nothing at all was predicted."""
        return 0 < self.masks == self.blank

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**vars(self), "unscored": dict(self.unscored)}

    def gap(self) -> list[str]:
        """A line if most sequences are not scored."""
        if 2 * self.scored >= self.sequences:
            return []
        reasons = ", ".join(
            f"{count} {_REASONS[key].format(protocol=self.protocol)}"
            for key, count in self.unscored.items()
        )
        return [f"scored {self.scored} of {self.sequences} sequences: {reasons}"]

    def blankness(self, predictions: str) -> list[str]:
        """A line if nothing at all was predicted. predictions: what to call them."""
        if not self.is_blank:
            return []
        missing = f", {self.missing} of them because they are missing" if self.missing else ""
        return [
            f"all {self.masks} masks of {predictions} are blank{missing}: this is the score of "
            "blank masks"
        ]


def make_coverage(
    results: list[SequenceResult], protocol: Protocol, tally: Mapping[str, int]
) -> Coverage:
    """The coverage of some results. tally: everything that was counted, see `Report.handled`."""
    unscored = {key: tally[key] for key in _REASONS if tally.get(key)}
    scored = sum(bool(result.ids and result.frames) for result in results)
    counts = Counter(tally)
    return Coverage(
        protocol=protocol.name,
        sequences=scored + sum(unscored.values()),
        scored=scored,
        unscored=unscored,
        masks=sum(len(result.frames) for result in results),
        blank=counts["empty_predictions"],
        missing=counts["missing_masks"],
    )


def notices_of(coverages: Mapping[str, Coverage]) -> tuple[str, ...]:
    """What there is to say first of several runs on one split.

    coverages: by what to call the predictions.
    """
    gaps = [line for coverage in coverages.values() for line in coverage.gap()]
    blank = [line for name, coverage in coverages.items() for line in coverage.blankness(name)]
    return tuple(dict.fromkeys([*gaps, *blank]))
