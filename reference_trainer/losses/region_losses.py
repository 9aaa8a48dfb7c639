"""Losses of whole masks, or of a region of each."""

from __future__ import annotations

import torch
from torch import Tensor

from reference_trainer.strategies import losses


def dice(logits: Tensor, labels: Tensor, region: Tensor | None = None) -> Tensor:
    """Compute Dice loss of each sample, 1 - (2 sum(p y) + 1) / (sum p + sum y + 1).

    Parameters
    ----------
    logits, labels : (N, ...) float
        Sums are over all axes but the first.
    region : (N, ...) bool, optional
        Pixels that count. None: all.

    Returns
    -------
    (N,) float

    Examples
    --------
    >>> logits = torch.tensor([[9.0, 9.0], [9.0, -9.0]])
    >>> dice(logits, torch.tensor([[1.0, 1.0], [1.0, 1.0]])).round(decimals=2).tolist()
    [0.0, 0.25]
    """

    def reshape_samples(values: Tensor) -> Tensor:
        return values.flatten(1)[None, :, None, None]

    is_frame = torch.ones(1, 1, dtype=torch.bool, device=logits.device)
    part = None if region is None else reshape_samples(region)
    values = losses.dice(reshape_samples(logits), reshape_samples(labels), is_frame, part)
    return values[0]


def tversky(
    logits: Tensor,
    labels: Tensor,
    region: Tensor | None = None,
    false_positives: float = 0.5,
    false_negatives: float = 0.5,
) -> Tensor:
    """Compute Tversky loss, 1 - TP / (TP + a FP + b FN), over all pixels together.

    Parameters
    ----------
    logits, labels : float Tensor
    region : bool Tensor, optional
        Pixels that count. None: all.
    false_positives, false_negatives : float
        The weights a and b.

    Returns
    -------
    scalar float
    """
    region = torch.ones_like(logits, dtype=torch.bool) if region is None else region
    return losses.tversky(logits, labels, region, false_positives, false_negatives)
