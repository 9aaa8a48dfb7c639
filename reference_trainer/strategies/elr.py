"""Early-learning regularisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from reference_trainer.batch import Batch
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Strategy, Task, scale_when_undecided
from reference_trainer.strategies.pixel_memory import Seen
from reference_trainer.strategies.strategy_options import RELEASED, ScaledOptions, knob


@dataclass(frozen=True)
class ElrOptions(ScaledOptions):
    """strength: lambda, of the regulariser. memory: beta, how much of its target a unit keeps at
    each showing; the released code's target never enters its loss, so beta has no part in it. Nor
    has the scale: it adds to the focal loss.
    """

    strength: float = knob(3.0, released=5e-4)
    scale: Literal["undecided", "raw"] = knob("undecided", released="raw", unless=RELEASED)
    memory: float = knob(0.7, 0, 0.999, unless=RELEASED)


class Elr(Strategy[ElrOptions]):
    """Liu et al., NeurIPS 2020 (constants for CIFAR-10): BCE + lambda log(1 - <t, p>) of each
    pixel, t <- beta t + (1 - beta) p, from p without gradient, before it is used.

    State: t of the foreground for each pixel of each unit, float16 at the resolution of the masks
    (at 854 x 480: 214 x 120, 51 kB for each object and frame), and how often each unit was shown.
    Targets start at 0 for both classes, as the paper's do, so that the regulariser sets in softly;
    that they sum to 1 - beta^n after n showings is what the count is for. A single channel that
    starts at 0 and is read as a chance would be sure of background.

    Released: focal + 5e-4 log(1 - p_y), which pulls toward the *label*, and has no state.
    """

    name: ClassVar[str] = "elr"

    def __init__(self, options: ElrOptions, task: Task) -> None:
        super().__init__(options, task)
        units = 0 if options.released else task.units
        self._targets = torch.zeros(units, *task.grid, dtype=torch.float16)
        self._showings = torch.zeros(units, dtype=torch.int32)

    def pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        options = self.options
        if options.released:
            reg = losses.elr_released(logits, batch.masks)
            return batch.weights * (losses.focal(logits, batch.masks) + options.strength * reg)
        target, mass = self._updated(logits, batch)
        reg = losses.elr(logits, target, mass)
        scale = scale_when_undecided(losses.bce) if options.scale == "undecided" else 1.0
        return scale * batch.weights * (losses.bce(logits, batch.masks) + options.strength * reg)

    def _updated(self, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Targets after this batch, and what they and those of background sum to, (B, K, T, h, w).

        Where a batch only fills up, both are 0.
        """
        beta = self.options.memory
        seen = Seen.of(batch)
        chances = seen.gather(torch.sigmoid(logits.detach()).clamp(1e-4, 1 - 1e-4))
        showings = self._showings[seen.numbers] + 1
        mass = (1 - beta ** showings.double()).float()[:, None, None].to(logits.device)
        kept = self._targets[seen.numbers].to(logits.device, torch.float32)
        targets = torch.minimum(beta * kept + (1 - beta) * chances, mass)
        self._targets[seen.numbers] = targets.to("cpu", torch.float16)
        self._showings[seen.numbers] = showings
        return seen.spread(targets), seen.spread(mass.expand_as(targets))

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"targets": self._targets, "showings": self._showings}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._targets, self._showings = (
            torch.as_tensor(state[name]).clone() for name in ("targets", "showings")
        )
