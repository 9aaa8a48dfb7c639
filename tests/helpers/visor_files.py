"""Small VISOR files and narration tables, made in a test's folder."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actiseg_data.make.prepare.preparation import prepare_visor
from actiseg_data.make.prepare.preparation_report import PrepareReport

VIDEO = "P01_01"
CLASSES = {"cup": 13, "plate": 2, "tap": 0, "left hand": 300, "right hand": 301, "glove": 60}
COLUMNS = (
    *("narration_id", "participant_id", "video_id", "narration_timestamp"),
    *("start_timestamp", "stop_timestamp", "start_frame", "stop_frame"),
    *("narration", "verb", "verb_class", "noun", "noun_class", "all_nouns", "all_noun_classes"),
)


def rectangle(left: float, top: float, width: float, height: float) -> list[list[float]]:
    right, bottom = left + width, top + height
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def entity_id(name: str, frame: int) -> str:
    return hashlib.md5(f"{name}{frame}".encode(), usedforsecurity=False).hexdigest()


def entity(name: str, frame: int, *polygons: list[list[float]], **more: Any) -> dict[str, Any]:
    """An entity; `iterate_touches` names the entity that it touches."""
    made = {
        "id": entity_id(name, frame),
        "name": name,
        "class_id": CLASSES.get(name, 11),
        "exhaustive": "y",
        "segments": list(polygons),
    }
    if "touches" in more:
        made["in_contact_object"] = entity_id(more.pop("touches"), frame)
    return made | more


def frame(number: int, *entities: dict[str, Any], video: str = VIDEO) -> dict[str, Any]:
    name = f"{video}_frame_{number:010d}.jpg"
    image = {
        "image_path": f"{video}/{name}",
        "name": name,
        "subsequence": f"{video}_seq_00001",
        "video": video,
    }
    return {"image": image, "annotations": list(entities)}


def scene(number: int, video: str = VIDEO) -> dict[str, Any]:
    """A right hand on a cup, and a plate apart."""
    return frame(
        number,
        entity("plate", number, rectangle(1400, 100, 300, 200)),
        entity("cup", number, rectangle(400, 400, 200, 200)),
        entity("right hand", number, rectangle(590, 450, 200, 100), touches="cup"),
        video=video,
    )


def narration(
    running: int, start: int, stop: int, text: str = "take cup", video: str = VIDEO, **more: Any
) -> dict[str, Any]:
    verb, _, noun = text.partition(" ")
    class_id = CLASSES.get(noun, 11)
    return {
        "narration_id": f"{video}_{running}",
        "participant_id": video.partition("_")[0],
        "video_id": video,
        "narration_timestamp": "00:00:01.000",
        "start_timestamp": "00:00:01.00",
        "stop_timestamp": "00:00:02.00",
        "start_frame": start,
        "stop_frame": stop,
        "narration": text,
        "verb": verb,
        "verb_class": 0,
        "noun": noun,
        "noun_class": class_id,
        "all_nouns": f"['{noun}']",
        "all_noun_classes": f"[{class_id}]",
    } | more


def human_record(seq_id: int, start: int, end: int, **more: Any) -> dict[str, Any]:
    """A labelled sequence of two `scene` frames, taking the cup, which a person calls negative."""
    labels = [("cup", 1, 1, 0), ("plate", 0, 0, 1), ("right hand", 1, 0, 1)]
    return {
        "seq_id": seq_id,
        "video": VIDEO,
        "start": start,
        "narration": "take cup",
        "verb": "take",
        "verb_class": 0,
        "noun": "cup",
        "noun_class": 13,
        "end": end,
        "sparse_frames": [f"frame_{n:010d}.jpg" for n in (start, end)],
        "object_classes": {
            str(i): {
                "name": name,
                "class_id": CLASSES[name],
                "handbox": handbox,
                "narration": named,
                "positive": positive,
            }
            for i, (name, handbox, named, positive) in enumerate(labels, 1)
        },
        "redundant": False,
        "missing": True,
        "other": False,
    } | more


@dataclass
class VisorFiles:
    """The inputs of one `prepare_visor`: change what a test is about, then `prepare`."""

    folder: Path
    videos: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {VIDEO: [scene(10), scene(20), scene(30), scene(40)]}
    )
    rows: list[dict[str, Any]] = field(
        default_factory=lambda: [narration(0, 10, 20), narration(1, 30, 40, "wash plate")]
    )
    mapping: dict[str, dict[str, str]] | None = None

    @property
    def annotations(self) -> Path:
        return self.folder / "annotations"

    @property
    def out(self) -> Path:
        return self.folder / "root"

    def write_json(self, file: str, document: Any) -> Path:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    def write_table(self, file: str, rows: Sequence[dict[str, Any]]) -> Path:
        path = self.folder / file
        with path.open("w", newline="") as stream:
            table = csv.DictWriter(stream, COLUMNS)
            table.writeheader()
            table.writerows(rows)
        return path

    def write(self) -> dict[str, Any]:
        """Write the files; returns arguments for `prepare_visor`."""
        for video, frames in self.videos.items():
            self.write_json(f"annotations/{video}.json", {"info": {}, "video_annotations": frames})
        mapping = self.mapping
        if mapping is None:
            mapping = {
                video: {
                    f["image"]["name"]: f["image"]["name"].removeprefix(f"{video}_") for f in frames
                }
                for video, frames in self.videos.items()
            }
        classes = self.folder / "classes.csv"
        lines = [f"{i},{n},\"['{_compound(n)}']\",things" for n, i in CLASSES.items()]
        classes.write_text(
            "\n".join(["id,key,instances,category", *lines, "11,box,['box'],things"])
        )
        return {
            "annotations": self.annotations,
            "split": "val",
            "frame_mapping": self.write_json("mapping.json", mapping),
            "narrations": [self.write_table("narrations.csv", self.rows)],
            "noun_classes": classes,
            "out": self.out,
        }

    def prepare(self, **more: Any) -> PrepareReport:
        return prepare_visor(**(self.write() | more))


def _compound(name: str) -> str:
    words = name.split()
    return ":".join([words[-1], *words[:-1]])


def tree(root: Path) -> dict[str, bytes]:
    """All files below a folder, by path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
