"""Draws what every preset of mask noise makes of one frame, the clean outlines in white over it.

python docs/contact_sheet.py actiseg_sample 00000047_S03_02_pour_oil docs/images/presets.jpg
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
from actiseg_data.layouts.actionvos import open_split
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.presets import load_presets

WIDTH, COLUMNS, HEAD, GAP = 400, 4, 24, 6
GOLDEN_ANGLE = 0.618  # hues of neighbouring ids lie far apart


def coloured(mask: IndexMask, clean: IndexMask) -> NDArray[np.uint8]:
    """(H, W, 3): each id in a colour of its own, the clean outlines in white."""
    hues = [colorsys.hsv_to_rgb(i * GOLDEN_ANGLE % 1, 0.65, 0.95) for i in range(256)]
    colours = (255 * np.array(hues)).astype(np.uint8)
    colours[0] = (40, 40, 44)
    picture = colours[mask]
    edge = np.zeros(clean.shape, bool)
    edge[:-1] |= clean[:-1] != clean[1:]
    edge[:, :-1] |= clean[:, :-1] != clean[:, 1:]
    picture[edge] = 255
    return picture


def main(
    dataset: Path,
    sequence: str,
    to: Path,
    split: Annotated[str, typer.Option(help="Action list of the sequence.")] = "train",
) -> None:
    """Write the sheet."""
    opened = open_split(dataset, split)
    clip = next(each for each in opened.sequences if each.folder == sequence)
    clean = opened.read_masks(clip)
    tiles = [("clean", coloured(clean[0], clean[0]))]
    for name, preset in load_presets().items():
        recipe = preset.make_recipe(split=split)
        if recipe.text_noise is not None:  # mixed noise on masks is that of another preset
            continue
        noise = next(corrupt_sequence(clip, clean, recipe))
        median = np.median([row.iou for row in noise.rows]) if noise.rows else 1.0
        tiles.append((f"{name}: IoU {median:.2f}", coloured(noise.mask, noise.clean)))
    height = WIDTH * clean[0].shape[0] // clean[0].shape[1]
    rows = -(-len(tiles) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) - GAP, rows * (height + HEAD))
    sheet = Image.new("RGB", size, (24, 24, 27))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for number, (title, picture) in enumerate(tiles):
        place = (number % COLUMNS * (WIDTH + GAP), number // COLUMNS * (height + HEAD))
        pen.text((place[0] + 4, place[1] + 3), title, fill="white", font=font)
        tile = Image.fromarray(picture).resize((WIDTH, height), Image.Resampling.BILINEAR)
        sheet.paste(tile, (place[0], place[1] + HEAD))
    sheet.save(to)


if __name__ == "__main__":
    typer.run(main)
