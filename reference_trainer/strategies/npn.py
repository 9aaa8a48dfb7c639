"""Partial-label and negative learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reference_trainer.batch import Batch, Progress
from reference_trainer.devices import choose_precision
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import (
    Net,
    Strategy,
    StrategyContext,
    choose_scale,
    is_warm_up,
    make_generator,
)
from reference_trainer.strategies.pixel_memory import BatchUnits
from reference_trainer.strategies.strategy_options import RELEASED, ScaledOptions, option


@dataclass(frozen=True)
class NpnOptions(ScaledOptions):
    """Options of `Npn`.

    Attributes
    ----------
    variant : "soft" or "hard"
        The partial-label loss: `losses.partial_soft` or `losses.partial_hard`. The released code
        has its own.
    negative, consistency : float
        Coefficients of these terms, the paper's for the variant (soft: 1 and 2; hard: 1 and 1).
    confidence : float
        Confidence that a prediction needs for a vote, and to be a target of the strong view; 0.5
        accepts all.
    warmup : float
        Share of the run with the plain loss, which counts votes as well.
    """

    variant: Literal["soft", "hard"] = option("soft", unless=RELEASED)
    negative: float = option(1.0, released=0.1)
    consistency: float = option(2.0, released=0.2, instead={("variant", "hard"): 1.0})
    confidence: float = option(0.5, 0.5, 1, released=0.7)
    warmup: float = option(1 / 3, 0, 1)


@dataclass(frozen=True)
class _Votes:
    """Votes and predictions of a batch, each (B, K, T, h, w).

    Attributes
    ----------
    counts : pair of float Tensor
        Votes for background and object.
    guess : float Tensor in {0, 1}
        Prediction of the net.
    confident : bool Tensor
        Where the prediction has a vote.
    """

    counts: tuple[Tensor, Tensor]
    guess: Tensor
    confident: Tensor


class Npn(Strategy[NpnOptions]):
    """The method of Sheng et al., AAAI 2024.

    Candidates of a pixel are its label and the prediction of the net. The loss has three terms: a
    partial-label loss with running votes, negative learning on classes that are not candidates, and
    consistency with a strong view (the same frames recoloured, in a second forward pass).

    State: votes for background and object of each pixel of each unit, int16, counted once a step.

    With two classes, negative learning is BCE if net and label agree, and 0 otherwise. The label is
    a candidate in every step, so no class ever has more votes: the hard variant is BCE toward the
    label, and the soft one, the default, smooths the label toward the prediction by at most a half.
    A tie goes to the label. Two candidates from the net (top-k 2) would always be both classes;
    there is no such option.

    Released: the warm-up sets the label's votes to 1 instead of counting them; BCE of 2 z, so that
    its temperature is a half; these terms are not weighted; Dice is smaller relative to them (see
    `compute_mask_scale`).
    """

    def __init__(self, options: NpnOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        self._votes = torch.zeros(context.units, 2, *context.grid, dtype=torch.int16)

    def get_phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def compute_mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        p = torch.sigmoid(logits.detach())
        confident = torch.maximum(p, 1 - p) > self.options.confidence
        guess = (p > 0.5).float()
        is_warm = is_warm_up(self.options.warmup, progress)
        counts = self._count_votes(batch, guess, confident, is_warm)
        if is_warm:
            return super().compute_mask_terms(net, logits, batch, progress)
        recoloured = _recolour_frames(batch, progress)
        with choose_precision(recoloured.device):
            strong = net(recoloured, batch.tokens).masks.float()
        return self._compute_robust_terms(logits, strong, batch, _Votes(counts, guess, confident))

    def _compute_robust_terms(
        self, z: Tensor, strong: Tensor, batch: Batch, votes: _Votes
    ) -> dict[str, Tensor]:
        options, y, weights = self.options, batch.masks, batch.weights
        confident, guess = votes.confident, votes.guess
        both = confident & (guess != y)
        if options.released:
            partial = losses.partial_released(z, votes.counts)
            negative = losses.negative_released(z, y, both)
            consistent = losses.bce(2 * strong, guess)
            weights = torch.ones_like(weights)
        else:
            if options.variant == "hard":
                partial = losses.partial_hard(z, votes.counts, y)
            else:
                partial = losses.partial_soft(z, votes.counts)
            negative = losses.negative(z, y, both)
            consistent = losses.bce(strong, guess)
        frames = batch.frame_mask
        # Consistency is a mean over the confident pixels.
        share = losses.average_pixels(confident.float(), frames).clamp(min=1e-12)
        terms = {
            "mask": losses.average_pixels(weights * partial, frames),
            "negative": options.negative * losses.average_pixels(weights * negative, frames),
            "consistency": options.consistency
            * losses.average_pixels(weights * confident * consistent, frames)
            / share,
        }
        scale = choose_scale(options, losses.bce)
        return {name: options.mask * scale * term for name, term in terms.items()}

    def _count_votes(
        self, batch: Batch, guess: Tensor, confident: Tensor, is_warm: bool
    ) -> tuple[Tensor, Tensor]:
        """Add the votes of a batch, and return all votes for background and object."""
        units = BatchUnits.from_batch(batch)
        label, guess, confident = (
            units.gather(values).bool() for values in (batch.masks, guess, confident.float())
        )
        votes = self._votes[units.numbers].to(label.device, torch.int32)
        labels = torch.stack([~label, label], 1)
        guesses = torch.stack([~guess, guess], 1) & confident[:, None]
        if is_warm and self.options.released:
            votes = torch.where(labels, 1, votes) + guesses.int()
        else:
            votes = votes + (labels | guesses).int()
        votes = votes.clamp(max=torch.iinfo(torch.int16).max)
        self._votes[units.numbers] = votes.to("cpu", torch.int16)
        # Padding has no votes, but shares of votes must be finite.
        padding = (batch.unit_ids < 0)[..., None, None].float()
        return units.spread(votes[:, 0].float()) + padding, units.spread(votes[:, 1].float())

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"votes": self._votes}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._votes = torch.as_tensor(state["votes"]).clone()


def _recolour_frames(batch: Batch, progress: Progress) -> Tensor:
    """Make the strong view (B, T, 3, H, W): redraw the colours of each frame.

    Brightness, contrast, saturation and the balance of colours change.
    """
    frames = batch.frames
    sequences, count = frames.shape[:2]
    source = make_generator(torch.device("cpu"), progress.seed, "npn.colours", progress.step)
    # Frames come first, so that padding at the end does not change the draws of real frames.
    draws = torch.rand(count, sequences, 6, generator=source).mul(2).sub(1).transpose(0, 1)
    draws = draws[..., None, None].to(frames.device)
    light, contrast, saturation = (draws[:, :, column : column + 1] for column in range(3))
    grey = frames.mean(2, keepdim=True)
    coloured = grey + (1 + 0.5 * saturation) * (frames - grey)
    middle = coloured.mean((2, 3, 4), keepdim=True)
    contrasted = middle + (1 + 0.4 * contrast) * (coloured - middle)
    return (1 + 0.1 * draws[:, :, 3:]) * contrasted + 0.4 * light
