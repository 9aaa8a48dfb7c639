"""The section of ``summary.json`` about polygons: what their noise did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from actiseg_data.records.recipe_record import Noise
from actiseg_noise.media.mask_summary import MaskStatistics
from actiseg_noise.media.medium import SectionBuilder
from actiseg_noise.media.summary_sections import describe_noise
from actiseg_noise.split.journal import SequenceRecord

SUMMARISED: Mapping[str, tuple[str, ...]] = {
    "items": ("noise", "items"),
    "polygons_clean": ("noise", "polygons", "clean"),
    "polygons_noisy": ("noise", "polygons", "noisy"),
    "crossing_clean": ("handled", "crossing_polygons_repaired"),
    "crossing_snapped": ("handled", "snapped_polygons_repaired"),
    "kept": ("handled", "too_small_or_outside_kept"),
    "short_polygons": ("handled", "short_polygons"),
}
"""Counts of `SequencePolygons`, and where ``summary.json`` has them."""


class PolygonSection(SectionBuilder):
    """Summarise the polygon noise of a run."""

    def __init__(self, noise: Noise) -> None:
        self.noise = noise
        self.statistics = MaskStatistics()
        self.tally = Counter[str]()

    def add(self, record: SequenceRecord) -> None:
        """Take in the record of one sequence."""
        for row in map(json.loads, record.rows):
            self.statistics.add(row)
        self.tally.update(record.tally)

    def build_members(self) -> dict[str, Any]:
        """Build ``noise``."""
        polygons = {name: self.tally[f"polygons_{name}"] for name in ("clean", "noisy")}
        noise = describe_noise(self.noise, self.statistics.selected, self.tally["items"])
        return {"noise": noise | {"polygons": polygons} | self.statistics.to_dict()}

    def count_handled(self) -> dict[str, int]:
        """Count polygons that were repaired or kept, and targets that were not reached."""
        handled = {
            place[1]: self.tally[name]
            for name, place in SUMMARISED.items()
            if place[0] == "handled"
        }
        return handled | {"target_not_reached": self.statistics.not_reached}
