"""The perturbed features that a robust head of PMHM gets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HeadView:
    """The input of a robust head.

    Attributes
    ----------
    pixels : (B, K, T, C, h, w) float
        Features with their gradient.
    scale : (B, K, T, C, 1, 1) float
        Factor of the features.
    perturbed : (B, K, T, C, h, w) float
        Scaled features with noise, without gradient.
    """

    pixels: Tensor
    scale: Tensor
    perturbed: Tensor

    def select_pixels(self, frame: Tensor, pixel: Tensor) -> Tensor:
        """Select pixels, with their gradient.

        Parameters
        ----------
        frame : (N,) int64
            Position among the frames of all sequences and prompts in turn.
        pixel : (N,) int64
            Position among the pixels of a frame.

        Returns
        -------
        (C, N) float32
        """
        pixels, perturbed = (
            values.flatten(0, 2).flatten(2)[frame, :, pixel].float()
            for values in (self.pixels, self.perturbed)
        )
        scaled = pixels * self.scale.flatten(0, 2).flatten(1)[frame]
        return (scaled + (perturbed - scaled).detach()).T


def compute_deviation(values: Tensor) -> Tensor:
    """Compute the standard deviation over the last three axes, which stay, with length 1."""
    flat = values.float().flatten(-3)
    count = flat.shape[-1]
    squares: Tensor = torch.linalg.vector_norm(flat, dim=-1) ** 2 / count
    variance = (squares - flat.mean(-1) ** 2).clamp(min=0) * (count / max(count - 1, 1))
    return variance.sqrt()[..., None, None, None].to(values.dtype)
