"""What a strategy is: how a loss is made of what a net says and what the labels say.

A strategy never sees the noise: neither its rate nor which labels are touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from actiseg_data.errors import refuse
from actiseg_data.keys import key
from reference_trainer import losses
from reference_trainer.batch import Batch, Loss, Output, Progress

_ALGORITHM = 1


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


@dataclass(frozen=True)
class Task:
    """What is trained on. items: number of (sequence, object). units: number of (sequence, object,
    frame). grid: (h, w) of masks. epochs, steps_per_epoch: of the run. seed: of all draws."""

    items: int
    units: int
    grid: tuple[int, int]
    epochs: int
    steps_per_epoch: int
    seed: int


@dataclass(frozen=True)
class Options:
    """What every strategy can be told: the coefficients of the terms (ReferFormer's).

    mask: of the loss of pixels. dice: of Dice. activity: of the focal loss of the activity head.
    """

    mask: float = 2.0
    dice: float = 5.0
    activity: float = 2.0

    def __post_init__(self) -> None:
        for name in ("mask", "dice", "activity"):
            self.require(getattr(self, name) >= 0, name, "give 0 or more")

    def require(self, holds: bool, name: str, cure: str) -> None:
        """Refuse the value of a field unless a condition holds."""
        if not holds:
            raise refuse(f"{getattr(self, name)!r} makes no sense", f"option {name}", cure)


OptionsT = TypeVar("OptionsT", bound=Options)


class Strategy(Generic[OptionsT]):
    """The plain strategy, which the others change: focal loss and Dice on masks, focal loss on
    activity.

    L = mask * focal(masks) + dice * Dice(masks) + activity * focal(activity), each the mean over
    prompts; the focal loss of a mask is the mean over the pixels of the frames shown.

    The engine calls, once, `prepare` and, for a run that goes on, `load_state_dict`; for each step
    `before_step`, the nets, `losses`, and after the update `after_step`; after each epoch
    `after_epoch`. `losses` may change what is remembered, so it is called once for each step.
    """

    name: ClassVar[str] = "plain"
    nets: ClassVar[int] = 1
    """How many nets are trained, each from a seed of its own, on the same batches."""
    weighted: ClassVar[bool] = False
    """Whether pixels weigh what `action_weights` says. Every strategy heeds `Batch.weights`."""

    def __init__(self, options: OptionsT, task: Task) -> None:
        self.options = options
        self.task = task

    def prepare(self, nets: list[Net]) -> None:
        """Before the first step of a new run and of one that goes on."""

    def before_step(self, nets: list[Net], progress: Progress) -> None:
        """Before the nets are called."""

    def losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        """The loss of each net, for its output of the batch."""
        return [self.reduce(self.terms(output, batch, progress), batch) for output in outputs]

    def after_step(self, nets: list[Net], progress: Progress) -> None:
        """After the update of all nets."""

    def after_epoch(self, nets: list[Net], progress: Progress) -> None:
        """After the last step of an epoch."""

    def state_dict(self) -> dict[str, Tensor | int | float]:
        """All that is remembered between steps, beside the nets."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        """Take up what `state_dict` gave."""

    def deployed(self, nets: list[Net]) -> Net:
        """The net that predicts: the first."""
        return nets[0]

    # What a loss is made of; strategies change one of these rather than `losses`.

    def terms(self, output: Output, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        """The terms of each prompt, times their coefficients: (B, K) by name."""
        options = self.options
        logits = output.masks.float()
        pixels = self.pixel_loss(logits, batch, progress)
        return {
            "mask": options.mask * losses.over_pixels(pixels, batch.shown),
            "dice": options.dice * losses.dice(logits, batch.masks, batch.shown),
            "activity": options.activity * losses.focal(output.activity.float(), batch.active),
        }

    def pixel_loss(self, logits: Tensor, batch: Batch, progress: Progress) -> Tensor:
        """The loss of each pixel, weighted: (B, K, T, h, w)."""
        return batch.weights * losses.focal(logits, batch.masks)

    def reduce(self, terms: Mapping[str, Tensor], batch: Batch) -> Loss:
        """The mean of each term over the prompts that are asked, and their sum."""
        means = {name: losses.over_prompts(term, batch.asked) for name, term in terms.items()}
        return total(means)


def total(terms: Mapping[str, Tensor]) -> Loss:
    """The loss that is the sum of scalar terms."""
    return Loss(
        total=torch.stack(list(terms.values())).sum(),
        parts={name: term.detach() for name, term in terms.items()},
    )


def generator(device: torch.device, seed: int, purpose: str, *identity: int) -> torch.Generator:
    """A generator on a device for one draw, which depends on its key alone: a run that goes on
    draws what an undisturbed one draws."""
    drawn = key(seed, _ALGORITHM, f"strategy.{purpose}", *identity)
    return torch.Generator(device).manual_seed(int.from_bytes(drawn[:8], "little") >> 1)
