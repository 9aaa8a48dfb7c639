"""Noise for surfaces, colours, and the renderer's keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_uniforms, make_key
from actiseg_data.core.opencv import load_cv2

ALGORITHM = 1
"""Version of the renderer: a visible change of a frame raises it."""

Field: TypeAlias = NDArray[np.float32]

TILE = 512
"""Side of a noise tile."""


@dataclass(frozen=True)
class Grid:
    """Rows and columns of a window, and its origin and scale on the noise tiles."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    scale: float
    origin: tuple[float, float]

    def sample(self, name: str) -> Field:
        """Sample (h, w) float32 noise in about [-0.5, 0.5]."""
        down = ((self.rows + self.origin[0]) / self.scale).astype(np.int64) % TILE
        right = ((self.columns + self.origin[1]) / self.scale).astype(np.int64) % TILE
        noise: Field = tile(name)[np.ix_(down, right)]
        return noise


@cache
def tile(name: str) -> Field:
    """Make (512, 512) float32 noise that repeats seamlessly, in about [-0.5, 0.5]."""
    octaves = {  # cells down and right, weight
        "smooth": ((4, 4, 0.5), (8, 8, 0.3), (16, 16, 0.2)),
        "fine": ((64, 64, 0.3), (128, 128, 0.4), (256, 256, 0.3)),
        "grain": ((64, 2, 0.5), (128, 4, 0.3), (256, 8, 0.3)),
        "noise": ((512, 512, 1.0), (256, 256, 0.6)),
    }[name]
    cv2 = load_cv2()
    total = np.zeros((TILE, TILE), np.float32)
    for down, right, weight in octaves:
        cells = draw_uniforms(render_key("tile", name, down, right), down * right) - 0.5
        wrapped = np.pad(cells.reshape(down, right).astype(np.float32), 2, mode="wrap")
        size = (right + 4) * (TILE // right), (down + 4) * (TILE // down)
        wide = cv2.resize(wrapped, size, interpolation=cv2.INTER_CUBIC)
        top, left = 2 * (TILE // down), 2 * (TILE // right)
        total += np.float32(weight) * wide[top : top + TILE, left : left + TILE]
    return total


@cache
def colour(text: str) -> Field:
    """Convert ``#rrggbb`` to (3,) float32 in [0, 1]."""
    channels: Field = np.array(list(bytes.fromhex(text[1:])), np.float32) / np.float32(255)
    return channels


def mix_colours(main: Field, second: Field, blend: Field) -> Field:
    """Mix two colours to (h, w, 3): `main` where `blend` is 0, `second` where it is 1."""
    blended: Field = main + blend[..., None].astype(np.float32) * (second - main)
    return blended


def render_key(purpose: str, *identity: str | int) -> bytes:
    """Make the key of one of the renderer's choices."""
    return make_key(0, ALGORITHM, f"render.{purpose}", *identity)
