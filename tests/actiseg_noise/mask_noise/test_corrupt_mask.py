"""Mask noise for one array: the same pixels as on disk, in any dtype."""

from __future__ import annotations

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.mask_noise.arrays import corrupt_mask
from actiseg_noise.mask_noise.contours import find_object
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import list_kinds
from tests.helpers.roots import clip, draw_mask

SEQUENCE = clip(1)
MASK = draw_mask(SEQUENCE, SEQUENCE.frames[0])
KINDS = list_kinds("masks")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("boundary", {"target_iou": 0.7, "rate": 0.6, "seed": 5}),
        ("jitter", {"radius": 3, "overlap": "reference"}),
        ("morphology", {"size": 7, "overlap": "background"}),
    ],
)
def test_pixels_and_rows_equal_those_on_disk(sample, tmp_path, kind, options):
    split = open_split(sample, "val_human")
    chosen = [split.sequences[0], split.sequences[-1]]
    changes = {name: options[name] for name in ("seed", "overlap") if name in options}
    parameters = {
        name: options[name] for name in ("target_iou", "radius", "size") if name in options
    }
    recipe = make_recipe(
        kind, options.get("rate", 1.0), split="val_human", parameters=parameters, **changes
    )
    corruption = corrupt(
        sample, recipe, out=tmp_path / "out", only=[sequence.folder for sequence in chosen]
    )
    checked = 0
    for sequence in chosen:
        for frame, clean in zip(sequence.frames, split.iterate_masks(sequence), strict=True):
            noisy, rows = corrupt_mask(clean, kind, **options, sequence=sequence, frame=frame)
            path = corruption.out / MASKS / "val" / sequence.folder / f"{frame}.png"
            assert (noisy == read_index_mask(path)).all()
            assert all(row.sequence == sequence.folder and row.frame == frame for row in rows)
            checked += len(rows)
    assert checked


def test_the_defaults_give_the_pixels_of_corrupt_on_the_whole_sample(sample, tmp_path):
    out = corrupt(sample, "boundary", rate=1.0, out=tmp_path / "out", images="none").out
    split = open_split(sample, "train")
    different = [
        frame
        for sequence in split.sequences
        for frame, clean in zip(sequence.frames, split.iterate_masks(sequence), strict=True)
        if (
            corrupt_mask(clean, "boundary", sequence=sequence, frame=frame)[0]
            != read_index_mask(out / MASKS / "train" / sequence.folder / f"{frame}.png")
        ).any()
    ]
    assert different == []


def test_all_objects_of_a_sequence_get_noise_if_the_caller_says_so():
    frame = SEQUENCE.frames[0]
    some = corrupt_mask(MASK, "dilate", sequence=SEQUENCE, frame=frame)[1]
    every = corrupt_mask(MASK, "dilate", sequence=SEQUENCE, frame=frame, objects="all")[1]
    chosen = corrupt_mask(MASK, "dilate", sequence=SEQUENCE, frame=frame, objects=range(256))[1]
    assert {row.object_id for row in some} < {row.object_id for row in every}
    assert chosen == every


def test_numbers_of_numpy_mean_their_python_values():
    given = {"seed": 3, "rate": 1.0, "target_iou": 0.75, "correlation_length": 20}
    arrays = {name: np.array(value)[()] for name, value in given.items()}
    arrays["target_iou"] = np.float32(0.75)
    assert (
        corrupt_mask(MASK, "jitter", **arrays)[0] == corrupt_mask(MASK, "jitter", **given)[0]
    ).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_every_object_by_default(kind):
    before = MASK.copy()
    noisy, rows = corrupt_mask(MASK, kind)
    assert (before == MASK).all()
    assert [row.object_id for row in rows] == np.unique(MASK)[1:].tolist()
    assert (noisy != MASK).any()
    assert (corrupt_mask(MASK, kind)[0] == noisy).all()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", ">u4", "uint64"])
def test_any_integer_dtype_gives_the_same_pixels(dtype):
    mask = (MASK == 2).astype(dtype) if dtype == "bool" else MASK.astype(dtype)
    noisy, _ = corrupt_mask(mask, "boundary")
    expected, _ = corrupt_mask(mask.astype(np.uint8), "boundary")
    assert noisy.dtype == mask.dtype
    assert (noisy == expected).all()


