"""Folders of small VISOR files, and their noisy copies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.polygon_recipes import convert_to_polygons
from tests.helpers.visor_files import entity, frame, rectangle, scene

EXTRA = {"exhaustive": "inconclusive", "note of a user": [None, {"deep": 1.5}]}


def make_document(video: str = "P01_01") -> dict[str, Any]:
    """Three frames: plain, with a hole and a repeated name, and one with odd entities."""
    ring, hole = rectangle(200, 200, 600, 500), rectangle(350, 350, 200, 200)
    return {
        "info": {"Dataset Name": "VISOR", "own": ["kept", 1]},
        "video_annotations": [
            scene(10, video),
            frame(
                20,
                entity("cup", 20, ring, hole, **EXTRA),
                entity("cup", 20, rectangle(1200, 300, 200, 200), id="b" * 32),
                entity("left hand", 20, rectangle(0, 700, 400, 380), in_contact_object="b" * 32),
                video=video,
            ),
            frame(
                30,
                entity("plate", 30),
                entity("tap", 30, [[1.0, 2.0], [3.0, 4.0]], rectangle(900, 400, 90, 90)),
                entity("glove", 30, rectangle(5000, 400, 90, 90), on_which_hand="inconclusive"),
                video=video,
            ),
        ],
    }


def make_folder(folder: Path, videos: tuple[str, ...] = ("P01_01", "P01_02")) -> Path:
    """The layout of VISOR's download, the second file packed."""
    for number, video in enumerate(videos):
        data = json.dumps(make_document(video)).encode()
        path = folder / "val" / (f"{video}.json.gz" if number else f"{video}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data) if number else data)
    return folder


def read(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def polygon_recipe(kind: str = "jitter", rate: float = 1.0, **settings: Any) -> Recipe:
    return convert_to_polygons(make_recipe(kind, rate, **({"split": "val"} | settings)))
