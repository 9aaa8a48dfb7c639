"""What ``summary.json`` says: realised rates, IoU quantiles, counts of what was odd."""

from __future__ import annotations

import json
import math
import os
import platform
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.digests import json_digest
from actiseg_data.layouts.image_sets import image_sets_files
from actiseg_data.opencv import load_cv2
from actiseg_data.records import SUMMARY_SCHEMA
from actiseg_noise import __version__
from actiseg_noise.journal import SequenceRecord
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


class Figures:
    """What the summary needs of every ledger row, in a few bytes each.

    iou, iou_drawn, area_ratio: numbers by kind. by_size: on-disk IoU by size class. status: counts
    by kind.
    """

    def __init__(self) -> None:
        self.iou: dict[str, array[float]] = {}
        self.iou_drawn: dict[str, array[float]] = {}
        self.area_ratio: dict[str, array[float]] = {}
        self.by_size: dict[str, array[float]] = {name: array("d") for name, _ in SIZES}
        self.status: dict[str, Counter[str]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one row, as JSON has it."""
        kind = row["kind"]
        for name in ("iou", "iou_drawn", "area_ratio"):
            getattr(self, name).setdefault(kind, array("d")).append(row[name])
        self.by_size[size_of(row["area"])].append(row["iou"])
        self.status.setdefault(kind, Counter())[row["status"]] += 1

    def to_dict(self) -> dict[str, Any]:
        """On-disk IoU first, because it is what a reader of the split gets; then what was drawn."""
        kinds = sorted(self.status)

        def by_kind(numbers: dict[str, array[float]]) -> dict[str, Any]:
            return {kind: quantiles(numbers[kind]) for kind in kinds}

        def of_all(numbers: dict[str, array[float]]) -> dict[str, Any]:
            return {"all": quantiles(chain.from_iterable(numbers[kind] for kind in kinds))}

        return {
            "iou": of_all(self.iou) | by_kind(self.iou),
            "iou_by_size": {size: quantiles(numbers) for size, numbers in self.by_size.items()},
            "iou_drawn": of_all(self.iou_drawn) | by_kind(self.iou_drawn),
            "area_ratio": by_kind(self.area_ratio),
            "status": {kind: dict(sorted(self.status[kind].items())) for kind in kinds},
        }


def identity_of(request: Request, plan: Plan) -> dict[str, Any]:
    """What two runs have in common that make the same folder, but for the clean masks."""
    (noise,) = plan.recipe.noises
    return {
        "recipe_digest": plan.recipe.digest,
        "dataset_fingerprint": plan.split.fingerprint,
        "images": request.images_taken,
        # Of an exact recipe it depends on all masks of the split.
        **({"threshold": plan.threshold} if noise.exact else {}),
        "sequences": [sequence.folder for sequence in plan.sequences],
    }


def summarise(request: Request, plan: Plan, records: Iterable[SequenceRecord]) -> dict[str, Any]:
    """The summary document of a run, but for its identity and the time that it took.

    records: of the plan's sequences, in order; taken one at a time.
    """
    figures, tally = Figures(), Counter[str]()
    bystander_ious = array("d")
    clean: dict[str, list[str]] = {}
    selected = 0
    for record in records:
        for row in record.rows:
            figures.add(json.loads(row))
        selected += len(record.rows)
        tally.update(record.tally)
        bystander_ious.extend(record.bystander_ious)
        clean[record.folder] = record.clean_digests
    (noise,) = plan.recipe.noises
    split = plan.split
    items = tally["items"]
    interval = None if noise.exact else wilson_interval(selected, items)
    not_reached = sum(
        count
        for counts in figures.status.values()
        for status, count in counts.items()
        if status not in ("met", "fixed")
    )
    return {
        "schema": SUMMARY_SCHEMA,
        "source": _relative(split.root, request.out),
        "split": split.name,
        "clean_masks_digest": json_digest(clean),
        "frames": sum(len(sequence.frames) for sequence in plan.sequences),
        "noise": {
            "kind": noise.kind,
            "rate": noise.rate,
            "items": items,
            "selected": selected,
            "realised_rate": round(selected / items, 6) if items else None,
            "interval_95": [round(bound, 6) for bound in interval] if interval else None,
            **figures.to_dict(),
        },
        "bystanders": {
            "items": tally["bystanders"],
            "cut": tally["bystanders_cut"],
            "iou_of_cut": quantiles(bystander_ious),
        },
        "handled": {
            "absent_from_frame": tally["absent"],
            "vanished_from_disk": tally["vanished"],
            "target_not_reached": not_reached,
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
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of every library that pixels pass through."""
    import numpy
    import PIL
    import shapely

    modules = {
        "numpy": numpy,
        "opencv": load_cv2(),
        "shapely": shapely,
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
