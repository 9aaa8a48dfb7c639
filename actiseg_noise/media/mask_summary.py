"""The sections of ``summary.json`` about masks: what the noise of masks and objects did."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from actiseg_data.annotations.sizes import SIZES, classify_size
from actiseg_data.core.statistics import summarise_values
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.recipe_record import OBJECT_KINDS, Recipe
from actiseg_noise.mask_noise.frame_noise import APPEARED
from actiseg_noise.mask_noise.imported_masks import MEASURED
from actiseg_noise.media.medium import SectionBuilder
from actiseg_noise.media.object_summary import ObjectStatistics
from actiseg_noise.media.summary_sections import describe_noise
from actiseg_noise.split.journal import SequenceRecord

VOID_MASKS = "void_masks"
"""The count of masks with void pixels; it is absent if there is none."""


class MaskStatistics:
    """Statistics of the ledger's rows for masks, a few bytes per row.

    Attributes
    ----------
    iou, iou_drawn, area_ratio : dict of str to array
        The values by kind.
    iou_by_size : dict of str to array
        On-disk IoU by size class.
    status : dict of str to Counter
        Counts of each status by kind.
    """

    def __init__(self) -> None:
        self.iou: dict[str, array[float]] = {}
        self.iou_drawn: dict[str, array[float]] = {}
        self.area_ratio: dict[str, array[float]] = {}
        self.iou_by_size: dict[str, array[float]] = {name: array("d") for name, _ in SIZES}
        self.status: dict[str, Counter[str]] = {}

    @classmethod
    def from_rows(cls, rows: Iterable[MaskRow]) -> MaskStatistics:
        """Collect the statistics of ledger rows."""
        statistics = cls()
        for row in rows:
            statistics.add(vars(row))
        return statistics

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row for an outline, in its JSON form."""
        kind = row["kind"]
        for name in ("iou", "iou_drawn", "area_ratio"):
            values = getattr(self, name).setdefault(kind, array("d"))
            if name != "area_ratio" or row["area"]:
                values.append(row[name])
        self.iou_by_size[classify_size(row["area"])].append(row["iou"])
        self.status.setdefault(kind, Counter())[row["status"]] += 1

    @property
    def selected(self) -> int:
        """The number of rows."""
        return sum(len(values) for values in self.iou.values())

    @property
    def not_reached(self) -> int:
        """The number of rows that missed their target."""
        return sum(
            count
            for counts in self.status.values()
            for status, count in counts.items()
            if status not in ("met", "fixed", MEASURED, APPEARED)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: on-disk IoU first, because readers of the split get these masks."""
        kinds = sorted(self.status)

        def summarise_kinds(values: dict[str, array[float]]) -> dict[str, Any]:
            return {kind: summarise_values(values[kind]) for kind in kinds}

        def summarise_all(values: dict[str, array[float]]) -> dict[str, Any]:
            return {"all": summarise_values(chain.from_iterable(values[kind] for kind in kinds))}

        return {
            "iou": summarise_all(self.iou) | summarise_kinds(self.iou),
            "iou_by_size": {
                size: summarise_values(values) for size, values in self.iou_by_size.items()
            },
            "iou_drawn": summarise_all(self.iou_drawn) | summarise_kinds(self.iou_drawn),
            "area_ratio": summarise_kinds(self.area_ratio),
            "status": {kind: dict(sorted(self.status[kind].items())) for kind in kinds},
        }


class MaskSection(SectionBuilder):
    """Summarise the mask noise of a run."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.statistics = MaskStatistics()
        self.objects = ObjectStatistics(recipe)
        self.tally = Counter[str]()
        self.bystander_ious = array("d")

    def add(self, record: SequenceRecord) -> None:
        """Take in the record of one sequence."""
        rows = list(map(json.loads, record.rows))
        for row in rows:
            if row["kind"] not in OBJECT_KINDS:
                self.statistics.add(row)
        self.objects.add(rows)
        self.tally.update(record.tally)
        self.bystander_ious.extend(record.bystander_ious)

    def build_members(self) -> dict[str, Any]:
        """Build ``noise``, ``objects`` and ``bystanders``, the first two if there is such noise."""
        noise, members = self.recipe.mask_noise, dict[str, Any]()
        if noise is not None:
            rate = describe_noise(noise, self.statistics.selected, self.tally["items"])
            members["noise"] = rate | self.statistics.to_dict()
        if self.recipe.object_noises:
            members["objects"] = self.objects.to_dict(self.tally)
        return {
            **members,
            "bystanders": {
                "items": self.tally["bystanders"],
                "cut": self.tally["bystanders_cut"],
                "iou_of_cut": summarise_values(self.bystander_ious),
            },
        }

    def count_handled(self) -> dict[str, int]:
        """Count objects without pixels or partners, masks with void, and missed targets."""
        alone = {
            f"{noise.kind}_without_partner": self.tally[f"{noise.kind}.alone"]
            for noise in self.recipe.object_noises
            if noise.kind in ("merge", "swap")
        }
        if self.recipe.find_object_noise("ghost") is not None:
            alone["ghosts_hidden"] = self.tally["ghost.hidden"]
        if self.tally["void"]:
            alone[VOID_MASKS] = self.tally["void"]
        return alone | {
            "absent_from_frame": self.tally["absent"],
            "vanished_from_disk": self.tally["vanished"],
            "target_not_reached": self.statistics.not_reached,
        }
