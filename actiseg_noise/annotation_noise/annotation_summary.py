"""Build ``summary.json`` of a noisy copy of raw annotations."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actiseg_data import __version__
from actiseg_data.records.recipe_record import Recipe
from actiseg_data.records.split_documents import SUMMARY_SCHEMA
from actiseg_noise.media.library_versions import list_versions
from actiseg_noise.media.mask_summary import MaskStatistics
from actiseg_noise.media.summary_sections import describe_noise
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise
from actiseg_noise.split.journal import SequenceRecord

_HANDLED = {
    "entities_without_polygon": "absent",
    "crossing_polygons_repaired": "crossing_clean",
    "snapped_polygons_repaired": "crossing_snapped",
    "too_small_or_outside_kept": "kept",
    "short_polygons": "short_polygons",
}
"""Members of ``handled``, and the counts that they show."""


def summarise_annotations(
    recipe: Recipe, records: Sequence[SequenceRecord], folder: Path, out: Path
) -> dict[str, Any]:
    """Summarise a noisy copy, without its identity and its duration.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    records : sequence of SequenceRecord
        The records of all files.
    folder, out : Path
        The clean annotations, and the copy.
    """
    try:
        source = Path(os.path.relpath(folder.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        source = folder.name
    return {
        "schema": SUMMARY_SCHEMA,
        "source": source,
        "split": recipe.split,
        **summarise_polygons(recipe, records),
        "toolkit": f"actiseg {__version__}",
        "versions": list_versions(masks=True, language=False),
    }


def summarise_polygons(recipe: Recipe, records: Sequence[SequenceRecord]) -> dict[str, Any]:
    """Summarise what the noise did, as far as recipe and annotations decide it."""
    noise = choose_polygon_noise(recipe)
    statistics, tally = MaskStatistics(), Counter[str]()
    for record in records:
        for row in map(json.loads, record.rows):
            statistics.add(row)
        tally.update(record.tally)
    return {
        "frames": tally["frames"],
        "noise": describe_noise(noise, statistics.selected, tally["items"])
        | {"polygons": {"clean": tally["polygons_clean"], "noisy": tally["polygons_noisy"]}}
        | statistics.to_dict(),
        "handled": {member: tally[name] for member, name in _HANDLED.items()}
        | {"target_not_reached": statistics.not_reached},
    }
