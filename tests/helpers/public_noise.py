"""Transcriptions of ActiSeg-NL's scripts, with seeds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.opening import open_split

OBJECTS, PROMPTS = "train_objects_category.json", "train_meta_expressions_promptaction.json"


def write_nl_text(root: Path, out: Path, rate: float) -> Path:
    """Write noisy lists for train: flips of a class and a name, nothing else."""
    lists = root / IMAGE_SETS
    objects, prompts, actions = (
        json.loads((lists / name).read_text()) for name in (OBJECTS, PROMPTS, "train.json")
    )
    names: dict[int, set[str]] = {}
    for video in objects["videos"].values():
        for entry in video["objects"].values():
            names.setdefault(entry["class_id"], set()).add(entry["category"])
    draw = random.Random(5)
    for action, (folder, video) in zip(actions, prompts["videos"].items(), strict=True):
        for prompt in video["expressions"].values():
            entry = objects["videos"][folder]["objects"][prompt["obj_id"]]
            prompt["class_id_org"], prompt["exp_org"] = prompt["class_id"], prompt["exp"]
            entry["class_id_org"], entry["category_org"] = entry["class_id"], entry["category"]
            if draw.random() < rate:
                new = draw.choice(sorted(names.keys() - {prompt["class_id"]}))
                entry["category"] = draw.choice(sorted(names[new]))
                entry["class_id"] = prompt["class_id"] = new
                prompt["exp"] = f"{entry['category']} used in the action of {action['narration']}"
    out.mkdir()
    (out / OBJECTS).write_text(json.dumps(objects))
    (out / PROMPTS).write_text(json.dumps(prompts))
    return out


def write_nl_masks(root: Path, out: Path, size: int, rate: float) -> Path:
    """Write noisy masks for train, with a clean copy of each mask that changed.

    Active objects are dilated by a square and painted by id on free pixels, then the others.
    """
    split = open_split(root, "train")
    draw = random.Random(7)
    for sequence in split.sequences:
        folder = out / "train" / sequence.folder
        folder.mkdir(parents=True)
        for frame, clean in zip(sequence.frames, split.iterate_masks(sequence), strict=True):
            noisy = np.zeros_like(clean)
            inactive = []
            for label in sorted(sequence.objects, key=lambda label: label.object_id):
                shape = clean == label.object_id
                if not label.positive:
                    inactive.append((label.object_id, shape))
                    continue
                if draw.random() < rate:
                    shape = grow_square(shape, size // 2)
                noisy[shape & (noisy == 0)] = label.object_id
            for object_id, shape in inactive:
                noisy[shape & (noisy == 0)] = object_id
            write_index_mask(folder / f"{frame}.png", noisy)
            if (noisy != clean).any():
                write_index_mask(folder / f"{frame}_org.png", np.array(clean))
    return out


def grow_square(shape: np.ndarray, radius: int) -> np.ndarray:
    """Dilate by a square of 2 radius + 1 pixels, by shifting along each axis."""
    for _ in range(2):
        width = shape.shape[1]
        padded = np.pad(shape, ((0, 0), (radius, radius)))
        shape = sum(padded[:, shift : shift + width] for shift in range(2 * radius + 1)) > 0
        shape = shape.T
    return shape
