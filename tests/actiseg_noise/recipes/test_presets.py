"""The presets: what they are, and that they do what their sources do, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from actiseg_data.core.errors import InputError
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.kind_specs import KIND_SPECS
from actiseg_noise.recipes.presets import load_preset, load_presets
from tests.helpers.roots import SHAPE, clip, draw_mask

NAMES = [
    *(f"actiseg-nl/mask-{size}" for size in (9, 15, 21)),
    *(f"smart/de-{operation}" for operation in ("D", "E", "EAD", "DAE")),
    "smart/mar",
    *(f"coco-n/{level}" for level in ("easy", "medium", "hard")),
    "markov/expand",
    "markov/shrink",
    *(f"actiseg-nl/{noise}-{rate}" for noise in ("text", "released") for rate in (20, 40, 60)),
    "actiseg-nl/mixed-60-21",
    *(
        f"actiseg/{noise}-{rate}"
        for noise in ("boundary", "text", "mixed")
        for rate in (20, 40, 60)
    ),
]


def test_the_presets_of_the_contract_are_there():
    assert load_presets().keys() >= set(NAMES)


@pytest.mark.parametrize("name", sorted(load_presets()))
def test_a_preset_is_a_recipe_of_the_present_algorithms(name):
    preset = load_preset(name)
    recipe = preset.make_recipe(split="val", seed=3)
    for noise in recipe.noises:
        assert noise.algorithm == KIND_SPECS[noise.kind].algorithm
        assert noise.parameters.keys() == KIND_SPECS[noise.kind].parameters.keys()
    assert (recipe.split, recipe.seed) == ("val", 3)
    assert preset.source.paper
    assert preset.source.differences


def test_what_is_given_stands_over_the_preset():
    preset = load_preset("actiseg/boundary-40")
    recipe = preset.make_recipe(rate=0.1, objects="all", exact=True, parameters={"radius": 3})
    (noise,) = recipe.noises
    assert (noise.rate, noise.objects, noise.exact) == (0.1, "all", True)
    assert (noise.parameters["radius"], noise.parameters["target_iou"]) == (3.0, None)
    with pytest.raises(InputError, match="no parameter 'radius'"):
        load_preset("smart/mar").make_recipe(parameters={"radius": 3})
    with pytest.raises(InputError, match="rate"):
        preset.make_recipe(rate=2)


def test_an_unknown_preset_names_those_that_are_near():
    with pytest.raises(InputError, match="smart/mar"):
        load_preset("smart/mer")


def square(shape, size):
    """Dilation by a square, by shifting."""
    reach = size // 2
    padded = np.pad(shape, reach)
    views = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return views.any(axis=(2, 3))


def actiseg_nl(mask, sequence, size, touched):
    """The published rule: positives in file order, dilated where noise falls on them, then the
    others, each pixel only where the canvas is still 0."""
    canvas = np.zeros_like(mask)
    queued = []
    for label in sequence.objects:
        shape = mask == label.object_id
        if not label.positive:
            queued.append((label.object_id, shape))
            continue
        if label.object_id in touched:
            shape = square(shape, size)
        for y, x in zip(*np.nonzero(shape), strict=True):
            if canvas[y, x] == 0:
                canvas[y, x] = label.object_id
    for object_id, shape in queued:
        for y, x in zip(*np.nonzero(shape), strict=True):
            if canvas[y, x] == 0:
                canvas[y, x] = object_id
    return canvas


@pytest.mark.parametrize("size", [9, 15, 21])
@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_actiseg_nl_is_the_published_rule_to_the_pixel(size, rate):
    recipe = load_preset(f"actiseg-nl/mask-{size}").make_recipe(rate=rate)
    touched = 0
    for number in range(1, 9):
        sequence = clip(number)
        masks = [draw_mask(sequence, frame) for frame in sequence.frames]
        for noise in corrupt_sequence(sequence, masks, recipe):
            ids = {row.object_id for row in noise.rows}
            touched += len(ids)
            assert (noise.mask == actiseg_nl(noise.clean, sequence, size, ids)).all()
            if rate == 1:
                assert ids == {1, 4} & set(np.unique(noise.clean))
    assert touched > 8


MORPHOLOGY = {
    "D": lambda shape, element: cv2.dilate(shape, element, iterations=3),
    "E": lambda shape, element: cv2.erode(shape, element, iterations=3),
    "EAD": lambda shape, element: cv2.erode(
        cv2.dilate(shape, element, iterations=3), element, iterations=3
    ),
    "DAE": lambda shape, element: cv2.dilate(
        cv2.erode(shape, element, iterations=3), element, iterations=3
    ),
}


@pytest.mark.parametrize("operation", MORPHOLOGY)
def test_smart_is_morphology_of_every_object_painted_by_ascending_id(operation):
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    recipe = load_preset(f"smart/de-{operation}").make_recipe()
    for number in range(1, 6):
        sequence = clip(number)
        masks = [draw_mask(sequence, frame) for frame in sequence.frames]
        for noise in corrupt_sequence(sequence, masks, recipe):
            expected = np.zeros(SHAPE, np.uint8)
            for object_id in range(1, 5):
                shape = (noise.clean == object_id).astype(np.uint8)
                expected[MORPHOLOGY[operation](shape, element) > 0] = object_id
            assert (noise.mask == expected).all()


def test_first_frame_can_be_spared():
    sequence = clip(1)
    masks = [draw_mask(sequence, frame) for frame in sequence.frames]
    recipe = load_preset("smart/de-D").make_recipe(parameters={"first_frame": "clean"})
    first, second = corrupt_sequence(sequence, masks, recipe)
    assert not first.rows
    assert (first.mask == masks[0]).all()
    assert second.rows


def test_coco_n_levels_nest_and_use_their_three_kinds():
    sequence = clip(1)
    masks = [draw_mask(sequence, frame) for frame in sequence.frames]
    items = {}
    for level in ("easy", "medium", "hard"):
        recipe = load_preset(f"coco-n/{level}").make_recipe()
        rows = [
            row
            for number in range(1, 30)
            for noise in corrupt_sequence(clip(number), masks, recipe)
            for row in noise.rows
        ]
        items[level] = {(row.sequence, row.frame, row.object, row.kind) for row in rows}
        assert {row.kind for row in rows} == {"scale", "localise", "approximate"}
    assert items["easy"] < items["medium"] < items["hard"]
    share = len(items["easy"]) / len(items["hard"])
    assert abs(share - 0.6 / 0.9) < 0.1


def test_markov_moves_outlines_the_way_it_says():
    sequence = clip(1)
    masks = [draw_mask(sequence, frame) for frame in sequence.frames]
    ratios = {
        name: np.median(
            [
                row.area_ratio
                for noise in corrupt_sequence(
                    sequence, masks, load_preset(name).make_recipe(parameters={"speckle": 0})
                )
                for row in noise.rows
            ]
        )
        for name in ("markov/expand", "markov/shrink")
    }
    assert ratios["markov/expand"] > 1.2
    assert ratios["markov/shrink"] < 0.8
