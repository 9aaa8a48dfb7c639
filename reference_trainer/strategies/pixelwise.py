"""What strategies have in common that put another loss of pixels in the place of the focal one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor

from reference_trainer.batch import Batch, Progress
from reference_trainer.strategies.base import Net, Strategy, is_warm_up, scale_when_undecided
from reference_trainer.strategies.strategy_options import ScaledOptions, knob


@dataclass(frozen=True)
class PixelOptions(ScaledOptions):
    """combine: whether the robust loss replaces the focal loss or is added to it, which leaves the
    focal loss as it is; the released code adds. weights: what `action_weights` multiply: "none",
    the "focal" loss alone, or the robust one, too ("all"); those of the released runs are their
    commands' (--use_weights --use_sce). warmup: share of the run with the plain loss.
    """

    combine: Literal["replace", "add"] = knob("replace", released="add")
    weights: Literal["none", "focal", "all"] = knob("none", released="focal")
    warmup: float = knob(0.25, 0, 1, released=0.0)


PixelOptionsT = TypeVar("PixelOptionsT", bound=PixelOptions)


class Pixelwise(Strategy[PixelOptionsT]):
    """Plain, but for the loss of pixels. Dice and activity stay as they are.

    The papers have no warm-up, and classes of equal size. Here nine pixels of ten are background,
    which a net says of all of them at first; where it is sure, bounded losses have no gradient, and
    neither has Dice. So objects are found under the plain loss, and kept under the robust one.
    """

    _warm = False

    @property
    def weighted(self) -> bool:
        return self.options.weights != "none"

    def phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def before_step(self, nets: list[Net], progress: Progress) -> None:
        self._warm = is_warm_up(self.options.warmup, progress)

    def pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        if self._warm:
            return super().pixel_loss(logits, batch)
        robust = self.robust_loss(logits, batch.masks)
        if self.options.weights != "focal":
            robust = batch.weights * robust
        if self.options.scale == "undecided":
            robust = scale_when_undecided(self.robust_loss) * robust
        if self.options.combine == "replace":
            return robust
        return robust + super().pixel_loss(logits, batch)

    def robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The robust loss of each pixel."""
        raise NotImplementedError
