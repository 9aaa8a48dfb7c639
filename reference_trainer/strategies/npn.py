"""Partial-label and negative learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from reference_trainer.batch import Batch, Progress
from reference_trainer.devices import precision
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import (
    Net,
    Strategy,
    Task,
    generator,
    is_warm_up,
    scale_when_undecided,
)
from reference_trainer.strategies.pixel_memory import Seen
from reference_trainer.strategies.strategy_options import RELEASED, ScaledOptions, knob


@dataclass(frozen=True)
class NpnOptions(ScaledOptions):
    """variant: of the partial-label loss, see `losses.partial_soft` and `losses.partial_hard`;
    released: its own. negative, consistency: coefficients of these terms, the paper's for the
    variant (soft: 1 and 2; hard: 1 and 1). confidence: how sure a prediction must be for a vote,
    and to be what the strong view is held to; 0.5: any. warmup: share of the run with the plain
    loss, which counts votes already.
    """

    variant: Literal["soft", "hard"] = knob("soft", unless=RELEASED)
    negative: float = knob(1.0, released=0.1)
    consistency: float = knob(2.0, released=0.2, instead={("variant", "hard"): 1.0})
    confidence: float = knob(0.5, 0.5, 1, released=0.7)
    warmup: float = knob(1 / 3, 0, 1)


class Npn(Strategy[NpnOptions]):
    """Sheng et al., AAAI 2024: candidates of a pixel are its label and what the net predicts; a
    partial-label loss by running votes, negative learning on classes that are no candidates, and
    consistency of a strong view (another colouring of the same frames, a second forward pass).

    State: votes for background and thing of each pixel of each unit, int16, counted once a step.

    With two classes: negative learning is BCE where net and label agree, and nothing where they do
    not. The label is a candidate at every showing, so nothing ever has more votes: the hard
    variant is BCE toward the label, and the soft one, the default, is smoothed toward what the net
    says by at most a half. A tie is the label's. Two candidates from the net (top-k 2) would be
    both classes always; there is no such option.

    Released: in warm-up the label's votes are set to 1 rather than counted; BCE of 2 z, so that
    its temperature is a half; weights do not touch these terms; Dice is smaller beside them (see
    `mask_scale`).
    """

    name: ClassVar[str] = "npn"

    def __init__(self, options: NpnOptions, task: Task) -> None:
        super().__init__(options, task)
        self._votes = torch.zeros(task.units, 2, *task.grid, dtype=torch.int16)

    def phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        p = torch.sigmoid(logits.detach())
        sure = torch.maximum(p, 1 - p) > self.options.confidence
        guess = (p > 0.5).float()
        warm = is_warm_up(self.options.warmup, progress)
        votes = self._vote(batch, guess, sure, warm)
        if warm:
            return super().mask_terms(net, logits, batch, progress)
        recoloured = self._recoloured(batch, progress)
        with precision(recoloured.device):
            strong = net(recoloured, batch.tokens).masks.float()
        return self._robust(logits, strong, batch, votes, guess, sure)

    def _robust(
        self,
        z: Tensor,
        strong: Tensor,
        batch: Batch,
        votes: tuple[Tensor, Tensor],
        guess: Tensor,
        sure: Tensor,
    ) -> dict[str, Tensor]:
        options, y, weights = self.options, batch.masks, batch.weights
        both = sure & (guess != y)
        if options.released:
            partial = losses.partial_released(z, votes)
            negative = losses.negative_released(z, y, both)
            consistent = losses.bce(2 * strong, guess)
            weights = torch.ones_like(weights)
        else:
            hard = options.variant == "hard"
            partial = losses.partial_hard(z, votes, y) if hard else losses.partial_soft(z, votes)
            negative = losses.negative(z, y, both)
            consistent = losses.bce(strong, guess)
        # The mean of consistency is over the pixels that are sure.
        share = losses.over_pixels(sure.float(), batch.shown).clamp(min=1e-12)
        terms = {
            "mask": losses.over_pixels(weights * partial, batch.shown),
            "negative": options.negative * losses.over_pixels(weights * negative, batch.shown),
            "consistency": options.consistency
            * losses.over_pixels(weights * sure * consistent, batch.shown)
            / share,
        }
        scale = scale_when_undecided(losses.bce) if options.scale == "undecided" else 1.0
        return {name: options.mask * scale * term for name, term in terms.items()}

    def _vote(self, batch: Batch, guess: Tensor, sure: Tensor, warm: bool) -> tuple[Tensor, Tensor]:
        """Count this batch's votes, and give all votes for background and for the thing."""
        seen = Seen.of(batch)
        label, guess, sure = (
            seen.gather(each).bool() for each in (batch.masks, guess, sure.float())
        )
        votes = self._votes[seen.numbers].to(label.device, torch.int32)
        labels = torch.stack([~label, label], 1)
        guesses = torch.stack([~guess, guess], 1) & sure[:, None]
        if warm and self.options.released:
            votes = torch.where(labels, 1, votes) + guesses.int()
        else:
            votes = votes + (labels | guesses).int()
        votes = votes.clamp(max=torch.iinfo(torch.int16).max)
        self._votes[seen.numbers] = votes.to("cpu", torch.int16)
        # Where a batch only fills up there are no votes, but a share of them must be a number.
        fill = (batch.frame_items < 0)[..., None, None].float()
        return seen.spread(votes[:, 0].float()) + fill, seen.spread(votes[:, 1].float())

    def _recoloured(self, batch: Batch, progress: Progress) -> Tensor:
        """The strong view: brightness, contrast, saturation and the balance of colours of each
        frame redrawn. (B, T, 3, H, W).
        """
        frames = batch.frames
        clips, count = frames.shape[:2]
        source = generator(torch.device("cpu"), progress.seed, "npn.colours", progress.step)
        # Frames first: what fills up at the end does not change the draws of what stands before.
        drawn = torch.rand(count, clips, 6, generator=source).mul(2).sub(1).transpose(0, 1)
        drawn = drawn[..., None, None].to(frames.device)
        light, contrast, saturation = (drawn[:, :, at : at + 1] for at in range(3))
        grey = frames.mean(2, keepdim=True)
        coloured = grey + (1 + 0.5 * saturation) * (frames - grey)
        middle = coloured.mean((2, 3, 4), keepdim=True)
        contrasted = middle + (1 + 0.4 * contrast) * (coloured - middle)
        return (1 + 0.1 * drawn[:, :, 3:]) * contrasted + 0.4 * light

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"votes": self._votes}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._votes = torch.as_tensor(state["votes"]).clone()
