"""Active-passive loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from reference_trainer.strategies.losses import ACTIVE, PASSIVE
from reference_trainer.strategies.pixelwise import PixelOptions, Pixelwise
from reference_trainer.strategies.strategy_options import option


@dataclass(frozen=True)
class AplOptions(PixelOptions):
    """Options of `Apl`.

    Attributes
    ----------
    active, passive : str
        The pair of losses. "gce", which the released code uses, is not normalised.
    alpha, beta : float
        Weights of the pair, from the paper's experiments on CIFAR-10.
    """

    active: Literal["nce", "ngce", "nfl", "gce"] = option("nce", released="gce")
    passive: Literal["mae", "rce"] = option("rce", released="mae")
    weights: Literal["none", "focal", "all"] = option("none", released="all")
    alpha: float = option(1.0, released=10.0)
    beta: float = option(1.0)


class Apl(Pixelwise[AplOptions]):
    """The loss of Ma et al., ICML 2020: alpha times an active loss + beta times a passive loss.

    With two classes RCE is 9.21 MAE, so (nce, rce, beta) is (nce, mae, 9.21 beta). The released
    arithmetic clamps logits to [-10, 10]; pixels beyond that range have no gradient.
    """

    def compute_robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        options = self.options
        if options.released:
            logits = logits.clamp(-10, 10)
        active, passive = ACTIVE[options.active], PASSIVE[options.passive]
        return options.alpha * active(logits, labels) + options.beta * passive(logits, labels)
