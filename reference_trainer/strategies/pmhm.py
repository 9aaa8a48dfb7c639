"""PMHM: robust mask heads vote on the pixels to learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from actiseg_data.core.keys import draw_integer, draw_uniform, make_key, split_key
from reference_trainer.batch import Batch, Loss, Output, Progress
from reference_trainer.strategies import losses
from reference_trainer.strategies.base import (
    Net,
    Strategy,
    StrategyContext,
    average_terms,
    make_generator,
    sum_terms,
)
from reference_trainer.strategies.head_views import HeadView, compute_deviation
from reference_trainer.strategies.shuffled_regions import shuffle_regions
from reference_trainer.strategies.strategy_options import ReleasedOptions, option
from reference_trainer.strategies.trusted_regions import (
    RegionRule,
    Regions,
    can_vote_fail,
    compute_edges,
    find_agreement,
    find_regions,
)

WITHOUT_HEADS = {"heads": 0}
WITHOUT_RESTING = {"heads": 0, "freeze": "never"}
"""For `option`: the option has no effect without robust heads, or if none of them rests."""


@dataclass(frozen=True)
class PmhmOptions(ReleasedOptions):
    """Options of `Pmhm`.

    Attributes
    ----------
    heads : int
        Number of robust heads, besides the main one.
    robust_heads : "mask" or "mask+activity"
        Whether heads vote on masks alone or on activity as well. Text noise changes the activity
        that a prompt should have, and masks do not show it.
    warmup : float
        Share of the run with the plain loss (released: 0).
    copy_from : "trained" or "untrained"
        Whether robust heads start from the main head at the end of the warm-up or at the start of
        the run (released: "untrained").
    dropout : "channel" or "frame"
        Parts of the features that are dropped (released: "frame").
    dice_region : "stable" or "everywhere"
        Pixels of the Dice loss (released: "everywhere", with one half outside the stable region).
    anneal : bool
        Whether the weight of false positives falls (released: False).
    vote : "all", "majority" or "two"
        See `count_needed_votes` (released: "two").
    scope, padding : str
        See `RegionRule` (released: "clip", "zeros").
    every : int
        Votes, and with them all mask terms, use one pixel of each block of `every` x `every`
        pixels, drawn anew in each step (released: 1). Masks can be learned from samples of their
        pixels (Mask2Former: Cheng et al., CVPR 2022). Sampling keeps the time of a step within a
        fifth of a plain one.
    copy_noise : float
        Deviation of the noise on copied parameters.
    drop, noise : float
        Share of dropped channels, and deviation of the noise relative to the features, for each
        robust head.
    freeze : "epoch", "step" or "never"
        How often a draw decides whether a robust head rests.
    freeze_first, freeze_last : float
        Chance of resting in the first and the last epoch.
    uncertain, edge, stable : float
        Quantiles of the regions.
    regions : "votes" or "random"
        "random" is a control: it shuffles the pixels of each prompt's regions, so that they are as
        large and overlap as much as those of the votes, but at other places.
    tversky, consistency : float
        Coefficients.
    false_positives_first, false_positives_last : float
        Weight of false positives in the first and the last epoch.
    false_negatives : float
        Weight of false negatives.
    stop_gradient : "never" or "main"
        "main": robust heads follow the main head, which does not follow them.
    """

    heads: int = option(1, 0, 3)
    robust_heads: Literal["mask", "mask+activity"] = option("mask", unless=WITHOUT_HEADS)
    warmup: float = option(0.25, 0, 1, released=0.0)
    copy_from: Literal["trained", "untrained"] = option(
        "trained", released="untrained", unless=WITHOUT_HEADS
    )
    dropout: Literal["channel", "frame"] = option("channel", released="frame", unless=WITHOUT_HEADS)
    dice_region: Literal["stable", "everywhere"] = option("stable", released="everywhere")
    anneal: bool = option(True, released=False)
    vote: Literal["all", "majority", "two"] = option("all", released="two", unless=WITHOUT_HEADS)
    scope: Literal["prompt", "clip"] = option("prompt", released="clip")
    padding: Literal["replicate", "zeros"] = option("replicate", released="zeros")
    every: int = option(2, 1, 8, released=1)
    copy_noise: float = option(1e-3, unless=WITHOUT_HEADS)
    drop: float = option(0.2, 0, 0.9, unless=WITHOUT_HEADS)
    noise: float = option(0.2, unless=WITHOUT_HEADS)
    freeze: Literal["epoch", "step", "never"] = option(
        "epoch", released="step", unless=WITHOUT_HEADS
    )
    freeze_first: float = option(0.3, 0, 1, released=0.2, unless=WITHOUT_RESTING)
    freeze_last: float = option(0.1, 0, 1, released=0.2, unless=WITHOUT_RESTING)
    uncertain: float = option(0.2, 0, 1)
    edge: float = option(0.85, 0, 1)
    stable: float = option(0.6, 0, 1)
    regions: Literal["votes", "random"] = option("votes")
    tversky: float = option(0.3)
    consistency: float = option(0.1, unless=WITHOUT_HEADS)
    false_positives_first: float = option(0.7)
    false_positives_last: float = option(0.5, unless={"anneal": False})
    false_negatives: float = option(0.5)
    stop_gradient: Literal["never", "main"] = option("never", unless=WITHOUT_HEADS)


class Pmhm(Strategy[PmhmOptions]):
    """ActiSeg-NL's parallel mask heads, with corrections of the public code's defects.

    The paper describes no other rule.

    L = mask * focal in S + dice * Dice over S + tversky * Tversky in U + consistency * KL in U
    + activity * focal(activity).

    U, uncertain: a small margin of the main head, or a steep edge. S, stable: a wide margin, and
    heads that agree. Pixels in neither region have no label. The label does not influence the
    regions: inside S it is learned from, right or wrong. Robust heads get the same pixel features,
    perturbed, and no label. Their only loss is the symmetric KL divergence to the main head in U,
    which by default sends gradient to both. S and U are selected without gradient. Only the main
    head is deployed.

    Text noise leaves masks unchanged and makes a prompt ask for another object, so votes on masks
    cannot detect it. With `robust_heads: mask+activity`, activity heads vote as well: a prompt's
    activity is learned from if all heads agree by the same vote, and the divergence between them is
    a further term, over all prompts.

    State: whether heads were copied. Draws are keyed by the step. A resting head gets no gradient,
    so the optimiser does not change it; it still votes.
    """

    def __init__(self, options: PmhmOptions, context: StrategyContext) -> None:
        super().__init__(options, context)
        self._copied = False
        self._progress: Progress | None = None
        self._views: dict[int, HeadView] = {}
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
        """A note if the heads cannot disagree."""
        voters, vote = self.options.heads + 1, self.options.vote
        if voters == 1 or can_vote_fail(voters, vote):
            return ()
        hint = "with options.vote=all they can disagree"
        return (f"of {voters} heads, {vote} always agree: the margin alone decides; {hint}",)

    def get_phase(self, progress: Progress) -> int:
        return int(progress.step >= self._count_warm_steps(progress))

    def prepare(self, nets: list[Net]) -> None:
        (net,) = nets
        missing = self.options.heads - len(net.robust_heads)
        if missing > 0:
            net.add_robust_heads(missing, activity=self.options.robust_heads == "mask+activity")
        # The compiler cannot trace draws and the views that `compute_losses` needs.
        net.perturb = torch.compiler.disable(self._perturb_features)

    def prepare_step(self, nets: list[Net], progress: Progress) -> None:
        (net,) = nets
        self._progress = progress
        untrained = self.options.copy_from == "untrained"
        first = 0 if untrained else self._count_warm_steps(progress)
        if not self._copied and progress.step >= first:
            self._copy_head(net.mask_head, net.robust_heads, progress.seed)
            self._copy_head(net.activity_head, net.robust_activity_heads, progress.seed)
            self._copied = True
        for number, heads in enumerate(_pair_heads(net)):
            is_resting = self._is_resting(number, progress)
            for head in heads:
                head.requires_grad_(not is_resting)

    def compute_losses(
        self, nets: list[Net], outputs: list[Output], batch: Batch, progress: Progress
    ) -> list[Loss]:
        (output,) = outputs
        if progress.step < self._count_warm_steps(progress):
            return super().compute_losses(nets, outputs, batch, progress)
        options = self.options
        chances = torch.sigmoid(output.masks.detach().float())
        main, labels, weights, strength = (
            self._sample_pixels(values, progress)
            for values in (
                output.masks.float(),
                batch.masks,
                batch.weights,
                compute_edges(chances, options.padding),
            )
        )
        heads = torch.stack([main, *output.robust.float()]).detach()
        regions = find_regions(heads, strength, batch.prompt_mask, batch.unit_mask, self._rule)
        if options.regions == "random":
            regions = shuffle_regions(regions, batch, progress)
        sample = replace(batch, masks=labels, weights=weights)
        prompt_terms = self._compute_prompt_terms(main, output, sample, regions)
        prompts = average_terms(prompt_terms, batch.prompt_mask)
        weight = self._compute_false_positive_weight(progress)
        tversky = losses.tversky(main, labels, regions.uncertain, weight, options.false_negatives)
        divergence = self._average_divergence(regions.uncertain, main, nets[0])
        terms = {
            "tversky": options.tversky * tversky,
            "heads": options.consistency * divergence,
        }
        if len(output.robust_activity):
            divergences = self._compute_divergence(
                output.activity.float(), output.robust_activity.float()
            )
            mean = losses.average_prompts(divergences.mean(0), batch.prompt_mask)
            terms["activity_heads"] = options.consistency * mean
        self._views.clear()
        regional = sum_terms(terms)
        return [Loss(prompts.total + regional.total, {**prompts.parts, **regional.parts})]

    def _compute_prompt_terms(
        self, logits: Tensor, output: Output, batch: Batch, regions: Regions
    ) -> dict[str, Tensor]:
        """Compute the terms of each prompt: (B, K) float by name."""
        options, scale = self.options, self.compute_mask_scale(batch)
        # The released code loads weights, but does not use them in these losses.
        pixels = losses.focal(logits, batch.masks) * (1 if options.released else batch.weights)
        stable = torch.where(regions.stable, pixels, 0.0)
        activity = self.compute_activity_loss(output, batch)
        if len(output.robust_activity):
            heads = torch.stack([output.activity, *output.robust_activity]).detach()
            activity = torch.where(find_agreement(heads, options.vote), activity, 0.0)
        everywhere = options.dice_region == "everywhere"
        dice = (losses.dice_released if everywhere else losses.dice)(
            logits, batch.masks, batch.unit_mask, regions.stable
        )
        return {
            "mask": options.mask * scale * losses.average_pixels(stable, batch.unit_mask),
            "dice": options.dice * scale * dice,
            "activity": options.activity * activity,
        }

    def _average_divergence(self, region: Tensor, main: Tensor, net: Net) -> Tensor:
        """Average the divergence of the robust mask heads from the main one over a region.

        A head maps each pixel separately. So heads are called again for the pixels of the region,
        with gradient only there, for a fraction of the cost of a whole frame.
        """
        selected = region.flatten().nonzero().squeeze(-1)
        if not self._views or not len(selected):
            return main.new_zeros(())
        main_pixels = main.flatten()[selected]
        area = region.shape[-2] * region.shape[-1]
        frame, pixel = selected // area, selected % area
        sums = []
        for number, view in self._views.items():
            pixels = view.select_pixels(frame, pixel)[None, None, :, None]
            head_pixels = net.robust_heads[number](pixels).flatten()
            sums.append(self._compute_divergence(main_pixels, head_pixels).sum())
        return torch.stack(sums).mean() / (len(selected) + 1e-6)

    def _compute_divergence(self, main: Tensor, robust: Tensor) -> Tensor:
        if self.options.stop_gradient == "main":
            main = main.detach()
        return losses.symmetric_kl(main, robust)

    def _sample_pixels(self, values: Tensor, progress: Progress) -> Tensor:
        """Select the pixels (..., h, w) of this step."""
        every = self.options.every
        keys = split_key(make_key(progress.seed, 1, "strategy.pmhm.sample", progress.step), 2)
        down, right = (
            draw_integer(key, min(every, size))
            for key, size in zip(keys, values.shape[-2:], strict=True)
        )
        return values[..., down::every, right::every]

    def _compute_false_positive_weight(self, progress: Progress) -> float:
        options = self.options
        share = self._compute_annealing_share(progress) if options.anneal else 0.0
        first, last = options.false_positives_first, options.false_positives_last
        return first + (last - first) * share

    def _compute_annealing_share(self, progress: Progress) -> float:
        """Compute how far an epoch is from the end of the warm-up, 0, to the last epoch, 1."""
        first = self._count_warm_steps(progress) * progress.epochs // max(progress.steps, 1)
        return min(max((progress.epoch - first) / max(progress.epochs - 1 - first, 1), 0.0), 1.0)

    def _count_warm_steps(self, progress: Progress) -> int:
        return int(self.options.warmup * progress.steps)

    def _is_resting(self, number: int, progress: Progress) -> bool:
        options = self.options
        if options.freeze == "never":
            return False
        time = progress.epoch if options.freeze == "epoch" else progress.step
        first, last = options.freeze_first, options.freeze_last
        chance = first + (last - first) * self._compute_annealing_share(progress)
        key = make_key(progress.seed, 1, "strategy.pmhm.freeze", time, number)
        return draw_uniform(key) < chance

    def _copy_head(self, main: nn.Module, heads: nn.ModuleList, seed: int) -> None:
        for number, head in enumerate(heads):
            head.load_state_dict(main.state_dict())
            for position, values in enumerate(head.parameters()):
                source = make_generator(torch.device("cpu"), seed, "pmhm.copy", number, position)
                noise = torch.randn(values.shape, generator=source) * self.options.copy_noise
                with torch.no_grad():
                    values.add_(noise.to(values))

    def _perturb_features(self, number: int, pixels: Tensor) -> Tensor:
        """Perturb pixel features (B, K, T, C, h, w) for the votes of a robust head.

        The same draws apply to all prompts of a sequence.
        """
        options, progress = self.options, self._progress
        is_warm = progress is None or progress.step < self._count_warm_steps(progress)
        if progress is None or is_warm or not torch.is_grad_enabled():
            return pixels.detach()
        pixels = self._sample_pixels(pixels, progress)
        sequences, _, frames, channels, *grid = pixels.shape
        dropped = channels if options.dropout == "channel" else 1

        def draw_values(sampler: Callable[..., Tensor], purpose: str, *size: int) -> Tensor:
            """Draw (B, 1, T, *size), with a key for each frame, whatever the batch contains."""
            device, step = pixels.device, progress.step
            sources = [
                make_generator(device, progress.seed, f"pmhm.{purpose}", step, number, frame)
                for frame in range(frames)
            ]
            rows = [
                sampler(sequences, 1, *size, generator=source, device=device) for source in sources
            ]
            return torch.stack(rows, 2).to(pixels.dtype)

        kept = draw_values(torch.rand, "drop", dropped, 1, 1) >= options.drop
        scale = kept.to(pixels.dtype) / (1 - options.drop)
        noise = draw_values(torch.randn, "noise", channels, *grid)
        with torch.no_grad():
            perturbed = pixels * scale
            deviation = compute_deviation(perturbed) + 1e-6
            perturbed.addcmul_(noise, deviation, value=options.noise)
        self._views[number] = HeadView(pixels, scale.expand_as(pixels[..., :1, :1]), perturbed)
        return perturbed

    def state_dict(self) -> dict[str, Tensor | int | float]:
        return {"copied": int(self._copied)}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float]) -> None:
        self._copied = bool(state["copied"])


def _pair_heads(net: Net) -> list[list[nn.Module]]:
    """Pair the mask head and the activity head, if any, of each robust head."""
    activity = list(net.robust_activity_heads)
    return [[head, *activity[number : number + 1]] for number, head in enumerate(net.robust_heads)]
