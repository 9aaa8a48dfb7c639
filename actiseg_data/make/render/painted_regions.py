"""The regions of a rendered frame: labelled objects, and unlabelled litter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_data.core.keys import draw_integer, draw_uniforms
from actiseg_data.core.opencv import load_cv2
from actiseg_data.make.render.materials import MATERIALS, SURFACES, PaintMaterial
from actiseg_data.make.render.noise_fields import Field, colour, render_key


@dataclass(frozen=True)
class Region:
    """One object to be painted.

    Attributes
    ----------
    window : tuple of slice
        Its place in the image.
    inside : ndarray
        (h, w) bool, its pixels in the window.
    depth : ndarray
        (h, w) float32, distance to its edge.
    material : PaintMaterial
        Its surface.
    colours : tuple of ndarray
        Main and second colour, (3,) float32 each.
    identity : tuple of str or int
        Kitchen and name, which its colours depend on.
    """

    window: tuple[slice, slice]
    inside: BoolArray
    depth: Field
    material: PaintMaterial
    colours: tuple[Field, Field]
    identity: tuple[str | int, ...]

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the centroid in the whole image."""
        total = max(int(self.inside.sum()), 1)
        rows, columns = self.inside.sum(axis=1), self.inside.sum(axis=0)
        return (
            self.window[0].start + float(rows @ np.arange(len(rows))) / total,
            self.window[1].start + float(columns @ np.arange(len(columns))) / total,
        )


def make_region(
    pixels: BoolArray,
    covers: tuple[BoolArray, BoolArray],
    family: str,
    identity: tuple[str | int, ...],
    scale: float,
) -> Region | None:
    """Make the region of an object; return None if no pixel of it is visible.

    Parameters
    ----------
    pixels : ndarray
        (H, W) bool, its pixels.
    covers : tuple of ndarray
        (H, W) bool: what covers ordinary objects, and what covers surfaces.
    family : str
        The name of its material.
    identity : tuple of str or int
        Kitchen and name, which its colours depend on.
    scale : float
        Size of the image relative to 480 x 854.
    """
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return None
    # One pixel of margin, so that edges are visible; an object cut by the border has none there.
    window = (
        slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2),
        slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2),
    )
    inside = pixels[window]
    cv2 = load_cv2()
    # An object has no edge along the outline of an object that covers it.
    over = covers[1] if family in SURFACES else covers[0]
    whole = inside if family == "skin" else inside | over[window]
    depth = cv2.distanceTransform(whole.astype(np.uint8), cv2.DIST_L2, 5)
    depth = np.minimum(depth, np.float32(max(inside.shape)))  # unbounded if nothing is outside
    soft = 1.2 * scale + 0.6  # smooths pixel steps
    depth = np.maximum(cv2.GaussianBlur(depth, (0, 0), soft) - np.float32(0.5 * soft), 0) * inside
    material = MATERIALS[family]
    kitchen = identity[0]
    choice = draw_integer(render_key("colour", kitchen, family), len(material.colours))
    tint = 1 + 0.14 * (draw_uniforms(render_key("tint", kitchen, family), 3) - 0.5)
    if family != "skin":  # both hands belong to one person
        tint *= 1 + 0.1 * (draw_uniforms(render_key("tint", *identity), 3) - 0.5)
    main, second = (colour(text) * tint.astype(np.float32) for text in material.colours[choice])
    return Region(window, inside, np.asarray(depth, np.float32), material, (main, second), identity)


def scatter_litter(
    identity: tuple[str | int, ...],
    mask: IndexMask,
    covers: tuple[BoolArray, BoolArray],
    scale: float,
) -> list[Region]:
    """Make unlabelled objects in the background: dishes, packs, cloths."""
    cv2 = load_cv2()
    height, width = mask.shape
    free = mask == 0
    regions = []
    for number in range(2 + draw_integer(render_key("litter", *identity), 4)):
        u = draw_uniforms(render_key("litter.shape", *identity, number), 6)
        size = scale * (26 + 46 * u[0])
        spot = u[1] * width, height * (0.12 + 0.85 * u[2] ** 1.6)
        sheet = np.zeros(mask.shape, np.uint8)
        axes = size, size * (0.35 + 0.6 * u[3])
        angle = 180 * u[4]
        if u[5] < 0.5:
            centre = int(spot[0]), int(spot[1])
            cv2.ellipse(sheet, centre, (int(axes[0]), int(axes[1])), angle, 0, 360, (1,), -1)
        else:
            corners = cv2.boxPoints((spot, (2 * axes[0], 2 * axes[1]), angle))
            cv2.fillPoly(sheet, [corners.astype(np.int32)], (1,))
        pixels = (sheet > 0) & free
        free &= ~pixels
        families = ("ceramic", "steel", "board") if u[5] < 0.5 else ("plastic", "card", "cloth")
        family = families[int(u[5] * 97) % 3]
        region = make_region(pixels, covers, family, (identity[0], "litter", number), scale)
        if region is not None:
            regions.append(region)
    return regions
