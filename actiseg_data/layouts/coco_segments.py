"""The segments of COCO annotations: polygons, or run lengths as a list or as compressed text."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.coco_outlines import draw_coco_polygons
from actiseg_data.annotations.coco_polygons import fill_coco_polygons
from actiseg_data.annotations.coco_rle import (
    compress_runs,
    find_runs,
    paint_runs,
    parse_runs,
)
from actiseg_data.annotations.polygons import BoolArray, IntArray, Patch

FloatArray: TypeAlias = NDArray[np.float64]

LEAST_NUMBERS = 6
"""Fewest numbers of a polygon: three points. pycocotools reads four numbers as a box."""

MAX_COORDINATE = 100_000.0
"""Largest coordinate of a polygon, in pixels."""

MAX_POINTS = 1 << 16
"""Most points of a polygon."""


def parse_polygons(value: list[Any]) -> list[FloatArray]:
    """Parse the polygons of a segment as (N, 2) arrays, N >= 3.

    A `ValueError` says what is wrong. Points on a line or in one place are accepted, as the tools
    of COCO do: annotation 918 of COCO 2017 has no area.

    >>> parse_polygons([[1, 2, 3, 2, 3, 4]])[0].tolist()
    [[1.0, 2.0], [3.0, 2.0], [3.0, 4.0]]
    """
    if not value:
        raise ValueError("the segmentation has no polygon")
    return [_parse_polygon(ring) for ring in value]


def _parse_polygon(ring: Any) -> FloatArray:
    if not isinstance(ring, list):
        raise ValueError("the segmentation is not a list of polygons, each a list of numbers")
    if not {type(number) for number in ring} <= {int, float}:
        raise ValueError("a polygon is not a list of numbers x, y, x, y, ...")
    if len(ring) % 2:
        raise ValueError("a polygon has an odd number of coordinates")
    if len(ring) < LEAST_NUMBERS:
        raise ValueError("a polygon has fewer than 3 points")
    if len(ring) > 2 * MAX_POINTS:
        raise ValueError(f"a polygon has more than {MAX_POINTS} points")
    try:
        points = np.array(ring, np.float64).reshape(-1, 2)
    except OverflowError:
        points = np.full((1, 2), np.inf)
    if not np.abs(points).max() <= MAX_COORDINATE:
        raise ValueError("a polygon has a point far outside any image")
    return points


def parse_rle(value: Any, size: tuple[int, int]) -> IntArray:
    """Parse a segment ``{"size", "counts"}`` as the runs of a mask of the given size.

    A `ValueError` says what is wrong.

    >>> parse_rle({"size": [2, 2], "counts": "121"}, (2, 2)).tolist()
    [1, 2, 1]
    """
    if not isinstance(value, dict) or not {"size", "counts"} <= value.keys():
        raise ValueError("the RLE is not an object with the keys 'size' and 'counts'")
    if value["size"] != list(size):
        raise ValueError("the RLE has another size than the image, or no [height, width]")
    counts = value["counts"]
    if not isinstance(counts, str) and not (
        isinstance(counts, list) and {type(run) for run in counts} <= {int}
    ):
        raise ValueError("the counts of the RLE are neither text nor a list of whole numbers")
    return parse_runs(counts, *size)


def paint_segment(value: Any, size: tuple[int, int]) -> Patch:
    """Paint a segment on an image of some size, as pycocotools does.

    A `ValueError` says what is wrong with the segment.

    >>> paint_segment([[0, 0, 2, 0, 2, 1, 0, 1]], (2, 3)).to_image((2, 3)).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    if isinstance(value, list):
        return fill_coco_polygons(parse_polygons(value), size)
    return paint_runs(parse_rle(value, size), size[0])


def check_segment(value: Any, size: tuple[int, int]) -> None:
    """Raise a `ValueError` that says what is wrong with a segment, if anything is.

    Outlines are not measured: `paint_segment` may still find that one is too long.
    """
    if isinstance(value, list):
        parse_polygons(value)
    else:
        parse_rle(value, size)


def encode_segment(mask: BoolArray, pattern: Any) -> Any:
    """Encode a mask as a segment in the form of another one.

    COCO's tools fill the polygons to exactly this mask. Their coordinates are floats, because some
    trainers truncate later results if an array holds whole numbers alone. A mask without a pixel
    has no polygon, and becomes compressed RLE.

    Parameters
    ----------
    mask : ndarray
        (H, W) bool.
    pattern : Any
        The other segment; without one, the mask becomes compressed RLE.

    Examples
    --------
    >>> import numpy as np
    >>> encode_segment(np.array([[False, True]]), [[0, 0, 1, 0, 1, 1]])
    [[1.0, 0.0, 2.0, 0.0, 2.0, 1.0, 1.0, 1.0]]
    >>> encode_segment(np.array([[False, True]]), {"counts": "2", "size": [1, 2]})
    {'counts': '11', 'size': [1, 2]}
    """
    if isinstance(pattern, list):
        rings = draw_coco_polygons(mask)
        if rings:
            return [ring.ravel().tolist() for ring in rings]
    runs = find_runs(mask)
    form = pattern if isinstance(pattern, dict) else {"size": list(mask.shape)}
    is_plain = isinstance(form.get("counts"), list)
    return {**form, "counts": runs.tolist() if is_plain else compress_runs(runs)}


def measure_segment(value: Any, size: tuple[int, int]) -> tuple[int, tuple[int, int, int, int]]:
    """Measure the mask of a segment: its area, and its box x, y, width and height.

    The box of a mask without a pixel is 0, 0, 0, 0.

    >>> measure_segment([[1, 0, 3, 0, 3, 1, 1, 1]], (2, 3))
    (2, (1, 0, 2, 1))
    """
    patch = paint_segment(value, size)
    columns, rows = (np.flatnonzero(patch.mask.any(axis=axis)) for axis in (0, 1))
    if not len(columns):
        return 0, (0, 0, 0, 0)
    left, top = patch.left + int(columns[0]), patch.top + int(rows[0])
    box = left, top, int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
    return int(np.count_nonzero(patch.mask)), box
