"""Where the units of a batch are in a memory of all pixels of the training split."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reference_trainer.batch import Batch


@dataclass(frozen=True)
class BatchUnits:
    """The units (sequence, object, frame) of a batch, for strategies that remember pixels.

    Attributes
    ----------
    numbers : (U,) int64
        Ascending and unique, on the CPU. A unit that occurs several times counts once, by its first
        occurrence, so that a batch has one vote for each unit.
    """

    numbers: Tensor
    _is_unit: Tensor
    _first: Tensor
    _rows: Tensor
    _flipped: Tensor

    @classmethod
    def from_batch(cls, batch: Batch) -> BatchUnits:
        """Find the units of a batch."""
        is_unit = batch.unit_ids >= 0
        numbers, rows = torch.unique(batch.unit_ids[is_unit], return_inverse=True)
        positions = torch.arange(len(rows), device=rows.device)
        first = torch.full_like(numbers, len(rows))
        first = first.scatter_reduce(0, rows, positions, "amin")
        return cls(numbers.cpu(), is_unit, first, rows, batch.flipped[:, None, None, None, None])

    def gather(self, values: Tensor) -> Tensor:
        """Gather the values of units, unmirrored: (B, K, T, h, w) to (U, h, w)."""
        upright = torch.where(self._flipped, values.flip(-1), values)
        return upright[self._is_unit][self._first]

    def spread(self, rows: Tensor) -> Tensor:
        """Spread rows of units over the batch's view: (U, h, w) to (B, K, T, h, w).

        Padding gets 0.
        """
        values = rows.new_zeros(*self._is_unit.shape, *rows.shape[-2:])
        values[self._is_unit] = rows[self._rows]
        return torch.where(self._flipped, values.flip(-1), values)


def spread_over_frames(values: Tensor, batch: Batch) -> Tensor:
    """Repeat the value of a prompt for each frame, as a mask of one pixel.

    What a strategy remembers of a prompt is kept for each (sequence, object, frame), as it is for
    masks.

    Parameters
    ----------
    values : (B, K) float
    batch : Batch

    Returns
    -------
    (B, K, T, 1, 1) float
    """
    return values[:, :, None].expand_as(batch.unit_ids)[..., None, None]
