"""Losses as pure functions of logits and labels, stable for all finite logits.

Notation: z is a logit, p = sigmoid(z), y in {0, 1} its label (in [0, 1] if a function allows soft
labels), p_y = y p + (1 - y)(1 - p) the chance that the net gives to the label, A = -log 1e-4.

Shapes: B sequences of T frames with K prompts each, masks of (h, w). Losses of pixels work on all
shapes and return the same shape; `average_pixels` and `average_prompts` reduce them. Functions with
the suffix ``_released`` compute what the public code of ActiSeg-NL (SMART) computes.

With two classes, several losses that differ for many classes are equal: reverse cross-entropy is
exactly A times the mean absolute error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

LOG_OF_NOTHING = -math.log(1e-4)
"""A: minus the value that reverse cross-entropy uses for log 0."""


# Reductions.


def average_pixels(values: Tensor, frame_mask: Tensor) -> Tensor:
    """Average over the pixels of real frames; 0 if there are none.

    Parameters
    ----------
    values : (B, K, T, h, w) float
    frame_mask : (B, T) or (B, K, T) bool

    Returns
    -------
    (B, K) float
    """
    return average_frames(values.mean((-2, -1)), frame_mask)


def average_frames(values: Tensor, frame_mask: Tensor) -> Tensor:
    """Average over real frames; 0 if there are none.

    Parameters
    ----------
    values : (B, K, T) float
    frame_mask : (B, T) or (B, K, T) bool

    Returns
    -------
    (B, K) float
    """
    is_unit = align_units(frame_mask)
    real = torch.where(is_unit, values, 0.0)
    return real.sum(-1) / is_unit.sum(-1).clamp(min=1)


def align_units(frame_mask: Tensor) -> Tensor:
    """Align a mask of frames, (B, T), or of units, (B, K, T), with the axes (B, K, T)."""
    return frame_mask[:, None] if frame_mask.ndim == 2 else frame_mask


def average_prompts(values: Tensor, prompt_mask: Tensor) -> Tensor:
    """Average over real prompts; 0 if there are none.

    Parameters
    ----------
    values : (B, K) float
    prompt_mask : (B, K) bool

    Returns
    -------
    scalar float
    """
    return torch.where(prompt_mask, values, 0.0).sum() / prompt_mask.sum().clamp(min=1)


# Plain losses.


def bce(z: Tensor, y: Tensor) -> Tensor:
    """Compute binary cross-entropy, -y log p - (1 - y) log(1 - p); y may be soft."""
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def mae(z: Tensor, y: Tensor) -> Tensor:
    """Compute mean absolute error, 1 - p_y = |p - y| (half of Ghosh et al., AAAI 2017)."""
    return torch.sigmoid((1 - 2 * y) * z)


def focal(z: Tensor, y: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Compute focal loss, a_y (1 - p_y)^gamma BCE (Lin et al., ICCV 2017, eq. 5).

    a_y is alpha for y = 1, and 1 - alpha for y = 0.

    >>> round(focal(torch.tensor(0.0), torch.tensor(1.0)).item(), 6)  # 0.25 * 0.25 * log 2
    0.043322
    """
    balance = alpha * y + (1 - alpha) * (1 - y)
    return balance * mae(z, y) ** gamma * bce(z, y)


def dice(z: Tensor, y: Tensor, frame_mask: Tensor, region: Tensor | None = None) -> Tensor:
    """Compute Dice loss over the real frames, 1 - (2 sum(p y) + 1) / (sum p + sum y + 1).

    This is the loss of Milletari et al., 3DV 2016, with ReferFormer's smoothing term.

    Parameters
    ----------
    z, y : (B, K, T, h, w) float
    frame_mask : (B, T) or (B, K, T) bool
    region : (B, K, T, h, w) bool, optional
        Pixels that count. None: all.

    Returns
    -------
    (B, K) float
    """
    counts = align_units(frame_mask)[..., None, None]
    if region is not None:
        counts = counts & region
    p = torch.where(counts, torch.sigmoid(z), 0.0)
    y = torch.where(counts, y, 0.0)
    return _dice(p, y)


def dice_released(z: Tensor, y: Tensor, frame_mask: Tensor, region: Tensor) -> Tensor:
    """Compute Dice loss as PMHM's public code restricts it to a region.

    The arguments become sigmoid(s z) and s y, with s = 1 inside the region. Outside, sigmoid(0) =
    0.5 remains in the denominator, so the loss stays near 1.
    """
    real = align_units(frame_mask)[..., None, None]
    p = torch.where(real, torch.sigmoid(torch.where(region, z, 0.0)), 0.0)
    return _dice(p, torch.where(real & region, y, 0.0))


def _dice(p: Tensor, y: Tensor) -> Tensor:
    over = (2, 3, 4)
    return 1 - (2 * (p * y).sum(over) + 1) / (p.sum(over) + y.sum(over) + 1)


# Robust losses of one pixel.


