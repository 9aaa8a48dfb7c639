"""Partial-label and negative learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reference_trainer.batch import Batch, Output, Progress
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
from reference_trainer.strategies.pixel_memory import BatchUnits, spread_over_frames
from reference_trainer.strategies.strategy_options import RELEASED, RobustOptions, option


@dataclass(frozen=True)
class NpnOptions(RobustOptions):
    """Options of `Npn`.

    Attributes
    ----------
    variant : "soft" or "hard"
        The partial-label loss: `losses.partial_soft` or `losses.partial_hard`. The released code
        has its own.
    votes : "net" or "both"
        Who votes: the net alone, as in its authors' code, or the label as well, as in ActiSeg-NL's.
    negative, consistency : float
        Coefficients of these terms, the paper's for the variant (soft: 1 and 2; hard: 1 and 1).
    penalty : float
        Coefficient of the confidence penalty in the warm-up.
    confidence : float
        Confidence that a prediction needs for a vote, and to be a target of the strong view; 0.5
        accepts all.
    warmup : float
        Share of the run with cross-entropy and the penalty, in which the net votes as well.
    """

    variant: Literal["soft", "hard"] = option("soft", unless=RELEASED)
    votes: Literal["net", "both"] = option("net", unless=RELEASED)
    negative: float = option(1.0, released=0.1)
    consistency: float = option(2.0, released=0.2, instead={("variant", "hard"): 1.0})
    penalty: float = option(1.0, unless={"arithmetic": "released", "warmup": 0})
    confidence: float = option(0.5, 0.5, 1, released=0.7)
    warmup: float = option(1 / 3, 0, 1)


class Npn(Strategy[NpnOptions]):
    """The method of Sheng et al., AAAI 2024.

    The loss has three terms: a partial-label loss whose target is the running votes, negative
    learning on classes that are not candidates, and consistency with a strong view (the same frames
    recoloured, in a second forward pass). Candidates of a pixel are its label and the prediction of
    the net. With robust activity, the same is the loss of each prompt's activity.

    Votes: the paper's abstract does not say whether the label votes. In its authors' code (NPN-soft
    and NPN-hard) the net alone does, in the warm-up and after it; this is the default. If the label
    votes in every step (`votes: both`, ActiSeg-NL's reading), no class ever has more votes: the
    hard variant is then BCE toward the label, and the soft one smooths the label by at most a half.

    Warm-up: BCE plus p log p + (1 - p) log(1 - p), as in the authors' code. The penalty keeps the
    net uncertain, and so the votes divided.

    With two classes, negative learning is BCE if net and label agree, and 0 otherwise. A tie of
    votes goes to the label. Two candidates from the net (top-k 2) would always be both classes;
    there is no such option. A label is trusted, for `dice_region: trusted`, if it has at least half
    of the votes.

    State: votes for background and object of each pixel of each unit, int16, counted once a step;
    with robust activity also two votes for each unit.

    Released: the warm-up has the plain loss, and sets the label's votes to 1 instead of counting
    them; BCE of 2 z, so that its temperature is a half; these terms are not weighted; Dice is
    smaller relative to them (see `compute_mask_scale`).
    """

    _warm = False
    _strong: Output | None = None

    def __init__(self, options: NpnOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        masks = context.units if options.has_robust_masks else 0
        activity = context.units if options.has_robust_activity else 0
        self._mask_votes = torch.zeros(masks, 2, *context.grid, dtype=torch.int16)
        self._activity_votes = torch.zeros(activity, 2, 1, 1, dtype=torch.int16)

    def get_phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def prepare_step(self, nets: list[Net], progress: Progress) -> None:
        self._warm = is_warm_up(self.options.warmup, progress)

    def compute_terms(
        self, net: Net, output: Output, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        if not self._warm:
            recoloured = _recolour_frames(batch, progress)
            with choose_precision(recoloured.device):
                self._strong = net(recoloured, batch.tokens)
        terms = super().compute_terms(net, output, batch, progress)
        self._strong = None
        return terms

    def compute_mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        if not self.options.has_robust_masks:
            return super().compute_mask_terms(net, logits, batch, progress)
        votes = self._count_votes(self._mask_votes, logits, batch.masks, batch)
        if self._warm and self.options.released:
            return super().compute_mask_terms(net, logits, batch, progress)
        strong = None if self._strong is None else self._strong.masks.float()
        terms = self._compute_robust_terms(
            logits, strong, batch.masks, batch.weights, votes, batch.unit_mask
        )
        return {name: self.options.mask * term for name, term in terms.items()}

    def find_trusted_pixels(self, logits: Tensor, batch: Batch) -> Tensor | None:
        if self._warm or not self.options.has_trusted_dice:
            return None
        background, foreground = _spread_votes(self._mask_votes, batch, logits.device)
        return torch.where(batch.masks > 0, foreground >= background, background >= foreground)

    def compute_activity_loss(self, output: Output, batch: Batch) -> Tensor:
        if not self.options.has_robust_activity:
            return super().compute_activity_loss(output, batch)
        logits, labels = (
            spread_over_frames(values.float(), batch) for values in (output.activity, batch.active)
        )
        votes = self._count_votes(self._activity_votes, logits, labels, batch)
        strong = None
        if self._strong is not None:
            strong = spread_over_frames(self._strong.activity.float(), batch)
        terms = self._compute_robust_terms(
            logits, strong, labels, torch.ones_like(labels), votes, batch.frame_mask
        )
        return torch.stack(list(terms.values())).sum(0)

    def _compute_robust_terms(
        self,
        z: Tensor,
        strong: Tensor | None,
        y: Tensor,
        weights: Tensor,
        votes: tuple[Tensor, Tensor],
        frame_mask: Tensor,
    ) -> dict[str, Tensor]:
        """Compute the terms of a warm-up (without strong view) or of the method: (B, K) each.

        Parameters
        ----------
        z, y, weights : (B, K, T, h, w) float
        strong : (B, K, T, h, w) float, optional
            Logits of the strong view.
        votes : pair of (B, K, T, h, w) float
            Votes for background and object.
        frame_mask : (B, T) or (B, K, T) bool
        """
        options = self.options
        scale = choose_scale(options, losses.bce)
        if strong is None:
            warm = losses.bce(z, y) + options.penalty * losses.confidence_penalty(z)
            return {"mask": scale * losses.average_pixels(weights * warm, frame_mask)}
        guess, confident = self._predict_classes(z)
        both = confident & (guess != y)
        if options.released:
            partial = losses.partial_released(z, votes)
            negative = losses.negative_released(z, y, both)
            consistent = losses.bce(2 * strong, guess)
            weights = torch.ones_like(weights)
        else:
            if options.variant == "hard":
                partial = losses.partial_hard(z, votes, y)
            else:
                partial = losses.partial_soft(z, votes, y)
            negative = losses.negative(z, y, both)
            consistent = losses.bce(strong, guess)
        # Consistency is a mean over the confident pixels.
        share = losses.average_pixels(confident.float(), frame_mask).clamp(min=1e-12)
        consistent = losses.average_pixels(weights * confident * consistent, frame_mask) / share
        return {
            "mask": scale * losses.average_pixels(weights * partial, frame_mask),
            "negative": scale
            * options.negative
            * losses.average_pixels(weights * negative, frame_mask),
            "consistency": scale * options.consistency * consistent,
        }

    def _predict_classes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the predicted class as 0 or 1, and where the prediction has a vote."""
        p = torch.sigmoid(z.detach())
        return (p > 0.5).float(), torch.maximum(p, 1 - p) > self.options.confidence

    def _count_votes(
        self, memory: Tensor, z: Tensor, y: Tensor, batch: Batch
    ) -> tuple[Tensor, Tensor]:
        """Add the votes of a batch to a memory, and return all votes for background and object."""
        guess, confident = self._predict_classes(z)
        units = BatchUnits.from_batch(batch)
        label, guess, confident = (
            units.gather(values).bool() for values in (y, guess, confident.float())
        )
        votes = memory[units.numbers].to(label.device, torch.int32)
        labels = torch.stack([~label, label], 1)
        guesses = torch.stack([~guess, guess], 1) & confident[:, None]
        if self.options.released and self._warm:
            votes = torch.where(labels, 1, votes) + guesses.int()
        elif self.options.released or self.options.votes == "both":
            votes = votes + (labels | guesses).int()
        else:
            votes = votes + guesses.int()
        votes = votes.clamp(max=torch.iinfo(torch.int16).max)
        memory[units.numbers] = votes.to("cpu", torch.int16)
        return _spread_votes(memory, batch, z.device)

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"votes": self._mask_votes, "activity_votes": self._activity_votes}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._mask_votes = torch.as_tensor(state["votes"]).clone()
        self._activity_votes = torch.as_tensor(state["activity_votes"]).clone()


def _spread_votes(memory: Tensor, batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the votes of a batch for background and object, each (B, K, T, h, w) float.

    Padding has no votes.
    """
    units = BatchUnits.from_batch(batch)
    background, foreground = memory[units.numbers].to(device, torch.float32).unbind(1)
    return units.spread(background), units.spread(foreground)


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
