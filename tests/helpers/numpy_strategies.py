"""Every strategy's loss again, in numpy and 64 bits, by the formulas of papers and authors' code.

Nothing here is shared with the trainer. Chances come from a softmax over two logits [0, z], as the
authors' code has classes; sums are loops over prompts and frames. What a strategy treats as fixed
(targets, votes, regions, selections) is computed by `fix_...` functions and does not move when the
logits do, so that a difference quotient of a loss is its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
A = -np.log(1e-4)


@dataclass(frozen=True)
class Arrays:
    """A batch as arrays: masks (B, K, T, h, w), active and prompts (B, K), frames (B, T)."""

    masks: Floats
    active: Floats
    prompts: NDArray[np.bool_]
    frames: NDArray[np.bool_]


@dataclass(frozen=True)
class Logits:
    """What a net says: masks (B, K, T, h, w), activity (B, K); robust: masks of a further head."""

    masks: Floats
    activity: Floats
    robust: Floats | None = None


def chances(z: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The chance of the label and of the other class."""
    both = np.stack([np.zeros_like(z), z])
    both = np.exp(both - both.max(0))
    both = both / both.sum(0)
    right = np.where(y == 1, both[1], both[0])
    return right, 1 - right


def cross_entropy(z: Floats, y: Floats) -> Floats:
    return -np.log(chances(z, y)[0])


def toward(z: Floats, target: Floats) -> Floats:
    """Cross-entropy toward a soft target."""
    p = chances(z, np.ones_like(z))[0]
    return -target * np.log(p) - (1 - target) * np.log(1 - p)


def focal(z: Floats, y: Floats) -> Floats:
    right, wrong = chances(z, y)
    return -np.where(y == 1, 0.25, 0.75) * wrong**2 * np.log(right)


def reverse(z: Floats, y: Floats) -> Floats:
    """Reverse cross-entropy over two classes, with one-hot labels clamped to [1e-4, 1]."""
    right, wrong = chances(z, y)
    return -right * np.log(1.0) - wrong * np.log(1e-4)


def gce(z: Floats, y: Floats, q: float = 0.7) -> Floats:
    return (1 - chances(z, y)[0] ** q) / q


def apl(z: Floats, y: Floats) -> Floats:
    right, wrong = chances(z, y)
    return np.log(right) / (np.log(right) + np.log(wrong)) + reverse(z, y)


def sce(z: Floats, y: Floats) -> Floats:
    return 0.1 * cross_entropy(z, y) + reverse(z, y)


def gce_released(z: Floats, y: Floats) -> Floats:
    return (1 - (chances(z, y)[0] + 1e-6) ** 0.7) / 0.7


def sce_released(z: Floats, y: Floats) -> Floats:
    p = chances(z, np.ones_like(z))[0]
    once = np.clip(y, 1e-4, 1)
    twice = np.clip(1 - once, 1e-4, 1)
    return 0.1 * cross_entropy(z, y) - p * np.log(once) - (1 - p) * np.log(twice)


def apl_released(z: Floats, y: Floats) -> Floats:
    z = np.clip(z, -10, 10)
    return 10 * gce(z, y) + np.abs(chances(z, np.ones_like(z))[0] - y)


def match_focal(loss: Callable[[Floats, Floats], Floats]) -> float:
    """The factor that gives a pixel at one half the focal loss."""
    z, y = np.zeros(2), np.array([0.0, 1.0])
    return float(focal(z, y).sum() / loss(z, y).sum())


def over_pixels(values: Floats, batch: Arrays) -> Floats:
    """(B, K) means over the pixels of real frames."""
    means = np.zeros(values.shape[:2])
    for sequence, frames in enumerate(batch.frames):
        means[sequence] = values[sequence][:, frames].mean((1, 2, 3))
    return means


