"""The noise in labels of some sequences, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_data.records.ledger_record import LabelRow


@dataclass(frozen=True)
class LabelPlan:
    """The noise of one kind in the labels of some sequences.

    Attributes
    ----------
    threshold : float
        Objects with a selection draw below it were selected.
    rows : mapping of str to sequence of LabelRow
        The ledger's rows by sequence folder, for all sequences.
    tally : Counter
        Counts. ``items`` are the objects that could be selected. For the others see
        `actiseg_noise.label_noise.activity_flips.plan_activity` and
        `actiseg_noise.label_noise.class_draws.plan_class_noise`.
    """

    threshold: float
    rows: Mapping[str, Sequence[LabelRow]]
    tally: Counter[str]

    @property
    def selected(self) -> int:
        """The number of selected objects."""
        return sum(map(len, self.rows.values()))

    @property
    def changes(self) -> dict[str, dict[int, Any]]:
        """The new label of each selected object, by sequence folder and object id."""
        return {
            folder: {row.object_id: row.value for row in rows} for folder, rows in self.rows.items()
        }
