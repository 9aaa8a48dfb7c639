"""What ``summary.json`` says: realised rates, IoU quantiles, counts of what was odd."""

from __future__ import annotations

import math
import os
import platform
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.layouts.image_sets import image_sets_files
from actiseg_data.opencv import load_cv2
from actiseg_data.records import SUMMARY_SCHEMA, LedgerRow
from actiseg_noise import __version__
from actiseg_noise.output import SequenceRecord
from actiseg_noise.plan import Plan
from actiseg_noise.request import Request

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


def identity_of(request: Request, plan: Plan) -> dict[str, Any]:
    """What two runs have in common that make the same folder from the same data."""
    return {
        "recipe_digest": plan.recipe.digest,
        "dataset_fingerprint": plan.split.fingerprint,
        "clean_masks_digest": plan.clean_masks_digest,
        "images": request.images_taken,
        "sequences": [sequence.folder for sequence in plan.sequences],
    }


def summarise(request: Request, plan: Plan, records: list[SequenceRecord]) -> dict[str, Any]:
    """The summary document of a run, but for its identity and the time that it took."""
    rows = [row for record in records for row in record.rows]
    tally = sum((record.tally for record in records), Counter())
    bystander_ious = [value for record in records for value in record.bystander_ious]
    (noise,) = plan.recipe.noises
    split = plan.split
    interval = None if noise.exact else wilson_interval(len(rows), plan.items)
    return {
        "schema": SUMMARY_SCHEMA,
        "source": _relative(split.root, request.out),
        "split": split.name,
        "frames": sum(len(sequence.frames) for sequence in plan.sequences),
        "noise": {
            "kind": noise.kind,
            "rate": noise.rate,
            "items": plan.items,
            "selected": len(rows),
            "realised_rate": round(len(rows) / plan.items, 6) if plan.items else None,
            "interval_95": [round(bound, 6) for bound in interval] if interval else None,
            **summarise_rows(rows),
        },
        "bystanders": {
            "items": tally["bystanders"],
            "cut": tally["bystanders_cut"],
            "iou_of_cut": quantiles(bystander_ious),
        },
        "handled": {
            "absent_from_frame": tally["absent"],
            "vanished_from_disk": tally["vanished"],
            "target_not_reached": sum(row.status not in ("met", "fixed") for row in rows),
            "sequences_without_active_object": sum(
                not any(label.positive for label in sequence.objects) for sequence in plan.sequences
            ),
            "names_with_colon": sum(":" in sequence.folder for sequence in plan.sequences),
            "companion_files_missing": sum(
                name not in plan.image_sets for name in image_sets_files(split.name)
            ),
        },
        "weights": "left out: the source's are made from clean masks",
        "toolkit": f"actiseg {__version__}",
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    import contourpy
    import numpy
    import PIL
    import shapely

    modules = {
        "numpy": numpy,
        "opencv": load_cv2(),
        "shapely": shapely,
        "contourpy": contourpy,
        "pillow": PIL,
    }
    versions = {name: module.__version__ for name, module in modules.items()}
    return {"python": platform.python_version(), **versions, "geos": shapely.geos_version_string}


def _relative(source: Path, out: Path) -> str:
    """The source as seen from the output folder."""
    try:
        return Path(os.path.relpath(source.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return source.name
