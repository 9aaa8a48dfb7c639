"""The slim model: pictures once for each clip, prompts by modulation, two heads.

Shapes: B clips of T frames with K prompts each, C channels at stride 4, (h, w) = (H/4, W/4).
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_trainer.batch import Output
from reference_trainer.batches.tokens import PARTS, VOCABULARY, WORDS
from reference_trainer.network.encoders import ENCODERS, convolution
from reference_trainer.network.heads import ActivityHead, MaskHead


class Model(nn.Module):
    """Frames and prompts to mask logits and activity logits.

    encoder: a name from `ENCODERS`. channels: C. width: D of a prompt vector. What `forward` costs
    grows with frames for the encoder, and with frames x prompts only for a 1 x 1 convolution.

    robust_heads, robust_activity_heads: further heads, none by default, see `add_robust_heads`.
    perturb: called with the number of a robust head and the pixel features (B, K, T, C, h, w),
    gives the features which that head sees; None: the same as the main head.
    """

    def __init__(self, encoder: str = "tiny", channels: int = 32, width: int = 96) -> None:
        super().__init__()
        self.encoder = ENCODERS[encoder]()
        self.neck = Neck(self.encoder.channels, channels)
        self.prompts = PromptEncoder(width)
        self.modulation = nn.Linear(width, 2 * channels)
        self.mask_head: nn.Module = MaskHead(channels)
        self.activity_head: nn.Module = ActivityHead(channels, width)
        self.robust_heads = nn.ModuleList()
        self.robust_activity_heads = nn.ModuleList()
        self.perturb: Callable[[int, Tensor], Tensor] | None = None

    def features(self, frames: Tensor) -> Tensor:
        """frames: (B, T, 3, H, W), normalised. Returns (B, T, C, h, w)."""
        clips = frames.shape[:2]
        scales = self.encoder(frames.flatten(0, 1))
        pixels: Tensor = self.neck(scales, clips)
        parts: Tensor = pixels.unflatten(0, clips)
        return parts

    def fuse(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Features as each prompt sees them (FiLM: Perez et al., AAAI 2018).

        features: (B, T, C, h, w). tokens: (B, K, L) int64. Returns (B, K, T, C, h, w) and the
        prompt vectors (B, K, D).
        """
        prompts: Tensor = self.prompts(tokens)
        scale, shift = self.modulation(prompts)[:, :, None, :, None, None].chunk(2, dim=3)
        return torch.relu(features[:, None] * (1 + scale) + shift), prompts

    def forward(self, frames: Tensor, tokens: Tensor) -> Output:
        """frames: (B, T, 3, H, W). tokens: (B, K, L). Returns all logits."""
        pixels, prompts = self.fuse(self.features(frames), tokens)
        masks: Tensor = self.mask_head(pixels)
        activity: Tensor = self.activity_head(pixels, prompts, masks)
        seen = [
            pixels if self.perturb is None else self.perturb(number, pixels)
            for number in range(len(self.robust_heads))
        ]
        robust = [head(of) for head, of in zip(self.robust_heads, seen, strict=True)]
        asked = [
            head(of, prompts, mask)
            for head, of, mask in zip(self.robust_activity_heads, seen, robust, strict=False)
        ]
        return Output(
            masks=masks,
            activity=activity,
            robust=torch.stack(robust) if robust else masks.new_zeros(0, *masks.shape),
            robust_activity=torch.stack(asked) if asked else masks.new_zeros(0, *activity.shape),
        )

    def add_robust_heads(self, count: int, *, activity: bool = False) -> None:
        """Add mask heads that start as copies of the main one; with `activity`, activity heads as
        well. They take part in training only: `deployed_state` leaves them out.
        """
        self.robust_heads.extend(copy.deepcopy(self.mask_head) for _ in range(count))
        if activity:
            self.robust_activity_heads.extend(
                copy.deepcopy(self.activity_head) for _ in range(count)
            )

    def deployed_state(self) -> dict[str, Tensor]:
        """The parameters that predict: the same for every strategy."""
        return {
            name: value
            for name, value in self.state_dict().items()
            if not name.startswith("robust_")
        }


