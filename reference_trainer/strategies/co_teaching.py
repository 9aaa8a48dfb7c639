"""Co-teaching: two nets choose for each other what to learn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from actiseg_data.core.keys import draw_uniform, make_key
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies.base import Net, Strategy, mean_loss
from reference_trainer.strategies.strategy_options import RELEASED, ReleasedOptions, knob


@dataclass(frozen=True)
class CoTeachingOptions(ReleasedOptions):
    """assume_rate: tau, the share of samples that is never learned from once the ramp is over; the
    paper takes the true rate of noise, which nobody is told here. ramp_epochs: T_k. exponent: c.
    The released code has a schedule of its own, and none of the three.
    """

    assume_rate: float = knob(0.2, 0, 0.95, unless=RELEASED)
    ramp_epochs: int = knob(10, 1, unless=RELEASED)
    exponent: float = knob(1.0, 0.01, unless=RELEASED)


class CoTeaching(Strategy[CoTeachingOptions]):
    """Han et al., NeurIPS 2018: each net picks the share R(e) of a batch's samples on which its own
    loss is smallest, and the *other* learns from these.

    R(e) = 1 - tau min((e / T_k)^c, 1), e from 0; in a run of fewer epochs than T_k, T_k is that
    number. A sample is one prompt of a clip, with the masks of all its frames and its activity; its
    loss is that of both. R(e) times the number of samples is rounded by a keyed draw to the whole
    number above or below, so that small batches keep R(e) on average (the paper's, of 128, are
    rounded down); at least one is kept. The losses that choose are those of the step itself. The
    first net is deployed.

    Released: R from 0.95 to 0.867 in six epochs, then 0.85, rounded down. The public code chooses
    from windows of 128 clips, which it scores beforehand and then learns from one by one; here,
    from the batch.
    """

    name: ClassVar[str] = "co-teaching"
    nets: ClassVar[int] = 2

    def losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        terms = [
            self.terms(net, output, batch, progress)
            for net, output in zip(nets, outputs, strict=True)
        ]
        kept = self._count(int(batch.asked.sum()), progress)
        chosen = [smallest(sum_of(each).detach(), batch.asked, kept) for each in terms]
        return [
            mean_loss(each, batch.asked & by_other)
            for each, by_other in zip(terms, reversed(chosen), strict=True)
        ]

    def keep_share(self, epoch: int) -> float:
        """R of an epoch, which counts from 0.

        >>> from reference_trainer.strategies.base import Task
        >>> task = Task(units=1, grid=(8, 8), epochs=20, steps_per_epoch=1, seed=0)
        >>> strategy = CoTeaching(CoTeachingOptions(), task)
        >>> [round(strategy.keep_share(epoch), 3) for epoch in (0, 5, 10, 15)]
        [1.0, 0.9, 0.8, 0.8]
        """
        options = self.options
        if options.released:
            return 0.95 - 0.1 * epoch / 6 if epoch < 6 else 0.85
        ramp = min(options.ramp_epochs, self.task.epochs)
        way: float = min((epoch / ramp) ** options.exponent, 1)
        return 1 - options.assume_rate * way

    def _count(self, samples: int, progress: Progress) -> int:
        """How many samples of a batch are kept."""
        exact = round(samples * self.keep_share(progress.epoch), 9)
        kept = math.floor(exact)
        if not self.options.released:
            draw = make_key(progress.seed, 1, "strategy.co-teaching.keep", progress.step)
            kept += draw_uniform(draw) < exact - kept
        return max(kept, min(samples, 1))


def smallest(values: Tensor, asked: Tensor, count: int) -> Tensor:
    """The prompts with the smallest values; a tie goes to the earlier.

    values: (B, K). asked: (B, K) bool, among which to choose. Returns (B, K) bool, `count` True.

    >>> smallest(torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([[True, True, False]]), 1).tolist()
    [[False, True, False]]
    """
    ranked = torch.where(asked, values, torch.inf).flatten().argsort(stable=True)
    chosen = torch.zeros(values.numel(), dtype=torch.bool, device=values.device)
    chosen[ranked[:count]] = True
    return chosen.view_as(values)


def sum_of(terms: dict[str, Tensor]) -> Tensor:
    """The loss of each prompt, (B, K)."""
    return torch.stack(list(terms.values())).sum(0)
