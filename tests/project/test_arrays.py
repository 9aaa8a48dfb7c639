"""Arrays of a caller: every public function that takes one, every form in which masks come."""

from __future__ import annotations

import re
from dataclasses import astuple, is_dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from actiseg_data.annotations.masks import (
    as_binary_mask,
    as_index_mask,
    digest_pixels,
    find_foreign_ids,
    find_ids,
    read_index_mask,
    write_index_mask,
)
from actiseg_data.annotations.polygons import Patch, fill_closed, fill_sampled
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.render import render_frame
from actiseg_eval import Scorer
from actiseg_eval.measures.bits import pack
from actiseg_eval.measures.boundary_measures import (
    boundary_f,
    boundary_iou,
    draw_boundary,
    find_object_distance,
    find_object_tolerance,
    region_iou,
)
from actiseg_eval.measures.failure_modes import diagnose
from actiseg_eval.measures.pixel_counts import count_ids, count_pairs
from actiseg_eval.measures.prediction import as_prediction
from actiseg_noise.mask_noise.contours import (
    ObjectMask,
    compute_iou,
    crop,
    find_object,
    trace,
    trim,
)
from actiseg_noise.mask_noise.distance import (
    measure_depths,
    measure_edge_distances,
    measure_squared_depths,
)
from actiseg_noise.mask_noise.gaussian import make_gaussian_weights, smooth_mask
from actiseg_noise.mask_noise.outline_kinds import find_outline_kind
from actiseg_noise.mask_noise.overlap import OVERLAPS, PixelClaim
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.mask_noise.simplify import simplify_ring
from actiseg_noise.measurement.boundary_shift import find_boundary, measure_shift
from actiseg_noise.measurement.mask_changes import measure_changes, measure_object_shift
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import KIND_SPECS
from reference_trainer.batches.mask_grid import sample_grid
from tests.helpers.roots import clip, make_root

CLIP = clip(1)
MASK = np.zeros((48, 64), np.uint8)
MASK[8:30, 6:30] = 1
MASK[20:44, 30:55] = 2
OTHER = np.roll(MASK, 3, axis=1)
ONE = (MASK == 1).astype(np.uint8)
MOVED = np.roll(ONE, 2, axis=0)


def torch_tensor(mask):
    torch = pytest.importorskip("torch", reason="torch is in the extra [train]")
    return torch.from_numpy(mask.astype(np.int64))


class OnADevice:
    """A tensor as far as anybody may rely on: on another device, in the graph of a net."""

    def __init__(self, mask, place="graph"):
        self.mask, self.place = mask, place

    def detach(self):
        assert self.place == "graph"
        return OnADevice(self.mask, "device")

    def cpu(self):
        assert self.place == "device"
        return OnADevice(self.mask, "memory")

    def numpy(self):
        assert self.place == "memory"
        return self.mask


def spread(mask):
    """The same pixels, every second of a larger array, read backwards."""
    large = np.full((2 * mask.shape[0], 2 * mask.shape[1]), 99, mask.dtype)
    large[::2, ::2] = mask[::-1, ::-1]
    return large[::2, ::2][::-1, ::-1]


def read_only(mask):
    locked = mask.copy()
    locked.setflags(write=False)
    return locked


FORMS = {
    **{
        name: (lambda mask, name=name: mask.astype(name))
        for name in ("int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i4")
    },
    "torch": torch_tensor,
    "on a device": lambda mask: OnADevice(mask.astype(np.int32)),
    "nested lists": lambda mask: mask.tolist(),
    "an image": Image.fromarray,
    "a masked array without masked pixels": lambda mask: np.ma.array(mask.astype(int)),
    "columns first": lambda mask: np.asfortranarray(mask.astype(np.int64)),
    "spread": spread,
    "spread int32": lambda mask: spread(mask.astype(np.int32)),
    "read-only": read_only,
}


def written(mask):
    path = written.folder / "mask.png"
    write_index_mask(path, mask)
    return read_index_mask(path)


