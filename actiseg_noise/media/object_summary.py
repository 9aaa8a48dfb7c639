"""The section ``objects`` of ``summary.json``: what the noise of whole objects did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.recipe_record import OBJECT_KINDS, RECIPE_FILE, Recipe
from actiseg_noise.media.summary_sections import compare_members, describe_noise
from actiseg_noise.split.noisy_documents import SplitDocuments

OBJECT_SECTION = "objects"


class ObjectStatistics:
    """Counts of the ledger's rows for whole objects.

    Attributes
    ----------
    recipe : Recipe
        The recipe, which says what one draw selects.
    selected : Counter of str
        Units with noise by kind, see `actiseg_noise.mask_noise.object_units.list_units`.
    rows : Counter of str
        Objects in frames that changed, by kind.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.selected = Counter[str]()
        self.rows = Counter[str]()

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add all rows of a sequence, or of several, in their JSON form."""
        units = set()
        for row in rows:
            if row["kind"] in OBJECT_KINDS:
                self.rows[row["kind"]] += 1
                unit = self._identify_unit(row)
                if unit is not None:
                    units.add(unit)
        self.selected.update(unit[0] for unit in units)

    def _identify_unit(self, row: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return what distinguishes the unit that a row belongs to.

        None for the object that others are merged into: the rows of these have the units.
        """
        kind, parameters = row["kind"], row["parameters"]
        noise = self.recipe.find_object_noise(kind)
        if kind == "merge" and "into" not in parameters:
            return None
        ids = [row["object_id"], *([parameters["with"]] if kind == "swap" else [])]
        frame = None if noise is None or noise.span == "clip" else row["frame"]
        return (kind, row["sequence"], frame, *sorted(ids))

    def describe_kinds(self, items: Mapping[str, int]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Describe each kind: its rate, span, units, and changed objects in frames."""
        for noise in self.recipe.object_noises:
            counts = describe_noise(noise, self.selected[noise.kind], items[noise.kind])
            yield noise.kind, {**counts, "span": noise.span, "rows": self.rows[noise.kind]}

    def to_dict(self, tally: Mapping[str, int]) -> dict[str, Any]:
        """Return the JSON form; `tally` has the counts of `FrameNoise.tally`."""
        items = {noise.kind: tally[f"{noise.kind}.items"] for noise in self.recipe.object_noises}
        return dict(self.describe_kinds(items))


def compare_object_section(documents: SplitDocuments) -> Iterator[str]:
    """Compare the section with what recipe and ledger give; yield a line for each difference."""
    recipe, section = documents.recipe, documents.read_section(OBJECT_SECTION)
    statistics = ObjectStatistics(recipe)
    statistics.add(vars(row) for row in documents.object_rows)
    for noise in recipe.object_noises:
        members = section.get(noise.kind)
        counts = {
            "selected": statistics.selected[noise.kind],
            "span": noise.span,
            "rows": statistics.rows[noise.kind],
        }
        known = members if isinstance(members, Mapping) else {}
        yield from compare_members(known, f"{OBJECT_SECTION}.{noise.kind}", counts, noise)
    for kind in sorted(statistics.rows.keys() - {noise.kind for noise in recipe.object_noises}):
        yield f"{LEDGER_FILE}: has rows of the kind {kind!r}, which {RECIPE_FILE} lacks"
