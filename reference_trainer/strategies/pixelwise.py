"""The base of strategies that replace the focal loss of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor

from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Net, Strategy, choose_scale, is_warm_up
from reference_trainer.strategies.strategy_options import RobustOptions, option


@dataclass(frozen=True)
class PixelOptions(RobustOptions):
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
    """The plain strategy with another loss of pixels, of activity, or of both.

    A label is trusted, for `dice_region: trusted`, if the net gives it a chance of at least half.

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
        if self._warm or not self.options.has_robust_masks:
            return super().compute_pixel_loss(logits, batch)
        robust = self.compute_robust_loss(logits, batch.masks)
        if self.options.weights != "focal":
            robust = batch.weights * robust
        robust = choose_scale(self.options, self.compute_robust_loss) * robust
        if self.options.combine == "replace":
            return robust
        return robust + super().compute_pixel_loss(logits, batch)

    def find_trusted_pixels(self, logits: Tensor, batch: Batch) -> Tensor | None:
        if self._warm or not self.options.has_trusted_dice:
            return None
        return losses.mae(logits.detach(), batch.masks) <= 0.5

    def compute_activity_loss(self, output: Output, batch: Batch) -> Tensor:
        plain = super().compute_activity_loss(output, batch)
        if self._warm or not self.options.has_robust_activity:
            return plain
        robust = self.compute_robust_loss(output.activity.float(), batch.active)
        robust = choose_scale(self.options, self.compute_robust_loss) * robust
        return robust if self.options.combine == "replace" else robust + plain

    def compute_robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the robust loss of each pixel, or of each prompt's activity."""
        raise NotImplementedError