def noisy(mask):
    recipe = make_recipe("boundary", 1.0, objects="all")
    return [(of.mask, of.rows) for of in corrupt_sequence(CLIP, [mask] * 2, recipe)]


def settled(name, mask):
    patch = find_object(OTHER, 1).patch
    return OVERLAPS[name](mask, [PixelClaim(1, patch, 0.0)], frozenset({1}))


def drawn(kind, mask):
    parameters = make_recipe(kind, 1.0).mask_noise.parameters
    whole = ObjectMask(Patch(0, 0, mask), MASK.shape)
    cut = ObjectMask(trim(whole.patch), MASK.shape)
    return find_outline_kind(kind)(cut, parameters, lambda purpose: purpose.encode().ljust(32))


def figures(truth, prediction):
    scorer = Scorer(figures.split, metrics=["all"])
    for frame in figures.split.sequences[0].frames:
        scorer.update(CLIP.folder, frame, prediction, truth)
    return {name: repr(value) for name, value in scorer.report(resamples=0).metrics.items()}


OF_IDS = {
    "as_index_mask": as_index_mask,
    "write_index_mask": written,
    "pixel_digest": digest_pixels,
    "ids_in": find_ids,
    "foreign_ids": lambda mask: find_foreign_ids(mask, frozenset({1})),
    "render_frame": lambda mask: render_frame(mask, CLIP, CLIP.frames[0]),
    "corrupt_sequence": noisy,
    "find_object": lambda mask: find_object(mask, 2),
    **{f"overlap: {name}": lambda mask, name=name: settled(name, mask) for name in OVERLAPS},
    "at_grid": lambda mask: sample_grid(mask, (12, 16)),
    "measure_changes, clean": lambda mask: list(measure_changes(mask, OTHER)),
    "measure_changes, noisy": lambda mask: list(measure_changes(OTHER, mask)),
    "measure_object_shift, clean": lambda mask: measure_object_shift(mask, OTHER, 1),
    "measure_object_shift, noisy": lambda mask: measure_object_shift(OTHER, mask, 1),
    "id_counts, truth": lambda mask: count_ids(mask, OTHER),
    "id_counts, prediction": lambda mask: count_ids(OTHER, mask),
    "pair_counts": lambda mask: count_pairs(mask, OTHER, np.array([1, 2]), np.array([2])),
    "diagnose, truth": lambda mask: diagnose(mask, 1, OTHER == 1, {1, 2}, active=True),
    "as_prediction": as_prediction,
    "Scorer.update, prediction": lambda mask: figures(OTHER, mask),
    "Scorer.update, truth": lambda mask: figures(mask, OTHER),
}

OF_ONE_OBJECT = {
    "as_binary_mask": as_binary_mask,
    "Patch": lambda mask: Patch(2, 3, mask).to_image((60, 80)),
    "crop": lambda mask: crop(ObjectMask(Patch(0, 0, mask), MASK.shape), 2),
    "trimmed": lambda mask: trim(Patch(0, 0, mask)),
    "trace": lambda mask: trace(ObjectMask(Patch(0, 0, mask), MASK.shape)),
    "iou": lambda mask: compute_iou(Patch(0, 0, mask), Patch(0, 0, MOVED > 0)),
    "depths": measure_depths,
    "squared_depths": measure_squared_depths,
    "edge_distances": measure_edge_distances,
    **{
        f"kind: {name}": lambda mask, name=name: drawn(name, mask)
        for name in sorted(KIND_SPECS)
        if KIND_SPECS[name].outline
    },
    "find_boundary": find_boundary,
    "measure_shift, clean": lambda mask: measure_shift(mask, MOVED > 0),
    "measure_shift, noisy": lambda mask: measure_shift(MOVED > 0, mask),
    "above_half": lambda mask: smooth_mask(mask, make_gaussian_weights(1.0, 3), "reflect"),
    "pack": pack,
    "region_iou": lambda mask: region_iou(mask, MOVED > 0),
    "boundary_map": draw_boundary,
    "object_tolerance": find_object_tolerance,
    "object_distance": find_object_distance,
    "boundary_f": lambda mask: boundary_f(mask, MOVED > 0, 1),
    "boundary_iou": lambda mask: boundary_iou(MOVED > 0, mask, 2),
    "diagnose, mask": lambda mask: diagnose(MASK, 1, mask, {1, 2}, active=True),
    "Scorer.update, of an object": lambda mask: figures(MASK, {1: mask}),
}


