"""What is read off fused features: a mask for each prompt and frame, and whether it is active."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MaskHead(nn.Module):
    """Mask logits from pixel features that know their prompt.

    channels: C of the features. A new head says "background" almost everywhere, as truth does.
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
        """pixels: (..., C, h, w). Returns logits (..., h, w)."""
        flat = pixels.flatten(0, -4)
        logits: Tensor = self.layers(flat)
        return logits.reshape(*pixels.shape[:-3], *pixels.shape[-2:])


class ActivityHead(nn.Module):
    """The logit of "this object takes part in the action": ActionVOS's positive head.

    It reads the prompt, the features where the mask is, and the features of the whole clip.

    channels: C of the pixel features. width: D of the prompt vector.
    """

    def __init__(self, channels: int, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width + 2 * channels + 1, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, pixels: Tensor, prompts: Tensor, masks: Tensor) -> Tensor:
        """pixels: (B, K, T, C, h, w). prompts: (B, K, D). masks: (B, K, T, h, w) logits, of which
        no gradient is taken: the head looks where the mask is, and does not move it.

        Returns logits (B, K).
        """
        chances = torch.sigmoid(masks.detach())
        mass = chances.sum((2, 3, 4))
        inside = torch.einsum("bktchw,bkthw->bkc", pixels, chances) / (mass[..., None] + 1)
        around = pixels.mean((2, 4, 5))
        share = (mass / chances[0, 0].numel()).sqrt()[..., None]
        logits: Tensor = self.layers(torch.cat([prompts, inside, around, share], dim=-1))
        return logits.squeeze(-1)
