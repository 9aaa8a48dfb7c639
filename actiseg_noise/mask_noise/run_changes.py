"""One change of an object for each run of frames: dilation, erosion, affine map or polygon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import BoolArray, IntArray, Patch, fill_closed
from actiseg_data.core.keys import draw_integer, draw_uniforms
from actiseg_data.core.opencv import load_cv2
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou, crop, trim
from actiseg_noise.mask_noise.distance import measure_squared_depths
from actiseg_noise.mask_noise.frame_runs import RUN
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

_FIXED = 20  # fractional bits of an affine map


def change_run(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Change an object as all frames of its run do.

    One of ``changes`` is drawn for the object and the run, with equal probabilities:

    - ``dilate``, ``erode``: by a disc, whose radius is common to the run. Pixels beyond the frame
      do not erode.
    - ``affine``: each 8-connected part is rotated and scaled about the centre of the frame and
      moved up or down. Angle, scale and shift are drawn for each frame and part.
    - ``polygon``: each part becomes a polygon of a few points of its outer contour, equally spaced
      by number. How many is common to the run; each point is shifted for each frame.

    This is the noise of MS-TFAL (MICCAI 2023).

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``changes``; ``radius_least``, ``radius_most`` in pixels of a frame of
        ``reference_height``, or in mask pixels if that is None; ``rotation`` in degrees,
        ``translation`` as a share of the height, ``rescaling``: the greatest values of either sign;
        ``points_least``, ``points_most``; ``shift`` of a point, as a share of the box around the
        points.
    keys : KeyFactory
        Makes the item's keys. Those for purposes that begin with `RUN` are common to the run.

    Returns
    -------
    NoisyOutline
        With the ``change`` for the ledger, and its ``radius`` or number of ``points``.

    Examples
    --------
    >>> square = ObjectMask(Patch(4, 4, np.ones((9, 9), bool)), (20, 20))
    >>> parameters = {"changes": ["erode"], "radius_least": 2, "radius_most": 2,
    ...               "reference_height": None}
    >>> change_run(square, parameters, lambda purpose: bytes(32)).patch.window
    (slice(6, 11, None), slice(6, 11, None))
    """
    changes = parameters["changes"]
    change = changes[draw_integer(keys(f"{RUN}change"), len(changes))]
    details: dict[str, Any] = {"change": change}
    if change in ("dilate", "erode"):
        radius = _draw_radius(clean, parameters, keys)
        details["radius"] = round(radius, 6)
        patch = (_dilate_by_disc if change == "dilate" else _erode_by_disc)(clean, radius)
    elif change == "affine":
        patch = _merge(
            clean,
            [
                _map_part(part, clean.frame, parameters, draw_uniforms(keys(f"runs.affine {n}"), 3))
                for n, part in enumerate(_divide_parts(clean))
            ],
        )
    else:
        points = _draw_whole(keys(f"{RUN}points"), parameters, "points")
        details["points"] = points
        patch = _merge(
            clean,
            [
                _draw_polygon(
                    part,
                    clean.frame,
                    draw_uniforms(keys(f"runs.polygon {n}"), 2 * points),
                    parameters["shift"],
                )
                for n, part in enumerate(_divide_parts(clean))
            ],
        )
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", details)


def _draw_whole(key: bytes, parameters: Mapping[str, Any], name: str) -> int:
    least, most = int(parameters[f"{name}_least"]), int(parameters[f"{name}_most"])
    return least + draw_integer(key, most - least + 1)


