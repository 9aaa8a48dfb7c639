"""The base of strategies that replace the focal loss of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor

from reference_trainer.batch import Batch, Progress
from reference_trainer.strategies.base import Net, Strategy, choose_scale, is_warm_up
from reference_trainer.strategies.strategy_options import ScaledOptions, option


@dataclass(frozen=True)
class PixelOptions(ScaledOptions):
    """Options of a `Pixelwise` strategy.

    Attributes
    ----------
    combine : "replace" or "add"
        Whether the robust loss replaces the focal loss or is added to it, as in the released code.
    weights : "none", "focal" or "all"
        Losses that `make_action_weights` multiplies: none, the focal loss, or the robust loss as
        well. The released values follow the public commands (--use_weights --use_sce).
    warmup : float
        Share of the run with the plain loss.
    """

    combine: Literal["replace", "add"] = option("replace", released="add")
    weights: Literal["none", "focal", "all"] = option("none", released="focal")
    warmup: float = option(0.25, 0, 1, released=0.0)


PixelOptionsT = TypeVar("PixelOptionsT", bound=PixelOptions)


class Pixelwise(Strategy[PixelOptionsT]):
    """The plain strategy with another pixel loss; Dice and activity are unchanged.

    The papers have no warm-up, and classes of equal size. Here nine of ten pixels are background,
    and the net first predicts background everywhere. Once it is confident, bounded losses and Dice
    have no gradient. Therefore the net learns to find objects with the plain loss, and continues
    with the robust loss.
    """

    _warm = False

    @property
    def uses_weights(self) -> bool:
        """Whether the option `weights` is not "none"."""
        return self.options.weights != "none"

    def get_phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def prepare_step(self, nets: list[Net], progress: Progress) -> None:
        self._warm = is_warm_up(self.options.warmup, progress)

    def compute_pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        if self._warm:
            return super().compute_pixel_loss(logits, batch)
        robust = self.compute_robust_loss(logits, batch.masks)
        if self.options.weights != "focal":
            robust = batch.weights * robust
        robust = choose_scale(self.options, self.compute_robust_loss) * robust
        if self.options.combine == "replace":
            return robust
        return robust + super().compute_pixel_loss(logits, batch)

    def compute_robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the robust loss of each pixel."""
        raise NotImplementedError
