"""The figures of a noisy split: realised rates, IoU quantiles, counts of what was odd."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from actiseg_data.records import LedgerRow

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

SIZES = (("tiny", 0), ("small", 400), ("medium", 1500), ("large", 10_000))
"""Names of object sizes and the least clean area in mask pixels of each."""


def wilson_interval(hits: int, total: int, z: float = 1.959964) -> tuple[float, float] | None:
    """95 % interval of a rate (Wilson 1927), or None for no trial.

    >>> [round(v, 3) for v in wilson_interval(40, 100)]
    [0.309, 0.498]
    """
    if not total:
        return None
    rate = hits / total
    centre = rate + z * z / (2 * total)
    spread = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def size_of(area: int) -> str:
    """The name of an object's size class.

    >>> size_of(399), size_of(400)
    ('tiny', 'small')
    """
    return [name for name, least in SIZES if area >= least][-1]


def quantiles(values: Iterable[float]) -> dict[str, Any]:
    """Count, mean and `QUANTILES` of some numbers; None where there are none."""
    numbers = np.fromiter(values, float)
    if not len(numbers):
        return {"n": 0, "mean": None} | {f"q{round(100 * q):02d}": None for q in QUANTILES}
    return {"n": len(numbers), "mean": round(float(numbers.mean()), 6)} | {
        f"q{round(100 * q):02d}": round(float(np.quantile(numbers, q)), 6) for q in QUANTILES
    }


def summarise_rows(rows: list[LedgerRow]) -> dict[str, Any]:
    """On-disk IoU first, because it is what a reader of the split gets; then what was drawn."""
    kinds = sorted({row.kind for row in rows})
    sizes = [name for name, _ in SIZES]
    return {
        "iou": {"all": quantiles(row.iou for row in rows)}
        | {kind: quantiles(row.iou for row in rows if row.kind == kind) for kind in kinds},
        "iou_by_size": {
            size: quantiles(row.iou for row in rows if size_of(row.area) == size) for size in sizes
        },
        "iou_drawn": {"all": quantiles(row.iou_drawn for row in rows)}
        | {kind: quantiles(row.iou_drawn for row in rows if row.kind == kind) for kind in kinds},
        "area_ratio": {
            kind: quantiles(row.area_ratio for row in rows if row.kind == kind) for kind in kinds
        },
        "status": {
            kind: dict(sorted(Counter(row.status for row in rows if row.kind == kind).items()))
            for kind in kinds
        },
    }