class Neck(nn.Module):
    """Three scales joined at the finest, from coarse to fine (FPN: Lin et al., CVPR 2017), after
    the frames of a clip have told each other what they see.
    """

    def __init__(self, scales: tuple[int, int, int], channels: int) -> None:
        super().__init__()
        fine, middle, coarse = scales
        self.others = nn.Conv2d(coarse, coarse, 1)
        self.whole = nn.Conv2d(coarse, coarse, 1)
        nn.init.zeros_(self.others.weight)
        nn.init.zeros_(self.whole.weight)
        wide = 2 * channels
        self.sides = nn.ModuleList(
            [nn.Conv2d(fine, channels, 1), nn.Conv2d(middle, wide, 1), nn.Conv2d(coarse, wide, 1)]
        )
        self.smooth = convolution(wide, channels)
        self.out = nn.Sequential(convolution(channels, channels), nn.Conv2d(channels, channels, 1))

    def forward(self, scales: tuple[Tensor, Tensor, Tensor], clips: torch.Size) -> Tensor:
        """scales: (B T, c, ., .) each. clips: (B, T). Returns (B T, C, h, w)."""
        fine, middle, coarse = scales
        clip = coarse.unflatten(0, clips)
        mean = clip.mean(1)  # one frame: itself
        told = self.others(mean) + self.whole(mean.mean((2, 3), keepdim=True))
        coarse = (clip + told[:, None]).flatten(0, 1)
        joined = self.sides[1](middle) + _doubled(self.sides[2](coarse))
        joined = self.sides[0](fine) + _doubled(self.smooth(joined))
        pixels: Tensor = self.out(joined)
        return pixels


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class PromptEncoder(nn.Module):
    """Words to one vector for each prompt: sums of parts, attention between words.

    A word that stands in the prompt twice is marked: that is how a narration names an object.
    """

    def __init__(self, width: int, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.parts = nn.Embedding(VOCABULARY, width, padding_idx=0)
        self.places = nn.Parameter(torch.zeros(WORDS, width))
        self.again = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.parts.weight, std=0.3 / PARTS**0.5)
        nn.init.normal_(self.places, std=0.1)
        nn.init.normal_(self.again, std=0.1)
        with torch.no_grad():
            self.parts.weight[0] = 0
        self.layers = nn.ModuleList(WordLayer(width, heads) for _ in range(layers))
        self.out = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (B, K, L) int64. Returns (B, K, D)."""
        grid = tokens.unflatten(-1, (WORDS, PARTS))
        names = grid[..., 0]
        there = names > 0
        same = (names[..., :, None] == names[..., None, :]) & there[..., None, :]
        twice = (same.sum(-1) > 1) & there
        x = self.parts(grid).sum(-2) + self.places + twice[..., None] * self.again
        # A prompt without a word attends to its first, empty place, and no division is by zero.
        seen = there | (torch.arange(WORDS, device=tokens.device) == 0)
        for layer in self.layers:
            x = layer(x, seen)
        mean = (x * seen[..., None]).sum(-2) / seen.sum(-1, keepdim=True)
        vector: Tensor = self.out(torch.cat([mean, x[..., 0, :]], dim=-1))
        return vector


class WordLayer(nn.Module):
    """Attention between the words of a prompt, then a perceptron (pre-norm transformer layer)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.queries = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.after = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """x: (B, K, words, D). seen: (B, K, words) bool, which words there are."""
        parts = self.queries(self.before(x)).unflatten(-1, (3, self.heads, -1))
        query, keys, values = parts.movedim(-3, 0).transpose(-2, -3)
        scores = query @ keys.transpose(-1, -2) / query.shape[-1] ** 0.5
        scores = scores.masked_fill(~seen[:, :, None, None, :], -torch.inf)
        mixed = (scores.softmax(-1) @ values).transpose(-2, -3).flatten(-2)
        x = x + self.joined(mixed)
        out: Tensor = x + self.perceptron(self.after(x))
        return out
