"""The section ``labels`` of ``summary.json``: what noise in labels did."""

from __future__ import annotations

from typing import Any

from actiseg_data.records.recipe_record import ACTIVITY, Noise
from actiseg_noise.label_noise.label_plan import LabelPlan
from actiseg_noise.media.medium import SectionBuilder
from actiseg_noise.media.summary_sections import describe_noise, describe_rate
from actiseg_noise.split.journal import SequenceRecord


class LabelSection(SectionBuilder):
    """Summarise the noise of one kind in labels, which is planned before any file is written."""

    def __init__(self, noise: Noise, labels: LabelPlan) -> None:
        self.noise = noise
        self.labels = labels

    def add(self, record: SequenceRecord) -> None:
        """Do nothing: the plan has everything."""

    def build_members(self) -> dict[str, Any]:
        """Build the part of ``labels`` for the kind."""
        return {"labels": {self.noise.kind: build_label_section(self.noise, self.labels)}}

    def count_handled(self) -> dict[str, int]:
        """Count sequences that lost all active labels, or objects without another category."""
        tally = self.labels.tally
        if self.noise.kind == ACTIVITY:
            return {"sequences_left_without_active_label": tally["emptied"]}
        return {"unknown_category": tally["unknown"], "no_other_category": tally["alone"]}


def build_label_section(noise: Noise, labels: LabelPlan) -> dict[str, Any]:
    """Build the summary of the noise of one kind.

    For ``activity`` it has the shares of the active objects that were forgotten, and of the
    inactive ones that were marked, among those that the noise may change. For ``class`` it has the
    share of the objects whose category differs, which is below that of the selected objects if an
    object may get its own category.
    """
    tally = labels.tally
    section = {
        **describe_noise(noise, labels.selected, tally["items"]),
        "change": noise.change,
    }
    if noise.kind != ACTIVITY:
        changed = describe_rate(tally["changed"], tally["items"], exact=False)
        return section | {"own": noise.parameters["own"], "changed": changed}
    forgotten = sum(row.value_org is True for rows in labels.rows.values() for row in rows)
    marked = labels.selected - forgotten
    return section | {
        "forgotten": describe_rate(forgotten, tally["active"], exact=False),
        "marked": describe_rate(marked, tally["inactive"], exact=False),
    }