def dice(z: Floats, batch: Arrays, region: Any = None) -> Floats:
    """(B, K) Dice losses over real frames, and over a region if one is given."""
    p, y = chances(z, np.ones_like(z))[0], batch.masks
    values = np.zeros(z.shape[:2])
    for sequence, prompt in np.ndindex(values.shape):
        counts = np.broadcast_to(batch.frames[sequence][:, None, None], p[sequence, prompt].shape)
        if region is not None:
            counts = counts & region[sequence, prompt]
        inside, label = p[sequence, prompt][counts], y[sequence, prompt][counts]
        values[sequence, prompt] = 1 - (2 * (inside * label).sum() + 1) / (
            inside.sum() + label.sum() + 1
        )
    return values


def over_prompts(values: Floats, batch: Arrays) -> float:
    return float(values[batch.prompts].mean())


def count_frames(batch: Arrays) -> float:
    """What ActiSeg-NL's mask terms are smaller by: frames of a prompt, on average."""
    shown = [batch.frames[sequence].sum() for sequence, _ in np.argwhere(batch.prompts)]
    return float(np.mean(shown))


def plain(net: Logits, batch: Arrays, pixel: Callable[[Floats, Floats], Floats] = focal) -> Floats:
    """2 pixel + 5 Dice + 2 activity of each prompt: (B, K)."""
    return (
        2 * over_pixels(pixel(net.masks, batch.masks), batch)
        + 5 * dice(net.masks, batch)
        + 2 * focal(net.activity, batch.active)
    )


def plain_released(net: Logits, batch: Arrays, pixel: Callable[[Floats, Floats], Floats]) -> Floats:
    """The robust loss beside focal, and mask terms over the number of frames."""
    masks = 2 * over_pixels(pixel(net.masks, batch.masks), batch) + 5 * dice(net.masks, batch)
    return masks / count_frames(batch) + 2 * focal(net.activity, batch.active)


def scaled(loss: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Floats]:
    return lambda z, y: match_focal(loss) * loss(z, y)


def co_teaching(net: Logits, other: Logits, batch: Arrays, counts: list[int]) -> float:
    """The mean of a net's losses over the prompts that the other net finds easy."""
    if len(counts) == 2:  # active and inactive prompts apart
        own, rank, groups = plain(net, batch), plain(other, batch), [(1.0,), (0.0,)]
    else:
        own, rank = (plain_released(of, batch, focal) for of in (net, other))
        groups = [(0.0, 1.0)]
    kept = []
    for group, count in zip(groups, counts, strict=True):
        places = [
            tuple(place)
            for place in np.argwhere(batch.prompts & np.isin(batch.active, group)).tolist()
        ]
        kept += sorted(places, key=lambda place: rank[place])[:count]
    return float(np.mean([own[place] for place in kept]))


# ELR.


def fix_elr_targets(history: list[Floats], beta: float = 0.7) -> tuple[Floats, Floats]:
    """Targets of background and object after some showings, from zero."""
    background = foreground = np.zeros_like(history[0])
    for z in history:
        p = np.clip(chances(z, np.ones_like(z))[0], 1e-4, 1 - 1e-4)
        q = np.clip(chances(z, np.zeros_like(z))[0], 1e-4, 1 - 1e-4)
        background = beta * background + (1 - beta) * q
        foreground = beta * foreground + (1 - beta) * p
    return background, foreground


def elr(targets: tuple[Floats, Floats], strength: float) -> Callable[[Floats, Floats], Floats]:
    def loss(z: Floats, y: Floats) -> Floats:
        p = chances(z, np.ones_like(z))[0]
        inner = targets[0] * (1 - p) + targets[1] * p
        return 0.125 * (cross_entropy(z, y) + strength * np.log(1 - inner))

    return loss


def elr_released(z: Floats, y: Floats) -> Floats:
    return focal(z, y) + 5e-4 * np.log(1 - np.clip(chances(z, y)[0], 1e-4, 1 - 1e-4))


# NPN.


