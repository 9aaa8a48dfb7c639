"""Losses as pure functions of logits and labels, stable wherever a logit is finite.

Shapes: B clips of T frames with K prompts each, masks of (h, w). z is a logit, p = sigmoid(z), y in
{0, 1} its label (a soft one in [0, 1] only where that is said), p_y = y p + (1 - y)(1 - p) the
chance that the net gives to the label, A = -log 1e-4. Functions of pixels work on any shape and
return the same shape; `over_pixels` and `over_prompts` reduce. Those that end in ``_released`` are
what the public code of ActiSeg-NL (SMART) computes.

With two classes, several losses that differ for many are one: reverse cross-entropy is A times the
mean absolute error, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

LOG_OF_NOTHING = -math.log(1e-4)
"""A: what log 0 is taken for in reverse cross-entropy, with a minus."""


# What reduces.


def over_pixels(values: Tensor, shown: Tensor) -> Tensor:
    """The mean over the pixels of the frames shown, 0 where none is.

    values: (B, K, T, h, w). shown: (B, T) bool. Returns (B, K).
    """
    return over_frames(values.mean((-2, -1)), shown)


def over_frames(values: Tensor, shown: Tensor) -> Tensor:
    """The mean over the frames shown, 0 where none is.

    values: (B, K, T). shown: (B, T) bool. Returns (B, K).
    """
    there = torch.where(shown[:, None], values, 0.0)
    return there.sum(-1) / shown.sum(-1).clamp(min=1)[:, None]


def over_prompts(values: Tensor, asked: Tensor) -> Tensor:
    """The mean over the prompts that are asked, 0 where none is.

    values: (B, K). asked: (B, K) bool. Returns a scalar.
    """
    return torch.where(asked, values, 0.0).sum() / asked.sum().clamp(min=1)


# Plain losses.


def bce(z: Tensor, y: Tensor) -> Tensor:
    """Binary cross-entropy, -y log p - (1 - y) log(1 - p); y may be soft."""
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def mae(z: Tensor, y: Tensor) -> Tensor:
    """Mean absolute error, 1 - p_y = |p - y| (Ghosh et al., AAAI 2017, up to a factor 2)."""
    return torch.sigmoid((1 - 2 * y) * z)


def focal(z: Tensor, y: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss, a_y (1 - p_y)^gamma BCE, a_y = alpha for y = 1 and 1 - alpha for y = 0 (Lin et
    al., ICCV 2017, eq. 5).

    >>> round(focal(torch.tensor(0.0), torch.tensor(1.0)).item(), 6)  # 0.25 * 0.25 * log 2
    0.043322
    """
    balance = alpha * y + (1 - alpha) * (1 - y)
    return balance * mae(z, y) ** gamma * bce(z, y)


def dice(z: Tensor, y: Tensor, shown: Tensor, region: Tensor | None = None) -> Tensor:
    """Dice loss of a clip over its frames shown, 1 - (2 sum(p y) + 1) / (sum p + sum y + 1)
    (Milletari et al., 3DV 2016, with ReferFormer's smooth term).

    z, y: (B, K, T, h, w). shown: (B, T) bool. region: (B, K, T, h, w) bool, the pixels that count;
    None: all. Returns (B, K).
    """
    counts = shown[:, None, :, None, None]
    if region is not None:
        counts = counts & region
    p = torch.where(counts, torch.sigmoid(z), 0.0)
    y = torch.where(counts, y, 0.0)
    return _dice(p, y)


def dice_released(z: Tensor, y: Tensor, shown: Tensor, region: Tensor) -> Tensor:
    """Dice as the public code of PMHM restricts it to a region: of sigmoid(s z) and s y, where s
    is 1 inside. Outside, sigmoid(0) = 0.5 stays in the denominator, and the loss near 1.
    """
    there = shown[:, None, :, None, None]
    p = torch.where(there, torch.sigmoid(torch.where(region, z, 0.0)), 0.0)
    return _dice(p, torch.where(there & region, y, 0.0))


def _dice(p: Tensor, y: Tensor) -> Tensor:
    over = (2, 3, 4)
    return 1 - (2 * (p * y).sum(over) + 1) / (p.sum(over) + y.sum(over) + 1)


# Robust losses of one pixel.


