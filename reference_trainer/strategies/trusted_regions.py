"""Where several heads are trusted: the regions of PMHM, chosen without gradient and without labels.

Shapes: B clips of T frames with K prompts each, masks of (h, w), H heads that vote, the main one
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Vote: TypeAlias = Literal["all", "majority", "two"]


@dataclass(frozen=True)
class RegionRule:
    """Which pixels are stable, and which uncertain.

    vote: see `votes_needed`. uncertain: below this quantile of the margin |p - 0.5| a pixel is
    uncertain. edge: above this quantile of the edge strength of p, too. stable: from this quantile
    of the margin on, a pixel on which the heads agree is stable. scope: whether quantiles are of
    one prompt's clip, or of all prompts of a clip together. padding: what is beyond the border of a
    frame, the nearest pixel or zeros, which make borders look like edges.
    """

    vote: Vote
    uncertain: float
    edge: float
    stable: float
    scope: Literal["prompt", "clip"]
    padding: Literal["replicate", "zeros"]


@dataclass(frozen=True)
class Regions:
    """stable, uncertain: (B, K, T, h, w) bool, False where a batch only fills up. They may overlap:
    at an edge with a wide margin.
    """

    stable: Tensor
    uncertain: Tensor


def votes_needed(heads: int, vote: Vote) -> int:
    """How many of the heads must be on one side, for it to be agreed.

    "all": every one. "majority": more than half. "two": two, or the only one, as released. One head
    always agrees with itself; three heads always have a majority, and two of a kind.

    >>> [votes_needed(heads, "all") for heads in (1, 2, 3, 4)]
    [1, 2, 3, 4]
    >>> [votes_needed(heads, "majority") for heads in (1, 2, 3, 4)]
    [1, 2, 2, 3]
    """
    return {"all": heads, "majority": heads // 2 + 1, "two": min(2, heads)}[vote]


def decides(heads: int, vote: Vote) -> bool:
    """Whether a vote can fail. Where it cannot, the margin alone says what is stable.

    >>> [decides(heads, "majority") for heads in (1, 2, 3, 4)]
    [False, True, False, True]
    """
    return 2 * votes_needed(heads, vote) > heads + 1


def agreed(logits: Tensor, vote: Vote) -> Tensor:
    """Where enough heads are on one side. logits: (H, ...). Returns (...) bool."""
    heads, needed = len(logits), votes_needed(len(logits), vote)
    votes = (logits > 0).sum(0)
    return (votes >= needed) | (heads - votes >= needed)


def regions(
    logits: Tensor, strength: Tensor, asked: Tensor, shown: Tensor, rule: RegionRule
) -> Regions:
    """The regions of a batch.

    logits: (H, B, K, T, h, w) without gradient. strength: (B, K, T, h, w) of edges, see `edges`.
    asked: (B, K) bool. shown: (B, T) bool.

    The margin is ordered as |z| is, which is used in its place: it still tells pixels apart where p
    is 1 to the last bit.
    """
    there = (asked[:, :, None] & shown[:, None])[..., None, None]
    margin = logits[0].abs()
    low, high = quantiles(margin, there, (rule.uncertain, rule.stable), rule.scope)
    (steep,) = quantiles(strength, there, (rule.edge,), rule.scope)
    uncertain = (margin < low) | (strength > steep)
    stable = agreed(logits, rule.vote) & (margin >= high)
    return Regions(stable=stable & there, uncertain=uncertain & there)


def edges(p: Tensor, padding: Literal["replicate", "zeros"]) -> Tensor:
    """Gradient magnitude of maps by Sobel's kernels / 8. p: (..., h, w). Returns the same shape."""
    mode = "replicate" if padding == "replicate" else "constant"
    wide = F.pad(p.flatten(0, -3)[:, None], (1, 1, 1, 1), mode=mode)[:, 0]
    down = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    across = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
    x, y = down[:, :, 2:] - down[:, :, :-2], across[:, 2:] - across[:, :-2]
    return ((x * x + y * y).sqrt() / 8).view_as(p)


def quantiles(
    values: Tensor, there: Tensor, shares: Sequence[float], scope: Literal["prompt", "clip"]
) -> list[Tensor]:
    """Quantiles of the pixels that are there, with linear interpolation between neighbours.

    values: (B, K, T, h, w). there: (B, K, T, 1, 1) bool. Returns, for each share, (B, K, 1, 1, 1),
    or (B, 1, 1, 1, 1) for the scope "clip"; infinite where no pixel is there.
    """
    start = 2 if scope == "prompt" else 1
    there = there.expand_as(values)
    rows = torch.where(there, values, torch.inf).flatten(start).sort(-1).values
    last = (there.flatten(start).sum(-1, keepdim=True) - 1).clamp(min=0)
    found = []
    for share in shares:
        place = share * last.double()
        below = place.long()
        low = rows.gather(-1, below)
        high = rows.gather(-1, torch.minimum(below + 1, last))
        between = torch.lerp(low, high, (place - below).to(low))
        found.append(torch.where(low == high, low, between))
    return [each.reshape(*each.shape[:-1], *[1] * (values.ndim - start)) for each in found]
