"""The slim model: it encodes images once, fuses them with each prompt, and has two heads.

Shapes: B sequences of T frames with K prompts each, C channels at stride 4,
(h, w) = (H / 4, W / 4).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_trainer.batch import Output
from reference_trainer.batches.tokens import PARTS, VOCABULARY, WORDS
from reference_trainer.network.encoders import Encoder, TinyEncoder, make_convolution
from reference_trainer.network.feature_cache import FeatureCache
from reference_trainer.network.heads import ActivityHead, MaskHead


class SegmentationModel(nn.Module):
    """Predict mask logits and activity logits from frames and prompts.

    The cost of the encoder grows with the frames. Only a 1 x 1 convolution grows with frames times
    prompts.

    Parameters
    ----------
    encoder : Encoder, optional
        None: a new `TinyEncoder`.
    channels : int
        Channels C of the pixel features.
    width : int
        Length D of the prompt vectors.
    freeze_encoder : bool
        Whether the encoder keeps its parameters, and stays in evaluation mode.
    cache_bytes : int
        Memory for the features of a frozen encoder on a CPU.

    Attributes
    ----------
    robust_heads, robust_activity_heads : ModuleList
        Robust heads, none by default, see `add_robust_heads`.
    perturb : callable or None
        Maps the number of a robust head and the pixel features (B, K, T, C, h, w) to the features
        for that head. None: the same features as for the main head.
    """

    def __init__(
        self,
        encoder: Encoder | None = None,
        channels: int = 32,
        width: int = 96,
        *,
        freeze_encoder: bool = False,
        cache_bytes: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = TinyEncoder() if encoder is None else encoder
        self.has_frozen_encoder = freeze_encoder
        self._cache = FeatureCache(cache_bytes)
        if freeze_encoder:
            self.encoder.requires_grad_(False).eval()
        self.neck = Neck(self.encoder.channels, channels)
        self.prompts = PromptEncoder(width)
        self.modulation = nn.Linear(width, 2 * channels)
        self.mask_head: nn.Module = MaskHead(channels)
        self.activity_head: nn.Module = ActivityHead(channels, width)
        self.robust_heads = nn.ModuleList()
        self.robust_activity_heads = nn.ModuleList()
        self.perturb: Callable[[int, Tensor], Tensor] | None = None

    def compute_features(self, frames: Tensor) -> Tensor:
        """Compute pixel features (B, T, C, h, w) of normalised frames (B, T, 3, H, W)."""
        shape = frames.shape[:2]
        scales = self._encode(frames.flatten(0, 1))
        pixels: Tensor = self.neck(scales, shape)
        features: Tensor = pixels.unflatten(0, shape)
        return features

    def _encode(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the scales of the encoder for images (N, 3, H, W)."""
        if not self.has_frozen_encoder:
            scales: tuple[Tensor, Tensor, Tensor] = self.encoder(images)
            return scales
        with torch.no_grad():
            if images.device.type != "cpu":  # computing is faster there than finding
                scales = self.encoder(images)
                return scales
            # One by one, since the rounding of a frame's features depends on the frames beside it,
            # and cached features must equal computed ones.
            rows = [self._cache.fetch(image, self.encoder) for image in images]
            fine, middle, coarse = (torch.cat(scale) for scale in zip(*rows, strict=True))
            return fine, middle, coarse

    def train(self, mode: bool = True) -> SegmentationModel:
        """Set the mode of all parts but a frozen encoder."""
        super().train(mode)
        if self.has_frozen_encoder:
            self.encoder.eval()
        return self

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load parameters; features of earlier ones are forgotten."""
        self._cache.clear()
        return super().load_state_dict(state_dict, strict, assign)

    def fuse(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse pixel features with each prompt (FiLM: Perez et al., AAAI 2018).

        Parameters
        ----------
        features : (B, T, C, h, w) float
        tokens : (B, K, L) int64

        Returns
        -------
        pixels : (B, K, T, C, h, w) float
        prompts : (B, K, D) float
        """
        prompts: Tensor = self.prompts(tokens)
        scale, shift = self.modulation(prompts)[:, :, None, :, None, None].chunk(2, dim=3)
        return torch.relu(features[:, None] * (1 + scale) + shift), prompts

    def forward(self, frames: Tensor, tokens: Tensor) -> Output:
        """Compute all logits of frames (B, T, 3, H, W) and tokens (B, K, L)."""
        pixels, prompts = self.fuse(self.compute_features(frames), tokens)
        masks: Tensor = self.mask_head(pixels)
        activity: Tensor = self.activity_head(pixels, prompts, masks)
        views = [
            pixels if self.perturb is None else self.perturb(number, pixels)
            for number in range(len(self.robust_heads))
        ]
        robust = [head(view) for head, view in zip(self.robust_heads, views, strict=True)]
        robust_activity = [
            head(view, prompts, mask)
            for head, view, mask in zip(self.robust_activity_heads, views, robust, strict=False)
        ]
        return Output(
            masks=masks,
            activity=activity,
            robust=torch.stack(robust) if robust else masks.new_zeros(0, *masks.shape),
            robust_activity=(
                torch.stack(robust_activity)
                if robust_activity
                else masks.new_zeros(0, *activity.shape)
            ),
        )

    def add_robust_heads(self, count: int, *, activity: bool = False) -> None:
        """Add robust heads, which start as copies of the main one, for training only.

        Parameters
        ----------
        count : int
            Number of mask heads.
        activity : bool
            Whether to add as many activity heads.
        """
        self.robust_heads.extend(copy.deepcopy(self.mask_head) for _ in range(count))
        if activity:
            self.robust_activity_heads.extend(
                copy.deepcopy(self.activity_head) for _ in range(count)
            )

    def get_deployed_state(self) -> dict[str, Tensor]:
        """Return the parameters that predict, which are the same for every strategy."""
        return {
            name: value
            for name, value in self.state_dict().items()
            if not name.startswith("robust_")
        }


