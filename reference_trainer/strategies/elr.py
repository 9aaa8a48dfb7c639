"""Early-learning regularisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reference_trainer.batch import Batch
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Strategy, StrategyContext, choose_scale
from reference_trainer.strategies.pixel_memory import BatchUnits
from reference_trainer.strategies.strategy_options import RELEASED, ScaledOptions, option


@dataclass(frozen=True)
class ElrOptions(ScaledOptions):
    """Options of `Elr`. `scale` and `memory` have no effect in the released arithmetic.

    Attributes
    ----------
    strength : float
        lambda, the weight of the regulariser.
    memory : float
        beta, the share of its target that a unit keeps in each update.
    """

    strength: float = option(3.0, released=5e-4)
    scale: Literal["match-focal", "raw"] = option("match-focal", released="raw", unless=RELEASED)
    memory: float = option(0.7, 0, 0.999, unless=RELEASED)


class Elr(Strategy[ElrOptions]):
    """Early-learning regularisation of Liu et al., NeurIPS 2020, with constants for CIFAR-10.

    The loss of a pixel is BCE + lambda log(1 - <t, p>). Before each use, t becomes
    beta t + (1 - beta) p, with p without gradient.

    State: t of the foreground for each pixel of each unit, float16 at the resolution of masks (at
    854 x 480: 214 x 120, 51 kB for each object and frame), and the number of updates of each unit.
    Targets start at 0 for both classes, as in the paper, so that the regulariser begins softly.
    After n updates they sum to 1 - beta^n, which the count provides. Without it, a single channel
    that starts at 0 would mean certain background.

    Released: focal + 5e-4 log(1 - p_y), which pulls toward the *label* and has no state.
    """

    def __init__(self, options: ElrOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        units = 0 if options.released else context.units
        self._targets = torch.zeros(units, *context.grid, dtype=torch.float16)
        self._showings = torch.zeros(units, dtype=torch.int32)

    def compute_pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        options = self.options
        if options.released:
            reg = losses.elr_released(logits, batch.masks)
            return batch.weights * (losses.focal(logits, batch.masks) + options.strength * reg)
        target, mass = self._update_targets(logits, batch)
        reg = losses.elr(logits, target, mass)
        scale = choose_scale(options, losses.bce)
        return scale * batch.weights * (losses.bce(logits, batch.masks) + options.strength * reg)

    def _update_targets(self, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Update the targets with a batch.

        Returns
        -------
        targets : (B, K, T, h, w) float
        mass : (B, K, T, h, w) float
            Sum of the targets of both classes. Both results are 0 in padding.
        """
        beta = self.options.memory
        units = BatchUnits.from_batch(batch)
        chances = units.gather(torch.sigmoid(logits.detach()).clamp(1e-4, 1 - 1e-4))
        showings = self._showings[units.numbers] + 1
        mass = (1 - beta ** showings.double()).float()[:, None, None].to(logits.device)
        kept = self._targets[units.numbers].to(logits.device, torch.float32)
        targets = torch.minimum(beta * kept + (1 - beta) * chances, mass)
        self._targets[units.numbers] = targets.to("cpu", torch.float16)
        self._showings[units.numbers] = showings
        return units.spread(targets), units.spread(mass.expand_as(targets))

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"targets": self._targets, "showings": self._showings}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._targets, self._showings = (
            torch.as_tensor(state[name]).clone() for name in ("targets", "showings")
        )