@pytest.fixture(scope="module", autouse=True)
def _places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    written.folder = folder
    figures.split = open_split(make_root(folder / "clean", [CLIP]), "train")


def plain(value):
    """What a function returned, in a form that compares, dtypes included."""
    if is_dataclass(value):
        return plain(astuple(value))
    if isinstance(value, (list, tuple)):
        return [plain(of) for of in value]
    if isinstance(value, dict):
        return {key: plain(of) for key, of in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tolist()
    return value


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OF_IDS)
def test_ids_in_any_form_give_what_uint8_gives(name, form):
    assert plain(OF_IDS[name](FORMS[form](MASK))) == plain(OF_IDS[name](MASK))


@pytest.mark.parametrize("name", OF_IDS)
def test_booleans_are_the_object_1(name):
    assert plain(OF_IDS[name](ONE.astype(bool))) == plain(OF_IDS[name](ONE))


@pytest.mark.parametrize("form", [*FORMS, "255", "-1"])
@pytest.mark.parametrize("name", OF_ONE_OBJECT)
def test_a_mask_of_one_object_in_any_form_gives_what_booleans_give(name, form):
    forms = {**FORMS, "255": lambda mask: 255 * mask, "-1": lambda mask: -mask.astype(np.int16)}
    assert plain(OF_ONE_OBJECT[name](forms[form](ONE))) == plain(OF_ONE_OBJECT[name](ONE > 0))


NO_IDS = {
    "too large": (MASK.astype(np.int32) + 254, "values from 254 to 256"),
    "negative": (MASK.astype(np.int64) - 1, "values from -1 to 1"),
    "far too large": (MASK.astype(np.uint64) << np.uint64(60), "values from 0 to 2305843009"),
    "whole floats": (MASK.astype(np.float32), "float32 of shape (48, 64), not bool or whole"),
    "chances": (MASK / 3, "float64"),
    "complex": (MASK.astype(complex), "complex128"),
    "texts": (MASK.astype(str), "<U3"),
    "None": (None, "object of shape ()"),
    "ragged lists": ([[1, 2], [3]], "cannot be read as an array"),
    "masked pixels": (np.ma.array(MASK, mask=MASK == 1), "masked pixels"),
}
NO_MASK = {
    "a channel for each object": (np.stack([ONE, ONE]), "shape (2, 48, 64), not (H, W)"),
    "one row": (ONE[0], "shape (64,), not (H, W)"),
    "a number": (np.uint8(1), "shape (), not (H, W)"),
}
OF_ANY_SHAPE = ("ids_in", "foreign_ids")


@pytest.mark.parametrize("fault", [*NO_IDS, *NO_MASK])
@pytest.mark.parametrize("name", OF_IDS)
def test_what_is_no_ids_is_refused_by_the_name_of_the_parameter(name, fault):
    array, says = {**NO_IDS, **NO_MASK}[fault]
    if fault in NO_MASK and name in OF_ANY_SHAPE:
        pytest.skip("takes any part of a mask")
    if array is None and name == "Scorer.update, truth":
        pytest.skip("None stands for the truth on disk")
    with pytest.raises(InputError) as refused:
        OF_IDS[name](array)
    (problem,) = refused.value.problems
    assert says in problem.what
    assert any(word in problem.where for word in ("mask", "clean", "noisy", "truth", "prediction"))
    assert problem.hint


