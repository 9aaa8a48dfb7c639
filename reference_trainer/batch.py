"""The records that data, model and strategies exchange.

Shapes: B sequences with T frames and K prompts each, L tokens for a prompt, frames of (H, W), and
masks of (h, w) = (H / 4, W / 4). A sequence with fewer prompts or frames than the batch is padded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, repr=False)
class Batch:
    """Several sequences with their prompts and labels, which may be noisy.

    Attributes
    ----------
    frames : (B, T, 3, H, W) float32
        Normalised images.
    tokens : (B, K, L) int64
        Prompts as numbers; 0 is padding.
    prompt_mask : (B, K) bool
        True for real prompts, False for padding.
    masks : (B, K, T, h, w) float32 in {0, 1}
        Masks as labelled; 0 everywhere for inactive objects.
    weights : (B, K, T, h, w) float32
        Weight of each pixel in the loss: 1, or the result of `make_action_weights` if the strategy
        `uses_weights`.
    frame_mask : (B, T) bool
        True for real frames, False for padding.
    active : (B, K) float32 in {0, 1}
        Whether each object takes part in the action.
    unit_ids : (B, K, T) int64
        A stable number from 0 for each (sequence, object, frame); -1 for padding.
    unit_mask : (B, K, T) bool
        True for units whose mask is learned, False for padding and for masks that a run must not
        learn. Losses of masks are over these units.
    flipped : (B,) bool
        True for sequences that are mirrored left to right. No other view changes the geometry, and
        strategies keep what they remember of a unit unmirrored.
    """

    frames: Tensor
    tokens: Tensor
    prompt_mask: Tensor
    masks: Tensor
    weights: Tensor
    frame_mask: Tensor
    active: Tensor
    unit_ids: Tensor
    unit_mask: Tensor
    flipped: Tensor

    def __repr__(self) -> str:
        return f"Batch(frames={tuple(self.frames.shape)}, masks={tuple(self.masks.shape)})"

    def to(self, device: torch.device | str) -> Batch:
        """Copy the batch to a device."""
        moved = {
            field.name: getattr(self, field.name).to(device, non_blocking=True)
            for field in fields(self)
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class Output:
    """The logits of a model for a batch, with R robust heads (R may be 0).

    Attributes
    ----------
    masks : (B, K, T, h, w) float
    activity : (B, K) float
    robust : (R, B, K, T, h, w) float
        Masks of the robust heads.
    robust_activity : (R, B, K) float
        Activity of the robust heads.
    """

    masks: Tensor
    activity: Tensor
    robust: Tensor
    robust_activity: Tensor


@dataclass(frozen=True)
class Progress:
    """The position of a step in its run.

    Attributes
    ----------
    epoch, epochs : int
        The epoch, from 0, and the number of epochs.
    step, steps : int
        The step of the whole run, from 0, and the number of steps.
    seed : int
        Seed of the run.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    seed: int


@dataclass(frozen=True)
class Loss:
    """The loss of one net.

    Attributes
    ----------
    total : scalar Tensor
        The value to minimise.
    parts : mapping of str to scalar Tensor
        The terms by name, detached, for the log.
    """

    total: Tensor
    parts: Mapping[str, Tensor]
