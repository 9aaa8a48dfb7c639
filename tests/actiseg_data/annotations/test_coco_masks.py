"""COCO's runs and polygons, against pycocotools bit for bit."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco
from scipy import ndimage

from actiseg_data.annotations.coco_outlines import draw_coco_polygons
from actiseg_data.annotations.coco_polygons import MAX_STEPS, fill_coco_polygons
from actiseg_data.annotations.coco_rle import (
    compress_runs,
    decode_rle,
    find_runs,
    paint_runs,
    parse_runs,
)
from actiseg_data.annotations.pixel_outlines import trace_outlines

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl.*:DeprecationWarning")
"""pycocotools 2.0.11 does not know a keyword of NumPy 2."""

many = settings(max_examples=200, deadline=None)


@st.composite
def masks(draw, largest=12):
    """Masks of pixels, of blocks, and grown ones with holes."""
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    cells = draw(st.binary(min_size=height * width, max_size=height * width))
    level = draw(st.sampled_from([0, 20, 128, 235, 255]))
    mask = np.frombuffer(cells, np.uint8).reshape(height, width) < level
    zoom = draw(st.integers(1, 3))
    return np.kron(mask, np.ones((zoom, zoom), bool)) if zoom > 1 else mask


@st.composite
def polygons_in_images(draw):
    """Polygons on whole pixels, halves, fifths and anywhere, which may leave the image."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    number = st.one_of(
        st.integers(-20, 60).map(float),
        st.integers(-40, 120).map(lambda value: value / 2),
        st.integers(-100, 300).map(lambda value: value / 5),
        st.floats(-20, 60),
    )
    point = st.tuples(number, number)
    rings = draw(st.lists(st.lists(point, min_size=3, max_size=9), min_size=1, max_size=3))
    return (height, width), [np.array(ring, np.float64) for ring in rings]


def fill_with_pycocotools(rings, shape):
    encoded = coco.frPyObjects([np.ravel(ring).tolist() for ring in rings], *shape)
    return coco.decode(coco.merge(encoded)).astype(bool)


def encode_with_pycocotools(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


@given(masks())
@many
def test_runs_are_those_of_pycocotools(mask):
    height, width = mask.shape
    expected = encode_with_pycocotools(mask)
    text = expected["counts"].decode()
    runs = find_runs(mask)
    assert compress_runs(runs) == text
    assert parse_runs(text, height, width).tolist() == runs.tolist()
    assert (decode_rle(text, height, width) == mask).all()
    assert (decode_rle(runs.tolist(), height, width) == mask).all()
    assert (paint_runs(runs, height).to_image(mask.shape) == mask).all()


# pycocotools writes a byte beyond its buffer if every run takes six signs, from 2^24 on.
@given(st.lists(st.integers(0, (1 << 24) - 1), min_size=1, max_size=30))
@example([1 << 26])
def test_long_runs_are_compressed_as_pycocotools_does(runs):
    total = sum(runs) + 1
    document = {"size": [1, total], "counts": [*runs, 1]}
    expected = coco.frPyObjects(document, 1, total)["counts"].decode()
    assert compress_runs(np.array(document["counts"])) == expected
    if total <= 1 << 26:
        assert parse_runs(expected, 1, total).tolist() == document["counts"]


@given(st.text(max_size=30), st.integers(1, 9), st.integers(1, 9))
def test_damaged_runs_never_decode_to_another_size(text, height, width):
    with contextlib.suppress(ValueError):
        assert decode_rle(text, height, width).shape == (height, width)


@given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=30))
def test_an_accepted_string_has_the_runs_that_pycocotools_reads(text):
    with contextlib.suppress(ValueError):
        mask = decode_rle(text, 4, 5)
        assert (coco.decode({"size": [4, 5], "counts": text}) == mask).all()


@pytest.mark.parametrize(
    "counts",
    [[], [-1, 21], [19], [21], [1 << 80], [10, 1 << 63], "", "0", "o", "oooooooo0", "é", "0" * 999],
)
def test_runs_that_do_not_fill_the_mask_are_refused(counts):
    with pytest.raises(ValueError, match="runs"):
        decode_rle(counts, 4, 5)


@given(polygons_in_images())
@many
def test_polygons_are_filled_as_pycocotools_does(case):
    shape, rings = case
    filled = fill_coco_polygons(rings, shape).to_image(shape)
    assert (filled == fill_with_pycocotools(rings, shape)).all()


def test_an_endless_outline_is_refused():
    ring = np.array([[0, 0], [MAX_STEPS, 0], [0, 1]], np.float64)
    with pytest.raises(ValueError, match="longer than"):
        fill_coco_polygons([ring], (4, 4))


@given(masks())
@many
def test_outlines_are_filled_to_the_same_mask(mask):
    rings = trace_outlines(mask)
    assert (fill_coco_polygons([ring.astype(float) for ring in rings], mask.shape)).to_image(
        mask.shape
    ).tolist() == mask.tolist()
    if rings:
        assert (fill_with_pycocotools(rings, mask.shape) == mask).all()
    # Each part is one polygon, and holes run in the other direction: windings give the area.
    parts, count = ndimage.label(mask)
    sizes = ndimage.sum_labels(mask, parts, np.arange(1, count + 1))
    assert sorted(map(measure_signed_area, rings)) == sorted(sizes)
    for ring in rings:
        steps = np.abs(np.diff(ring, axis=0, append=ring[:1]))
        assert ((steps > 0).sum(axis=1) == 1).all()  # along the sides of pixels, no point twice


def measure_signed_area(ring):
    (x, y), (next_x, next_y) = ring.T, np.roll(ring, -1, axis=0).T
    return float((x * next_y - next_x * y).sum() / 2)


def test_nested_holes_are_joined_to_the_outline_around_them():
    mask = np.ones((9, 9), bool)
    mask[1:8, 1:8] = False
    mask[2:7, 2:7] = True
    mask[3, 3:6] = mask[5, 3:6] = False
    rings = trace_outlines(mask)
    assert [measure_signed_area(ring) for ring in rings] == [32, 19]
    assert (fill_with_pycocotools(rings, mask.shape) == mask).all()


@st.composite
def smooth_masks(draw):
    """Level sets of smooth noise, which have long curves, holes, and parts at the border."""
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    cells = np.random.default_rng(draw(st.integers(0, 1 << 30))).normal(size=(height, width))
    smooth = ndimage.gaussian_filter(cells, draw(st.floats(0.5, 6)))
    return smooth > np.quantile(smooth, draw(st.floats(0.05, 0.95)))


@given(masks() | smooth_masks())
@many
def test_drawn_polygons_are_filled_to_the_same_mask(mask):
    rings = draw_coco_polygons(mask)
    outlines = trace_outlines(mask)
    assert len(rings) == len(outlines)
    if rings:
        assert (fill_with_pycocotools(rings, mask.shape) == mask).all()
    for ring, outline in zip(rings, outlines, strict=True):
        assert (ring.min(axis=0) >= outline.min(axis=0)).all()
        assert (ring.max(axis=0) <= outline.max(axis=0)).all()


def test_drawn_polygons_have_few_points():
    y, x = np.ogrid[:200, :200]
    disc = (y - 100) ** 2 + (x - 100) ** 2 < 90**2
    (ring,), (outline,) = draw_coco_polygons(disc), trace_outlines(disc)
    assert len(ring) < len(outline) / 3
