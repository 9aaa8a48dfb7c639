"""Generalised cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from reference_trainer.batch import Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Net
from reference_trainer.strategies.pixelwise import PixelOptions, Pixelwise
from reference_trainer.strategies.strategy_options import RELEASED, option


@dataclass(frozen=True)
class GceOptions(PixelOptions):
    """Options of `Gce`.

    Attributes
    ----------
    q : float
        Between cross-entropy (0) and mean absolute error (1).
    truncate : float
        k of the truncated loss, 0.5 in the paper; 0 for no truncation, as in the released code.
    truncate_from : float
        Share of the run after which the loss is truncated; the paper's 40 of 120 epochs.
    """

    q: float = option(0.7, 1e-3, 1)
    truncate: float = option(0.0, 0, 0.999, unless=RELEASED)
    truncate_from: float = option(1 / 3, 0, 1, unless={"truncate": 0})


class Gce(Pixelwise[GceOptions]):
    """The loss of Zhang and Sabuncu, NeurIPS 2018: `losses.gce`, or late in the run its truncation.

    The paper prunes samples whose chance was at most k in their last evaluation. Pixels are
    evaluated in each step, so pruning becomes `losses.truncated_gce`. The public code selects the
    pruning model on test data; this strategy selects nothing.
    """

    _late = False

    def get_phase(self, progress: Progress) -> int:
        late = self.options.truncate > 0 and self._is_late(progress)
        return super().get_phase(progress) + late

    def prepare_step(self, nets: list[Net], progress: Progress) -> None:
        super().prepare_step(nets, progress)
        self._late = self._is_late(progress)

    def _is_late(self, progress: Progress) -> bool:
        return progress.step >= self.options.truncate_from * progress.steps

    def compute_robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        options = self.options
        if options.released:
            return losses.gce_released(logits, labels, options.q)
        if options.truncate and self._late:
            return losses.truncated_gce(logits, labels, options.q, options.truncate)
        return losses.gce(logits, labels, options.q)
