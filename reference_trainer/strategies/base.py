"""What a strategy is: how a loss is made of what a net says and what the labels say.

A strategy never sees the noise: neither its rate nor which labels are touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from actiseg_data.core.keys import make_key
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.strategy_options import Options

_ALGORITHM = 1


NetT = TypeVar("NetT", bound="Net")


class Net(Protocol):
    """What a strategy asks of a model."""

    mask_head: nn.Module
    activity_head: nn.Module
    robust_heads: nn.ModuleList
    robust_activity_heads: nn.ModuleList
    perturb: Any

    def __call__(self, frames: Tensor, tokens: Tensor) -> Output: ...
    def add_robust_heads(self, count: int, *, activity: bool = False) -> None: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> Any: ...
    def requires_grad_(self: NetT, requires_grad: bool = True) -> NetT: ...
    def eval(self: NetT) -> NetT: ...


@dataclass(frozen=True)
class Task:
    """What is trained on. units: number of (sequence, object, frame). grid: (h, w) of masks.
    epochs, steps_per_epoch: of the run. seed: of all draws.
    """

    units: int
    grid: tuple[int, int]
    epochs: int
    steps_per_epoch: int
    seed: int


OptionsT = TypeVar("OptionsT", bound=Options)


class Strategy(Generic[OptionsT]):
    """The plain strategy, which the others change: focal loss and Dice on masks, focal loss on
    activity.

    L = mask * focal(masks) + dice * Dice(masks) + activity * focal(activity), each the mean over
    prompts; the focal loss of a mask is the mean over the pixels of the frames shown.

    The engine calls, once, `prepare` and, for a run that goes on, `load_state_dict`; for each step
    `before_step`, the nets, `losses`, and the update. `losses` may change what is remembered, so it
    is called once for each step. The first net predicts.
    """

    name: ClassVar[str] = "plain"
    nets: ClassVar[int] = 1
    """How many nets are trained, each from a seed of its own, on the same batches."""

    def __init__(self, options: OptionsT, task: Task) -> None:
        self.options = options
        self.task = task

    @property
    def weighted(self) -> bool:
        """Whether pixels weigh what `action_weights` says. Every strategy heeds `Batch.weights`."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of the options, each in a line of its own, before a run begins."""
        return ()

    def prepare(self, nets: list[Net]) -> None:
        """Before the first step of a new run and of one that goes on."""

    def before_step(self, nets: list[Net], progress: Progress) -> None:
        """Before the nets are called."""

    def losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        """The loss of each net, for its output of the batch."""
        return [
            mean_loss(self.terms(net, output, batch, progress), batch.asked)
            for net, output in zip(nets, outputs, strict=True)
        ]

    def phase(self, progress: Progress) -> int:
        """The number of the part of the run that a step is in; steps of one part compute the same,
        so that operations are counted once in each.
        """
        return 0

    def state_dict(self) -> dict[str, Tensor | int | float]:
        """All that is remembered between steps, beside the nets."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        """Take up what `state_dict` gave."""

    # What a loss is made of: most strategies change one of these rather than `losses`.

    def terms(
        self, net: Net, output: Output, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        """The terms of each prompt, times their coefficients: (B, K) by name."""
        logits = output.masks.float()
        dice = self.mask_scale(batch) * losses.dice(logits, batch.masks, batch.shown)
        return {
            **self.mask_terms(net, logits, batch, progress),
            "dice": self.options.dice * dice,
            "activity": self.options.activity * self.activity_loss(output, batch),
        }

    def mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        """The terms (B, K) that are made of the pixels of masks one by one."""
        pixels = losses.over_pixels(self.pixel_loss(logits, batch), batch.shown)
        mean = self.mask_scale(batch) * pixels
        return {"mask": self.options.mask * mean}

    def pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The loss of each pixel, times its weight: (B, K, T, h, w)."""
        return batch.weights * losses.focal(logits, batch.masks)

    def activity_loss(self, output: Output, batch: Batch) -> Tensor:
        """The loss of each prompt's activity: (B, K)."""
        return losses.focal(output.activity.float(), batch.active)

    def mask_scale(self, batch: Batch) -> Tensor | float:
        """What the terms of masks are multiplied by: 1 by the papers.

        ActiSeg-NL's code divides the sum over samples by the number of their frames, so that its
        terms of masks are smaller by as many times as a clip has frames.
        """
        if not self.options.released:
            return 1.0
        asked = batch.asked.sum(1)
        return asked.sum() / (asked * batch.shown.sum(1)).sum().clamp(min=1)


def is_warm_up(share: float, progress: Progress) -> bool:
    """Whether a step is in the first share of a run."""
    return progress.step < int(share * progress.steps)


def scale_when_undecided(loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """What makes a loss of pixels, of logits and labels, as large as the focal loss at p = 1/2.

    >>> round(scale_when_undecided(losses.bce), 6)
    0.125
    """
    z, y = torch.zeros(2, dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    return float(losses.focal(z, y).sum() / loss(z, y).sum())


def mean_loss(terms: Mapping[str, Tensor], asked: Tensor) -> Loss:
    """The mean of each term (B, K) over the prompts that are asked, and the sum of these means."""
    return total({name: losses.over_prompts(term, asked) for name, term in terms.items()})


def total(terms: Mapping[str, Tensor]) -> Loss:
    """The loss that is the sum of scalar terms."""
    return Loss(
        total=torch.stack(list(terms.values())).sum(),
        parts={name: term.detach() for name, term in terms.items()},
    )


def generator(device: torch.device, seed: int, purpose: str, *identity: int) -> torch.Generator:
    """A generator on a device for one draw, which depends on its key alone: a run that goes on
    draws what an undisturbed one draws.
    """
    drawn = make_key(seed, _ALGORITHM, f"strategy.{purpose}", *identity)
    return torch.Generator(device).manual_seed(int.from_bytes(drawn[:8], "little") >> 1)