def _draw_radius(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> float:
    """Draw the radius of a disc in mask pixels."""
    radius = _draw_whole(keys(f"{RUN}radius"), parameters, "radius")
    reference = parameters["reference_height"]
    return float(radius) if reference is None else round(radius * clean.frame[0] / reference, 6)


def _dilate_by_disc(clean: ObjectMask, radius: float) -> Patch:
    around = crop(clean, math.floor(radius))
    near = measure_squared_depths(~around.mask) <= radius * radius
    return trim(Patch(around.top, around.left, near))


def _erode_by_disc(clean: ObjectMask, radius: float) -> Patch:
    around = crop(clean, 1)  # pixels beyond the crop do not count as outside
    deep = measure_squared_depths(around.mask) > radius * radius
    return trim(Patch(around.top, around.left, deep & around.mask))


def _divide_parts(clean: ObjectMask) -> list[Patch]:
    """Divide an object into its 8-connected parts, in the order of their first pixels."""
    cv2 = load_cv2()
    _, numbers = cv2.connectedComponents(clean.patch.mask.view(np.uint8), connectivity=8)
    known, first = np.unique(numbers, return_index=True)
    order = known[np.argsort(first)]
    top, left = clean.patch.top, clean.patch.left
    return [trim(Patch(top, left, numbers == number)) for number in order.tolist() if number]


def _map_part(
    part: Patch,
    frame: tuple[int, int],
    parameters: Mapping[str, Any],
    numbers: np.ndarray[Any, np.dtype[np.float64]],
) -> Patch:
    """Map a part by a rotation, a scale and a vertical shift about the centre of the frame.

    A pixel of the result has the value of the clean pixel that its centre is mapped from. The map
    is rounded to 2**-20, and all arithmetic is on integers.
    """
    height, width = frame
    turn, resize, move = (2 * numbers - 1).tolist()
    angle = math.radians(turn * parameters["rotation"])
    size = 1 + resize * parameters["rescaling"]
    shift = math.floor(move * parameters["translation"] * height + 0.5)
    window = _locate_image(part, frame, angle, size, shift)
    if window is None:
        return Patch(0, 0, np.zeros((0, 0), bool))
    top, left, bottom, right = window
    unit = 1 << _FIXED
    cos, sin = round(math.cos(angle) / size * unit), round(math.sin(angle) / size * unit)
    # Twice the distance of pixel centres from the centre of the frame, a whole number.
    x = (2 * np.arange(left, right) + 1 - width)[None, :]
    y = (2 * (np.arange(top, bottom) - shift) + 1 - height)[:, None]
    columns = (cos * x + sin * y + width * unit) >> (_FIXED + 1)
    rows = (cos * y - sin * x + height * unit) >> (_FIXED + 1)
    inside = (rows >= part.top) & (rows < part.window[0].stop)
    inside &= (columns >= part.left) & (columns < part.window[1].stop)
    rows, columns = np.where(inside, rows, part.top), np.where(inside, columns, part.left)
    return trim(Patch(top, left, inside & part.mask[rows - part.top, columns - part.left]))


def _locate_image(
    part: Patch, frame: tuple[int, int], angle: float, size: float, shift: int
) -> tuple[int, int, int, int] | None:
    """Return a window that has all mapped pixels: top, left, bottom, right. None if all are out."""
    height, width = frame
    rows, columns = part.window
    x = np.array([columns.start, columns.start, columns.stop, columns.stop]) - width / 2
    y = np.array([rows.start, rows.stop, rows.start, rows.stop]) - height / 2
    cos, sin = size * math.cos(angle), size * math.sin(angle)
    mapped = cos * x - sin * y + width / 2, sin * x + cos * y + height / 2 + shift
    left, top = (max(math.floor(axis.min()) - 1, 0) for axis in mapped)
    right = min(math.ceil(mapped[0].max()) + 1, width)
    bottom = min(math.ceil(mapped[1].max()) + 1, height)
    return (top, left, bottom, right) if top < bottom and left < right else None


def _draw_polygon(
    part: Patch,
    frame: tuple[int, int],
    numbers: np.ndarray[Any, np.dtype[np.float64]],
    share: float,
) -> Patch:
    """Draw the polygon of a few shifted points of a part's outer contour."""
    count = len(numbers) // 2
    contour = _trace_contour(part)
    points = contour[np.arange(count) * (len(contour) - 1) // (count - 1)]
    reach = np.floor(share * (points.max(axis=0) - points.min(axis=0))).astype(np.int64)
    moves = np.floor(numbers.reshape(count, 2) * (2 * reach + 1)).astype(np.int64) - reach
    limits = np.array([frame[1] - 1, frame[0] - 1])
    return fill_closed([np.clip(points + moves, 0, limits)], frame)


def _trace_contour(part: Patch) -> IntArray:
    """Trace the outer contour of a connected part, pixel by pixel: (N, 2) x and y of the frame."""
    cv2 = load_cv2()
    (traced,), _ = cv2.findContours(
        part.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    contour: IntArray = traced[:, 0].astype(np.int64) + np.array([part.left, part.top])
    return contour


def _merge(clean: ObjectMask, patches: list[Patch]) -> Patch:
    """Return the union of patches in the frame of an object."""
    image: BoolArray = np.zeros(clean.frame, bool)
    for patch in patches:
        image[patch.window] |= patch.mask
    return trim(Patch(0, 0, image))
