"""Draws masks that fail in each of the modes, and what mends them.

python docs/failure_modes.py docs/images/failures.png
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from actiseg_data.annotations.masks import IndexMask
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.boundary_measures import region_iou
from actiseg_eval.measures.failure_modes import FAILURE_MODES, diagnose

SHAPE = (60, 90)
COLUMNS, SCALE, HEAD, GAP = 4, 2, 38, 8
MUG, BOARD = 1, 2


@dataclass(frozen=True)
class Case:
    """A made mask. about: in words. mode: the one that it is. truth: (H, W) ids. mask: (H, W).
    on_board: whether half of it or more lies on the board.
    """

    about: str
    mode: str
    truth: IndexMask
    mask: BinaryMask
    active: bool = True
    on_board: bool = False


def box(top: int, left: int, bottom: int, right: int) -> BinaryMask:
    """(H, W) bool: a rectangle, its last row and column not included."""
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


def ring(row: int, column: int, radius: float, inner: float = 0) -> BinaryMask:
    """(H, W) bool: a disc, or a ring."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(rows - row, columns - column)
    return np.asarray((distance <= radius) & (distance >= inner))


def cases() -> Iterator[Case]:
    """Masks of each mode, of a round mug beside a board."""
    mug, board = ring(26, 28, 14), box(14, 54, 50, 84)
    bar, bridge = box(22, 6, 32, 48), box(24, 28, 28, 60)
    both = truth_of(mug, board)
    nothing, alone = np.zeros(SHAPE, bool), truth_of(np.zeros(SHAPE, bool), board)
    yield Case("out of sight", "hallucination", alone, mug)
    yield Case("not in use", "wrong_activation", both, ring(26, 28, 12), active=False)
    yield Case("nothing is predicted", "miss", both, nothing)
    yield Case("the board's mask", "substitution", both, box(16, 54, 48, 84), on_board=True)
    yield Case("beside it", "mislocalisation", both, ring(44, 36, 7) & ~mug)
    yield Case("moved", "mislocalisation", both, ring(31, 34, 14))
    yield Case("too large", "leakage", both, ring(26, 28, 16))
    yield Case("too small", "shrinkage", both, ring(26, 28, 12))
    yield Case("runs out", "over_segmentation", both, mug | box(22, 28, 30, 66))
    yield Case("with the board", "over_segmentation", both, mug | board | bridge, on_board=True)
    yield Case("half is lacking", "under_segmentation", both, mug & box(0, 0, 60, 28))
    yield Case("stray pieces", "fragmentation", both, mug | box(48, 4, 58, 26) | box(2, 60, 10, 80))
    yield Case("broken in two", "fragmentation", truth_of(bar, board), bar & ~box(0, 20, 60, 34))
    yield Case("a hole", "fragmentation", both, mug & ~ring(26, 28, 7))
    yield Case("large, with a hole", "fragmentation", both, ring(26, 28, 15, inner=8))
    yield Case("small, stray piece", "shrinkage", both, ring(26, 28, 12) | box(50, 2, 56, 14))


def truth_of(mug: BinaryMask, board: BinaryMask) -> IndexMask:
    """The index mask of the two."""
    return np.where(mug, MUG, np.where(board, BOARD, 0)).astype(np.uint8)


def picture(truth: IndexMask, mask: BinaryMask) -> NDArray[np.uint8]:
    """(H, W, 3): the mask in orange, the mug's outline in white, the board in grey."""
    shown = np.full((*SHAPE, 3), 40, np.uint8)
    shown[truth == BOARD] = 90
    shown[mask] = (230, 140, 40)
    mug = truth == MUG
    inside = mug.copy()
    for axis in (0, 1):
        inside &= np.roll(mug, 1, axis) & np.roll(mug, -1, axis)
    shown[mug & ~inside] = 255
    return shown


def main(to: Path) -> None:
    """Write the sheet."""
    font = ImageFont.load_default()
    made = list(cases())
    width, height = 2 * SHAPE[1] * SCALE + 2, SHAPE[0] * SCALE
    rows = -(-len(made) // COLUMNS)
    size = (COLUMNS * (width + GAP) - GAP, rows * (height + HEAD))
    sheet = Image.new("RGB", size, (24, 24, 27))
    draw = ImageDraw.Draw(sheet)
    for at, case in enumerate(made):
        failure = diagnose(case.truth, MUG, case.mask, {MUG, BOARD}, active=case.active)
        assert failure is not None, case.about
        left, top = at % COLUMNS * (width + GAP), at // COLUMNS * (height + HEAD)
        own = case.truth == MUG
        before, after = (
            region_iou(own, mask) if case.active else float(not mask.any())
            for mask in (case.mask, failure.repaired)
        )
        text = f"{FAILURE_MODES[failure.mode].symbol}: {case.about}\ngIoU {before:.2f}, mended {after:.2f}"
        draw.multiline_text((left + 2, top + 6), text, fill=(235, 235, 235), font=font)
        for place, mask in enumerate((case.mask, failure.repaired)):
            tile = Image.fromarray(picture(case.truth, mask)).resize(
                (SHAPE[1] * SCALE, height), Image.Resampling.NEAREST
            )
            sheet.paste(tile, (left + place * (SHAPE[1] * SCALE + 2), top + HEAD))
    sheet.save(to)


if __name__ == "__main__":
    typer.run(main)
