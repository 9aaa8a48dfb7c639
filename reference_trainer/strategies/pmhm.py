"""PMHM: further mask heads that vote on where a label is learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from actiseg_data.core.keys import draw_integer, draw_uniform, make_key, split_key
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import Net, Strategy, Task, generator, mean_loss, total
from reference_trainer.strategies.strategy_options import ReleasedOptions, knob
from reference_trainer.strategies.trusted_regions import (
    RegionRule,
    Regions,
    agreed,
    decides,
    edges,
    regions,
)

ALONE = {"heads": 0}
RESTLESS = {"heads": 0, "freeze": "never"}
"""For `knob`: unless there are no further heads, or none that rests."""


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

    every: votes, and with them all terms of masks, are of one pixel in each block of so many by so
    many, drawn anew in each step (1); that masks can be learned from samples of their pixels is
    from Mask2Former (Cheng et al., CVPR 2022), and it keeps a step within a fifth of a plain one.

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
    robust_heads: Literal["mask", "mask+activity"] = knob("mask", unless=ALONE)
    warmup: float = knob(0.25, 0, 1, released=0.0)
    copy_from: Literal["trained", "untrained"] = knob("trained", released="untrained", unless=ALONE)
    dropout: Literal["channel", "frame"] = knob("channel", released="frame", unless=ALONE)
    dice_region: Literal["stable", "everywhere"] = knob("stable", released="everywhere")
    anneal: bool = knob(True, released=False)
    vote: Literal["all", "majority", "two"] = knob("all", released="two", unless=ALONE)
    scope: Literal["prompt", "clip"] = knob("prompt", released="clip")
    padding: Literal["replicate", "zeros"] = knob("replicate", released="zeros")
    every: int = knob(2, 1, 8, released=1)
    copy_noise: float = knob(1e-3, unless=ALONE)
    drop: float = knob(0.2, 0, 0.9, unless=ALONE)
    noise: float = knob(0.2, unless=ALONE)
    freeze: Literal["epoch", "step", "never"] = knob("epoch", released="step", unless=ALONE)
    freeze_first: float = knob(0.3, 0, 1, released=0.2, unless=RESTLESS)
    freeze_last: float = knob(0.1, 0, 1, released=0.2, unless=RESTLESS)
    uncertain: float = knob(0.2, 0, 1)
    edge: float = knob(0.85, 0, 1)
    stable: float = knob(0.6, 0, 1)
    tversky: float = knob(0.3)
    consistency: float = knob(0.1, unless=ALONE)
    false_positives_first: float = knob(0.7)
    false_positives_last: float = knob(0.5, unless={"anneal": False})
    false_negatives: float = knob(0.5)
    stop_gradient: Literal["never", "main"] = knob("never", unless=ALONE)


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
        self._views: dict[int, _View] = {}
        self._rule = RegionRule(
            options.vote,
            options.uncertain,
            options.edge,
            options.stable,
            options.scope,
            options.padding,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        voters, vote = self.options.heads + 1, self.options.vote
        if voters == 1 or decides(voters, vote):
            return ()
        hint = "options.vote=all lets them differ"
        return (f"of {voters} heads, {vote} always agree: the margin alone decides; {hint}",)

    def phase(self, progress: Progress) -> int:
        return int(progress.step >= self._warm_steps(progress))

    def prepare(self, nets: list[Net]) -> None:
        (net,) = nets
        missing = self.options.heads - len(net.robust_heads)
        if missing > 0:
            net.add_robust_heads(missing, activity=self.options.robust_heads == "mask+activity")
        # Draws and what is kept for `losses` are nothing for a compiler.
        net.perturb = torch.compiler.disable(self._perturbed)

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
        main, labels, weights, strength = (
            self._sampled(each, progress)
            for each in (
                output.masks.float(),
                batch.masks,
                batch.weights,
                edges(torch.sigmoid(output.masks.detach().float()), options.padding),
            )
        )
        heads = torch.stack([main, *output.robust.float()]).detach()
        found = regions(heads, strength, batch.asked, batch.shown, self._rule)
        sample = replace(batch, masks=labels, weights=weights)
        prompts = mean_loss(self._prompt_terms(main, output, sample, found), batch.asked)
        falls = self._false_positives(progress)
        tversky = losses.tversky(main, labels, found.uncertain, falls, options.false_negatives)
        apart = self._apart_in(found.uncertain, main, nets[0])
        terms = {
            "tversky": options.tversky * tversky,
            "heads": options.consistency * apart,
        }
        if len(output.robust_activity):
            apart = self._apart(output.activity.float(), output.robust_activity.float()).mean(0)
            mean = losses.over_prompts(apart, batch.asked)
            terms["activity_heads"] = options.consistency * mean
        self._views.clear()
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
            heads = torch.stack([output.activity, *output.robust_activity]).detach()
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

    def _apart_in(self, region: Tensor, main: Tensor, net: Net) -> Tensor:
        """How far the further mask heads are from the main one: the mean over a region, a scalar.

        Heads see each pixel alone, so they are asked again for the pixels of the region, and only
        there with gradient: that costs a fraction of a gradient for the whole frame.
        """
        where = region.flatten().nonzero().squeeze(-1)
        if not self._views or not len(where):
            return main.new_zeros(())
        of_main = main.flatten()[where]
        area = region.shape[-2] * region.shape[-1]
        frame, pixel = where // area, where % area
        sums = []
        for number, view in self._views.items():
            of_head = net.robust_heads[number](view.at(frame, pixel)[None, None, :, None])
            sums.append(self._apart(of_main, of_head.flatten()).sum())
        return torch.stack(sums).mean() / (len(where) + 1e-6)

    def _apart(self, main: Tensor, other: Tensor) -> Tensor:
        if self.options.stop_gradient == "main":
            main = main.detach()
        return losses.symmetric_kl(main, other)

    def _sampled(self, values: Tensor, progress: Progress) -> Tensor:
        """The pixels (..., h, w) that this step asks for."""
        every = self.options.every
        draw = split_key(make_key(progress.seed, 1, "strategy.pmhm.sample", progress.step), 2)
        down, right = (
            draw_integer(each, min(every, size))
            for each, size in zip(draw, values.shape[-2:], strict=True)
        )
        return values[..., down::every, right::every]

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
        return (
            draw_uniform(make_key(progress.seed, 1, "strategy.pmhm.freeze", time, number)) < chance
        )

    def _copy(self, main: nn.Module, heads: nn.ModuleList, seed: int) -> None:
        for number, head in enumerate(heads):
            head.load_state_dict(main.state_dict())
            for place, values in enumerate(head.parameters()):
                source = generator(torch.device("cpu"), seed, "pmhm.copy", number, place)
                added = torch.randn(values.shape, generator=source) * self.options.copy_noise
                with torch.no_grad():
                    values.add_(added.to(values))

    def _perturbed(self, number: int, pixels: Tensor) -> Tensor:
        """The pixel features (B, K, T, C, h, w) as a further head sees them, for its votes.

        Draws are the same for all prompts, as the features are the clip's, seen by each.
        """
        options, progress = self.options, self._progress
        warm = progress is None or progress.step < self._warm_steps(progress)
        if progress is None or warm or not torch.is_grad_enabled():
            return pixels.detach()
        pixels = self._sampled(pixels, progress)
        clips, _, frames, channels, *grid = pixels.shape
        dropped = channels if options.dropout == "channel" else 1

        def draws(of: Callable[..., Tensor], purpose: str, *size: int) -> Tensor:
            """(B, 1, T, *size), each frame by a key of its own, whatever else there is."""
            device, step = pixels.device, progress.step
            sources = [
                generator(device, progress.seed, f"pmhm.{purpose}", step, number, frame)
                for frame in range(frames)
            ]
            rows = [of(clips, 1, *size, generator=each, device=device) for each in sources]
            return torch.stack(rows, 2).to(pixels.dtype)

        kept = draws(torch.rand, "drop", dropped, 1, 1) >= options.drop
        scale = kept.to(pixels.dtype) / (1 - options.drop)
        bells = draws(torch.randn, "noise", channels, *grid)
        with torch.no_grad():
            seen = pixels * scale
            spread = _deviation(seen) + 1e-6
            seen.addcmul_(bells, spread, value=options.noise)
        self._views[number] = _View(pixels, scale.expand_as(pixels[..., :1, :1]), seen)
        return seen

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"copied": int(self._copied)}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._copied = bool(state["copied"])


@dataclass(frozen=True)
class _View:
    """What a further head sees. pixels: features with their gradient. scale: (B, K, T, C, 1, 1),
    what they are multiplied by. seen: scaled, with noise, without gradient.
    """

    pixels: Tensor
    scale: Tensor
    seen: Tensor

    def at(self, frame: Tensor, pixel: Tensor) -> Tensor:
        """Some pixels, with their gradient: (C, N) float32. frame, pixel: (N,) int64, of the frames
        of all clips and prompts in turn, and of the pixels of each.
        """
        pixels, seen = (
            each.flatten(0, 2).flatten(2)[frame, :, pixel].float()
            for each in (self.pixels, self.seen)
        )
        scaled = pixels * self.scale.flatten(0, 2).flatten(1)[frame]
        return (scaled + (seen - scaled).detach()).T


def _deviation(values: Tensor) -> Tensor:
    """Standard deviation over the last three axes, which stay, of length 1."""
    flat = values.float().flatten(-3)
    count = flat.shape[-1]
    squares: Tensor = torch.linalg.vector_norm(flat, dim=-1) ** 2 / count
    variance = (squares - flat.mean(-1) ** 2).clamp(min=0) * (count / max(count - 1, 1))
    return variance.sqrt()[..., None, None, None].to(values.dtype)


def _pairs(net: Net) -> list[list[nn.Module]]:
    """The further heads of a net by number: of masks, and of activity where there are any."""
    activity = list(net.robust_activity_heads)
    return [[head, *activity[at : at + 1]] for at, head in enumerate(net.robust_heads)]