def test_ids_above_255_are_kept_and_change_no_pixel():
    ids = np.array([0, 3, 300, 70_000, 2**40, *range(5, 256)], np.int64)
    small, _ = corrupt_mask(MASK, "morphology", size=5)
    large, rows = corrupt_mask(ids[MASK], "morphology", size=5)
    assert large.dtype == np.int64
    assert (large == ids[small]).all()
    assert [row.object_id for row in rows] == [3, 300, 70_000, 2**40]
    chosen, rows = corrupt_mask(ids[MASK], "erode", objects=[2**40])
    assert [row.object_id for row in rows] == [2**40]
    assert set(np.unique(ids[MASK][chosen != ids[MASK]])) == {2**40}


def test_seed_frame_rate_and_objects_decide_the_noise():
    first, _ = corrupt_mask(MASK, "jitter")
    assert (corrupt_mask(MASK, "jitter", seed=1)[0] != first).any()
    assert (corrupt_mask(MASK, "jitter", frame="another")[0] != first).any()
    assert corrupt_mask(MASK, "jitter", rate=0.0)[1] == ()
    assert [row.object_id for row in corrupt_mask(MASK, "dilate", objects=(2, 99))[1]] == [2]
    assert [row.object_id for row in corrupt_mask(MASK, "dilate", objects=np.array([3]))[1]] == [3]


def test_objects_without_a_label_get_no_noise():
    mask = MASK.copy()
    mask[:4, :4] = 9
    _, rows = corrupt_mask(mask, "dilate", sequence=SEQUENCE, frame=SEQUENCE.frames[0])
    assert 9 not in [row.object_id for row in rows]


@pytest.mark.parametrize(
    ("mask", "arguments", "text"),
    [
        (MASK, {"kind": "dilat"}, "did you mean 'dilate'"),
        (MASK, {"kind": "category"}, "not a kind of mask noise"),
        (MASK.astype(float), {}, "float64"),
        (MASK[None], {}, "shape"),
        (MASK.astype(np.int32) - 1, {}, "the value -1; object ids are 0 or more"),
        (MASK, {"seed": None}, "seed: None is not a whole number"),
        (MASK, {"seed": "1"}, "seed: '1' is not a whole number"),
        (MASK, {"seed": True}, "seed: True is not a whole number"),
        (MASK, {"seed": 1.5}, "seed: 1.5 is not a whole number"),
        (MASK, {"seed": -1}, "seed -1 is out of range"),
        (MASK, {"sequence": 3, "frame": "f"}, "sequence: 3 is not a VideoSequence"),
        (MASK, {"frame": 1.5}, "frame: 1.5 is not the name"),
        (np.arange(400).reshape(20, 20), {}, "399 objects"),
        (MASK, {"target_iou": 2.0}, "target_iou"),
        (MASK, {"target_iou": 0.8, "radius": 3}, "target_iou"),
        (MASK, {"kind": "morphology", "radius": 3}, "radius"),
        (MASK, {"size": 3}, "size"),
        (MASK, {"rate": 1.5}, "rate"),
        (MASK, {"overlap": "none"}, "overlap"),
        (MASK, {"objects": "active"}, "object ids"),
        (MASK, {"objects": 3}, "object ids"),
        (MASK, {"objects": [1.5]}, "object ids"),
        (MASK, {"sequence": SEQUENCE}, "no frame 'None'"),
        (MASK, {"sequence": SEQUENCE, "frame": "frame_1"}, "no frame 'frame_1'"),
    ],
)
def test_invalid_arguments_are_refused(mask, arguments, text):
    with pytest.raises(InputError, match=text):
        corrupt_mask(mask, **{"kind": "dilate", **arguments})


@pytest.mark.parametrize("object_id", [-1, 256, 1000])
def test_an_object_id_outside_the_range_is_refused(object_id):
    with pytest.raises(InputError, match="not an object id"):
        find_object(MASK, object_id)
