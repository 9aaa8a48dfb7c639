"""Losses as pure functions of logits and labels, stable wherever a logit is finite.

Shapes: B clips of T frames with K prompts each, masks of (h, w). z is a logit, p = sigmoid(z), y in
[0, 1] its label, p_y = y p + (1 - y)(1 - p) the chance that the net gives to a label in {0, 1}.
Functions of pixels work on any shape and return the same shape; `over_pixels` and `over_prompts`
reduce.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def over_pixels(values: Tensor, shown: Tensor) -> Tensor:
    """The mean over the pixels of the frames shown, 0 where none is.

    values: (B, K, T, h, w). shown: (B, T) bool. Returns (B, K).
    """
    frames = torch.where(shown[:, None], values.mean((-2, -1)), 0.0)
    return frames.sum(-1) / shown.sum(-1).clamp(min=1)[:, None]


def over_prompts(values: Tensor, asked: Tensor) -> Tensor:
    """The mean over the prompts that are asked, 0 where none is.

    values: (B, K). asked: (B, K) bool. Returns a scalar.
    """
    return torch.where(asked, values, 0.0).sum() / asked.sum().clamp(min=1)


def bce(z: Tensor, y: Tensor) -> Tensor:
    """Binary cross-entropy, -y log p - (1 - y) log(1 - p); y may be soft."""
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def mae(z: Tensor, y: Tensor) -> Tensor:
    """1 - p_y = |p - y|, for y in {0, 1} (Ghosh et al., AAAI 2017, up to a factor 2)."""
    return torch.sigmoid((1 - 2 * y) * z)


def focal(z: Tensor, y: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss, a_y (1 - p_y)^gamma BCE, a_y = alpha for y = 1 and 1 - alpha for y = 0 (Lin et
    al., ICCV 2017, eq. 5).

    >>> focal(torch.tensor([0.0]), torch.tensor([1.0])).item()  # 0.25 * 0.25 * log 2
    0.043321698904037476
    """
    balance = alpha * y + (1 - alpha) * (1 - y)
    return balance * mae(z, y) ** gamma * bce(z, y)


def dice(z: Tensor, y: Tensor, shown: Tensor) -> Tensor:
    """Dice loss of a clip over its frames shown, 1 - (2 sum(p y) + 1) / (sum p + sum y + 1)
    (Milletari et al., 3DV 2016, with ReferFormer's smooth term).

    z, y: (B, K, T, h, w). shown: (B, T) bool. Returns (B, K): 0 for an empty mask that is seen to
    be empty.
    """
    there = shown[:, None, :, None, None]
    p = torch.where(there, torch.sigmoid(z), 0.0)
    y = torch.where(there, y, 0.0)
    both = (p * y).sum((2, 3, 4))
    return 1 - (2 * both + 1) / (p.sum((2, 3, 4)) + y.sum((2, 3, 4)) + 1)
