"""Output heads: a mask for each prompt and frame, and the activity of each prompt's object."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskHead(nn.Module):
    """Predict mask logits from pixel features that are fused with a prompt.

    The bias starts at -2, because most pixels are background.

    Parameters
    ----------
    channels : int
        Channels C of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, 1, 1)
        )
        last = self.layers[-1]
        assert isinstance(last.bias, nn.Parameter)
        nn.init.constant_(last.bias, -2.0)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map features (..., C, h, w) to logits (..., h, w)."""
        flat = pixels.flatten(0, -4)
        logits: Tensor = self.layers(flat)
        return logits.reshape(*pixels.shape[:-3], *pixels.shape[-2:])


class ActivityHead(nn.Module):
    """Predict whether an object takes part in the action (ActionVOS's positive head).

    The input is the prompt, the features inside the mask, and the features of the whole sequence.

    Parameters
    ----------
    channels : int
        Channels C of the pixel features.
    width : int
        Length D of the prompt vector.
    hidden : int
        Units of the hidden layer.
    """

    def __init__(self, channels: int, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width + 2 * channels + 1, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, pixels: Tensor, prompts: Tensor, masks: Tensor) -> Tensor:
        """Compute activity logits.

        Parameters
        ----------
        pixels : (B, K, T, C, h, w) float
        prompts : (B, K, D) float
        masks : (B, K, T, h, w) float
            Mask logits. They get no gradient from this head.

        Returns
        -------
        (B, K) float
        """
        chances = torch.sigmoid(masks.detach())
        mass = chances.sum((2, 3, 4))
        inside = torch.einsum("bktchw,bkthw->bkc", pixels, chances) / (mass[..., None] + 1)
        around = pixels.mean((2, 4, 5))
        share = (mass / chances[0, 0].numel()).sqrt()[..., None]
        logits: Tensor = self.layers(torch.cat([prompts, inside, around, share], dim=-1))
        return logits.squeeze(-1)
