"""Makes README's picture from the built-in sample: clean, noisy, and what changed.

python docs/make_picture.py docs/images/sample.jpg
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from actiseg_data.layouts.actionvos import FRAMES, open_split
from actiseg_data.masks import PALETTE, IndexMask
from actiseg_data.sample import make_sample
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.recipe import make_recipe

SEQUENCE = "cut_tomato"
GAINED, LOST = (255, 120, 0), (0, 140, 255)
COLOURS = np.frombuffer(PALETTE, np.uint8).reshape(256, 3).astype(np.float64)


def overlay(frame: NDArray[np.float64], mask: IndexMask) -> NDArray[np.float64]:
    """The frame with its objects tinted and outlined. frame: (H, W, 3), mask: (H, W)."""
    picture = np.where((mask > 0)[..., None], 0.5 * frame + 0.5 * COLOURS[mask], frame)
    edge = np.zeros(mask.shape, bool)
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    picture[edge] = 255
    return picture


def difference(
    frame: NDArray[np.float64], clean: IndexMask, noisy: IndexMask
) -> NDArray[np.float64]:
    """The frame dimmed, with pixels that an object gained and pixels that became background."""
    picture = 0.35 * frame
    picture[(clean != noisy) & (noisy > 0)] = GAINED
    picture[(clean != noisy) & (noisy == 0)] = LOST
    return picture


def main(target: Path) -> None:
    """Draw one row for each kind of noise."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sample"
        make_sample(root)
        split = open_split(root, "train")
        sequence = next(s for s in split.sequences if s.folder.endswith(SEQUENCE))
        masks = split.read_masks(sequence)
        with Image.open(split.folder(FRAMES, sequence) / f"{sequence.frames[0]}.jpg") as image:
            frame = np.asarray(image, np.float64)
    rows = []
    for kind in ("dilate", "erode", "jitter"):
        noisy = corrupt_sequence(sequence, masks, make_recipe(kind, 1.0, objects="all")).masks[0]
        panels = (
            overlay(frame, masks[0]),
            overlay(frame, noisy),
            difference(frame, masks[0], noisy),
        )
        rows.append((kind, np.concatenate(panels, axis=1)))
    sheet = Image.fromarray(np.concatenate([row for _, row in rows]).astype(np.uint8))
    pen = ImageDraw.Draw(sheet)
    height, width = masks[0].shape
    for line, (kind, _) in enumerate(rows):
        for column, text in enumerate(("clean", f"{kind}, IoU 0.8", "orange: gained, blue: lost")):
            place = (column * width + 8, line * height + 6)
            pen.text(place, text, fill="white", stroke_width=2, stroke_fill="black", font_size=15)
    sheet.save(target, quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