def gce(z: Tensor, y: Tensor, q: float = 0.7) -> Tensor:
    """Generalised cross-entropy, (1 - p_y^q) / q, q in (0, 1] (Zhang and Sabuncu, NeurIPS
    2018). It goes to BCE for q to 0, and is the mean absolute error for q = 1.
    """
    return -torch.expm1(-q * bce(z, y)) / q


def truncated_gce(z: Tensor, y: Tensor, q: float = 0.7, k: float = 0.5) -> Tensor:
    """Truncated generalised cross-entropy: constant, (1 - k^q) / q, where p_y <= k (Zhang and
    Sabuncu, NeurIPS 2018), so that what the net holds for wrong teaches nothing.
    """
    return torch.where(mae(z, y) < 1 - k, gce(z, y, q), (1 - k**q) / q)


def gce_released(z: Tensor, y: Tensor, q: float = 0.7) -> Tensor:
    """(1 - (p_y + 1e-6)^q) / q: slightly below 0 where p_y is 1."""
    return (1 - (torch.sigmoid((2 * y - 1) * z) + 1e-6) ** q) / q


def rce(z: Tensor, y: Tensor) -> Tensor:
    """Reverse cross-entropy with log 0 := -A: A (1 - p_y) (Wang et al., ICCV 2019)."""
    return LOG_OF_NOTHING * mae(z, y)


def rce_released(z: Tensor, y: Tensor) -> Tensor:
    """A (1 - p) for y = 1; A p - (1 - p) log(1 - 1e-4) for y = 0, as labels are clamped twice."""
    return rce(z, y) - (1 - y) * (1 - mae(z, y)) * math.log1p(-1e-4)


def sce(z: Tensor, y: Tensor, alpha: float = 0.1, beta: float = 1.0) -> Tensor:
    """Symmetric cross-entropy, alpha BCE + beta RCE (Wang et al., ICCV 2019)."""
    return alpha * bce(z, y) + beta * rce(z, y)


def sce_released(z: Tensor, y: Tensor, alpha: float = 0.1, beta: float = 1.0) -> Tensor:
    """Alpha BCE + beta `rce_released`."""
    return alpha * bce(z, y) + beta * rce_released(z, y)


def nce(z: Tensor, y: Tensor) -> Tensor:
    """Normalised cross-entropy, log p_y / (log p + log(1 - p)) (Ma et al., ICML 2020)."""
    right = bce(z, y)
    return right / (right + bce(z, 1 - y))


def ngce(z: Tensor, y: Tensor, q: float = 0.7) -> Tensor:
    """Normalised generalised cross-entropy, (1 - p_y^q) / (2 - p^q - (1 - p)^q) (Ma et al., ICML
    2020).
    """
    right = gce(z, y, q)
    return right / (right + gce(z, 1 - y, q))


def nfl(z: Tensor, y: Tensor, gamma: float = 0.5) -> Tensor:
    """Normalised focal loss, f_y / (f_0 + f_1) with f_k = -(1 - p_k)^gamma log p_k (Ma et al.,
    ICML 2020).
    """
    right, wrong = bce(z, y), bce(z, 1 - y)
    f_right = torch.exp(-gamma * wrong) * right
    return f_right / (f_right + torch.exp(-gamma * right) * wrong)


ACTIVE: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "nce": nce,
    "ngce": ngce,
    "nfl": nfl,
    "gce": gce,
}
"""Losses that only raise the chance of the label. All but "gce" are normalised, and so robust."""

PASSIVE: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"mae": mae, "rce": rce}
"""Robust losses that also lower the chances of all else."""


# Early learning (ELR).


