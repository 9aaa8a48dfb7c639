"""Rules that select what to learn from, by the logits or the losses of a model."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from reference_trainer.strategies.co_teaching import select_smallest
from reference_trainer.strategies.head_views import compute_deviation
from reference_trainer.strategies.trusted_regions import (
    RegionRule,
    Regions,
    Vote,
    compute_edges,
)
from reference_trainer.strategies.trusted_regions import find_regions as find_batch_regions


def select_small_losses(losses: Tensor, share: float, groups: Tensor | None = None) -> Tensor:
    """Select the share of samples with the smallest losses (co-teaching; Han et al., NeurIPS 2018).

    In co-teaching, each of two nets selects, and the other learns from the selection. Empty masks
    have the smallest losses, so active and inactive prompts should be two groups.

    Parameters
    ----------
    losses : (N,) float
        Loss of each sample.
    share : float in [0, 1]
        Share to keep of each group, rounded down; one sample of the largest group at least.
    groups : (N,) int, optional
        Group of each sample. None: all are one group.

    Returns
    -------
    (N,) bool

    Examples
    --------
    >>> losses = torch.tensor([0.1, 0.2, 5.0, 9.0])
    >>> select_small_losses(losses, 0.5).tolist()
    [True, True, False, False]
    >>> select_small_losses(losses, 0.5, torch.tensor([0, 0, 1, 1])).tolist()
    [True, False, True, False]
    """
    values = losses.detach()
    groups = torch.zeros_like(values, dtype=torch.int64) if groups is None else groups
    members = [groups == group for group in groups.unique()]
    counts = [math.floor(round(int(member.sum()) * share, 9)) for member in members]
    if members and not any(counts):
        largest = max(range(len(members)), key=lambda place: int(members[place].sum()))
        counts[largest] = 1
    selected = torch.zeros_like(values, dtype=torch.bool)
    for member, count in zip(members, counts, strict=True):
        selected |= select_smallest(values, member, count)
    return selected


def find_regions(
    heads: Tensor,
    *,
    vote: Vote = "all",
    uncertain: float = 0.2,
    edge: float = 0.85,
    stable: float = 0.6,
) -> Regions:
    """Find the pixels where heads are trusted, and where they are not (PMHM of ActiSeg-NL).

    A pixel is stable if its margin |p - 0.5| is wide and the heads agree on its side. It is
    uncertain if its margin is narrow or if the map of p is steep. Some pixels are neither, and a
    steep one with a wide margin is both. Labels have no influence.

    Parameters
    ----------
    heads : (H, N, T, h, w) float
        Logits of H heads, the main one first, for N samples of T frames. Without gradient.
    vote : "all", "majority" or "two"
        Heads that must agree.
    uncertain, stable : float in [0, 1]
        Quantiles of the margin, over the frames of a sample: below the first a pixel is uncertain,
        from the second on it is stable if heads agree.
    edge : float in [0, 1]
        Quantile of the steepness, above which a pixel is uncertain.

    Returns
    -------
    Regions
        `stable` and `uncertain`, each (N, T, h, w) bool.
    """
    heads = heads.detach().float()[:, :, None]
    rule = RegionRule(vote, uncertain, edge, stable, "prompt", "replicate")
    samples, frames = heads.shape[1], heads.shape[3]
    is_prompt = torch.ones(samples, 1, dtype=torch.bool, device=heads.device)
    is_frame = is_prompt.expand(samples, frames)
    steepness = compute_edges(torch.sigmoid(heads[0]), rule.padding)
    regions = find_batch_regions(heads, steepness, is_prompt, is_frame, rule)
    return Regions(stable=regions.stable[:, 0], uncertain=regions.uncertain[:, 0])


def perturb_features(
    features: Tensor,
    drop: float = 0.2,
    noise: float = 0.2,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Drop channels of features and add noise, so that a robust head of PMHM sees another view.

    Parameters
    ----------
    features : (..., C, h, w) float
    drop : float in [0, 1)
        Chance of a channel to become 0. The others are divided by 1 - `drop`.
    noise : float
        Deviation of the noise, in deviations of the features of a frame.
    generator : torch.Generator, optional
        Source of random numbers, on the device of the features. None: that of torch.

    Returns
    -------
    (..., C, h, w) float
        With the gradient of the features; the noise has none.
    """

    def draw_like(values: Tensor) -> Tensor:
        return torch.empty_like(values, requires_grad=False)

    with torch.no_grad():
        is_kept = draw_like(features[..., :1, :1]).uniform_(generator=generator) >= drop
        scale = is_kept.to(features.dtype) / (1 - drop)
        deviation = compute_deviation(features * scale) + 1e-6
        added = draw_like(features).normal_(generator=generator) * deviation * noise
    return features * scale + added
