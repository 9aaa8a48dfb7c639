"""The action-guided focal loss, with ActionVOS's pixel weights."""

from __future__ import annotations

from reference_trainer.strategies.base import Strategy
from reference_trainer.strategies.strategy_options import StrategyOptions


class ActionFocal(Strategy[StrategyOptions]):
    """The weighted focal loss of Ouyang et al., "ActionVOS", ECCV 2024.

    The loss is the mean over all pixels of the focal loss times the pixel's weight, see
    `make_action_weights`. Dice is not weighted.
    """

    @property
    def uses_weights(self) -> bool:
        """True: `make_action_weights` decides the weights."""
        return True
