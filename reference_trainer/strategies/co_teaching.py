"""Co-teaching: two nets select samples for each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from actiseg_data.core.keys import draw_uniform, make_key
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies.base import Net, Strategy, average_terms
from reference_trainer.strategies.strategy_options import RELEASED, ReleasedOptions, option


@dataclass(frozen=True)
class CoTeachingOptions(ReleasedOptions):
    """Options of `CoTeaching`. The released code has another schedule and none of these.

    Attributes
    ----------
    assume_rate : float
        tau, the share of samples that is not learned from after the ramp. The paper uses the true
        noise rate, which no strategy gets here.
    ramp_epochs : int
        T_k.
    exponent : float
        c.
    """

    assume_rate: float = option(0.2, 0, 0.95, unless=RELEASED)
    ramp_epochs: int = option(10, 1, unless=RELEASED)
    exponent: float = option(1.0, 0.01, unless=RELEASED)


class CoTeaching(Strategy[CoTeachingOptions]):
    """Co-teaching of Han et al., NeurIPS 2018.

    Each net selects the share R(e) of a batch's samples with its smallest losses, and the *other*
    net learns from them. R(e) = 1 - tau min((e / T_k)^c, 1), with epochs e from 0. T_k is at most
    the number of epochs of the run.

    A sample is one prompt of a sequence, with the masks of all its frames and its activity; its
    loss is the sum of both. Active and inactive prompts are selected apart, the share R(e) of each:
    empty masks have the smallest losses, so a common selection would drop active prompts alone. The
    paper's classes have equal size. R(e) times the number of samples is rounded up or down by a
    keyed draw, so that small batches keep R(e) on average (the paper rounds down, with batches of
    128). At least one sample is kept. Nets select by the losses of the current step. The first net
    is deployed.

    Released: R from 0.95 to 0.867 in six epochs, then 0.85, of all prompts together, rounded down.
    The public code selects from windows of 128 sequences, which it scores first and then learns
    from one by one; this strategy selects from the batch.
    """

    net_count: ClassVar[int] = 2

    def compute_losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        all_terms = [
            self.compute_terms(net, output, batch, progress)
            for net, output in zip(nets, outputs, strict=True)
        ]
        groups = self._split_prompts(batch)
        counts = self._count_kept([int(group.sum()) for group in groups], progress)
        selections = []
        for terms in all_terms:
            values = sum_prompt_terms(terms).detach()
            chosen = [
                select_smallest(values, group, count)
                for group, count in zip(groups, counts, strict=True)
            ]
            selections.append(torch.stack(chosen).any(0))
        return [
            average_terms(terms, batch.prompt_mask & selection)
            for terms, selection in zip(all_terms, reversed(selections), strict=True)
        ]

    def compute_keep_share(self, epoch: int) -> float:
        """Compute R of an epoch, from 0.

        >>> from reference_trainer.strategies.base import StrategyContext
        >>> context = StrategyContext(units=1, grid=(8, 8), epochs=20, steps_per_epoch=1, seed=0)
        >>> strategy = CoTeaching(CoTeachingOptions(), context)
        >>> [round(strategy.compute_keep_share(epoch), 3) for epoch in (0, 5, 10, 15)]
        [1.0, 0.9, 0.8, 0.8]
        """
        options = self.options
        if options.released:
            return 0.95 - 0.1 * epoch / 6 if epoch < 6 else 0.85
        ramp = min(options.ramp_epochs, self.context.epochs)
        ramp_share: float = min((epoch / ramp) ** options.exponent, 1)
        return 1 - options.assume_rate * ramp_share

    def _split_prompts(self, batch: Batch) -> list[Tensor]:
        """Split the real prompts into groups to select from, each (B, K) bool."""
        if self.options.released:
            return [batch.prompt_mask]
        is_active = batch.active > 0.5
        return [batch.prompt_mask & is_active, batch.prompt_mask & ~is_active]

    def _count_kept(self, samples: Sequence[int], progress: Progress) -> list[int]:
        """Count the samples to keep of each group, and at least one of the largest."""
        share = self.compute_keep_share(progress.epoch)
        counts = []
        for number, size in enumerate(samples):
            exact = round(size * share, 9)
            kept = math.floor(exact)
            if not self.options.released:
                key = make_key(progress.seed, 2, "strategy.co-teaching.keep", progress.step, number)
                kept += draw_uniform(key) < exact - kept
            counts.append(kept)
        if not any(counts):
            counts[samples.index(max(samples))] = min(max(samples), 1)
        return counts


def select_smallest(values: Tensor, prompt_mask: Tensor, count: int) -> Tensor:
    """Select the prompts with the smallest values; among equals, the first.

    Parameters
    ----------
    values : (B, K) float
    prompt_mask : (B, K) bool
        Candidates.
    count : int

    Returns
    -------
    (B, K) bool
        True for `count` prompts.

    Examples
    --------
    >>> values, prompt_mask = torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([[True, True, False]])
    >>> select_smallest(values, prompt_mask, 1).tolist()
    [[False, True, False]]
    """
    ranked = torch.where(prompt_mask, values, torch.inf).flatten().argsort(stable=True)
    selected = torch.zeros(values.numel(), dtype=torch.bool, device=values.device)
    selected[ranked[:count]] = True
    return selected.view_as(values)


def sum_prompt_terms(terms: dict[str, Tensor]) -> Tensor:
    """Sum the terms of each prompt: (B, K) float."""
    return torch.stack(list(terms.values())).sum(0)
