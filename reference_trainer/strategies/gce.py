"""Generalised cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from reference_trainer.batch import Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Net
from reference_trainer.strategies.pixelwise import PixelOptions, Pixelwise
from reference_trainer.strategies.strategy_options import RELEASED, knob


@dataclass(frozen=True)
class GceOptions(PixelOptions):
    """q: between cross-entropy (0) and mean absolute error (1). truncate: k of the truncated loss,
    0.5 in the paper, 0 for the loss that is not, as the released one. truncate_from: the share of
    the run after which it is truncated, the paper's 40 of 120 epochs.
    """

    q: float = knob(0.7, 1e-3, 1)
    truncate: float = knob(0.0, 0, 0.999, unless=RELEASED)
    truncate_from: float = knob(1 / 3, 0, 1, unless={"truncate": 0})


class Gce(Pixelwise[GceOptions]):
    """Zhang and Sabuncu, NeurIPS 2018. `losses.gce`, or `losses.truncated_gce` late in the run.

    The paper prunes samples whose chance was at most k when it last looked; pixels are looked at in
    each step, which is the truncated loss itself. Its public code prunes by a model that is chosen
    on test data; nothing is chosen here.
    """

    name: ClassVar[str] = "gce"
    _late = False

    def phase(self, progress: Progress) -> int:
        late = self.options.truncate > 0 and self._is_late(progress)
        return super().phase(progress) + late

    def before_step(self, nets: list[Net], progress: Progress) -> None:
        super().before_step(nets, progress)
        self._late = self._is_late(progress)

    def _is_late(self, progress: Progress) -> bool:
        return progress.step >= self.options.truncate_from * progress.steps

    def robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        options = self.options
        if options.released:
            return losses.gce_released(logits, labels, options.q)
        if options.truncate and self._late:
            return losses.truncated_gce(logits, labels, options.q, options.truncate)
        return losses.gce(logits, labels, options.q)
