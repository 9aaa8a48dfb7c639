"""Assign proposals to objects so that J and F of a sequence are largest (DAVIS unsupervised)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.measures.frame_measurement import ProposalPairs
from actiseg_eval.measures.results import evaluate_blank


@dataclass(frozen=True)
class MatchedProposals:
    """The measurements of the assigned proposals, see `SequenceResult`."""

    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    intersection: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]


def match_proposals(
    frames: Sequence[ProposalPairs],
    counts: NDArray[np.int64],
    ids: tuple[int, ...],
    value_names: tuple[str, ...],
    most: int,
) -> MatchedProposals:
    """Assign a proposal to each object by the Hungarian algorithm.

    An object without a proposal gets a blank one.

    Parameters
    ----------
    frames : sequence of ProposalPairs, length F
        The pairs of each scored frame.
    counts : (F, 3, 256) int64
        The pixel counts of each scored frame.
    ids : tuple of int, length K
        The objects, numbered from 1 to K.
    value_names : tuple of str
        The values of each pair.
    most : int
        The largest number of a proposal.
    """
    from scipy.optimize import linear_sum_assignment

    shape = (len(frames), len(ids), max(most, len(ids)))
    true, areas = counts[:, 0, 1 : len(ids) + 1], counts[:, 0].sum(axis=1)
    proposed = counts[:, 1, 1 : shape[2] + 1]
    truth = np.repeat(true[:, :, None], shape[2], axis=2)
    prediction = np.repeat(proposed[:, None], len(ids), axis=1)
    intersection = np.zeros(shape, np.int64)
    values = {
        name: np.where(
            truth > 0,
            evaluate_blank(name, true, areas)[:, :, None],
            evaluate_blank(name, proposed, areas)[:, None],
        )
        for name in value_names
    }
    for frame, pairs in enumerate(frames):
        rows = [row for row, object_id in enumerate(pairs.ids) if object_id in ids]
        target = np.ix_(
            [pairs.ids[row] - 1 for row in rows], [proposal - 1 for proposal in pairs.proposals]
        )
        intersection[frame][target] = pairs.intersection[rows]
        for name in values:
            values[name][frame][target] = pairs.values[name][rows]
    union = truth + prediction - intersection
    region = np.where(union > 0, intersection / np.maximum(union, 1), 1.0)
    quality = region + values["f"] if "f" in values else region
    rows, columns = linear_sum_assignment(-quality.mean(axis=0)) if ids else ([], [])
    chosen: Any = (slice(None), list(rows), list(columns))
    return MatchedProposals(
        truth[chosen],
        prediction[chosen],
        intersection[chosen],
        {name: value[chosen] for name, value in values.items()},
    )
