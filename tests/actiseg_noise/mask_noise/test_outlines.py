"""Boundary noise on single objects: what each kind does to an outline, held against other ways."""

from __future__ import annotations

from dataclasses import asdict

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.keys import make_key
from actiseg_noise.mask_noise.calibration import Strength, calibrate
from actiseg_noise.mask_noise.contours import compute_iou, draw, find_object, trace, trim
from actiseg_noise.mask_noise.distance import (
    measure_depths,
    measure_edge_distances,
    measure_squared_depths,
)
from actiseg_noise.mask_noise.outline_kinds import find_outline_kind
from actiseg_noise.mask_noise.simplify import simplify_ring
from actiseg_noise.recipes.kind_specs import KIND_SPECS

PARAMETERS = {name: p.default for name, p in KIND_SPECS["boundary"].parameters.items()}
SHAPE = (160, 200)


def disc(radius, centre=(80, 100), shape=SHAPE):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2).astype(np.uint8)


def ring(outer, inner):
    return disc(outer) - disc(inner)


def two_parts():
    return np.maximum(disc(20, (50, 50)), disc(25, (100, 150)))


def test_patches_are_cut_to_their_pixels_however_small():
    """OpenCV 4.8's own bounding box loses a column of some of these."""
    for shape in [(1, 1), (1, 5), (2, 2), (2, 5), (3, 3), (4, 3)]:
        for bits in range(2 ** (shape[0] * shape[1])):
            mask = np.array([bits >> at & 1 for at in range(shape[0] * shape[1])], bool)
            patch = trim(Patch(7, 9, mask.reshape(shape)))
            rows, columns = np.nonzero(mask.reshape(shape))
            if not bits:
                assert patch.mask.shape == (0, 0)
                continue
            assert (patch.top, patch.left) == (7 + rows.min(), 9 + columns.min())
            assert patch.mask.shape == (np.ptp(rows) + 1, np.ptp(columns) + 1)
            assert patch.mask.sum() == mask.sum()


def cut_by_border():
    return disc(40, (150, 190))


def tool():
    mask = np.zeros(SHAPE, np.uint8)
    mask[60:66, 20:180] = 1
    return mask


OBJECTS = {
    "disc": disc(40),
    "ring": ring(45, 15),
    "two parts": two_parts(),
    "cut by border": cut_by_border(),
    "thin tool": tool(),
}


def drawn(kind, mask, strength, item="a", **parameters):
    clean = find_object(mask, 1)
    parameters = PARAMETERS | parameters | asdict(strength)
    return find_outline_kind(kind)(clean, parameters, lambda purpose: make_key(0, 1, purpose, item))


def blobs(seed, shape=(30, 40)):
    """A mask of random parts and holes, some of them tiny, or cut by the border."""
    noise = np.random.default_rng(seed).random(shape)
    return (cv2.GaussianBlur(noise, (0, 0), 1.5) > 0.5).astype(np.uint8)


def area_and_crack_length(outline):
    """Shoelace area of all rings, holes taken off, and number of vertices."""
    area = 0.0
    for outer, *holes in outline.parts:
        shells = [shapely.Polygon(outline.rings[i]).area for i in (outer, *holes)]
        area += shells[0] - sum(shells[1:])
    return area, len(outline.points)


