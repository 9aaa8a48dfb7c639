"""Ref-YouTube-VOS as it is published, made: masks, categories of objects, expressions."""

from __future__ import annotations

from itertools import count

import numpy as np

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.files import write_json

TEXTS = (
    "a person on the left riding a brown horse",
    "the black and white dog next to a car",
    "a lady near a ball",
    "two people and an umbrella",
    "",
    "the man's dog",
)
DOCUMENT = "meta_expressions/train/meta_expressions.json"


def make_refyoutube(root, sequences=4):
    """Three objects in each video, of which the last comes late; two expressions for each."""
    videos, listed = {}, {}
    numbers = count()
    for number in range(sequences):
        folder = f"{number:02d}ab"
        masks = root / "train" / "Annotations" / folder
        masks.mkdir(parents=True)
        for frame in range(3):
            mask = np.zeros((24, 36), np.uint8)
            for place in range(2 if frame == 0 else 3):
                mask[4:20, 2 + 12 * place + frame : 10 + 12 * place + frame] = place + 1
            write_index_mask(masks / f"{5 * frame:05d}.png", mask)
        frames = ["00000", "00005", "00010"]
        videos[folder] = {
            "objects": {
                str(place + 1): {"category": category, "frames": frames[place == 2 :]}
                for place, category in enumerate(("person", "dog", "giant_panda"))
            }
        }
        listed[folder] = {
            "expressions": {
                str(exp): {"exp": TEXTS[next(numbers) % len(TEXTS)], "obj_id": str(1 + exp // 2)}
                for exp in range(6)
            },
            "frames": frames,
        }
    write_json(root / "train" / "meta.json", {"videos": videos})
    (root / DOCUMENT).parent.mkdir(parents=True)
    write_json(root / DOCUMENT, {"videos": listed})
    return root
