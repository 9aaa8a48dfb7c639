"""Which objects are predicted at which activity gate, exactly, and the gate of a given n-rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.raw_scores import SequenceScores


@dataclass(frozen=True)
class UngatedFrame:
    """The masks of a frame at every gate.

    Attributes
    ----------
    mask : (H, W) uint8
        The index mask at the gate 0, which all objects pass.
    lowest, highest : (K,) float64
        Object k has a pixel at the gates g with lowest < g <= highest, and at no other gate. They
        are equal if it has none at any gate; `lowest` is below 0 if it has one at the gate 0.
    """

    mask: IndexMask
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]


def remove_gates(scores: SequenceScores) -> Iterator[UngatedFrame]:
    """Find the masks of each frame at all gates.

    A lower gate lets more objects compete for pixels, so an object only loses pixels to it. The
    objects are therefore added from the most active to the least. The masks are those of
    `SequenceScores.make_masks`.
    """
    height, width = scores.size
    activity = np.array(scores.activity, np.float64)
    order = np.argsort(-activity, kind="stable")
    for frame in range(len(scores.frames)):
        best = np.zeros((height, width), np.float32)
        owner = np.full((height, width), len(order), np.int64)  # the row with the best logit
        lowest = activity.copy()
        present: set[int] = set()
        for position, row in enumerate(order):
            logits = scores.resize_logits(int(row), frame)
            wins = (logits > best) | ((logits == best) & (row < owner))
            best[wins] = logits[wins]
            owner[wins] = row
            last = position + 1 == len(order)
            if not last and activity[order[position + 1]] == activity[row]:
                continue  # objects of equal activity pass together
            counts = np.bincount(owner.ravel(), minlength=len(order) + 1)
            now = set(np.flatnonzero(counts[:-1]).tolist())
            for lost in present - now:
                lowest[lost] = activity[row]
            for new in now - present:
                lowest[new] = -math.inf
            present = now
        ids = np.array([*scores.objects, 0], np.uint8)
        yield UngatedFrame(ids[owner], lowest, activity)


def find_gate(
    lowest: NDArray[np.float64], highest: NDArray[np.float64], share: float
) -> tuple[float, float]:
    """Find the lowest gate from which on the share of predicted units never exceeds a share.

    Parameters
    ----------
    lowest, highest : (N,) float64
        The gates at which each unit is predicted, see `UngatedFrame`.
    share : float
        In [0, 1].

    Returns
    -------
    gate, realised : float
        The gate, half way between two activities, and the share at it. The gate is 0 if no gate
        predicts more, and above 1 if only a prediction without an object predicts few enough.

    Examples
    --------
    >>> find_gate(np.full(2, -np.inf), np.array([0.25, 0.75]), 0.5)
    (0.5, 0.5)
    """
    predicted = lowest < highest
    lowest, highest = lowest[predicted], highest[predicted]
    ends = np.unique(np.concatenate([lowest, highest, [-math.inf]]))
    total = len(predicted)
    # How many units a gate just above each end lets through; gates up to the next end, as many.
    counts = np.searchsorted(np.sort(lowest), ends, "right")
    counts = counts - np.searchsorted(np.sort(highest), ends, "right")
    too_many = np.flatnonzero(counts > share * total)
    if not len(too_many):
        return 0.0, float(counts[0] / max(total, 1))
    first = int(too_many[-1]) + 1
    # Above the highest end nothing passes, so `first` is a position in `ends`.
    following = ends[first + 1] if first + 1 < len(ends) else 1.0
    gate = float((ends[first] + following) / 2)
    if gate <= ends[first]:
        gate = math.nextafter(ends[first], 2.0)
    return gate, float(counts[first] / total)
