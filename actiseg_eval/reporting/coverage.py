"""How much of a split was scored, and how many of the predicted masks are blank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.core.plurals import count_nouns
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.protocols import Protocol

_REASONS = {
    "sequences_filtered": "flagged by people (turn off `filter` to score them)",
    "sequences_not_given": "not given to the scorer",
    "sequences_without_scored_frames": "without a frame that {protocol!r} scores",
    "sequences_without_objects": "without an object",
}
"""Why a sequence is not scored, by the key that counts such sequences in `Report.handled`."""


@dataclass(frozen=True)
class Coverage:
    """How much of a split was scored.

    Attributes
    ----------
    protocol : str
        The name of the protocol.
    sequences, scored : int
        Sequences of the split, and those that have at least one unit.
    unscored : mapping of str to int
        Sequences without a score, by reason (keys of `Report.handled`).
    masks, blank, missing : int
        Scored frames, those without a predicted pixel, and those whose missing masks were scored
        as blank.
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
        """Whether no pixel was predicted at all."""
        return 0 < self.masks == self.blank

    def to_dict(self) -> dict[str, Any]:
        """Return the coverage as JSON."""
        return {**vars(self), "unscored": dict(self.unscored)}

    def describe_gap(self) -> list[str]:
        """Return a line if most sequences are not scored, else nothing."""
        if 2 * self.scored >= self.sequences:
            return []
        reasons = ", ".join(
            f"{count} {_REASONS[key].format(protocol=self.protocol)}"
            for key, count in self.unscored.items()
        )
        return [f"scored {self.scored} of {count_nouns(self.sequences, 'sequence')}: {reasons}"]

    def describe_blankness(self, predictions: str) -> list[str]:
        """Return a line if no pixel was predicted at all, else nothing.

        Parameters
        ----------
        predictions : str
            The name of the predictions in that line.
        """
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
    """Return the coverage of some results.

    Parameters
    ----------
    results : list of SequenceResult
        The results of the sequences that were measured.
    protocol : Protocol
        The protocol that they were measured under.
    tally : mapping of str to int
        All counts, see `Report.handled`.
    """
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


def list_notices(coverages: Mapping[str, Coverage]) -> tuple[str, ...]:
    """Return the lines to print before the tables of several runs on one split.

    Parameters
    ----------
    coverages : mapping of str to Coverage
        The coverage of each run, by the name of its predictions.
    """
    gaps = [line for coverage in coverages.values() for line in coverage.describe_gap()]
    blank = [
        line for name, coverage in coverages.items() for line in coverage.describe_blankness(name)
    ]
    return tuple(dict.fromkeys([*gaps, *blank]))
