"""What is remembered of each pixel of the training set, across steps: where a batch's frames are in
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reference_trainer.batch import Batch


@dataclass(frozen=True)
class Seen:
    """The units, (sequence, object, frame), that a batch shows.

    numbers: (U,) int64 on the CPU, each once, ascending. A unit that is shown several times counts
    once, by its first showing, so that a batch has one vote whatever its frames are.
    """

    numbers: Tensor
    _there: Tensor
    _first: Tensor
    _which: Tensor
    _flipped: Tensor

    @classmethod
    def of(cls, batch: Batch) -> Seen:
        """The units of a batch."""
        there = batch.frame_items >= 0
        numbers, which = torch.unique(batch.frame_items[there], return_inverse=True)
        places = torch.arange(len(which), device=which.device)
        first = torch.full_like(numbers, len(which))
        first = first.scatter_reduce(0, which, places, "amin")
        return cls(numbers.cpu(), there, first, which, batch.flipped[:, None, None, None, None])

    def gather(self, values: Tensor) -> Tensor:
        """What a batch says of its units, unmirrored: (B, K, T, h, w) to (U, h, w)."""
        upright = torch.where(self._flipped, values.flip(-1), values)
        return upright[self._there][self._first]

    def spread(self, rows: Tensor) -> Tensor:
        """What is remembered of units, as the batch shows them: (U, h, w) to (B, K, T, h, w), 0
        where it only fills up.
        """
        values = rows.new_zeros(*self._there.shape, *rows.shape[-2:])
        values[self._there] = rows[self._which]
        return torch.where(self._flipped, values.flip(-1), values)
