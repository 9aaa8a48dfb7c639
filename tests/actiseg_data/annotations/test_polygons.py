from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.annotations.polygons import EMPTY_PATCH, SUBPIXEL, fill_closed, fill_sampled
from actiseg_data.core.keys import draw_normals, draw_uniforms, make_key
from actiseg_data.layouts.visor_json import read_video

cv2 = pytest.importorskip("cv2")
needs_reference_fill = pytest.mark.skipif(
    tuple(int(part) for part in cv2.__version__.split(".")[:2]) < (4, 12),
    reason=f"OpenCV {cv2.__version__} fills polygons by an older rule than 4.12",
)
moderate = settings(max_examples=150, deadline=None)


@st.composite
def images_with_rings(draw, beyond=0, max_rings=3, smallest=1):
    """An image shape and rings of whole-pixel points that leave it by at most `beyond`."""
    height, width = draw(st.integers(smallest, 40)), draw(st.integers(smallest, 40))
    point = st.tuples(
        st.integers(-beyond, width - 1 + beyond), st.integers(-beyond, height - 1 + beyond)
    )
    rings = draw(st.lists(st.lists(point, min_size=1, max_size=9), min_size=1, max_size=max_rings))
    return (height, width), [np.array(ring, np.int64) for ring in rings]


@st.composite
def lattice_rings(draw, reach=6 * SUBPIXEL):
    """Rings on the 1/64-pixel lattice, often through pixel centres and corners."""
    number = st.integers(-reach, reach)
    number |= st.integers(-reach // 32, reach // 32).map(lambda half: half * 32)
    ring = st.lists(st.tuples(number, number), min_size=1, max_size=8)
    return [np.array(one, np.int64) for one in draw(st.lists(ring, min_size=1, max_size=3))]


def opencv_fill(rings, shape):
    image = np.zeros(shape, np.uint8)
    cv2.fillPoly(image, [ring.astype(np.int32) for ring in rings], 1)
    return image.astype(bool)


def edges_of(rings):
    for ring in rings:
        points = [tuple(map(int, point)) for point in ring]
        yield from zip(points, points[1:] + points[:1], strict=True)


def line_points(a, b):
    """The 8-connected Bresenham line by its error recurrence, from the left end."""
    (x, y), (x_end, y_end) = sorted((a, b), key=lambda point: point[0])
    dx, dy, down = x_end - x, abs(y_end - y), 1 if y_end >= y else -1
    long, short = max(dx, dy), min(dx, dy)
    error = long - 2 * short
    for _ in range(long + 1):
        yield x, y
        aside = error < 0
        error += 2 * long * aside - 2 * short
        x += 1 if dx >= dy or aside else 0
        y += down if dx < dy or aside else 0


def closed_by_hand(rings, shape):
    """The rule of `fill_closed`, pixel by pixel, for rings inside the image."""
    image = np.zeros(shape, bool)
    for row in range(shape[0]):
        crossings = []
        for a, b in edges_of(rings):
            (x0, y0), (x1, y1) = sorted((a, b), key=lambda point: point[1])
            if y0 <= row < y1:
                slope = int(Fraction((x1 - x0) << 16, y1 - y0))  # int() cuts toward zero
                crossings.append((x0 << 16) + (row - y0) * slope)
        crossings.sort()
        for column in range(shape[1]):
            for enter, leave in zip(crossings[::2], crossings[1::2], strict=True):
                image[row, column] |= enter <= column << 16 <= leave
    for a, b in edges_of(rings):
        for x, y in line_points(a, b):
            image[y, x] = True
    return image


def sampled_by_hand(rings, window):
    """Even-odd test of every pixel centre in exact fractions."""
    top, left, bottom, right = window
    image = np.zeros((bottom - top, right - left), bool)
    for row, column in np.ndindex(image.shape):
        x, y = (SUBPIXEL * n + SUBPIXEL // 2 for n in (left + column, top + row))
        for a, b in edges_of(rings):
            (x0, y0), (x1, y1) = sorted((a, b), key=lambda point: point[1])
            if y0 <= y < y1 and x0 + Fraction((y - y0) * (x1 - x0), y1 - y0) <= x:
                image[row, column] ^= True
    return image


def blob(number):
    """A simple star-shaped polygon on the lattice, some 10 to 20 pixels across."""
    draw = make_key(0, 1, "test.blob", number)
    count = 24
    angles = 2 * np.pi * np.arange(count) / count
    radii = 5.0 + 5.0 * draw_uniforms(draw, count)
    centre = 12.0 + draw_normals(draw[::-1], 2)
    points = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.rint(points * SUBPIXEL).astype(np.int64)


@needs_reference_fill
@moderate
@given(images_with_rings())
def test_closed_fill_equals_opencv_inside_the_image(case):
    shape, rings = case
    assert (fill_closed(rings, shape).to_image(shape) == opencv_fill(rings, shape)).all()


@needs_reference_fill
@pytest.mark.parametrize("beyond", [40, 20_000])
@moderate
@given(data=st.data())
def test_closed_fill_equals_opencv_beyond_the_border(beyond, data):
    shape, rings = data.draw(images_with_rings(beyond=beyond))
    assert (fill_closed(rings, shape).to_image(shape) == opencv_fill(rings, shape)).all()


@settings(max_examples=80, deadline=None)
@given(images_with_rings())
def test_closed_fill_follows_the_written_rule(case):
    shape, rings = case
    assert (fill_closed(rings, shape).to_image(shape) == closed_by_hand(rings, shape)).all()


def square(low, high):
    return np.array([[low, low], [high, low], [high, high], [low, high]])


@pytest.mark.parametrize(
    ("rings", "count"),
    [
        ([square(2, 27)], 26**2),
        # Outlines belong to the shape, so a hole is smaller than its ring by the ring itself.
        ([square(2, 27), square(6, 23)], 26**2 - 16**2),
        ([square(2, 27), square(6, 23), square(10, 19)], 26**2 - 16**2 + 10**2),
        ([square(2, 27), square(2, 27)], 4 * 25),
    ],
    ids=["whole", "hole", "island in a hole", "twice the same"],
)
def test_nested_rings_are_holes_and_overlaps_cancel(rings, count):
    assert fill_closed(rings, (30, 30)).mask.sum() == count


@pytest.mark.parametrize(
    ("rings", "pixels"),
    [
        ([], []),
        ([np.zeros((0, 2), np.int64)], []),
        ([np.array([[2, 1]])], [(1, 2)]),
        ([np.array([[1, 1], [3, 1]])], [(1, 1), (1, 2), (1, 3)]),
        ([np.array([[-9, 1], [-5, 1], [-7, 4]])], []),
        ([np.array([[1, 9], [5, 9], [2, 7]])], []),
    ],
    ids=["no ring", "empty ring", "point", "line", "left of the image", "below the image"],
)
def test_closed_fill_of_degenerate_rings(rings, pixels):
    patch = fill_closed(rings, (5, 6))
    assert list(zip(*np.nonzero(patch.to_image((5, 6))), strict=True)) == pixels
    assert pixels or patch is EMPTY_PATCH


@needs_reference_fill
@pytest.mark.parametrize("name", ["val/P32_07", "train/P04_26", "train/P01_03"])
def test_closed_fill_of_real_entities_is_opencvs(real_data, name):
    shape = (1080, 1920)
    differing, filled = [], 0
    for frame in read_video(real_data / "visor" / f"{name}.json.gz").frames:
        for entity in frame.entities:
            rings = [polygon.astype(np.int64) for polygon in entity.polygons]
            if rings:
                filled += 1
                different = fill_closed(rings, shape).to_image(shape) != opencv_fill(rings, shape)
                if different.any():
                    differing.append((frame.name, entity.name, int(different.sum())))
    assert not differing
    assert filled >= 20


@moderate
@given(lattice_rings(), st.tuples(st.integers(-7, 3), st.integers(-7, 3)))
def test_sampled_fill_equals_exact_arithmetic(rings, corner):
    window = (*corner, corner[0] + 7, corner[1] + 6)
    assert (fill_sampled(rings, window) == sampled_by_hand(rings, window)).all()


@moderate
@given(lattice_rings(), st.lists(st.integers(-8, 8), min_size=4, max_size=4))
def test_a_window_of_the_sampled_fill_is_cut_from_the_whole(rings, sides):
    top, bottom = sorted(sides[:2])
    left, right = sorted(sides[2:])
    whole = fill_sampled(rings, (-8, -8, 8, 8))
    part = fill_sampled(rings, (top, left, bottom, right))
    assert (part == whole[top + 8 : bottom + 8, left + 8 : right + 8]).all()


@moderate
@given(lattice_rings(), st.integers(-50, 50), st.integers(-50, 50))
def test_sampled_fill_moves_with_whole_pixels(rings, right, down):
    moved = [ring + np.array([right, down]) * SUBPIXEL for ring in rings]
    window = (-8 + down, -8 + right, 8 + down, 8 + right)
    assert (fill_sampled(moved, window) == fill_sampled(rings, (-8, -8, 8, 8))).all()


@moderate
@given(images_with_rings(), st.integers(0, 30), st.integers(0, 30))
def test_closed_fill_moves_with_whole_pixels(case, right, down):
    shape, rings = case
    patch = fill_closed(rings, shape)
    moved = fill_closed([ring + np.array([right, down]) for ring in rings], (80, 80))
    assert (moved.top, moved.left) == (patch.top + down, patch.left + right)
    assert (moved.mask == patch.mask).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_sampled_pixels_lie_inside_the_polygon_and_only_those(number):
    ring = blob(number)
    mask = fill_sampled([ring], (0, 0, 32, 32))
    polygon = shapely.Polygon(ring / SUBPIXEL)
    centres = np.arange(32) + 0.5
    inside = shapely.contains_xy(polygon, *np.meshgrid(centres, centres))
    on_edge = shapely.dwithin(
        polygon.exterior, shapely.points(*np.meshgrid(centres, centres)), 1e-9
    )
    assert (mask == inside)[~on_edge].all()


def test_sampled_areas_are_unbiased_and_closed_ones_include_the_outline():
    rings = [blob(number) for number in range(200)]
    polygons = [shapely.Polygon(ring / SUBPIXEL) for ring in rings]
    areas = np.array([polygon.area for polygon in polygons])
    lengths = np.array([polygon.length for polygon in polygons])
    counts = np.array([fill_sampled([ring], (0, 0, 32, 32)).sum() for ring in rings])
    assert (abs(counts - areas) < lengths / 4).all()
    assert abs(counts.sum() / areas.sum() - 1) < 0.002
    grown = np.array([fill_closed([ring // SUBPIXEL], (32, 32)).mask.sum() for ring in rings])
    assert ((grown - areas) > lengths / 5).all()
