"""The interface of strategies, and the plain strategy.

A strategy computes losses from the output of nets and from labels. It never gets the noise rate, or
the information which labels are noisy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from actiseg_data.core.keys import make_key
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.strategy_options import ScaledOptions, StrategyOptions

_ALGORITHM = 1


NetT = TypeVar("NetT", bound="Net")


class Net(Protocol):
    """The parts of a model that strategies use; see `SegmentationModel`."""

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
class StrategyContext:
    """The sizes of a run that strategies depend on.

    Attributes
    ----------
    units : int
        Number of units: (sequence, object, frame).
    grid : (h, w)
        Size of masks.
    epochs, steps_per_epoch : int
    seed : int
    """

    units: int
    grid: tuple[int, int]
    epochs: int
    steps_per_epoch: int
    seed: int


OptionsT = TypeVar("OptionsT", bound=StrategyOptions)


class Strategy(Generic[OptionsT]):
    """The plain strategy and the base of all others: focal loss and Dice.

    L = mask * focal(masks) + dice * Dice(masks) + activity * focal(activity), each the mean over
    prompts. The focal loss of a mask is the mean over the pixels of its real frames.

    The engine calls `prepare` once and, after a resume, `load_state_dict`. In each step it calls
    `prepare_step`, the nets, `compute_losses`, and the optimisers. `compute_losses` may change the
    state of the strategy, so it is called once for each step. The first net predicts.

    Attributes
    ----------
    net_count : int
        Number of nets that are trained on the same batches, each from a seed of its own.
    """

    net_count: ClassVar[int] = 1

    def __init__(self, options: OptionsT, context: StrategyContext) -> None:
        self.options = options
        self.context = context

    @property
    def uses_weights(self) -> bool:
        """Whether batches get the weights of `make_action_weights`, otherwise weights of 1."""
        return False

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the options for the first lines of a run."""
        return ()

    def prepare(self, nets: list[Net]) -> None:
        """Prepare nets before the first step of a new or resumed run."""

    def prepare_step(self, nets: list[Net], progress: Progress) -> None:
        """Prepare nets before they are called in a step."""

    def compute_losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        """Compute the loss of each net."""
        return [
            average_terms(self.compute_terms(net, output, batch, progress), batch.prompt_mask)
            for net, output in zip(nets, outputs, strict=True)
        ]

    def score_prompts(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> Tensor:
        """Compute the loss of each prompt, the mean over nets, (B, K) float, without a selection.

        Strategies take prompts with large losses for wrongly labelled. Like `compute_losses` it may
        change the state of the strategy.
        """
        nets_terms = (
            self.compute_terms(net, output, batch, progress)
            for net, output in zip(nets, outputs, strict=True)
        )
        return torch.stack([torch.stack(list(terms.values())).sum(0) for terms in nets_terms]).mean(
            0
        )

    def get_phase(self, progress: Progress) -> int:
        """Return the number of the phase of a step.

        All steps of a phase need the same number of operations, which is counted once in each.
        """
        return 0

    def state_dict(self) -> dict[str, Tensor | int | float]:
        """Return the state between steps, besides that of the nets."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        """Restore the result of `state_dict`."""

    # Parts of the loss. Most strategies override one of these methods.

    def compute_terms(
        self, net: Net, output: Output, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        """Compute all terms of each prompt by name, times their coefficients: (B, K) float."""
        logits = output.masks.float()
        terms = self.compute_mask_terms(net, logits, batch, progress)
        trusted = self.find_trusted_pixels(logits, batch)
        dice = losses.dice(logits, batch.masks, batch.unit_mask, trusted)
        return {
            **terms,
            "dice": self.options.dice * self.compute_mask_scale(batch) * dice,
            "activity": self.options.activity * self.compute_activity_loss(output, batch),
        }

    def compute_mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        """Compute the terms that are means over pixels: (B, K) float by name."""
        pixels = losses.average_pixels(self.compute_pixel_loss(logits, batch), batch.unit_mask)
        mean = self.compute_mask_scale(batch) * pixels
        return {"mask": self.options.mask * mean}

    def compute_pixel_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Compute the weighted loss of each pixel: (B, K, T, h, w) float."""
        return batch.weights * losses.focal(logits, batch.masks)

    def find_trusted_pixels(self, logits: Tensor, batch: Batch) -> Tensor | None:
        """Find the pixels of the Dice loss: (B, K, T, h, w) bool; None: all.

        It is called after `compute_mask_terms`, which may update what a strategy remembers.
        """
        return None

    def compute_activity_loss(self, output: Output, batch: Batch) -> Tensor:
        """Compute the loss of each prompt's activity: (B, K) float."""
        return losses.focal(output.activity.float(), batch.active)

    def compute_mask_scale(self, batch: Batch) -> Tensor | float:
        """Compute the factor of all mask terms, which is 1 in the papers.

        ActiSeg-NL's code divides the sum over samples by the number of their frames, so that its
        mask terms are smaller by a factor of the frames in a sequence.
        """
        if not self.options.released:
            return 1.0
        prompts = batch.prompt_mask.sum(1)
        return prompts.sum() / (prompts * batch.frame_mask.sum(1)).sum().clamp(min=1)


def freeze_copy(net: Net, state: Mapping[str, Tensor] | None = None) -> Net:
    """Copy a net without gradient, with the parameters of `state` if there are any."""
    teacher = copy.deepcopy(net)
    if state:
        teacher.load_state_dict(state)
    return teacher.requires_grad_(False).eval()


def is_warm_up(share: float, progress: Progress) -> bool:
    """Return whether a step is in the first share of a run."""
    return progress.step < int(share * progress.steps)


def choose_scale(options: ScaledOptions, loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """Return the factor of a pixel loss for the option `scale`."""
    return match_focal_scale(loss) if options.scale == "match-focal" else 1.0


def match_focal_scale(loss: Callable[[Tensor, Tensor], Tensor]) -> float:
    """Compute the factor that makes a pixel loss as large as the focal loss at p = 1/2.

    Parameters
    ----------
    loss : callable
        Maps logits and labels to the loss of each pixel.

    Examples
    --------
    >>> round(match_focal_scale(losses.bce), 6)
    0.125
    """
    z, y = torch.zeros(2, dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    return float(losses.focal(z, y).sum() / loss(z, y).sum())


def average_terms(terms: Mapping[str, Tensor], prompt_mask: Tensor) -> Loss:
    """Average each term (B, K) over the real prompts, and sum the averages."""
    return sum_terms(
        {name: losses.average_prompts(term, prompt_mask) for name, term in terms.items()}
    )


def sum_terms(terms: Mapping[str, Tensor]) -> Loss:
    """Sum scalar terms."""
    return Loss(
        total=torch.stack(list(terms.values())).sum(),
        parts={name: term.detach() for name, term in terms.items()},
    )


def make_generator(
    device: torch.device, seed: int, purpose: str, *identity: int
) -> torch.Generator:
    """Make a generator for one draw, which depends on its key alone.

    A resumed run therefore draws the same values as an uninterrupted one.
    """
    key = make_key(seed, _ALGORITHM, f"strategy.{purpose}", *identity)
    return torch.Generator(device).manual_seed(int.from_bytes(key[:8], "little") >> 1)
