"""What strategies have in common that put another loss of pixels in the place of the focal one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from torch import Tensor

from reference_trainer import losses
from reference_trainer.batch import Batch
from reference_trainer.strategies.base import Strategy, scale_when_undecided
from reference_trainer.strategies.options import ScaledOptions, knob


@dataclass(frozen=True)
class PixelOptions(ScaledOptions):
    """combine: whether the robust loss replaces the focal loss or is added to it, which leaves the
    focal loss as it is; the released code adds."""

    combine: Literal["replace", "add"] = knob("replace", released="add")


PixelOptionsT = TypeVar("PixelOptionsT", bound=PixelOptions)


class Pixelwise(Strategy[PixelOptionsT]):
    """Plain, but for the loss of pixels. Dice and activity stay as they are."""

    def pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        robust = self.robust_loss(logits, batch.masks)
        if self.options.scale == "undecided":
            robust = scale_when_undecided(self.robust_loss) * robust
        if self.options.combine == "replace":
            return robust
        return robust + losses.focal(logits, batch.masks)

    def robust_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The robust loss of each pixel."""
        raise NotImplementedError
