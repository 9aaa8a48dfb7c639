"""The action-guided focal loss: ActionVOS's weights of pixels."""

from __future__ import annotations

from typing import ClassVar

from reference_trainer.strategies.base import Strategy
from reference_trainer.strategies.strategy_options import Options


class ActionFocal(Strategy[Options]):
    """Ouyang et al., "ActionVOS", ECCV 2024: the focal loss of each pixel times its weight, the
    mean over all pixels; Dice is not weighted.

    The weights are those of `reference_trainer.batches.action_weights.action_weights`.
    """

    name: ClassVar[str] = "action-focal"

    @property
    def weighted(self) -> bool:
        return True
