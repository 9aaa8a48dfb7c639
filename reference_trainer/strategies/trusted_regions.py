"""PMHM's regions: where heads are trusted, selected without gradient and without labels.

Shapes: B sequences of T frames with K prompts each, masks of (h, w), H heads that vote, the main
one first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_trainer.strategies.losses import align_units

Vote: TypeAlias = Literal["all", "majority", "two"]


@dataclass(frozen=True)
class RegionRule:
    """The rule by which pixels are stable or uncertain.

    Attributes
    ----------
    vote : Vote
        See `count_needed_votes`.
    uncertain : float
        Pixels below this quantile of the margin |p - 0.5| are uncertain.
    edge : float
        Pixels above this quantile of the edge strength of p are uncertain as well.
    stable : float
        Pixels at or above this quantile of the margin are stable if the heads agree.
    scope : "prompt" or "clip"
        Whether quantiles are over one prompt of a sequence, or over all its prompts together.
    padding : "replicate" or "zeros"
        Values beyond the border of a frame. Zeros make borders look like edges.
    """

    vote: Vote
    uncertain: float
    edge: float
    stable: float
    scope: Literal["prompt", "clip"]
    padding: Literal["replicate", "zeros"]


@dataclass(frozen=True)
class Regions:
    """Two regions, which may overlap at an edge with a wide margin.

    Attributes
    ----------
    stable, uncertain : (B, K, T, h, w) bool
        False in padding.
    """

    stable: Tensor
    uncertain: Tensor


def count_needed_votes(heads: int, vote: Vote) -> int:
    """Count the heads that must be on the same side for an agreement.

    "all" needs all heads, "majority" more than half, and "two" needs two, or the only one, as in
    the released code. One head always agrees with itself. Three heads always have a majority, and
    two that agree.

    >>> [count_needed_votes(heads, "all") for heads in (1, 2, 3, 4)]
    [1, 2, 3, 4]
    >>> [count_needed_votes(heads, "majority") for heads in (1, 2, 3, 4)]
    [1, 2, 2, 3]
    """
    return {"all": heads, "majority": heads // 2 + 1, "two": min(2, heads)}[vote]


def can_vote_fail(heads: int, vote: Vote) -> bool:
    """Return whether heads can disagree. If not, the margin alone decides which pixels are stable.

    >>> [can_vote_fail(heads, "majority") for heads in (1, 2, 3, 4)]
    [False, True, False, True]
    """
    return 2 * count_needed_votes(heads, vote) > heads + 1


def find_agreement(logits: Tensor, vote: Vote) -> Tensor:
    """Find the places where enough heads are on the same side: (H, ...) float to (...) bool."""
    heads, needed = len(logits), count_needed_votes(len(logits), vote)
    votes = (logits > 0).sum(0)
    return (votes >= needed) | (heads - votes >= needed)


def find_regions(
    logits: Tensor, strength: Tensor, prompt_mask: Tensor, frame_mask: Tensor, rule: RegionRule
) -> Regions:
    """Find the regions of a batch.

    Margins are compared by |z|, which has the same order and still differs between pixels if p is
    1 in float32.

    Parameters
    ----------
    logits : (H, B, K, T, h, w) float
        Without gradient.
    strength : (B, K, T, h, w) float
        Edge strength, see `compute_edges`.
    prompt_mask : (B, K) bool
    frame_mask : (B, T) or (B, K, T) bool
    rule : RegionRule
    """
    is_unit = (prompt_mask[:, :, None] & align_units(frame_mask))[..., None, None]
    margin = logits[0].abs()
    low, high = compute_quantiles(margin, is_unit, (rule.uncertain, rule.stable), rule.scope)
    (steep,) = compute_quantiles(strength, is_unit, (rule.edge,), rule.scope)
    uncertain = (margin < low) | (strength > steep)
    stable = find_agreement(logits, rule.vote) & (margin >= high)
    return Regions(stable=stable & is_unit, uncertain=uncertain & is_unit)


def compute_edges(p: Tensor, padding: Literal["replicate", "zeros"]) -> Tensor:
    """Compute the gradient magnitude of maps (..., h, w) by Sobel's kernels / 8."""
    mode = "replicate" if padding == "replicate" else "constant"
    wide = F.pad(p.flatten(0, -3)[:, None], (1, 1, 1, 1), mode=mode)[:, 0]
    down = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    across = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
    x, y = down[:, :, 2:] - down[:, :, :-2], across[:, 2:] - across[:, :-2]
    return ((x * x + y * y).sqrt() / 8).view_as(p)


def compute_quantiles(
    values: Tensor, is_unit: Tensor, shares: Sequence[float], scope: Literal["prompt", "clip"]
) -> list[Tensor]:
    """Compute quantiles over the pixels of real units, with linear interpolation.

    `torch.quantile` cannot leave out padding.

    Parameters
    ----------
    values : (B, K, T, h, w) float
    is_unit : (B, K, T, 1, 1) bool
    shares : sequence of float in [0, 1]
    scope : "prompt" or "clip"

    Returns
    -------
    list of float Tensor
        For each share (B, K, 1, 1, 1), or (B, 1, 1, 1, 1) for the scope "clip"; infinite without
        pixels.
    """
    start = 2 if scope == "prompt" else 1
    is_unit = is_unit.expand_as(values)
    rows = torch.where(is_unit, values, torch.inf).flatten(start).sort(-1).values
    last = (is_unit.flatten(start).sum(-1, keepdim=True) - 1).clamp(min=0)
    quantiles = []
    for share in shares:
        place = share * last.double()
        below = place.long()
        low = rows.gather(-1, below)
        high = rows.gather(-1, torch.minimum(below + 1, last))
        between = torch.lerp(low, high, (place - below).to(low))
        quantile = torch.where(low == high, low, between)
        quantiles.append(quantile.reshape(*quantile.shape[:-1], *[1] * (values.ndim - start)))
    return quantiles