@pytest.mark.parametrize("fault", ["whole floats", "chances", "masked pixels", "None", *NO_MASK])
@pytest.mark.parametrize("name", OF_ONE_OBJECT)
def test_what_is_no_mask_of_one_object_is_refused(name, fault):
    array, says = {**NO_IDS, **NO_MASK}[fault]
    with pytest.raises(InputError, match=re.escape(says)):
        OF_ONE_OBJECT[name](array)


@pytest.mark.parametrize("name", OF_ONE_OBJECT)
def test_several_values_are_no_mask_of_one_object(name):
    with pytest.raises(InputError, match="several values besides 0"):
        OF_ONE_OBJECT[name](MASK.astype(np.int64))


def test_an_array_of_the_right_dtype_is_not_copied():
    assert as_index_mask(MASK) is MASK
    member = MASK[3:, ::2] == 1
    assert as_binary_mask(member) is member
    assert Patch(0, 0, member).mask is member


def test_a_mask_without_pixels_is_not_written(tmp_path):
    with pytest.raises(InputError, match="no pixels"):
        write_index_mask(tmp_path / "mask.png", np.zeros((0, 5), int))
    assert list(tmp_path.iterdir()) == []


@given(arrays.arrays(arrays.integer_dtypes(), (3, 4)))
def test_integers_are_taken_as_they_are_or_refused(array):
    if array.min() < 0 or array.max() > 255:
        with pytest.raises(InputError, match="0 to 255"):
            as_index_mask(array)
    else:
        mask = as_index_mask(array)
        assert mask.dtype == np.uint8
        assert mask.tolist() == array.tolist()


@given(arrays.arrays(arrays.integer_dtypes(), (2, 3), elements=st.integers(0, 2)))
def test_one_value_beside_0_is_a_mask_and_two_are_none(array):
    if len(set(array.flat) - {0}) > 1:
        with pytest.raises(InputError, match="several values"):
            as_binary_mask(array)
    else:
        assert as_binary_mask(array).tolist() == [[bool(of) for of in row] for row in array]


def test_tensors_that_need_gradients_or_have_no_numpy_type():
    torch = pytest.importorskip("torch", reason="torch is in the extra [train]")
    with pytest.raises(InputError, match="not bool or whole numbers"):
        as_index_mask(torch.zeros((2, 2), requires_grad=True))
    with pytest.raises(InputError, match="BFloat16"):
        as_index_mask(torch.zeros((2, 2), dtype=torch.bfloat16))
    with pytest.raises(InputError, match="cannot be read"):
        as_index_mask(torch.zeros((2, 2), dtype=torch.uint8, device="meta"))
    with pytest.raises(InputError, match="cannot be read"):
        as_index_mask(torch.zeros((2, 2), dtype=torch.uint8).to_sparse())


def test_polygons_are_of_any_integers_and_of_no_floats():
    ring = np.array([[1, 1], [4, 1], [4, 3], [1, 3]])
    for dtype in (np.uint8, np.int16, np.uint32):
        patch = fill_closed([ring.astype(dtype)], (6, 6))
        assert patch.mask.tolist() == fill_closed([ring], (6, 6)).mask.tolist()
        large = ring * (60 if dtype == np.uint8 else 8000)
        simple = simplify_ring(large.astype(dtype), 9)
        assert plain(simple) == plain(simplify_ring(large, 9))
    with pytest.raises(InputError, match="float64 vertices, not integers"):
        simplify_ring(ring + 0.5, 1)
    for fill in (lambda rings: fill_closed(rings, (6, 6)), lambda r: fill_sampled(r, (0, 0, 6, 6))):
        with pytest.raises(InputError, match="float64 vertices, not integers"):
            fill([ring + 0.5])


def test_boundary_measures_refuse_masks_of_two_sizes():
    for measure in (region_iou, lambda *of: boundary_f(*of, 1), lambda *of: boundary_iou(*of, 1)):
        with pytest.raises(InputError, match=r"has 5 x 1 pixels, but the true mask has 5 x 4"):
            measure(np.ones((4, 5), bool), np.ones((1, 5), bool))
