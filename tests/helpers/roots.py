"""Small ActionVOS roots for tests, made on the spot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import IndexMask, write_index_mask
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.files import write_json
from actiseg_data.core.keys import draw_integer, make_key
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.layouts.opening import open_split

SHAPE = (120, 160)


def label(object_id: int, name: str, *, positive: bool = True) -> ObjectLabel:
    return ObjectLabel(object_id, name, 10 + object_id, positive, positive, False)


def clip(number: int, **changes: object) -> VideoSequence:
    """A two-frame sequence with four objects, two of them active."""
    start = 100 * number
    sequence = VideoSequence(
        folder="",
        seq_id=number,
        video="P01_01",
        start=start,
        end=start + 50,
        narration="take cup",
        verb="take",
        verb_class=0,
        noun="cup:big" if number % 2 else "cup",
        noun_class=13,
        frames=(f"frame_{start + 1:010d}", f"frame_{start + 40:010d}"),
        objects=(
            label(1, "cup"),
            label(2, "knife", positive=False),
            label(3, "plate", positive=False),
            label(4, "right hand"),
        ),
    )
    sequence = replace(sequence, **changes)
    folder = f"{sequence.seq_id:08d}_{sequence.video}_{sequence.verb}_{sequence.noun}"
    return replace(sequence, folder=folder)


def draw_mask(sequence: VideoSequence, frame: str) -> IndexMask:
    """Rectangles and discs, one per object, placed by key; later ones lie over earlier ones."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mask = np.zeros(SHAPE, np.uint8)
    for item in sequence.objects:
        draw = make_key(7, 1, "test", sequence.video, frame, item.name)
        y = 20 + draw_integer(draw, SHAPE[0] - 40)
        x = 20 + draw_integer(draw[::-1], SHAPE[1] - 40)
        if item.object_id % 2:
            inside = (rows - y) ** 2 + (columns - x) ** 2 < 17**2
        else:
            inside = (abs(rows - y) < 8) & (abs(columns - x) < 24)
        mask[inside] = item.object_id
    return mask


def make_root(
    root: Path, sequences: list[VideoSequence] | None = None, split: str = "train"
) -> Path:
    """Write a whole root with index masks, lists, prompts and objects; returns it."""
    sequences = sequences or [clip(n) for n in range(1, 7)]
    for name, document in make_image_sets(split, sequences).items():
        write_json(root / IMAGE_SETS / name, document)
    for sequence in sequences:
        for frame in sequence.frames:
            path = root / MASKS / "train" / sequence.folder / f"{frame}.png"
            write_index_mask(path, draw_mask(sequence, frame))
    return root


def draw_weights(sequence: VideoSequence, mask: IndexMask) -> IndexMask:
    """Weights as ActionVOS makes them, with the left half of the frame as the only box: objects of
    the narration have 2, and 4 in the box, inactive ones 3."""
    weights = np.ones(mask.shape, np.uint8)
    box = np.arange(mask.shape[1]) < mask.shape[1] // 2
    for item in sequence.objects:
        shape = mask == item.object_id
        if item.narration:
            weights[shape] = 2
            weights[shape & box] = 4
        elif not item.positive:
            weights[shape] = 3
    return weights


def add_weights(root: Path, split: str = "train") -> None:
    """Give every mask of a split its weights."""
    opened = open_split(root, split)
    for sequence in opened.sequences:
        for frame, mask in zip(sequence.frames, opened.iterate_masks(sequence), strict=True):
            path = opened.find_folder(WEIGHTS, sequence) / f"{frame}.png"
            write_index_mask(path, draw_weights(sequence, mask))


def add_frames(root: Path) -> None:
    """Give every frame of a root a file, though no picture."""
    for sequence in open_split(root, "train").sequences:
        folder = root / FRAMES / "train" / sequence.folder
        folder.mkdir(parents=True)
        for frame in sequence.frames:
            (folder / f"{frame}.jpg").write_bytes(b"a picture")
