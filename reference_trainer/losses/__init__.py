"""Losses and selection rules for any model: functions of its logits and labels.

A *logit* z is the score of one pixel (or of one object) for the foreground, and p = sigmoid(z) its
chance. Labels are 0 or 1, float. Losses have a gradient with respect to logits, and are stable for
all finite logits. Nothing else of this package is needed to use them.

* Losses of each pixel, for all shapes: `bce`, `mae`, `focal`, `gce`, `truncated_gce`, `rce`, `sce`,
  `nce`, `ngce`, `nfl`, `partial_hard`, `partial_soft`, `negative`, `confidence_penalty`, and `elr`,
  the regulariser of early learning with `EarlyTargets`. `match_focal_scale` gives the factor that
  makes one of them as large as the focal loss.
* Losses of regions: `dice`, `tversky`, and `symmetric_kl` between two heads.
* Rules of selection: `select_small_losses` (co-teaching), `find_regions` (PMHM) with
  `perturb_features` for its robust heads, `average_hardest` (SMART).

Examples
--------
>>> import torch
>>> logits, labels = torch.tensor([0.0, 4.0]), torch.tensor([1.0, 0.0])
>>> [round(value, 3) for value in gce(logits, labels, q=0.7).tolist()]
[0.549, 1.343]
"""

from __future__ import annotations

from reference_trainer.losses.early_targets import EarlyTargets
from reference_trainer.losses.region_losses import dice, tversky
from reference_trainer.losses.selection_rules import (
    find_regions,
    perturb_features,
    select_small_losses,
)
from reference_trainer.strategies.base import match_focal_scale
from reference_trainer.strategies.losses import (
    average_hardest,
    bce,
    confidence_penalty,
    elr,
    focal,
    gce,
    mae,
    nce,
    negative,
    nfl,
    ngce,
    partial_hard,
    partial_soft,
    rce,
    sce,
    symmetric_kl,
    truncated_gce,
)
from reference_trainer.strategies.trusted_regions import Regions

__all__ = [
    "EarlyTargets",
    "Regions",
    "average_hardest",
    "bce",
    "confidence_penalty",
    "dice",
    "elr",
    "find_regions",
    "focal",
    "gce",
    "mae",
    "match_focal_scale",
    "nce",
    "negative",
    "nfl",
    "ngce",
    "partial_hard",
    "partial_soft",
    "perturb_features",
    "rce",
    "sce",
    "select_small_losses",
    "symmetric_kl",
    "truncated_gce",
    "tversky",
]