def npn(
    net: Logits, batch: Arrays, strong: Floats, guesses: list[Floats], votes: str = "net"
) -> Floats:
    """Soft NPN after some showings: the share of votes, negative learning, two consistencies."""
    y, guess = batch.masks, guesses[-1]
    counts = [np.zeros_like(y), np.zeros_like(y)]
    for at in guesses:
        for side in (0, 1):
            voted = at == side
            counts[side] += (voted | (y == side)) if votes == "both" else voted
    target = counts[1] / (counts[0] + counts[1])
    negative = np.where(guess == y, cross_entropy(net.masks, y), 0)
    total = (
        over_pixels(toward(net.masks, target), batch)
        + over_pixels(negative, batch)
        + 2 * over_pixels(cross_entropy(strong, guess), batch)
    )
    return 2 * 0.125 * total + 5 * dice(net.masks, batch) + 2 * focal(net.activity, batch.active)


def npn_warm(z: Floats, y: Floats) -> Floats:
    """Cross-entropy and the confidence penalty, the sum of p log p."""
    right, wrong = chances(z, y)
    penalty = right * np.log(right) + wrong * np.log(wrong)
    return 0.125 * (cross_entropy(z, y) + penalty)


def npn_released(net: Logits, batch: Arrays, strong: Floats, guess: Floats) -> Floats:
    """The first showing after the warm-up, none before: votes are label, and guess where sure."""
    y = batch.masks
    p = chances(net.masks, np.ones_like(y))[0]
    sure = np.where(guess == 1, p, 1 - p) > 0.7
    counts = [((y == side) | ((guess == side) & sure)).astype(float) for side in (0, 1)]
    winner = (counts[1] > counts[0]).astype(float)
    share = np.maximum(*counts) / (counts[0] + counts[1] + 1e-10)
    partial = share * cross_entropy(2 * net.masks, winner)
    single = ~(sure & (guess != y))
    clamped = np.maximum(p, 1e-4)
    other = np.where(y == 1, 1 - clamped, clamped)
    negative = np.where(single, -np.log(1 - other + 1e-7), 0)
    consistent = np.where(sure, cross_entropy(2 * strong, guess), 0)
    shares = np.maximum(over_pixels(sure.astype(float), batch), 1e-12)
    masks = 2 * (
        over_pixels(partial, batch)
        + 0.1 * over_pixels(negative, batch)
        + 0.2 * over_pixels(consistent, batch) / shares
    )
    rest = 5 * dice(net.masks, batch) / count_frames(batch)
    return masks + rest + 2 * focal(net.activity, batch.active)


# SMART.


def divergence(z: Floats, teacher: Floats) -> Floats:
    """KL from the chances of a teacher, summed over both classes."""
    ones = np.ones_like(z)
    pairs = zip(chances(teacher, ones), chances(z, ones), strict=True)
    values: Floats = sum(q * np.log(q / p) for q, p in pairs)
    return values


def distil(net: Logits, batch: Arrays, teacher: Logits, strength: float) -> Floats:
    masks = over_pixels(divergence(net.masks, teacher.masks), batch)
    return plain(net, batch) + strength * (masks + divergence(net.activity, teacher.activity))


def smart(net: Logits, batch: Arrays, teacher: Floats, share: float, released: bool) -> Floats:
    """Four terms, each over its hardest pixels."""
    y, m = batch.masks, (teacher > 0).astype(float)
    total = np.zeros(y.shape[:2])
    for sequence, prompt in np.argwhere(batch.prompts):
        frames = np.flatnonzero(batch.frames[sequence])
        for frame in frames:
            at = sequence, prompt, frame
            z, label, known = net.masks[at], y[at], m[at]
            size = label.sum() + known.sum()
            trust = 2 * (label * known).sum() / size if size else 1.0
            if released:
                trust = _trust_ids(teacher, batch, sequence, frame)
            mixed = trust * cross_entropy(z, label) + (1 - trust) * cross_entropy(z, known)
            terms = (
                cross_entropy(z, label),
                1e-4 * mixed,
                cross_entropy(z, label * known),
                1e-4 * reverse(z, np.maximum(label, known)),
            )
            hardest = [
                np.sort(term, axis=None)[::-1][: int(term.size * share)].mean() for term in terms
            ]
            weight = 1.0 if released else 2 * 0.125 / len(frames)
            total[sequence, prompt] += weight * sum(hardest)
    return total + 2 * focal(net.activity, batch.active)


