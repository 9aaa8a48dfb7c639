"""Active-passive loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from reference_trainer.strategies.losses import ACTIVE, PASSIVE
from reference_trainer.strategies.pixelwise import PixelOptions, Pixelwise
from reference_trainer.strategies.strategy_options import knob


@dataclass(frozen=True)
class AplOptions(PixelOptions):
    """active, passive: the pair of losses; "gce" is the released code's, which is not normalised.
    alpha, beta: their weights, the paper's for CIFAR-10.
    """

    active: Literal["nce", "ngce", "nfl", "gce"] = knob("nce", released="gce")
    passive: Literal["mae", "rce"] = knob("rce", released="mae")
    weights: Literal["none", "focal", "all"] = knob("none", released="all")
    alpha: float = knob(1.0, released=10.0)
    beta: float = knob(1.0)


class Apl(Pixelwise[AplOptions]):
    """Ma et al., ICML 2020: alpha times a normalised active loss + beta times a passive one.

    With two classes RCE is 9.21 MAE, so (nce, rce, beta) is (nce, mae, 9.21 beta). The released
    arithmetic clamps logits to [-10, 10], beyond which no pixel teaches anything.
    """

    name: ClassVar[str] = "apl"

    def robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        options = self.options
        if options.released:
            logits = logits.clamp(-10, 10)
        active, passive = ACTIVE[options.active], PASSIVE[options.passive]
        return options.alpha * active(logits, labels) + options.beta * passive(logits, labels)