class Neck(nn.Module):
    """Exchange features between the frames of a sequence, then join three scales at the finest.

    Scales are joined from coarse to fine (FPN: Lin et al., CVPR 2017).
    """

    def __init__(self, scales: tuple[int, int, int], channels: int) -> None:
        super().__init__()
        fine, middle, coarse = scales
        self.exchange = nn.Conv2d(coarse, coarse, 1)
        self.whole = nn.Conv2d(coarse, coarse, 1)
        nn.init.zeros_(self.exchange.weight)
        nn.init.zeros_(self.whole.weight)
        wide = 2 * channels
        self.sides = nn.ModuleList(
            [nn.Conv2d(fine, channels, 1), nn.Conv2d(middle, wide, 1), nn.Conv2d(coarse, wide, 1)]
        )
        self.smooth = make_convolution(wide, channels)
        self.out = nn.Sequential(
            make_convolution(channels, channels), nn.Conv2d(channels, channels, 1)
        )

    def forward(self, scales: tuple[Tensor, Tensor, Tensor], shape: torch.Size) -> Tensor:
        """Join features of three scales, each (B T, c, h', w'), to (B T, C, h, w).

        `shape` is (B, T).
        """
        fine, middle, coarse = scales
        sequences = coarse.unflatten(0, shape)
        mean = sequences.mean(1)
        message = self.exchange(mean) + self.whole(mean.mean((2, 3), keepdim=True))
        coarse = (sequences + message[:, None]).flatten(0, 1)
        joined = self.sides[1](middle) + _double_size(self.sides[2](coarse))
        joined = self.sides[0](fine) + _double_size(self.smooth(joined))
        pixels: Tensor = self.out(joined)
        return pixels


def _double_size(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class PromptEncoder(nn.Module):
    """Encode the words of a prompt as one vector: sums of parts, then attention between words.

    Words that occur twice are marked, because a narration names an object by repeating its name.
    """

    def __init__(self, width: int, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.parts = nn.Embedding(VOCABULARY, width, padding_idx=0)
        self.places = nn.Parameter(torch.zeros(WORDS, width))
        self.repeated = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.parts.weight, std=0.3 / PARTS**0.5)
        nn.init.normal_(self.places, std=0.1)
        nn.init.normal_(self.repeated, std=0.1)
        with torch.no_grad():
            self.parts.weight[0] = 0
        self.layers = nn.ModuleList(WordLayer(width, heads) for _ in range(layers))
        self.out = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Encode tokens (B, K, L) int64 as vectors (B, K, D)."""
        grid = tokens.unflatten(-1, (WORDS, PARTS))
        names = grid[..., 0]
        is_word = names > 0
        same = (names[..., :, None] == names[..., None, :]) & is_word[..., None, :]
        is_repeated = (same.sum(-1) > 1) & is_word
        x = self.parts(grid).sum(-2) + self.places + is_repeated[..., None] * self.repeated
        # A prompt without words attends to its first, empty place, to avoid a division by zero.
        attended = is_word | (torch.arange(WORDS, device=tokens.device) == 0)
        for layer in self.layers:
            x = layer(x, attended)
        mean = (x * attended[..., None]).sum(-2) / attended.sum(-1, keepdim=True)
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

    def forward(self, x: Tensor, attended: Tensor) -> Tensor:
        """Update word vectors (B, K, words, D); `attended` (B, K, words) bool has real words."""
        parts = self.queries(self.before(x)).unflatten(-1, (3, self.heads, -1))
        query, keys, values = parts.movedim(-3, 0).transpose(-2, -3)
        scores = query @ keys.transpose(-1, -2) / query.shape[-1] ** 0.5
        scores = scores.masked_fill(~attended[:, :, None, None, :], -torch.inf)
        mixed = (scores.softmax(-1) @ values).transpose(-2, -3).flatten(-2)
        x = x + self.joined(mixed)
        out: Tensor = x + self.perceptron(self.after(x))
        return out
