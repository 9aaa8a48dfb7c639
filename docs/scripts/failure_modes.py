"""Draw masks with each failure mode, and their repaired masks.

python docs/scripts/failure_modes.py docs/images/failures.png
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
    """A synthetic mask of the mug.

    Attributes
    ----------
    about : str
        The failure in words.
    mode : str
        The expected mode.
    truth : (H, W) uint8
        The true index mask.
    mask : (H, W) bool
        The predicted mask.
    active : bool
        Whether the mug is active.
    on_board : bool
        Whether at least half of the mask covers the board.
    """

    about: str
    mode: str
    truth: IndexMask
    mask: BinaryMask
    active: bool = True
    on_board: bool = False


def draw_box(top: int, left: int, bottom: int, right: int) -> BinaryMask:
    """Draw a rectangle, (H, W) bool, without its last row and column."""
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


def draw_ring(row: int, column: int, radius: float, inner: float = 0) -> BinaryMask:
    """Draw a disc or a ring, (H, W) bool."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(rows - row, columns - column)
    return np.asarray((distance <= radius) & (distance >= inner))


def make_cases() -> Iterator[Case]:
    """Make masks with each mode, of a round mug beside a board."""
    mug, board = draw_ring(26, 28, 14), draw_box(14, 54, 50, 84)
    bar, bridge = draw_box(22, 6, 32, 48), draw_box(24, 28, 28, 60)
    both = make_truth(mug, board)
    nothing, alone = np.zeros(SHAPE, bool), make_truth(np.zeros(SHAPE, bool), board)
    yield Case("out of sight", "hallucination", alone, mug)
    yield Case("not in use", "wrong_activation", both, draw_ring(26, 28, 12), active=False)
    yield Case("nothing is predicted", "miss", both, nothing)
    yield Case("the board's mask", "substitution", both, draw_box(16, 54, 48, 84), on_board=True)
    yield Case("beside it", "mislocalisation", both, draw_ring(44, 36, 7) & ~mug)
    yield Case("moved", "mislocalisation", both, draw_ring(31, 34, 14))
    yield Case("too large", "leakage", both, draw_ring(26, 28, 16))
    yield Case("too small", "shrinkage", both, draw_ring(26, 28, 12))
    yield Case("runs out", "over_segmentation", both, mug | draw_box(22, 28, 30, 66))
    yield Case("with the board", "over_segmentation", both, mug | board | bridge, on_board=True)
    yield Case("half is lacking", "under_segmentation", both, mug & draw_box(0, 0, 60, 28))
    yield Case(
        "stray pieces",
        "fragmentation",
        both,
        mug | draw_box(48, 4, 58, 26) | draw_box(2, 60, 10, 80),
    )
    yield Case(
        "broken in two", "fragmentation", make_truth(bar, board), bar & ~draw_box(0, 20, 60, 34)
    )
    yield Case("a hole", "fragmentation", both, mug & ~draw_ring(26, 28, 7))
    yield Case("large, with a hole", "fragmentation", both, draw_ring(26, 28, 15, inner=8))
    yield Case(
        "small, stray piece", "shrinkage", both, draw_ring(26, 28, 12) | draw_box(50, 2, 56, 14)
    )


def make_truth(mug: BinaryMask, board: BinaryMask) -> IndexMask:
    """Make the index mask of the two objects."""
    return np.where(mug, MUG, np.where(board, BOARD, 0)).astype(np.uint8)


def draw_tile(truth: IndexMask, mask: BinaryMask) -> NDArray[np.uint8]:
    """Draw the mask in orange, the mug's outline in white and the board in grey, (H, W, 3)."""
    shown = np.full((*SHAPE, 3), 40, np.uint8)
    shown[truth == BOARD] = 90
    shown[mask] = (230, 140, 40)
    mug = truth == MUG
    inside = mug.copy()
    for axis in (0, 1):
        inside &= np.roll(mug, 1, axis) & np.roll(mug, -1, axis)
    shown[mug & ~inside] = 255
    return shown


def main(out: Path) -> None:
    """Draw all cases in one image."""
    font = ImageFont.load_default()
    cases = list(make_cases())
    width, height = 2 * SHAPE[1] * SCALE + 2, SHAPE[0] * SCALE
    rows = -(-len(cases) // COLUMNS)
    size = (COLUMNS * (width + GAP) - GAP, rows * (height + HEAD))
    sheet = Image.new("RGB", size, (24, 24, 27))
    draw = ImageDraw.Draw(sheet)
    for position, case in enumerate(cases):
        failure = diagnose(case.truth, MUG, case.mask, {MUG, BOARD}, active=case.active)
        assert failure is not None, case.about
        left, top = position % COLUMNS * (width + GAP), position // COLUMNS * (height + HEAD)
        mug = case.truth == MUG
        before, after = (
            region_iou(mug, mask) if case.active else float(not mask.any())
            for mask in (case.mask, failure.repaired)
        )
        symbol = FAILURE_MODES[failure.mode].symbol
        text = f"{symbol}: {case.about}\ngIoU {before:.2f}, repaired {after:.2f}"
        draw.multiline_text((left + 2, top + 6), text, fill=(235, 235, 235), font=font)
        for column, mask in enumerate((case.mask, failure.repaired)):
            tile = Image.fromarray(draw_tile(case.truth, mask)).resize(
                (SHAPE[1] * SCALE, height), Image.Resampling.NEAREST
            )
            sheet.paste(tile, (left + column * (SHAPE[1] * SCALE + 2), top + HEAD))
    sheet.save(out)


if __name__ == "__main__":
    typer.run(main)
