"""SMART: labels held against a frozen net."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.devices import precision
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Net, Strategy, Task, is_warm_up, scale_when_undecided
from reference_trainer.strategies.strategy_options import ScaledOptions, knob

HARD_FROM, HARD_TO, HARD_SHARE = 0.2, 0.7, 0.15
"""All pixels count until the first share of the run; then fewer, down to the last at the second."""


@dataclass(frozen=True)
class SmartOptions(ScaledOptions):
    """mask, dice: `dice` of the warm-up alone; SMART drops Dice, and its terms are the `mask`.
    reliable, intersection, union: coefficients. warmup: share of the run with the plain loss, at
    whose end the teacher is taken.
    """

    mask: float = knob(2.0, released=1.0)
    dice: float = knob(5.0, unless={"warmup": 0})
    reliable: float = knob(1e-4)
    intersection: float = knob(1.0)
    union: float = knob(1e-4)
    warmup: float = knob(0.25, 0, 1)


class Smart(Strategy[SmartOptions]):
    """SMART (public code): cross-entropy on hard pixels, plus three terms of the label y and the
    mask m of a frozen net, of each frame:

    reliable: s CE(z, y) + (1 - s) CE(z, m), s the Dice coefficient of y and m;
    intersection: CE(z, y m); union: reverse CE against the union of y and m.

    What plays clean knowledge: SMART's frozen net is pre-trained on clean static images. No clean
    label is at hand here, so the teacher is the net itself, frozen at the end of a warm-up: nets
    learn what labels agree on before they learn what is wrong with each (Arpit et al., ICML 2017).
    It has seen noisy labels, and may repeat an error that all of them share.

    State: the teacher's parameters. It costs a forward pass for each batch.

    Hard pixels, the share of a frame with the largest losses, are the noisy ones if any are: the
    reverse of what the other strategies select. The share is 1 for a fifth of the run, then falls
    to 0.15 at seven tenths, as in SMART's 100,000 iterations.

    Released: terms of frames are summed, not their mean taken, and s is the quotient of
    `losses.agreement_released`, which is no Dice coefficient once a clip has several objects.
    """

    name: ClassVar[str] = "smart"

    def __init__(self, options: SmartOptions, task: Task) -> None:
        super().__init__(options, task)
        self._teacher: Net | None = None
        self._kept: dict[str, Tensor] = {}

    def phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def before_step(self, nets: list[Net], progress: Progress) -> None:
        if self._teacher is None and not is_warm_up(self.options.warmup, progress):
            self._teacher = _frozen(nets[0], self._kept)
            self._kept = {}

    def terms(
        self, net: Net, output: Output, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        terms = super().terms(net, output, batch, progress)
        if self._teacher is not None:
            del terms["dice"]
        return terms

    def mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        if self._teacher is None:
            return super().mask_terms(net, logits, batch, progress)
        options, y = self.options, batch.masks
        with torch.no_grad(), precision(logits.device):
            known = self._teacher(batch.frames, batch.tokens).masks.float()
        m = (known > 0).float()
        share = hard_share(progress.step / progress.steps)
        by_label = losses.hard_pixels(batch.weights * losses.bce(logits, y), share)
        by_teacher = losses.hard_pixels(batch.weights * losses.bce(logits, m), share)
        trust = _agreement_of_clips(known, batch) if options.released else losses.agreement(y, m)
        seen = batch.weights * losses.bce(logits, y * m)
        either = batch.weights * losses.rce(logits, torch.maximum(y, m))
        frames = {
            "mask": by_label,
            "reliable": options.reliable * (trust * by_label + (1 - trust) * by_teacher),
            "intersection": options.intersection * seen.mean((-2, -1)),
            "union": options.union * either.mean((-2, -1)),
        }
        times = batch.shown.sum(1, keepdim=True) if options.released else 1
        scale = scale_when_undecided(losses.bce) if options.scale == "undecided" else 1.0
        return {
            name: options.mask * scale * times * losses.over_frames(term, batch.shown)
            for name, term in frames.items()
        }

    def state_dict(self) -> dict[str, Tensor | int | float]:
        kept = self._kept if self._teacher is None else self._teacher.state_dict()
        return dict(kept)

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._kept = {name: torch.as_tensor(value) for name, value in state.items()}
        self._teacher = None


def hard_share(done: float) -> float:
    """The share of a frame's pixels that count, after a share of the run.

    >>> [round(hard_share(done), 3) for done in (0.0, 0.2, 0.45, 0.7, 1.0)]
    [1.0, 1.0, 0.575, 0.15, 0.15]
    """
    way = min(max((done - HARD_FROM) / (HARD_TO - HARD_FROM), 0.0), 1.0)
    return 1 - way * (1 - HARD_SHARE)


def _frozen(net: Net, state: Mapping[str, Tensor]) -> Net:
    """A copy of a net that does not learn, with other parameters if there are any."""
    teacher = copy.deepcopy(net)
    if state:
        teacher.load_state_dict(state)
    return teacher.requires_grad_(False).eval()


def _agreement_of_clips(known: Tensor, batch: Batch) -> Tensor:
    """S as released: of maps of ids, 1 to K, of all prompts of a clip. known: (B, K, T, h, w)
    logits of the teacher. Returns (B, 1, T).
    """
    asked = batch.asked[:, :, None, None, None]
    ids = torch.arange(1, known.shape[1] + 1, device=known.device)[:, None, None, None]
    labels = (batch.masks * asked * ids).amax(1)
    logit, which = torch.where(asked, known, -torch.inf).max(1)
    return losses.agreement_released(labels, torch.where(logit > 0, which + 1, 0))[:, None]
