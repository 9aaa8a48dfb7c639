"""Draw one frame under every preset of mask noise, with the clean outlines in white.

python docs/scripts/contact_sheet.py actiseg_sample 00000047_S03_02_pour_oil docs/images/presets.jpg
"""

from __future__ import annotations

import colorsys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.layouts.opening import open_split
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.presets import load_presets

WIDTH, COLUMNS, HEAD, GAP = 400, 4, 24, 6
GOLDEN_ANGLE = 0.618  # puts the hues of successive ids far apart


def colour_mask(mask: IndexMask, clean: IndexMask) -> NDArray[np.uint8]:
    """Draw each id in its own colour and the clean outlines in white, (H, W, 3)."""
    hues = [colorsys.hsv_to_rgb(i * GOLDEN_ANGLE % 1, 0.65, 0.95) for i in range(256)]
    colours = (255 * np.array(hues)).astype(np.uint8)
    colours[0] = (40, 40, 44)
    image = colours[mask]
    edge = np.zeros(clean.shape, bool)
    edge[:-1] |= clean[:-1] != clean[1:]
    edge[:, :-1] |= clean[:, :-1] != clean[:, 1:]
    image[edge] = 255
    return image


def main(
    dataset: Path,
    folder: str,
    out: Path,
    split: Annotated[str, typer.Option(help="Action list of the sequence.")] = "train",
) -> None:
    """Write the sheet."""
    opened = open_split(dataset, split)
    sequence = next(known for known in opened.sequences if known.folder == folder)
    clean = opened.read_masks(sequence)
    tiles = [("clean", colour_mask(clean[0], clean[0]))]
    for name, preset in load_presets().items():
        recipe = preset.make_recipe(split=split)
        if recipe.text_noise is not None:  # the mask noise of mixed presets is that of another one
            continue
        noise = next(corrupt_sequence(sequence, clean, recipe))
        median = np.median([row.iou for row in noise.rows]) if noise.rows else 1.0
        tiles.append((f"{name}: IoU {median:.2f}", colour_mask(noise.mask, noise.clean)))
    height = WIDTH * clean[0].shape[0] // clean[0].shape[1]
    rows = -(-len(tiles) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) - GAP, rows * (height + HEAD))
    sheet = Image.new("RGB", size, (24, 24, 27))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for number, (title, pixels) in enumerate(tiles):
        left, top = number % COLUMNS * (WIDTH + GAP), number // COLUMNS * (height + HEAD)
        pen.text((left + 4, top + 3), title, fill="white", font=font)
        tile = Image.fromarray(pixels).resize((WIDTH, height), Image.Resampling.BILINEAR)
        sheet.paste(tile, (left, top + HEAD))
    sheet.save(out)


if __name__ == "__main__":
    typer.run(main)