@pytest.mark.parametrize("step", [1, 2, 4])
@pytest.mark.parametrize("name", OBJECTS)
def test_outline_filled_again_is_the_mask(name, step):
    mask = OBJECTS[name]
    clean = find_object(mask, 1)
    again = draw(trace(clean, step), mask.shape)
    assert compute_iou(clean.patch, again) > (0.985 if step > 1 else 0.999)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_outline_of_any_mask_is_marching_squares(seed):
    """Recomputed from counts: a vertex for each side between pixel and no pixel, and the area of
    the 2 x 2 cells by how many of their corners are set."""
    mask = np.pad(blobs(seed), 3)
    if not mask.any():
        return
    clean = find_object(mask, 1)
    outline = trace(clean)
    assert outline.is_valid
    assert (draw(outline, mask.shape).to_image(mask.shape) == mask).all()
    sides = (mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()
    corners = mask[1:, 1:] + mask[:-1, 1:] + mask[1:, :-1] + mask[:-1, :-1]
    opposite = (corners == 2) & (mask[1:, 1:] == mask[:-1, :-1])
    area = np.array([0, 1 / 8, 1 / 2, 7 / 8, 1])[corners] + opposite / 4
    assert area_and_crack_length(outline) == (area.sum(), sides)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_outline_of_any_mask_stays_within_half_a_pixel(seed, step):
    mask = blobs(seed)
    if not mask.any():
        return
    clean = find_object(mask, 1)
    again = draw(trace(clean, step), mask.shape).to_image(mask.shape)
    # Smoothed over a pixel or two, closed over gaps of two pixels to the border: no pixel deep
    # inside is lost, none far outside is won.
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    outside = cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0
    assert again[inside].all()
    assert not again[outside].any()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_depths_are_exact_distances(seed):
    shape = blobs(seed) > 0
    if shape.all():
        return
    wanted = np.rint(distance_transform_edt(shape) * 64)
    assert (measure_depths(shape) == wanted).all()


def test_depth_where_there_is_no_outside_is_the_array_s_size():
    assert (measure_depths(np.ones((3, 5), bool)) == 64 * 8).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_edge_distances_are_near_the_exact_ones(seed):
    shape = blobs(seed) > 0
    if not shape.any():
        return
    exact = distance_transform_edt(~shape) * 64 - 32
    found = measure_edge_distances(shape)
    assert (abs(found - exact)[~shape] <= 32.5).all()
    assert (found >= 1).all()


@pytest.mark.parametrize("slant", [0.0, 0.1, 0.3, 0.5, 0.8, 1.0])
def test_edge_distances_of_a_half_plane_are_those_of_its_line(slant):
    """Within half a pixel; a quarter less on average at most, because far off only those pixels of
    an edge count that stick out."""
    rows, columns = np.mgrid[:80, :80]
    distance = ((rows - 40.5) - slant * (columns - 40)) / np.hypot(1, slant)
    near = (distance > 0) & (distance < 12)
    near[:, :20] = near[:, -20:] = False  # whose nearest pixel can lie beyond the array
    error = measure_edge_distances(distance < 0)[near] / 64 - distance[near]
    assert abs(error).max() < 1 / 2
    assert -0.25 < error.mean() < 0.05


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.9, 0.8, 0.6]))
@settings(max_examples=40, deadline=None)
def test_no_radius_is_closer_to_the_target_than_that_of_an_offset(seed, target):
    mask = blobs(seed)
    if not mask.any():
        return
    for kind in ("dilate", "erode"):
        found = drawn(kind, mask, Strength(target_iou=target), minimum_area=0, minimum_share=0.0)
        again = drawn(kind, mask, Strength(radius=found.details["radius"]))
        if again.status == "fixed":
            assert (again.patch.to_image((30, 40)) == found.patch.to_image((30, 40))).all()
        for radius in np.arange(0, 20, 0.25):
            other = drawn(kind, mask, Strength(radius=radius), minimum_area=0, minimum_share=0.0)
            assert abs(found.iou - target) <= abs(other.iou - target)


@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_growth_does_not_depend_on_how_much_of_the_frame_is_looked_at(seed, radius):
    mask = np.zeros((60, 90), np.uint8)
    mask[20:50, 30:70] = blobs(seed)
    if not mask.any():
        return
    found = drawn("dilate", mask, Strength(radius=float(radius))).patch.to_image(mask.shape)
    assert (
        found == ((measure_edge_distances(mask > 0) <= 64 * radius) & (radius > 0)) | (mask > 0)
    ).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_simplified_ring_keeps_within_tolerance_of_every_vertex(seed, tolerance):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 60))
    angles = np.sort(rng.random(count)) * 2 * np.pi
    radius = 40 + rng.integers(-6, 7, count)
    ring = np.rint(np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None]).astype(int)
    simple = simplify_ring(ring, tolerance)
    if not len(simple):
        assert shapely.Polygon(ring).area == 0
        return
    assert {tuple(v) for v in simple.tolist()} <= {tuple(v) for v in ring.tolist()}
    outline = shapely.LinearRing(simple)
    assert max(outline.distance(shapely.Point(v)) for v in ring) <= tolerance + 1e-9
    again = simplify_ring(np.roll(ring, 5, axis=0), tolerance)
    assert simple.tolist() == again.tolist()
    # As large as an 8K frame's outline, continued beyond it, can be: int64 would not hold squares.
    assert (1024 * simple).tolist() == simplify_ring(1024 * ring, 1024 * tolerance).tolist()


