"""PMHM: further mask heads that vote on where a label is learned from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from actiseg_data.keys import key, uniform
from reference_trainer import losses
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies.base import Net, Strategy, Task, generator, mean_loss, total
from reference_trainer.strategies.options import ReleasedOptions, knob
from reference_trainer.strategies.regions import RegionRule, Regions, agreed, decides, regions


@dataclass(frozen=True)
class PmhmOptions(ReleasedOptions):
    """heads: further heads, beside the main one. robust_heads: whether they vote on masks alone or
    on activity as well, which noise on words touches and masks do not show.

    Mends of the released code, each with the value that undoes it:

    warmup: share of the run with the plain loss (0). copy_from: the main head that further heads
    start from, "trained" at the end of the warm-up ("untrained"). dropout: of a "channel" or a
    whole "frame". dice: over the "stable" region or "everywhere", with one half outside. anneal:
    whether the weight of false positives falls (false). vote: see `votes_needed` ("two"). scope,
    padding: see `RegionRule` ("clip", "zeros").

    copy_noise: deviation of what is added to copied parameters. drop, noise: share of channels that
    are dropped and deviation of what is added, relative to the features', for each further head.
    freeze: whether a further head rests, drawn anew each "epoch" or "step", or "never";
    freeze_first, freeze_last: with which chance, in the first and the last epoch. uncertain, edge,
    stable: quantiles. tversky, consistency: coefficients. false_positives_first, _last: weight of
    false positives in the first and the last epoch; false_negatives: of false negatives.
    stop_gradient: "never", or "main": further heads follow the main head, which does not follow
    them.
    """

    heads: int = knob(1, 0, 3)
    robust_heads: Literal["mask", "mask+activity"] = knob("mask")
    warmup: float = knob(0.25, 0, 1, released=0.0)
    copy_from: Literal["trained", "untrained"] = knob("trained", released="untrained")
    dropout: Literal["channel", "frame"] = knob("channel", released="frame")
    dice_region: Literal["stable", "everywhere"] = knob("stable", released="everywhere")
    anneal: bool = knob(True, released=False)
    vote: Literal["all", "majority", "two"] = knob("all", released="two")
    scope: Literal["prompt", "clip"] = knob("prompt", released="clip")
    padding: Literal["replicate", "zeros"] = knob("replicate", released="zeros")
    copy_noise: float = knob(1e-3)
    drop: float = knob(0.2, 0, 0.9)
    noise: float = knob(0.2)
    freeze: Literal["epoch", "step", "never"] = knob("epoch", released="step")
    freeze_first: float = knob(0.3, 0, 1, released=0.2)
    freeze_last: float = knob(0.1, 0, 1, released=0.2)
    uncertain: float = knob(0.2, 0, 1)
    edge: float = knob(0.85, 0, 1)
    stable: float = knob(0.6, 0, 1)
    tversky: float = knob(0.3)
    consistency: float = knob(0.1)
    false_positives_first: float = knob(0.7)
    false_positives_last: float = knob(0.5)
    false_negatives: float = knob(0.5)
    stop_gradient: Literal["never", "main"] = knob("never")


class Pmhm(Strategy[PmhmOptions]):
    """PMHM, ActiSeg-NL's parallel mask heads, with the defects of the public code mended; its paper
    tells no other rule.

    L = mask * focal in S + dice * Dice over S + tversky * Tversky in U + consistency * KL in U
    + activity * focal(activity).

    U, uncertain: a small margin of the main head, or a steep edge. S, stable: a wide margin, and
    heads that agree. What is in neither has no label. The label has no part in the choice: inside S
    it is learned from, right or wrong. Further heads see the same pixel features, perturbed, and no
    label: their only loss is the symmetric KL divergence to the main head in U, which by default
    sends gradient to both. S and U are chosen without gradient. Only the main head is deployed.

    Mask heads that vote on masks say nothing of noise on words, which leaves masks alone and makes
    a prompt ask for something else. With `robust_heads: mask+activity`, activity heads vote as
    well: a prompt's activity is learned from where all agree by the same vote, and the divergence
    between them is a further term, over all prompts.

    State: whether heads were copied. Draws are keyed by the step; a resting head is left alone by
    the optimiser as it gets no gradient, and still votes.
    """

    name: ClassVar[str] = "pmhm"

    def __init__(self, options: PmhmOptions, task: Task) -> None:
        super().__init__(options, task)
        self._copied = False
        self._progress: Progress | None = None
        self._rule = RegionRule(
            options.vote,
            options.uncertain,
            options.edge,
            options.stable,
            options.scope,
            options.padding,
        )
        voters = options.heads + 1
        if voters > 1 and not decides(voters, options.vote):
            warnings.warn(
                f"of {voters} heads, {options.vote!r} always agree: the margin alone decides",
                stacklevel=2,
            )

    def prepare(self, nets: list[Net]) -> None:
        (net,) = nets
        missing = self.options.heads - len(net.robust_heads)
        if missing > 0:
            net.add_robust_heads(missing, activity=self.options.robust_heads == "mask+activity")
        net.perturb = self._perturbed

    def before_step(self, nets: list[Net], progress: Progress) -> None:
        (net,) = nets
        self._progress = progress
        first = 0 if self.options.copy_from == "untrained" else self._warm_steps(progress)
        if not self._copied and progress.step >= first:
            self._copy(net.mask_head, net.robust_heads, progress.seed)
            self._copy(net.activity_head, net.robust_activity_heads, progress.seed)
            self._copied = True
        for number, heads in enumerate(_pairs(net)):
            rests = self._rests(number, progress)
            for head in heads:
                head.requires_grad_(not rests)

    def losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        (output,) = outputs
        if progress.step < self._warm_steps(progress):
            return super().losses(nets, outputs, batch, progress)
        options = self.options
        main, others = output.masks.float(), output.robust.float()
        heads = torch.cat([main[None], others]).detach()
        found = regions(heads, batch.asked, batch.shown, self._rule)
        prompts = mean_loss(self._prompt_terms(main, output, batch, found), batch.asked)
        weight = self._false_positives(progress)
        tversky = losses.tversky(
            main, batch.masks, found.uncertain, weight, options.false_negatives
        )
        terms = {
            "tversky": options.tversky * tversky,
            "consistency": options.consistency * self._apart(main, others, found.uncertain),
        }
        if len(output.robust_activity):
            activity = output.activity.float(), output.robust_activity.float()
            apart = self._apart(*activity, batch.asked)
            terms["activity_consistency"] = options.consistency * apart
        further = total(terms)
        return [Loss(prompts.total + further.total, {**prompts.parts, **further.parts})]

    def _prompt_terms(
        self, logits: Tensor, output: Output, batch: Batch, found: Regions
    ) -> dict[str, Tensor]:
        options, scale = self.options, self.mask_scale(batch)
        # The released code loads weights and leaves them out of these losses.
        pixels = losses.focal(logits, batch.masks) * (1 if options.released else batch.weights)
        stable = torch.where(found.stable, pixels, 0.0)
        activity = self.activity_loss(output, batch)
        if len(output.robust_activity):
            heads = torch.cat([output.activity[None], output.robust_activity]).detach()
            activity = torch.where(agreed(heads, options.vote), activity, 0.0)
        everywhere = options.dice_region == "everywhere"
        dice = (losses.dice_released if everywhere else losses.dice)(
            logits, batch.masks, batch.shown, found.stable
        )
        return {
            "mask": options.mask * scale * losses.over_pixels(stable, batch.shown),
            "dice": options.dice * scale * dice,
            "activity": options.activity * activity,
        }

    def _apart(self, main: Tensor, others: Tensor, where: Tensor) -> Tensor:
        """How far the further heads are from the main one in a region, a scalar."""
        if not len(others):
            return main.new_zeros(())
        if self.options.stop_gradient == "main":
            main = main.detach()
        apart = torch.where(where, losses.symmetric_kl(main, others), 0.0)
        return apart.sum() / len(others) / (where.sum() + 1e-6)

    def _false_positives(self, progress: Progress) -> float:
        """The weight of false positives in an epoch."""
        options = self.options
        way = self._way(progress) if options.anneal else 0.0
        first, last = options.false_positives_first, options.false_positives_last
        return first + (last - first) * way

    def _way(self, progress: Progress) -> float:
        """How far an epoch is from the first after the warm-up, 0, to the last, 1."""
        first = self._warm_steps(progress) * progress.epochs // max(progress.steps, 1)
        return min(max((progress.epoch - first) / max(progress.epochs - 1 - first, 1), 0.0), 1.0)

    def _warm_steps(self, progress: Progress) -> int:
        return int(self.options.warmup * progress.steps)

    def _rests(self, number: int, progress: Progress) -> bool:
        options = self.options
        if options.freeze == "never":
            return False
        time = progress.epoch if options.freeze == "epoch" else progress.step
        first, last = options.freeze_first, options.freeze_last
        chance = first + (last - first) * self._way(progress)
        return uniform(key(progress.seed, 1, "strategy.pmhm.freeze", time, number)) < chance

    def _copy(self, main: nn.Module, heads: nn.ModuleList, seed: int) -> None:
        for number, head in enumerate(heads):
            head.load_state_dict(main.state_dict())
            for place, values in enumerate(head.parameters()):
                source = generator(torch.device("cpu"), seed, "pmhm.copy", number, place)
                added = torch.randn(values.shape, generator=source) * self.options.copy_noise
                with torch.no_grad():
                    values.add_(added.to(values))

    def _perturbed(self, number: int, pixels: Tensor) -> Tensor:
        """The pixel features (B, K, T, C, h, w) as a further head sees them.

        Draws are the same for all prompts, as the features are the clip's, seen by each.
        """
        options, progress = self.options, self._progress
        if progress is None or not torch.is_grad_enabled():
            return pixels
        clips, _, frames, channels, *grid = pixels.shape
        source = generator(pixels.device, progress.seed, "pmhm.perturb", progress.step, number)
        # Frames first: what fills up at the end does not change the draws of what stands before.
        dropped = channels if options.dropout == "channel" else 1
        kept = torch.rand(frames, clips, dropped, generator=source, device=pixels.device)
        scale = ((kept >= options.drop) / (1 - options.drop)).to(pixels.dtype)
        seen = pixels * scale.transpose(0, 1)[:, None, ..., None, None]
        size = (frames, clips, channels, *grid)
        bells = torch.randn(size, generator=source, device=pixels.device, dtype=pixels.dtype)
        with torch.no_grad():
            spread = seen.std((3, 4, 5), keepdim=True) + 1e-6
        return torch.addcmul(seen, bells.transpose(0, 1)[:, None], spread, value=options.noise)

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"copied": int(self._copied)}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._copied = bool(state["copied"])


def _pairs(net: Net) -> list[list[nn.Module]]:
    """The further heads of a net by number: of masks, and of activity where there are any."""
    activity = list(net.robust_activity_heads)
    return [[head, *activity[at : at + 1]] for at, head in enumerate(net.robust_heads)]
