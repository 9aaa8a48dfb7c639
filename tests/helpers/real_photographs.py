"""An ActionVOS root of the ten real photographs of VISOR that lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import read_csv
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import make_image_sets

VIDEO = "P03_101"
TRAINED = ("P03_101_5", "P03_101_9")
"""Narrations with two photographs each: pick up washing up bowl, squeeze washing up liquid."""
TESTED = ("P03_101_6", "P03_101_0")
"""Pour out water from bowl, with two photographs, and turn on tap, with one."""

_COLUMNS = ("narration_id", "verb_class", "noun", "noun_class")


def make_photograph_root(real_data: Path, root: Path) -> Path:
    """Make a root with the splits `train` and `val_human`, of two sequences each."""
    source = real_data / "photographs" / f"visor_{VIDEO}"
    index = json.loads((source / "index.json").read_text())
    narrations = {item["narration_id"]: item for item in index["narrations"]}
    table = read_csv(real_data / "epic" / "EPIC_100_uda_target_val.csv", _COLUMNS)
    rows = {row["narration_id"]: row for row in table if row["narration_id"] in narrations}
    root.mkdir(parents=True)
    (root / "LICENSE").write_text("SPDX-License-Identifier: CC-BY-NC-4.0\n")
    for split, subset, names in (("train", "train", TRAINED), ("val_human", "val", TESTED)):
        sequences = [
            _make_sequence(number, rows[name] | narrations[name], index)
            for number, name in enumerate(names, 1)
        ]
        for name, document in make_image_sets(split, sequences).items():
            write_json(root / IMAGE_SETS / name, document)
        for sequence in sequences:
            for kind, original, ending in (
                (FRAMES, "JPEGImages", "jpg"),
                (MASKS, "Annotations", "png"),
            ):
                folder = root / kind / subset / sequence.folder
                folder.mkdir(parents=True)
                for frame in sequence.frames:
                    file = source / original / VIDEO / f"{frame}.{ending}"
                    (folder / file.name).symlink_to(file)
    return root


def _make_sequence(number: int, row: dict[str, Any], index: dict[str, Any]) -> VideoSequence:
    """Objects are active if the narration names them, and hands are; no contacts are known."""
    numbers = row["frames_here"]
    seen = {name for frame in numbers for name in index["objects_in_frame"][str(frame)]}
    nouns = {" ".join(reversed(noun.split(":", 1))) for noun in _list_nouns(row)}
    nouns = {noun.replace(":", " ") for noun in nouns}
    objects = []
    for item in index["objects"]:
        if item["name"] in seen:
            named = item["name"] in nouns or item["name"].split()[-1] in nouns
            active = named or item["name"].endswith(" hand")
            label = ObjectLabel(
                item["id"], item["name"], item["class_id"], active, active and not named, named
            )
            objects.append(label)
    return VideoSequence(
        folder=f"{number:08d}_{VIDEO}_{row['verb']}_{row['noun']}",
        seq_id=number,
        video=VIDEO,
        start=row["start_frame"],
        end=row["stop_frame"],
        narration=row["narration"],
        verb=row["verb"],
        verb_class=int(row["verb_class"]),
        noun=row["noun"],
        noun_class=int(row["noun_class"]),
        frames=tuple(f"frame_{frame:010d}" for frame in numbers),
        objects=tuple(objects),
    )


def _list_nouns(row: dict[str, Any]) -> list[str]:
    return [noun.strip(" '\"") for noun in row["all_nouns"].strip("[]").split(",")]
