"""The pattern of each material: colour as a function of position and depth in the outline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.make.render.noise_fields import Field, Grid, mix_colours
from actiseg_data.make.render.painted_regions import Region


@dataclass(frozen=True)
class Surface:
    """The input of a pattern.

    Attributes
    ----------
    region : Region
        The object.
    grid : Grid
        Its window on the noise tiles.
    down, right : ndarray
        Pixels from the centroid, (h, 1) and (w,).
    scale : float
        Size of the image relative to 480 x 854.
    """

    region: Region
    grid: Grid
    down: NDArray[np.float64]
    right: NDArray[np.float64]
    scale: float

    @property
    def inward(self) -> Field:
        """Relative distance from the edge: 0 on the edge, 1 in the innermost place."""
        inward: Field = self.region.depth / np.float32(max(float(self.region.depth.max()), 1e-3))
        return inward

    def mix(self, blend: Field) -> Field:
        return mix_colours(*self.region.colours, blend)


Pattern: TypeAlias = Callable[[Surface, Field], Field]


def _paint_skin(surface: Surface, _: Field) -> Field:
    return surface.mix(
        0.35 + 0.9 * surface.grid.sample("smooth") + 0.1 * surface.grid.sample("fine")
    )


def _paint_steel(surface: Surface, _: Field) -> Field:
    streak = np.sin((surface.down + 0.6 * surface.right) / (9 * surface.scale))
    return surface.mix((0.4 + 0.4 * streak + 0.2 * surface.grid.sample("fine")).astype(np.float32))


def _paint_wood(surface: Surface, _: Field) -> Field:
    return surface.mix(0.4 + 0.9 * surface.grid.sample("grain") + 0.2 * surface.grid.sample("fine"))


def _paint_rim(surface: Surface, _: Field) -> Field:
    inward = surface.inward
    band = ((inward > 0.1) & (inward < 0.17)).astype(np.float32)
    well = np.clip((inward - 0.3) * 12, 0, 1)
    colour = surface.mix(0.85 * band + 0.1 * surface.grid.sample("smooth"))
    colour *= (1 - 0.12 * well + 0.1 * well * inward)[..., None]
    return colour


def _paint_hollow(surface: Surface, _: Field) -> Field:
    inward = surface.inward
    wall = np.clip((inward - 0.16) * 14, 0, 1)
    return surface.mix(wall * (0.9 - 0.35 * inward) + 0.25 * surface.grid.sample("smooth"))


def _paint_basin(surface: Surface, _: Field) -> Field:
    depth = surface.region.depth / np.float32(surface.scale)
    floor = np.clip((depth - 14) / 16, 0, 1)
    return surface.mix(
        0.75 * floor - 0.3 * floor * surface.inward + 0.2 * surface.grid.sample("fine")
    )


def _paint_burners(surface: Surface, _: Field) -> Field:
    across = np.abs(surface.right) / surface.scale - 112
    along = np.abs(surface.down) / surface.scale - 62
    ring = np.sqrt(across**2 + along**2)
    lit = (np.abs(ring - 46) < 2.5) | (np.abs(ring - 30) < 1.5)
    return surface.mix((0.9 * lit + 0.1 * surface.grid.sample("fine")).astype(np.float32))


def _print(surface: Surface, _: Field) -> Field:
    reach = max(float(surface.region.depth.max()), 1.0)
    label = np.abs(surface.down - 0.5 * reach) < 0.75 * reach
    lines = (np.floor(surface.down / (0.22 * reach)) % 2 < 1) & (
        np.abs(surface.right) < 0.5 * reach
    )
    return surface.mix(
        (label * (0.85 - 0.5 * lines) + 0.1 * surface.grid.sample("smooth")).astype(np.float32)
    )


def _paint_weave(surface: Surface, _: Field) -> Field:
    step = 30 * surface.scale
    warp = ((surface.down + 0.35 * surface.right) / step) % 1 < 0.3
    weft = ((surface.right - 0.35 * surface.down) / step) % 1 < 0.3
    check = 0.4 * warp + 0.4 * weft
    folds = 1 + 0.35 * surface.grid.sample("smooth") + 0.15 * surface.grid.sample("fine")
    return surface.mix(check.astype(np.float32)) * folds[..., None]


def _paint_speck(surface: Surface, _: Field) -> Field:
    return surface.mix(0.35 + 1.3 * surface.grid.sample("fine"))


def _paint_peel(surface: Surface, _: Field) -> Field:
    reach = max(float(surface.region.depth.max()), 1.0)
    stalk = np.hypot(surface.down + 0.3 * reach, surface.right) < 0.16 * reach
    return surface.mix(
        (
            0.25 + 0.7 * surface.grid.sample("smooth") + 0.3 * surface.grid.sample("fine") + stalk
        ).astype(np.float32)
    )


def _paint_glass(surface: Surface, behind: Field) -> Field:
    clear = np.clip(0.25 + 0.5 * surface.inward, 0, 0.62)[..., None]
    glass: Field = clear * behind + (1 - clear) * surface.mix(0.5 * surface.inward)
    return glass


PATTERNS: dict[str, Pattern] = {
    "skin": _paint_skin,
    "steel": _paint_steel,
    "wood": _paint_wood,
    "rim": _paint_rim,
    "hollow": _paint_hollow,
    "basin": _paint_basin,
    "burners": _paint_burners,
    "print": _print,
    "weave": _paint_weave,
    "speck": _paint_speck,
    "peel": _paint_peel,
    "glass": _paint_glass,
}
