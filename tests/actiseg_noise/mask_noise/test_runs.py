"""The kinds ``runs`` and ``relocate``: what they draw, and how it holds over frames."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.keys import make_key
from actiseg_noise.mask_noise.contours import ObjectMask, find_object
from actiseg_noise.mask_noise.frame_runs import divide_into_runs
from actiseg_noise.mask_noise.relocate import relocate
from actiseg_noise.mask_noise.run_changes import change_run
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import KIND_SPECS
from tests.helpers.roots import clip, draw_mask

FRAMES = tuple(f"{number:05d}" for number in range(40))
DEFAULTS = {name: spec.default for name, spec in KIND_SPECS["runs"].parameters.items()}


def keys_of(number):
    return lambda purpose: make_key(number, 1, purpose)


def blob(number, shape=(120, 160)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    mask = (rows - 50) ** 2 + (columns - 40 - number) ** 2 < 25**2
    mask[90:110, 20 + number : 30 + number] = True
    return mask


def cut(mask):
    return find_object(mask.astype(np.uint8), 1)


def test_runs_cover_the_frames_with_lengths_within_their_bounds():
    seen = set()
    for seed in range(200):
        starts = divide_into_runs(seed, 1, ("clip",), FRAMES, 3, 6)
        lengths = [starts.count(start) for start in sorted(set(starts))]
        assert sorted(starts) == list(starts)
        assert sum(lengths) == len(FRAMES)
        assert all(3 <= length <= 6 for length in lengths[:-1])
        assert 1 <= lengths[-1] <= 6
        seen |= set(lengths[:-1])
    assert seen == {3, 4, 5, 6}


def test_change_and_radius_hold_for_a_run_of_an_object():
    sequence = replace(clip(1), frames=FRAMES)
    masks = [draw_mask(sequence, "the same") for _ in FRAMES]
    recipe = make_recipe("runs", 1.0, objects="all", radius_least=1, radius_most=9)
    noise = recipe.noises[0]
    starts = divide_into_runs(0, noise.algorithm, sequence.identity, FRAMES, 3, 6)
    drawn: dict[tuple[int, int], set[str]] = {}
    for start, frame in zip(starts, corrupt_sequence(sequence, masks, recipe), strict=True):
        for row in frame.rows:
            drawn.setdefault((start, row.object_id), set()).add(repr(row.parameters))
    assert all(len(details) == 1 for details in drawn.values())
    changes = [next(iter(details)) for details in drawn.values()]
    for change in DEFAULTS["changes"]:
        assert sum(change in text for text in changes) >= 2


def test_whole_clips_are_selected_and_rates_nest():
    few, many = (
        {
            number
            for number in range(1, 60)
            for frame in corrupt_sequence(
                clip(number),
                [draw_mask(clip(number), name) for name in clip(number).frames],
                make_recipe("runs", rate, objects="all"),
            )
            if frame.rows
        }
        for rate in (0.3, 0.6)
    )
    assert few < many
    assert 8 <= len(few) <= 28
    for number in few:
        masks = [draw_mask(clip(number), name) for name in clip(number).frames]
        frames = list(
            corrupt_sequence(clip(number), masks, make_recipe("runs", 0.3, objects="all"))
        )
        for frame in frames:
            touched = {row.object_id for row in frame.rows}
            assert touched == set(np.unique(frame.clean)) - {0}


@pytest.mark.parametrize("change", ["dilate", "erode"])
@pytest.mark.parametrize("radius", [0, 1, 4, 7])
def test_discs_equal_those_of_opencv(change, radius):
    element = np.zeros((2 * radius + 1, 2 * radius + 1), np.uint8)
    rows, columns = np.indices(element.shape) - radius
    element[rows**2 + columns**2 <= radius**2] = 1
    parameters = DEFAULTS | {"changes": [change], "radius_least": radius, "radius_most": radius}
    for number in (-30, 0, 60):
        mask = blob(number)
        patch = change_run(cut(mask), parameters, keys_of(number)).patch
        expected = getattr(cv2, change)(mask.astype(np.uint8), element)
        assert (patch.to_image(mask.shape) == expected.astype(bool)).all()


def test_a_radius_is_scaled_to_the_height_of_the_frame():
    parameters = DEFAULTS | {"changes": ["dilate"], "reference_height": 480.0}
    details = change_run(cut(blob(0)), parameters, keys_of(1)).details
    assert 10 <= details["radius"] <= 12.5


def test_affine_maps_keep_area_and_centre_as_they_should():
    """Without rotation and scale, a part moves up or down; without shift, about the centre."""
    still = DEFAULTS | {"changes": ["affine"], "rotation": 0.0, "rescaling": 0.0}
    shifts = set()
    for number in range(20):
        mask = np.zeros((120, 160), bool)
        mask[50:70, 60:100] = True
        patch = change_run(cut(mask), still, keys_of(number)).patch
        assert patch.mask.all()
        assert patch.mask.shape == (20, 40)
        assert patch.left == 60
        shifts.add(patch.top - 50)
    assert len(shifts) > 10
    assert all(abs(shift) <= 24 for shift in shifts)
    turned = DEFAULTS | {"changes": ["affine"], "translation": 0.0}
    for number in range(10):
        mask = np.zeros((121, 161), bool)
        mask[40:81, 50:111] = True
        patch = change_run(cut(mask), turned, keys_of(number)).patch
        rows, columns = np.nonzero(patch.to_image(mask.shape))
        assert abs(rows.mean() - 60) < 1
        assert abs(columns.mean() - 80) < 1
        assert 0.6 * mask.sum() < len(rows) < 1.5 * mask.sum()


def test_a_rotation_equals_that_of_opencv_but_for_the_rim():
    parameters = DEFAULTS | {"changes": ["affine"], "translation": 0.0, "rescaling": 0.0}
    mask = np.zeros((120, 160), np.uint8)
    mask[30:80, 40:60] = 1
    from actiseg_data.core.keys import draw_uniforms

    for number in range(5):
        patch = change_run(cut(mask), parameters, keys_of(number)).patch
        angle = 30 * (2 * draw_uniforms(keys_of(number)("runs.affine 0"), 3)[0] - 1)
        # OpenCV rotates against the clock, about pixel centres.
        turn = cv2.getRotationMatrix2D((79.5, 59.5), -angle, 1)
        expected = cv2.warpAffine(mask, turn, (160, 120), flags=cv2.INTER_NEAREST)
        assert (patch.to_image(mask.shape) != expected.astype(bool)).sum() < 60


def test_a_polygon_has_few_points_near_the_contour():
    parameters = DEFAULTS | {"changes": ["polygon"], "shift": 0.0}
    for number in range(10):
        mask = blob(0)
        outline = change_run(cut(mask), parameters, keys_of(number))
        assert 4 <= outline.details["points"] <= 8
        drawn = outline.patch.to_image(mask.shape)
        # Without shifts, a polygon of points of a convex part is inside of it.
        assert not (drawn & ~mask).any()
        assert drawn.sum() > 0.4 * mask.sum()


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="radius_least is greater than radius_most"):
        make_recipe("runs", 0.5, radius_least=60)


def test_a_relocated_object_is_stretched_into_its_new_box():
    boxes = set()
    for number in range(200):
        mask = blob(0)
        outline = relocate(cut(mask), {"growth": 0.5}, keys_of(number))
        left, top, right, bottom = outline.details["box"]
        assert 0 <= left < right <= 160
        assert 0 <= top < bottom <= 120
        boxes.add((left, top, right, bottom))
        source = cut(mask).patch.mask
        expected = np.zeros(mask.shape, bool)
        for row in range(top, bottom):
            for column in range(left, right):
                y = int((row - top + 0.5) * source.shape[0] / (bottom - top))
                x = int((column - left + 0.5) * source.shape[1] / (right - left))
                expected[row, column] = source[y, x]
        if number < 10:
            assert (outline.patch.to_image(mask.shape) == expected).all()
    centre = np.mean([((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes], axis=0)
    assert abs(centre[0] - 40) < 6
    assert abs(centre[1] - 67) < 8
    assert len(boxes) > 150


def test_a_box_without_pixels_becomes_the_middle_half_of_the_old_one():
    corner = ObjectMask(Patch(0, 0, np.ones((1, 1), bool)), (50, 50))
    outlines = [relocate(corner, {"growth": 0.5}, keys_of(number)) for number in range(40)]
    assert all(outline.patch.mask.any() for outline in outlines)
    assert [0, 0, 1, 1] in [outline.details["box"] for outline in outlines]
