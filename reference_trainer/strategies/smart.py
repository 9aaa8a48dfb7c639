"""SMART: labels compared with a frozen net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_trainer.batch import Batch, Output, Progress
from reference_trainer.devices import choose_precision
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import (
    Net,
    Strategy,
    StrategyContext,
    choose_scale,
    freeze_copy,
    is_warm_up,
)
from reference_trainer.strategies.strategy_options import ScaledOptions, option

HARD_FROM, HARD_TO = 0.2, 0.7
"""All pixels count until the first share of the run. Their share then falls to `hard_share`, which
it reaches at the second share of the run."""


@dataclass(frozen=True)
class SmartOptions(ScaledOptions):
    """Options of `Smart`.

    Attributes
    ----------
    mask : float
        Coefficient of all mask terms.
    dice : float
        Coefficient of Dice during the warm-up; SMART itself has no Dice.
    reliable, intersection, union : float
        Coefficients of these terms.
    hard_share : float
        Share of the hardest pixels that count in the end; 1: all pixels, always.
    warmup : float
        Share of the run with the plain loss. The net at its end becomes the teacher.
    """

    mask: float = option(2.0, released=1.0)
    dice: float = option(5.0, unless={"warmup": 0})
    reliable: float = option(1e-4)
    intersection: float = option(1.0)
    union: float = option(1e-4)
    hard_share: float = option(0.15, 0, 1)
    warmup: float = option(0.25, 0, 1)


class Smart(Strategy[SmartOptions]):
    """SMART (public code): cross-entropy on hard pixels, plus three terms with a frozen net.

    For the label y and the mask m of the frozen net, in each pixel:

    * reliable: s CE(z, y) + (1 - s) CE(z, m), where s is the Dice coefficient of y and m in the
      frame;
    * intersection: CE(z, y m);
    * union: reverse CE with the union of y and m.

    Each of the four terms is the mean over its own hard pixels.

    SMART's frozen net is pre-trained on clean static images, and its trained net starts from the
    same weights: `warmup: 0` and a net that was trained before. Without such a net, the teacher is
    the net itself, frozen at the end of a warm-up: nets learn the common part of labels before they
    learn the errors of each (Arpit et al., ICML 2017). This teacher has learned from noisy labels,
    and may repeat an error that all of them share.

    State: the teacher's parameters. The teacher needs a forward pass for each batch.

    Hard pixels are the share of a frame with the largest values of a term, which includes the noisy
    pixels: the opposite of the selection in other strategies. The share is 1 for a fifth of the
    run, then falls to `hard_share` at seven tenths, as in SMART's 100,000 iterations.

    Released: terms of frames are summed instead of averaged, and s is the quotient of
    `losses.agreement_released`, which is not a Dice coefficient if there are several objects.
    """

    def __init__(self, options: SmartOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        self._teacher: Net | None = None
        self._teacher_state: dict[str, Tensor] = {}

    def get_phase(self, progress: Progress) -> int:
        return int(not is_warm_up(self.options.warmup, progress))

    def prepare_step(self, nets: list[Net], progress: Progress) -> None:
        if self._teacher is None and not is_warm_up(self.options.warmup, progress):
            self._teacher = freeze_copy(nets[0], self._teacher_state)
            self._teacher_state = {}

    def compute_terms(
        self, net: Net, output: Output, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        terms = super().compute_terms(net, output, batch, progress)
        if self._teacher is not None:
            del terms["dice"]
        return terms

    def compute_mask_terms(
        self, net: Net, logits: Tensor, batch: Batch, progress: Progress
    ) -> dict[str, Tensor]:
        if self._teacher is None:
            return super().compute_mask_terms(net, logits, batch, progress)
        options, y = self.options, batch.masks
        with torch.no_grad(), choose_precision(logits.device):
            teacher = self._teacher(batch.frames, batch.tokens).masks.float()
        m = (teacher > 0).float()
        if options.released:
            trust = _compute_released_agreement(teacher, batch)
        else:
            trust = losses.agreement(y, m)
        trust = trust[..., None, None]
        by_label, by_teacher = losses.bce(logits, y), losses.bce(logits, m)
        pixels = {
            "mask": by_label,
            "reliable": options.reliable * (trust * by_label + (1 - trust) * by_teacher),
            "intersection": options.intersection * losses.bce(logits, y * m),
            "union": options.union * losses.rce(logits, torch.maximum(y, m)),
        }
        share = compute_hard_share(progress.step / progress.steps, options.hard_share)
        times = batch.frame_mask.sum(1, keepdim=True) if options.released else 1
        scale = options.mask * choose_scale(options, losses.bce) * times
        return {
            name: scale
            * losses.average_frames(
                losses.average_hardest(batch.weights * term, share), batch.unit_mask
            )
            for name, term in pixels.items()
        }

    def state_dict(self) -> dict[str, Tensor | int | float]:
        state = self._teacher_state if self._teacher is None else self._teacher.state_dict()
        return dict(state)

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._teacher_state = {name: torch.as_tensor(value) for name, value in state.items()}
        self._teacher = None


def compute_hard_share(done: float, last: float) -> float:
    """Compute the share of a frame's pixels that count, after a share of the run.

    Parameters
    ----------
    done : float
        Share of the run that is done.
    last : float
        The share of pixels in the end.

    Examples
    --------
    >>> [round(compute_hard_share(done, 0.15), 3) for done in (0.0, 0.2, 0.45, 0.7, 1.0)]
    [1.0, 1.0, 0.575, 0.15, 0.15]
    """
    fall = min(max((done - HARD_FROM) / (HARD_TO - HARD_FROM), 0.0), 1.0)
    return 1 - fall * (1 - last)


def _compute_released_agreement(teacher: Tensor, batch: Batch) -> Tensor:
    """Compute s as in the released code, from index masks with the ids 1 to K of all prompts.

    Parameters
    ----------
    teacher : (B, K, T, h, w) float
        Logits of the teacher.
    batch : Batch

    Returns
    -------
    (B, 1, T) float
    """
    is_unit = batch.unit_mask[..., None, None]
    ids = torch.arange(1, teacher.shape[1] + 1, device=teacher.device)[:, None, None, None]
    labels = (batch.masks * is_unit * ids).amax(1)
    logit, index = torch.where(is_unit, teacher, -torch.inf).max(1)
    return losses.agreement_released(labels, torch.where(logit > 0, index + 1, 0))[:, None]