def gce(z: Tensor, y: Tensor, q: float = 0.7) -> Tensor:
    """Compute generalised cross-entropy, (1 - p_y^q) / q (Zhang and Sabuncu, NeurIPS 2018).

    With q in (0, 1], it approaches BCE as q approaches 0, and is the mean absolute error for q = 1.
    """
    return -torch.expm1(-q * bce(z, y)) / q


def truncated_gce(z: Tensor, y: Tensor, q: float = 0.7, k: float = 0.5) -> Tensor:
    """Compute truncated generalised cross-entropy (Zhang and Sabuncu, NeurIPS 2018).

    It is constant, (1 - k^q) / q, if p_y <= k, so that labels which the net considers wrong have no
    gradient.
    """
    return torch.where(mae(z, y) < 1 - k, gce(z, y, q), (1 - k**q) / q)


def gce_released(z: Tensor, y: Tensor, q: float = 0.7) -> Tensor:
    """Compute (1 - (p_y + 1e-6)^q) / q, which is slightly below 0 for p_y = 1."""
    return (1 - (torch.sigmoid((2 * y - 1) * z) + 1e-6) ** q) / q


def rce(z: Tensor, y: Tensor) -> Tensor:
    """Compute reverse cross-entropy with log 0 := -A: A (1 - p_y) (Wang et al., ICCV 2019)."""
    return LOG_OF_NOTHING * mae(z, y)


def rce_released(z: Tensor, y: Tensor) -> Tensor:
    """Compute A (1 - p) for y = 1, and A p - (1 - p) log(1 - 1e-4) for y = 0.

    The released code clamps labels twice.
    """
    return rce(z, y) - (1 - y) * (1 - mae(z, y)) * math.log1p(-1e-4)


def sce(z: Tensor, y: Tensor, alpha: float = 0.1, beta: float = 1.0) -> Tensor:
    """Compute symmetric cross-entropy, alpha BCE + beta RCE (Wang et al., ICCV 2019)."""
    return alpha * bce(z, y) + beta * rce(z, y)


def sce_released(z: Tensor, y: Tensor, alpha: float = 0.1, beta: float = 1.0) -> Tensor:
    """Compute alpha BCE + beta `rce_released`."""
    return alpha * bce(z, y) + beta * rce_released(z, y)


def nce(z: Tensor, y: Tensor) -> Tensor:
    """Compute normalised cross-entropy, log p_y / (log p + log(1 - p)) (Ma et al., ICML 2020)."""
    right = bce(z, y)
    return right / (right + bce(z, 1 - y))


def ngce(z: Tensor, y: Tensor, q: float = 0.7) -> Tensor:
    """Compute normalised generalised cross-entropy (Ma et al., ICML 2020).

    It is (1 - p_y^q) / (2 - p^q - (1 - p)^q).
    """
    right = gce(z, y, q)
    return right / (right + gce(z, 1 - y, q))


