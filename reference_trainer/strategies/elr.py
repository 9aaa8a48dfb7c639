"""Early-learning regularisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reference_trainer.batch import Batch, Output
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Strategy, StrategyContext, choose_scale
from reference_trainer.strategies.pixel_memory import BatchUnits, spread_over_frames
from reference_trainer.strategies.strategy_options import RELEASED, RobustOptions, option


@dataclass(frozen=True)
class ElrOptions(RobustOptions):
    """Options of `Elr`. `scale` and `memory` have no effect in the released arithmetic.

    Attributes
    ----------
    strength : float
        lambda, the weight of the regulariser. The paper's 3 is for ten classes; a third of it has
        the same pull on the label at the start if there are two (see `Elr`).
    memory : float
        beta, the share of its target that a unit keeps in each update.
    """

    strength: float = option(1 / 3, released=5e-4)
    scale: Literal["match-focal", "raw"] = option("match-focal", released="raw", unless=RELEASED)
    memory: float = option(0.7, 0, 0.999, unless=RELEASED)


class Elr(Strategy[ElrOptions]):
    """Early-learning regularisation of Liu et al., NeurIPS 2020, with beta for CIFAR-10.

    The loss of a pixel is BCE + lambda log(1 - <t, p>). Before each use, t becomes
    beta t + (1 - beta) p, with p without gradient. With robust activity, the same is the loss of
    each prompt's activity.

    Where the target is sure of class k and the label is y, the regulariser's pull on the label's
    logit is lambda p_k p_y / ((1 - p_k)(1 - p_y)) times that of BCE. With two classes this is
    lambda. With the paper's ten, whose other chances are about equal at first, it is near lambda/9.

    A label is trusted, for `dice_region: trusted`, if its target is at least that of the other
    class.

    State: t of the foreground for each pixel of each unit, float16 at the resolution of masks (at
    854 x 480: 214 x 120, 51 kB for each object and frame), and the number of updates of each unit;
    with robust activity also one t for each unit. Targets start at 0 for both classes, as in the
    paper, so that the regulariser begins softly. After n updates they sum to 1 - beta^n, which the
    count provides. Without it, a single channel that starts at 0 would mean certain background.

    Released: focal + 5e-4 log(1 - p_y), which pulls toward the *label* and has no state.
    """

    def __init__(self, options: ElrOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        masks = context.units if options.has_robust_masks and not options.released else 0
        activity = context.units if options.has_robust_activity else 0
        self._masks = RunningTargets(masks, context.grid, options.memory)
        self._activity = RunningTargets(activity, (1, 1), options.memory)

    def compute_pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        options = self.options
        if not options.has_robust_masks:
            return super().compute_pixel_loss(logits, batch)
        if options.released:
            reg = losses.elr_released(logits, batch.masks)
            return batch.weights * (losses.focal(logits, batch.masks) + options.strength * reg)
        return batch.weights * self._compute_loss(self._masks, logits, batch.masks, batch)

    def find_trusted_pixels(self, logits: Tensor, batch: Batch) -> Tensor | None:
        if not self.options.has_trusted_dice:
            return None
        target, mass = self._masks.read(BatchUnits.from_batch(batch), logits.device)
        return torch.where(batch.masks > 0, target, mass - target) >= mass / 2

    def compute_activity_loss(self, output: Output, batch: Batch) -> Tensor:
        if not self.options.has_robust_activity:
            return super().compute_activity_loss(output, batch)
        logits, labels = (
            spread_over_frames(values.float(), batch) for values in (output.activity, batch.active)
        )
        values = self._compute_loss(self._activity, logits, labels, batch)
        return losses.average_pixels(values, batch.frame_mask)

    def _compute_loss(
        self, memory: RunningTargets, logits: Tensor, labels: Tensor, batch: Batch
    ) -> Tensor:
        target, mass = memory.update(logits, BatchUnits.from_batch(batch))
        reg = losses.elr(logits, target, mass)
        scale = choose_scale(self.options, losses.bce)
        return scale * (losses.bce(logits, labels) + self.options.strength * reg)

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {
            "targets": self._masks.targets,
            "showings": self._masks.showings,
            "activity_targets": self._activity.targets,
            "activity_showings": self._activity.showings,
        }

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        for memory, prefix in ((self._masks, ""), (self._activity, "activity_")):
            memory.targets = torch.as_tensor(state[f"{prefix}targets"]).clone()
            memory.showings = torch.as_tensor(state[f"{prefix}showings"]).clone()


def update_target(target: Tensor, z: Tensor, mass: Tensor, memory: float) -> Tensor:
    """Compute the next running average of chances, beta t + (1 - beta) p.

    Parameters
    ----------
    target : float Tensor
        t, or 0 before the first update.
    z : float Tensor
        Logits without gradient. p is clamped as in `losses.elr`.
    mass : float Tensor
        The next sum over both classes. It limits t: a t that float16 has rounded up is no chance.
    memory : float
        beta.
    """
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    return torch.minimum(memory * target + (1 - memory) * p, mass)


class RunningTargets:
    """Running averages of the chance of the object, for each unit.

    Attributes
    ----------
    targets : (N, h, w) float16
    showings : (N,) int32
        Number of updates.
    """

    def __init__(self, units: int, grid: tuple[int, int], memory: float) -> None:
        self.targets = torch.zeros(units, *grid, dtype=torch.float16)
        self.showings = torch.zeros(units, dtype=torch.int32)
        self._memory = memory

    def update(self, logits: Tensor, units: BatchUnits) -> tuple[Tensor, Tensor]:
        """Update the averages with a batch, and return them with their sums over both classes.

        Parameters
        ----------
        logits : (B, K, T, h, w) float
        units : BatchUnits

        Returns
        -------
        targets, mass : (B, K, T, h, w) float
            Both are 0 in padding.
        """
        self.showings[units.numbers] += 1
        mass = self._compute_mass(units).to(logits.device)
        kept = self.targets[units.numbers].to(logits.device, torch.float32)
        targets = update_target(kept, units.gather(logits.detach()), mass, self._memory)
        self.targets[units.numbers] = targets.to("cpu", torch.float16)
        return units.spread(targets), units.spread(mass.expand_as(targets))

    def read(self, units: BatchUnits, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read the averages of a batch and their sums, as `update` returns them."""
        targets = self.targets[units.numbers].to(device, torch.float32)
        mass = self._compute_mass(units).to(device)
        return units.spread(targets), units.spread(mass.expand_as(targets))

    def _compute_mass(self, units: BatchUnits) -> Tensor:
        """Compute 1 - beta^n of each unit: (U, 1, 1) float."""
        showings = self.showings[units.numbers].double()
        return (1 - self._memory**showings).float()[:, None, None]