def elr(z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
    """Early-learning regulariser, log(1 - <t, p>), p clamped to [1e-4, 1 - 1e-4] (Liu et al.,
    NeurIPS 2020).

    target: the running average t of p, in [0, mass]. mass: what t_0 + t_1 sums to, in [0, 1]: a
    running average that starts at 0 sums to 1 - beta^n after n updates. With it, one channel is
    enough: <t, p> = t p + (mass - t)(1 - p). All of z's shape, or broadcast to it.
    """
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    return torch.log1p(-(target * p + (mass - target) * (1 - p)))


def elr_released(z: Tensor, y: Tensor) -> Tensor:
    """log(1 - p_y): the label where the target should be, so that it pulls toward the label."""
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    return torch.log1p(-(y * p + (1 - y) * (1 - p)))


# Partial labels and negative learning (NPN). Candidates of a pixel are its label and the class that
# the net predicts; votes count how often each class was a candidate.


def partial_hard(z: Tensor, votes: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    """BCE toward the class with the most votes (Sheng et al., AAAI 2024, the hard variant).

    votes: for classes 0 and 1. A tie is the label's; by argmax it would be background's.
    """
    nothing, thing = votes
    return bce(z, torch.where(thing == nothing, y, (thing > nothing).to(y)))


def partial_soft(z: Tensor, votes: tuple[Tensor, Tensor]) -> Tensor:
    """BCE toward the share of votes for the thing (Sheng et al., AAAI 2024, the soft variant)."""
    nothing, thing = votes
    return bce(z, thing / (nothing + thing))


def partial_released(z: Tensor, votes: tuple[Tensor, Tensor]) -> Tensor:
    """V CE([-z, z], c) = v BCE(2 z, c), c the class with most votes (0 in a tie), v its share."""
    nothing, thing = votes
    share = torch.maximum(nothing, thing) / (nothing + thing + 1e-10)
    return share * bce(2 * z, (thing > nothing).to(z))


def negative(z: Tensor, y: Tensor, both: Tensor) -> Tensor:
    """Negative learning, -log(1 - p_k) for the classes k that are no candidates (Sheng et al., AAAI
    2024): with two classes, BCE where the label is the only candidate, 0 where both are.

    both: bool, where the net predicts the other class.
    """
    return torch.where(both, 0.0, bce(z, y))


def negative_released(z: Tensor, y: Tensor, both: Tensor) -> Tensor:
    """-log(1 - p_k + 1e-7), with p >= 1e-4 and 1 - p as chances."""
    p = torch.sigmoid(z).clamp(min=1e-4)
    other = torch.where(y > 0, 1 - p, p)
    return torch.where(both, 0.0, -torch.log(1 - other + 1e-7))


# Frozen knowledge (SMART).


def hard_pixels(values: Tensor, share: float) -> Tensor:
    """The mean of the largest share of each frame's losses, at least one (bootstrapped
    cross-entropy: Wu et al., 2016).

    values: (..., h, w). Returns (...).
    """
    flat = values.flatten(-2)
    count = max(1, int(flat.shape[-1] * share))
    return flat.mean(-1) if count == flat.shape[-1] else flat.topk(count, sorted=False)[0].mean(-1)


def agreement(one: Tensor, other: Tensor) -> Tensor:
    """Dice coefficient of two binary masks of a frame, 1 where both are empty.

    (..., h, w) in {0, 1}. Returns (...) in [0, 1].
    """
    both, either = (one * other).sum((-2, -1)), (one + other).sum((-2, -1))
    return torch.where(either > 0, 2 * both / either.clamp(min=1), 1.0)


def agreement_released(one: Tensor, other: Tensor) -> Tensor:
    """The same of maps of object ids (..., h, w), as SMART's code has it: twice the pixels that are
    an object in both, divided by the sum of all *ids*, 1 where both maps are empty.
    """
    both = ((one > 0) & (other > 0)).sum((-2, -1))
    ids = (one + other).sum((-2, -1))
    return torch.where(ids > 0, 2 * both / ids.clamp(min=1), 1.0)


# Regions and heads (PMHM).


def tversky(z: Tensor, y: Tensor, region: Tensor, a: float, b: float = 0.5) -> Tensor:
    """Tversky loss of a region, 1 - TP / (TP + a FP + b FN), sums over all pixels at once and 1e-6
    added to both (Salehi et al., MLMI 2017). region: bool. Returns a scalar.
    """
    p = torch.where(region, torch.sigmoid(z), 0.0)
    y = torch.where(region, y, 0.0)
    hit = (p * y).sum()
    return 1 - (hit + 1e-6) / (hit + a * (p.sum() - hit) + b * (y.sum() - hit) + 1e-6)


def symmetric_kl(z: Tensor, other: Tensor) -> Tensor:
    """KL(p || q) + KL(q || p) of two Bernoulli chances, which is (p - q)(logit p - logit q).

    z, other: logits; chances are clamped to [1e-6, 1 - 1e-6], so there is no gradient beyond.
    """
    most = math.log(1e6 - 1)
    z, other = z.clamp(-most, most), other.clamp(-most, most)
    return (torch.sigmoid(z) - torch.sigmoid(other)) * (z - other)
