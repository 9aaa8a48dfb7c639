"""What the data, the model and the strategies hand to one another. Shapes:

B clips, T frames each, K prompts each, L tokens each, frames of (H, W), masks of (h, w), a quarter
of it. A clip may have fewer prompts or frames than the batch is wide: the rest only fills up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Some clips with their prompts and labels, which may be noisy.

    frames: (B, T, 3, H, W) float32, normalised. tokens: (B, K, L) int64, 0 pads.
    asked: (B, K) bool, False for prompts that only fill up.
    masks: (B, K, T, h, w) float32 in {0, 1}, as labelled, 0 everywhere for inactive objects.
    weights: (B, K, T, h, w) float32, of pixels in the loss: 1, or those of `action_weights` where
    the strategy is `weighted`.
    shown: (B, T) bool, False for frames that only fill up.
    active: (B, K) float32 in {0, 1}.
    frame_items: (B, K, T) int64, a stable number of each (sequence, object, frame), from 0; -1
    fills up.
    flipped: (B,) bool, True where a clip is mirrored left to right, the only change of geometry
    that a view of a clip may have: what is remembered of a unit is kept unmirrored.
    """

    frames: Tensor
    tokens: Tensor
    asked: Tensor
    masks: Tensor
    weights: Tensor
    shown: Tensor
    active: Tensor
    frame_items: Tensor
    flipped: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        moved = {
            each.name: getattr(self, each.name).to(device, non_blocking=True)
            for each in fields(self)
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class Output:
    """What a model says of a batch, all logits.

    masks: (B, K, T, h, w). activity: (B, K). robust: (R, B, K, T, h, w), of R further heads for
    masks. robust_activity: (R, B, K), of R further heads for activity. R may be 0.
    """

    masks: Tensor
    activity: Tensor
    robust: Tensor
    robust_activity: Tensor


@dataclass(frozen=True)
class Progress:
    """How far a run is. epoch of epochs, step of steps (of the whole run), both counted from 0."""

    epoch: int
    epochs: int
    step: int
    steps: int
    seed: int


@dataclass(frozen=True)
class Loss:
    """The loss of one net. total: a scalar to minimise. parts: its terms by name, detached scalars,
    for the log.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