def nfl(z: Tensor, y: Tensor, gamma: float = 0.5) -> Tensor:
    """Compute normalised focal loss, f_y / (f_0 + f_1) (Ma et al., ICML 2020).

    f_k = -(1 - p_k)^gamma log p_k.
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
"""Losses that only raise the chance of the label. All but "gce" are normalised and thus robust."""

PASSIVE: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"mae": mae, "rce": rce}
"""Robust losses that also lower the chances of the other classes."""


# Early learning (ELR).


def elr(z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
    """Compute the early-learning regulariser, log(1 - <t, p>) (Liu et al., NeurIPS 2020).

    p is clamped to [1e-4, 1 - 1e-4]. One channel is enough, because
    <t, p> = t p + (mass - t)(1 - p).

    Parameters
    ----------
    z : float Tensor
    target : float Tensor in [0, mass]
        Running average t of p. Broadcast to z, like `mass`.
    mass : float Tensor in [0, 1]
        t_0 + t_1. A running average that starts at 0 sums to 1 - beta^n after n updates.
    """
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    return torch.log1p(-(target * p + (mass - target) * (1 - p)))


def elr_released(z: Tensor, y: Tensor) -> Tensor:
    """Compute log(1 - p_y), with the label as the target, so that it pulls toward the label."""
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    return torch.log1p(-(y * p + (1 - y) * (1 - p)))


# Partial labels and negative learning (NPN). Candidates of a pixel are its label and the class that
# the net predicts. Votes count how often the net predicted each class; in ActiSeg-NL's code, how
# often each class was a candidate.


def confidence_penalty(z: Tensor) -> Tensor:
    """Compute p log p + (1 - p) log(1 - p), minus the entropy (Pereyra et al., 2017).

    >>> round(confidence_penalty(torch.tensor(0.0)).item(), 6)  # -log 2
    -0.693147
    """
    return torch.sigmoid(z) * F.logsigmoid(z) + torch.sigmoid(-z) * F.logsigmoid(-z)


def partial_hard(z: Tensor, votes: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    """Compute BCE toward the class with the most votes (Sheng et al., AAAI 2024, hard variant).

    Parameters
    ----------
    z, y : float Tensor
    votes : pair of float Tensor
        Votes for background and object. A tie goes to the label; argmax would choose background.
    """
    background, foreground = votes
    return bce(z, torch.where(foreground == background, y, (foreground > background).to(y)))


def partial_soft(z: Tensor, votes: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    """Compute BCE toward the object's share of votes (Sheng et al., AAAI 2024, soft variant).

    Parameters
    ----------
    z, y : float Tensor
    votes : pair of float Tensor
        Votes for background and object. Without any vote the label is the target.
    """
    background, foreground = votes
    count = background + foreground
    return bce(z, torch.where(count > 0, foreground / count.clamp(min=1), y))


def partial_released(z: Tensor, votes: tuple[Tensor, Tensor]) -> Tensor:
    """Compute V CE([-z, z], c) = v BCE(2 z, c).

    c is the class with the most votes (0 in a tie), and v its share of votes.
    """
    background, foreground = votes
    share = torch.maximum(background, foreground) / (background + foreground + 1e-10)
    return share * bce(2 * z, (foreground > background).to(z))


def negative(z: Tensor, y: Tensor, both: Tensor) -> Tensor:
    """Compute negative learning, -log(1 - p_k) for classes k that are not candidates.

    With two classes, this loss of Sheng et al., AAAI 2024, is BCE if the label is the only
    candidate, and 0 if both classes are candidates.

    Parameters
    ----------
    z, y : float Tensor
    both : bool Tensor
        Where the net predicts the class that is not the label.
    """
    return torch.where(both, 0.0, bce(z, y))


def negative_released(z: Tensor, y: Tensor, both: Tensor) -> Tensor:
    """Compute -log(1 - p_k + 1e-7), with p >= 1e-4 and 1 - p as chances."""
    p = torch.sigmoid(z).clamp(min=1e-4)
    p_k = torch.where(y > 0, 1 - p, p)
    return torch.where(both, 0.0, -torch.log(1 - p_k + 1e-7))


# Frozen knowledge (SMART).


def average_hardest(values: Tensor, share: float) -> Tensor:
    """Average the largest share of each frame's losses, at least one.

    This is the bootstrapped cross-entropy of Wu et al., 2016, if the losses are cross-entropies.

    Parameters
    ----------
    values : (..., h, w) float
    share : float in [0, 1]

    Returns
    -------
    (...) float
    """
    flat = values.flatten(-2)
    count = max(1, int(flat.shape[-1] * share))
    return flat.mean(-1) if count == flat.shape[-1] else flat.topk(count, sorted=False)[0].mean(-1)


def agreement(first: Tensor, second: Tensor) -> Tensor:
    """Compute the Dice coefficient of two binary masks of a frame, 1 if both are empty.

    Parameters
    ----------
    first, second : (..., h, w) float in {0, 1}

    Returns
    -------
    (...) float in [0, 1]
    """
    both, either = (first * second).sum((-2, -1)), (first + second).sum((-2, -1))
    return torch.where(either > 0, 2 * both / either.clamp(min=1), 1.0)


def agreement_released(first: Tensor, second: Tensor) -> Tensor:
    """Compute the agreement of two index masks (..., h, w) as in SMART's code.

    It is twice the pixels that are an object in both, divided by the sum of all *ids*, and 1 if
    both masks are empty.
    """
    both = ((first > 0) & (second > 0)).sum((-2, -1))
    ids = (first + second).sum((-2, -1))
    return torch.where(ids > 0, 2 * both / ids.clamp(min=1), 1.0)


# Regions and heads (PMHM).


def tversky(z: Tensor, y: Tensor, region: Tensor, a: float, b: float = 0.5) -> Tensor:
    """Compute Tversky loss of a region, 1 - TP / (TP + a FP + b FN) (Salehi et al., MLMI 2017).

    Sums are over all pixels at once, and 1e-6 is added to numerator and denominator.

    Parameters
    ----------
    z, y : float Tensor
    region : bool Tensor
    a, b : float
        Weights of false positives and false negatives.

    Returns
    -------
    scalar float
    """
    p = torch.where(region, torch.sigmoid(z), 0.0)
    y = torch.where(region, y, 0.0)
    hit = (p * y).sum()
    return 1 - (hit + 1e-6) / (hit + a * (p.sum() - hit) + b * (y.sum() - hit) + 1e-6)


def symmetric_kl(first: Tensor, second: Tensor) -> Tensor:
    """Compute KL(p || q) + KL(q || p) of two Bernoulli chances: (p - q)(logit p - logit q).

    Parameters
    ----------
    first, second : float Tensor
        Logits. Chances are clamped to [1e-6, 1 - 1e-6], without gradient outside.
    """
    most = math.log(1e6 - 1)
    first, second = first.clamp(-most, most), second.clamp(-most, most)
    return (torch.sigmoid(first) - torch.sigmoid(second)) * (first - second)
