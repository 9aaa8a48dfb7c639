"""Misplaced and few vertices, held against transcriptions in whole numbers on whole frames."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from actiseg_data.annotations.polygons import fill_closed
from actiseg_data.core.keys import draw_normals
from tests.helpers.small_frames import disc, drawn, keyed_as, masks


def contours_of(mask):
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rings = [[tuple(map(int, vertex)) for vertex in ring[:, 0]] for ring in found]
    return sorted(rings, key=lambda ring: (ring[0][1], ring[0][0]))


def united(rings, shape):
    image = np.zeros(shape, bool)
    for ring in rings:
        image |= fill_closed([np.array(ring)], shape).to_image(shape)
    return image


@given(masks(), st.text(max_size=3), st.sampled_from([0.0, 0.4, 2.0, 30.0]))
@settings(max_examples=150, deadline=None)
def test_every_vertex_is_misplaced_by_its_own_bells(mask, item, sigma):
    rings = contours_of(mask)
    count = sum(map(len, rings))
    shifts = iter(draw_normals(keyed_as(item)("localise.vertices"), 2 * count).tolist())
    moved = [
        [tuple(value + round(sigma * next(shifts)) for value in vertex) for vertex in ring]
        for ring in rings
    ]
    image, details = drawn("localise", mask, item, sigma=sigma)
    assert (image == united(moved, mask.shape)).all()
    assert details == {"vertices": count}


@given(masks())
@settings(max_examples=100, deadline=None)
def test_vertices_that_stay_fill_the_object_and_its_holes(mask):
    image, _ = drawn("localise", mask, sigma=0)
    assert (image == ndimage.binary_fill_holes(mask)).all()


def test_misplaced_vertices_depend_on_the_key():
    mask = disc(20, (60, 60))
    images = [drawn("localise", mask, item)[0] for item in "ab"]
    assert (images[0] != images[1]).any()


def squared_distance(point, start, end):
    """From a point to a segment, as a fraction."""
    along = (end[0] - start[0], end[1] - start[1])
    aside = (point[0] - start[0], point[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    if not length:
        return Fraction(aside[0] ** 2 + aside[1] ** 2)
    share = Fraction(aside[0] * along[0] + aside[1] * along[1], length)
    share = min(max(share, Fraction(0)), Fraction(1))
    return (aside[0] - share * along[0]) ** 2 + (aside[1] - share * along[1]) ** 2


def peucker(points, tolerance):
    """The inner points of a chain that stay, by recursion."""
    if len(points) < 3:
        return []
    away = [squared_distance(point, points[0], points[-1]) for point in points[1:-1]]
    if max(away) <= tolerance**2:
        return []
    at = away.index(max(away)) + 1
    before, after = points[: at + 1], points[at:]
    return [*peucker(before, tolerance), points[at], *peucker(after, tolerance)]


def turning(ring):
    corners = []
    for i, (x, y) in enumerate(ring):
        (x0, y0), (x1, y1) = ring[i - 1], ring[(i + 1) % len(ring)]
        cross = (x - x0) * (y1 - y) - (y - y0) * (x1 - x)
        if cross or (x - x0) * (x1 - x) + (y - y0) * (y1 - y) < 0:
            corners.append((x, y))
    return corners


def approximated(ring, tolerance):
    """At the highest of the falling tolerances (in 1/64 pixel) that leaves a simple ring."""
    corners = turning(ring)
    level = round(64 * tolerance)
    while level:
        first = corners.index(min(corners, default=None)) if corners else 0
        turned = corners[first:] + corners[:first]
        far = [(x - turned[0][0]) ** 2 + (y - turned[0][1]) ** 2 for x, y in turned]
        middle = far.index(max(far))
        limit = Fraction(level, 64)
        simple = [turned[0], *peucker(turned[: middle + 1], limit), turned[middle]]
        simple += peucker([*turned[middle:], turned[0]], limit)
        if 3 <= len(simple) < len(corners) and shapely.LinearRing(simple).is_simple:
            return simple
        level = 3 * level // 4
    return ring


@given(masks(largest=40), st.sampled_from([0.0, 0.6, 1.0, 2.5, 5.0, 15.0]))
@settings(max_examples=150, deadline=None)
def test_few_vertices_are_those_of_a_recursion_in_fractions(mask, tolerance):
    rings = [ring for ring in contours_of(mask) if len(ring) >= 4]
    simple = [approximated(ring, tolerance) for ring in rings]
    image, details = drawn("approximate", mask, tolerance=tolerance)
    assert (image == united(simple, mask.shape)).all()
    assert details == {"vertices": sum(map(len, simple))}


@given(masks(largest=40), st.sampled_from([1.0, 3.0, 10.0]))
@settings(max_examples=100, deadline=None)
def test_no_pixel_is_further_off_than_the_tolerance(mask, tolerance):
    """Filled outlines lie within the tolerance, and the pixel that an edge is drawn with."""
    kept = united([ring for ring in contours_of(mask) if len(ring) >= 4], mask.shape)
    image, _ = drawn("approximate", mask, tolerance=tolerance)
    for one, other in ((image, kept), (kept, image)):
        if one.any() and other.any():
            away = ndimage.distance_transform_edt(~other)
            assert away[one].max() <= tolerance + 1


@pytest.mark.parametrize(("tolerance", "most"), [(1, 32), (5, 12), (20, 5)])
def test_higher_tolerances_leave_fewer_vertices(tolerance, most):
    mask = disc(60, (160, 200))
    _, details = drawn("approximate", mask, tolerance=tolerance)
    assert 3 <= details["vertices"] <= most


def test_a_part_below_the_tolerance_keeps_a_shape_unless_it_is_tiny():
    mask = disc(3, (40, 40), (10, 10))
    mask[30, 30:33] = 1
    image, details = drawn("approximate", mask, tolerance=15)
    assert details["vertices"] in (3, 4)
    assert image[5:15, 5:15].any()
    assert not image[25:].any()


def test_an_object_of_tiny_parts_vanishes():
    mask = np.zeros((20, 20), np.uint8)
    mask[3, 3] = mask[10, 4:9] = 1
    image, details = drawn("approximate", mask)
    assert not image.any()
    assert details == {"vertices": 0}