@pytest.mark.parametrize("kind", ["dilate", "erode", "jitter"])
@pytest.mark.parametrize("target", [0.9, 0.8, 0.6])
@pytest.mark.parametrize("name", ["disc", "ring", "two parts", "cut by border"])
def test_target_iou_is_met(kind, target, name):
    found = drawn(kind, OBJECTS[name], Strength(target_iou=target))
    assert found.status == "met"
    assert abs(found.iou - target) <= 0.02
    assert found.iou == compute_iou(find_object(OBJECTS[name], 1).patch, found.patch)


@pytest.mark.parametrize("radius", [1.0, 3.5, 8.0])
@pytest.mark.parametrize("name", ["disc", "ring", "two parts", "cut by border"])
def test_dilation_and_erosion_are_distance_thresholds(radius, name):
    """Recomputed from exact distance transforms; outlines are smooth where pixels are stairs, so a
    one-pixel band may differ."""
    mask = np.pad(OBJECTS[name], 60, mode="edge")
    far_out = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    far_in = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = np.where(mask > 0, 0.5 - far_in, far_out - 0.5)[60:-60, 60:-60]
    for kind, edge in (("dilate", radius), ("erode", -radius)):
        found = drawn(kind, OBJECTS[name], Strength(radius=radius)).patch.to_image(SHAPE)
        assert found[signed < edge - 1.0].all()
        assert not found[signed > edge + 1.0].any()


