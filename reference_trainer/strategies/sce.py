"""Symmetric cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from reference_trainer.strategies import losses
from reference_trainer.strategies.pixelwise import PixelOptions, Pixelwise
from reference_trainer.strategies.strategy_options import option


@dataclass(frozen=True)
class SceOptions(PixelOptions):
    """Options of `Sce`, with the paper's values for CIFAR-10.

    Attributes
    ----------
    alpha : float
        Weight of cross-entropy.
    beta : float
        Weight of reverse cross-entropy.
    """

    alpha: float = option(0.1)
    beta: float = option(1.0)


class Sce(Pixelwise[SceOptions]):
    """The loss of Wang et al., ICCV 2019, see `losses.sce`.

    With two classes the reverse term is the mean absolute error times 9.21.
    """

    def compute_robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = losses.sce_released if self.options.released else losses.sce
        return loss(logits, labels, self.options.alpha, self.options.beta)
