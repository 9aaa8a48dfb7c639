"""A transcription of the rules of ActionVOS's public data loader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from actiseg_data.layouts.actionvos import MASKS, WEIGHTS


def load_as_published(root: Path, split: str) -> int:
    """Open every file that the public loader opens with ``--use_weights``, by its rules: lists by
    name, pictures by folder and frame, masks and weights converted to mode P. How many frames."""
    lists, subset, count = root / "ImageSets", "train", 0
    prompts = json.loads((lists / f"{split}_meta_expressions_promptaction.json").read_text())
    things = json.loads((lists / f"{split}_objects_category.json").read_text())["videos"]
    for folder, video in prompts["videos"].items():
        assert len(video["frames"]) >= 2
        for expression in video["expressions"].values():
            thing = things[folder]["objects"][expression["obj_id"]]
            assert thing["class_id"] == expression["class_id"]
            assert expression["positive"] in (0, 1)
            assert expression["exp"]
        for frame in video["frames"]:
            assert (root / "JPEGImages_Sparse" / subset / folder / f"{frame}.jpg").read_bytes()
            with Image.open(root / MASKS / subset / folder / f"{frame}.png") as image:
                assert image.mode == "P"
                mask = np.array(image.convert("P"))
            with Image.open(root / WEIGHTS / subset / folder / f"{frame}.png") as image:
                assert image.mode == "P"
                weights = np.array(image.convert("P"))
            assert weights.shape == mask.shape
            assert set(np.unique(weights)) <= {1, 2, 3, 4}
            assert (weights[mask == 0] == 1).all()
            ids = {int(expression["obj_id"]) for expression in video["expressions"].values()}
            assert set(np.unique(mask)) <= ids | {0}
            count += 1
    return count
