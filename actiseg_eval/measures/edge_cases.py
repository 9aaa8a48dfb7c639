"""The objects that a protocol scores in a sequence, and the edge cases in its frames."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import VOID
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_eval.measures.pixel_counts import PixelCounts
from actiseg_eval.protocols import Protocol

_MAX_IDS = 8
"""The most ids that a message lists."""


def find_ids_with_pixels(counts: NDArray[np.int64]) -> frozenset[int]:
    """Find the ids that have pixels, from the pixels of each id in each frame, (F, 256)."""
    return frozenset((np.flatnonzero(counts[:, 1:].any(axis=0)) + 1).tolist())


def find_object_ids(
    protocol: Protocol, sequence: VideoSequence, first: PixelCounts, counts: NDArray[np.int64]
) -> tuple[int, ...]:
    """Find the objects that a protocol scores.

    Parameters
    ----------
    protocol : Protocol
    sequence : VideoSequence
    first : (3, 256) int64
        The pixel counts of the first known frame.
    counts : (F, 3, 256) int64
        The pixel counts of the scored frames.
    """
    if protocol.objects == "listed":
        return tuple(sorted(sequence.object_ids))
    if protocol.objects == "one foreground":
        return (1,)
    if protocol.objects == "first frame":
        known = np.flatnonzero(first[0, 1:]) + 1
        return tuple(range(1, int(known.max(initial=0)) + 1))
    return tuple(sorted(find_ids_with_pixels(counts[:, 0])))


def refuse_extra_ids(
    protocol: Protocol, sequence: VideoSequence, counts: NDArray[np.int64], ids: tuple[int, ...]
) -> None:
    """Raise `InputError` for predicted ids of no object, if the protocol refuses them.

    If no predicted id is known, `actiseg_eval.scoring.input_checks` has a better message.
    """
    predicted = find_ids_with_pixels(counts[:, 1])
    unknown = sorted(predicted - set(ids))
    if unknown and protocol.extra_ids == "refused" and predicted & set(ids):
        raise refuse(
            f"predicts the ids {', '.join(map(str, unknown[:_MAX_IDS]))}, which none of its "
            f"{len(ids)} objects has",
            sequence.folder,
            "remove them, or score with another `protocol`",
        )


def count_edge_cases(
    protocol: Protocol,
    first: PixelCounts,
    counts: NDArray[np.int64],
    ids: tuple[int, ...],
    void: int,
) -> Counter[str]:
    """Count the edge cases in the scored frames of a sequence.

    Parameters
    ----------
    protocol : Protocol
    first : (3, 256) int64
        The pixel counts of the first known frame.
    counts : (F, 3, 256) int64
        The pixel counts of the scored frames.
    ids : tuple of int
        The objects.
    void : int
        True void pixels in the scored frames.
    """
    predicted = counts[:, 1, 1:] > 0
    true_ids = find_ids_with_pixels(counts[:, 0])
    extra_columns = [number - 1 for number in find_ids_with_pixels(counts[:, 1]) - set(ids)]
    return Counter(
        {
            "empty_predictions": int((~predicted.any(axis=1)).sum()),
            "frames_with_extra_ids": int(predicted[:, extra_columns].any(axis=1).sum()),
            "objects_that_come_late": sum(not first[0, number] for number in true_ids),
            "objects_left_out": len(true_ids - set(ids)),
            "sequences_without_scored_frames": int(not len(counts)),
            "sequences_without_objects": int(len(counts) > 0 and not ids),
            _name_void_count(protocol, ids): void,
        }
    )


def _name_void_count(protocol: Protocol, ids: tuple[int, ...]) -> str:
    """Return the key of the number of void pixels, which says how they were treated."""
    if protocol.void != "an id":
        treatment = "cleared" if protocol.void == "cleared" else "as_background"
    elif protocol.objects == "one foreground":
        treatment = "as_the_object"
    else:
        treatment = "as_an_object" if VOID in ids else "as_no_object"
    return f"void_pixels_{treatment}"
