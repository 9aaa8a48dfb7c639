"""Distillation from the net that a run starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.devices import choose_precision
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Net, Strategy, StrategyContext, freeze_copy
from reference_trainer.strategies.strategy_options import StrategyOptions, option


@dataclass(frozen=True)
class DistilOptions(StrategyOptions):
    """Options of `Distil`.

    Attributes
    ----------
    strength : float
        Coefficient of the divergence from the start.
    """

    strength: float = option(1.0)


class Distil(Strategy[DistilOptions]):
    """The plain strategy with the divergence from the frozen start: a control.

    L = plain + strength * (KL of masks + KL of activity). KL(q || p) is that of the chances p of
    the net from the chances q of the net that the run starts from (distillation: Hinton et al.,
    2015; without forgetting: Li and Hoiem, ECCV 2016). On masks it is the mean over the pixels of a
    prompt. No label enters it.

    Methods that remember early predictions stay near the start as well. A method that does not beat
    this control gains by that alone.

    State: the parameters of the start. It needs a forward pass for each batch.
    """

    def __init__(self, options: DistilOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        self._teacher: Net | None = None

    def prepare(self, nets: list[Net]) -> None:
        self._teacher = freeze_copy(nets[0])  # of a resumed run, until its state is loaded

    def compute_terms(
        self, net: Net, output: Output, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        terms = super().compute_terms(net, output, batch, progress)
        with torch.no_grad(), choose_precision(output.masks.device):
            teacher = self._ask_teacher(batch)
        pixels = compute_divergence(output.masks.float(), teacher.masks.float())
        activity = compute_divergence(output.activity.float(), teacher.activity.float())
        strength = self.options.strength
        return {
            **terms,
            "start_masks": strength * losses.average_pixels(pixels, batch.frame_mask),
            "start_activity": strength * activity,
        }

    def _ask_teacher(self, batch: Batch) -> Output:
        if self._teacher is None:
            raise RuntimeError("`prepare` was not called")
        return self._teacher(batch.frames, batch.tokens)

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {} if self._teacher is None else dict(self._teacher.state_dict())

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        if self._teacher is not None:
            self._teacher.load_state_dict(state)


def compute_divergence(z: Tensor, teacher: Tensor) -> Tensor:
    """Compute KL(q || p) of Bernoulli chances, with the chance q of a teacher.

    It is 0, without gradient, if both chances are equal. The gradient with respect to z is p - q.

    Parameters
    ----------
    z, teacher : float Tensor
        Logits of p and of q.

    Examples
    --------
    >>> z, teacher = torch.tensor([0.0, 3.0]), torch.tensor([0.0, 0.0])
    >>> [round(value, 2) for value in compute_divergence(z, teacher).tolist()]
    [0.0, 0.86]
    """
    q = torch.sigmoid(teacher)
    right = F.logsigmoid(teacher) - F.logsigmoid(z)
    wrong = F.logsigmoid(-teacher) - F.logsigmoid(-z)
    return q * right + torch.sigmoid(-teacher) * wrong
