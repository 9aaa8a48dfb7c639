"""Symmetric cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from reference_trainer.strategies import losses
from reference_trainer.strategies.pixelwise import PixelOptions, Pixelwise
from reference_trainer.strategies.strategy_options import knob


@dataclass(frozen=True)
class SceOptions(PixelOptions):
    """alpha: of cross-entropy. beta: of reverse cross-entropy. The paper's for CIFAR-10."""

    alpha: float = knob(0.1)
    beta: float = knob(1.0)


class Sce(Pixelwise[SceOptions]):
    """Wang et al., ICCV 2019: `losses.sce`.

    With two classes the reverse term is a mean absolute error, times 9.21.
    """

    name: ClassVar[str] = "sce"

    def robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        of = losses.sce_released if self.options.released else losses.sce
        return of(logits, labels, self.options.alpha, self.options.beta)
