"""Roots prepared from real VISOR videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.make.prepare.preparation import prepare_visor
from actiseg_data.make.prepare.preparation_report import PrepareReport

Histogram = dict[int, int]
TABLES = ("validation", "uda_source_train", "uda_source_val", "uda_target_val")


@dataclass(frozen=True)
class Prepared:
    root: Path
    report: PrepareReport

    def split(self, name: str) -> Split:
        return open_split(self.root, name)

    def histogram(self, kind: str, subset: str, folder: str, frame: int) -> Histogram:
        path = self.root / kind / subset / folder / f"frame_{frame:010d}.png"
        return histogram(read_index_mask(path))


def histogram(mask: np.ndarray) -> Histogram:
    values, counts = np.unique(mask, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def prepare_real(
    real_data: Path, folder: Path, split: str, videos: tuple[str, ...] | None, **more: Any
) -> Prepared:
    """Prepare some real videos in a folder; `videos` None means all videos of the split."""
    annotations = real_data / "visor" / split
    if videos is not None:
        annotations = folder / "annotations"
        annotations.mkdir()
        for video in videos:
            source = real_data / "visor" / split / f"{video}.json.gz"
            (annotations / source.name).write_bytes(source.read_bytes())
    arguments = {
        "narrations": [real_data / "epic" / f"EPIC_100_{table}.csv" for table in TABLES],
        "out": folder / "root",
    } | more
    report = prepare_visor(
        annotations=annotations,
        split=split,
        frame_mapping=real_data / "visor/frame_mapping.json.gz",
        noun_classes=real_data / "epic/EPIC_100_noun_classes_v2.csv",
        hos_corrections=real_data / "visor/hos_corrections.json",
        **arguments,
    )
    return Prepared(arguments["out"], report)