def _trust_ids(teacher: Floats, batch: Arrays, sequence: int, frame: int) -> float:
    """SMART's released trust: common pixels over the sum of all ids."""
    real = np.flatnonzero(batch.prompts[sequence])
    labels = np.zeros(batch.masks.shape[-2:])
    for prompt in real:
        labels = np.where(batch.masks[sequence, prompt, frame] > 0, prompt + 1, labels)
    best = teacher[sequence, real, frame].argmax(0)
    is_object = teacher[sequence, real, frame].max(0) > 0
    guesses = np.where(is_object, real[best] + 1, 0)
    total = labels.sum() + guesses.sum()
    return 2 * ((labels > 0) & (guesses > 0)).sum() / total if total else 1.0


# PMHM.


def fix_regions(net: Logits, batch: Arrays, *, clip: bool) -> tuple[Any, Any]:
    """Stable and uncertain pixels of two heads, by quantiles over a prompt or over a clip."""
    assert net.robust is not None
    z = net.masks
    p = chances(z, np.ones_like(z))[0]
    real = batch.prompts[:, :, None] & batch.frames[:, None]
    margin = np.abs(p - 0.5)
    edges = np.zeros_like(z)
    for at in np.argwhere(real):
        mode = "constant" if clip else "nearest"
        x, y = (ndimage.sobel(p[tuple(at)], axis, mode=mode) for axis in (0, 1))
        edges[tuple(at)] = np.hypot(x, y) / 8
    stable, uncertain = np.zeros(z.shape, bool), np.zeros(z.shape, bool)
    agree = (z > 0) == (net.robust > 0)
    for sequence in range(len(z)):
        prompts = [np.flatnonzero(batch.prompts[sequence])]
        groups = prompts if clip else [[prompt] for prompt in prompts[0]]
        for group in groups:
            at = np.ix_([sequence], group, np.flatnonzero(batch.frames[sequence]))
            low, high = np.quantile(margin[at], [0.2, 0.6])
            steep = np.quantile(edges[at], 0.85)
            uncertain[at] = (margin[at] < low) | (edges[at] > steep)
            stable[at] = agree[at] & (margin[at] >= high)
    return stable, uncertain


def pmhm(
    net: Logits, batch: Arrays, regions: tuple[Any, Any], weight: float, *, released: bool
) -> float:
    """Focal and Dice of stable pixels, Tversky and the heads' divergence of uncertain ones."""
    assert net.robust is not None
    stable, uncertain = regions
    z, y = net.masks, batch.masks
    p, robust = (chances(of, np.ones_like(of))[0] for of in (z, net.robust))
    masks = 2 * over_pixels(np.where(stable, focal(z, y), 0), batch)
    if released:
        inside = np.where(stable, p, 0.5)
        overlap = np.zeros(z.shape[:2])
        for sequence, prompt in np.ndindex(overlap.shape):
            at = sequence, prompt, batch.frames[sequence]
            label = np.where(stable[at], y[at], 0)
            overlap[sequence, prompt] = 1 - (2 * (inside[at] * label).sum() + 1) / (
                inside[at].sum() + label.sum() + 1
            )
    else:
        overlap = dice(z, batch, stable)
    times = 1 / count_frames(batch) if released else 1.0
    prompts = over_prompts(
        times * (masks + 5 * overlap) + 2 * focal(net.activity, batch.active), batch
    )
    hit = (p * y)[uncertain].sum()
    false, missed = (p * (1 - y))[uncertain].sum(), ((1 - p) * y)[uncertain].sum()
    tversky = 1 - (hit + 1e-6) / (hit + weight * false + 0.5 * missed + 1e-6)
    one, other = (np.clip(of[uncertain], 1e-6, 1 - 1e-6) for of in (p, robust))
    divergence = one * np.log(one / other) + (1 - one) * np.log((1 - one) / (1 - other))
    divergence += other * np.log(other / one) + (1 - other) * np.log((1 - other) / (1 - one))
    heads = divergence.sum() / (uncertain.sum() + 1e-6)
    return prompts + 0.3 * tversky + 0.1 * heads