@pytest.mark.parametrize("kind", ["dilate", "erode", "jitter"])
def test_frame_border_is_no_boundary(kind):
    """An object that fills the lower half of the frame only moves along its upper edge."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[80:] = 1
    found = drawn(kind, mask, Strength(target_iou=0.8)).patch.to_image(SHAPE)
    assert found[150:].all()
    assert not found[:20].any()


def test_erosion_keeps_the_stated_minimum():
    found = drawn("erode", tool(), Strength(radius=20.0))
    assert found.status == "minimum"
    least = max(PARAMETERS["minimum_area"], PARAMETERS["minimum_share"] * tool().sum())
    assert least <= found.patch.mask.sum() < tool().sum()


def test_tiny_object_is_never_erased():
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:8, 5:9] = 1
    found = drawn("erode", mask, Strength(target_iou=0.8))
    assert found.patch.mask.sum() == 12
    assert found.status == "minimum"


def test_target_that_the_pixel_grid_cannot_meet_is_marked():
    mask = np.zeros(SHAPE, np.uint8)
    mask[5, 5] = 1
    assert drawn("dilate", mask, Strength(target_iou=0.8)).status == "short"


@pytest.mark.parametrize("kind", ["dilate", "jitter", "erode"])
def test_radius_zero_changes_nothing(kind):
    found = drawn(kind, disc(30), Strength(radius=0.0))
    assert found.iou == 1.0


def test_holes_and_parts_survive():
    found = drawn("dilate", ring(45, 15), Strength(radius=4.0)).patch.to_image(SHAPE)
    assert not found[80, 100]
    shrunk = drawn("erode", two_parts(), Strength(radius=4.0)).patch.to_image(SHAPE)
    assert cv2.connectedComponents(shrunk.astype(np.uint8))[0] == 3


@pytest.mark.parametrize("target", [0.9, 0.8, 0.6, 0.5])
def test_jitter_is_unbiased_and_never_folds(target):
    ratios = []
    for item in range(80):
        found = drawn("jitter", disc(30), Strength(target_iou=target), item=f"item {item}")
        ratios.append(found.patch.mask.sum() / disc(30).sum())
        assert found.status == "met"
        assert cv2.connectedComponents(found.patch.mask.astype(np.uint8))[0] == 2
    assert abs(np.median(ratios) - 1) < 0.02


def test_jitter_stops_before_it_folds_and_says_so():
    found = drawn("jitter", disc(40), Strength(radius=30.0), correlation_length=8.0)
    assert found.status == "fold"
    assert found.details["radius"] < 10


def test_jitter_radius_is_the_rms_normal_displacement():
    """Held against distances from the drawn outline to the clean circle."""
    squares = []
    for item in range(40):
        found = drawn(
            "jitter", disc(60), Strength(radius=3.0), item=f"{item}", correlation_length=40.0
        )
        contours, _ = cv2.findContours(
            found.patch.to_image(SHAPE).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        points = np.concatenate(contours)[:, 0, :]
        distance = np.hypot(points[:, 0] - 100, points[:, 1] - 80) - 60
        squares.append((distance**2).mean())
    assert abs(np.sqrt(np.mean(squares)) - 3.0) < 0.4


def test_slight_jitter_of_long_waves_leaves_the_details():
    mask = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((12, 12), int)).astype(np.uint8)
    mask = np.pad(mask, 20)
    strength = Strength(radius=0.2)
    assert drawn("jitter", mask, strength, correlation_length=500.0).iou > 0.9


def test_jitter_depends_on_the_key_alone():
    one = drawn("jitter", disc(30), Strength(target_iou=0.8), item="a")
    same = drawn("jitter", disc(30), Strength(target_iou=0.8), item="a")
    other = drawn("jitter", disc(30), Strength(target_iou=0.8), item="b")
    assert (one.patch.mask == same.patch.mask).all()
    assert compute_iou(one.patch, other.patch) < 0.95


def test_draws_of_one_item_are_of_their_own():
    """Each purpose has its own key: no number of one draw is made from the bits of another."""
    purposes = []

    def keyed(purpose):
        purposes.append(purpose)
        return make_key(0, 1, purpose, "a")

    find_outline_kind("jitter")(
        find_object(disc(30), 1), PARAMETERS | asdict(Strength(radius=2.0)), keyed
    )
    assert set(purposes) == {"jitter.waves", "jitter.phases"}


@given(
    slope=st.floats(0.0005, 0.2),
    target=st.floats(0.3, 0.99),
    guess=st.integers(0, 5000),
    limit=st.integers(0, 5000),
)
@settings(max_examples=200, deadline=None)
def test_calibration_finds_the_closest_level(slope, target, guess, limit):
    def iou_at(level):
        return 1 / (1 + slope * level)

    level = calibrate(iou_at, target, guess, limit)
    best = min(range(limit + 1), key=lambda at: abs(iou_at(at) - target))
    assert 0 <= level <= limit
    assert abs(iou_at(level) - target) <= max(abs(iou_at(best) - target), 0.004) + 1e-12


def test_patch_iou_equals_whole_image_iou():
    first = Patch(2, 3, np.ones((4, 5), bool))
    second = Patch(4, 5, np.ones((6, 2), bool))
    a, b = first.to_image((20, 20)), second.to_image((20, 20))
    assert compute_iou(first, second) == (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("optimised", [True, False])
def test_distances_are_exact_with_and_without_intels_primitives(optimised):
    """Their last bits differ beyond some 114 pixels; the squares are whole numbers."""
    shape = np.ones((480, 854), bool)
    shape[100:103, 700] = shape[400, 20:25] = shape[3, 3] = False
    holes = np.argwhere(~shape)
    rows, columns = np.mgrid[: shape.shape[0], : shape.shape[1]]
    squares = np.min(
        [(rows - row) ** 2 + (columns - column) ** 2 for row, column in holes.tolist()], axis=0
    )
    before = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(optimised)
    try:
        assert (measure_squared_depths(shape) == squares).all()
        assert (measure_depths(shape) == np.rint(64 * np.sqrt(squares.astype(np.float32)))).all()
    finally:
        cv2.ipp.setUseIPP(before)
