"""Scorings that would mean nothing are refused: no frame, no object, ids or colours of others."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from actiseg_data.annotations.masks import PALETTE, read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.mask_folders import open_folder
from actiseg_data.layouts.opening import open_split
from actiseg_eval import Scorer, load_protocol, score
from actiseg_eval.comparison.comparing import compare
from actiseg_eval.comparison.methods import parse_methods
from actiseg_eval.comparison.protocol_differences import compare_protocols
from actiseg_eval.noise_levels.measuring import robustness
from actiseg_eval.noise_levels.runs import read_runs
from actiseg_eval.predictions.palettes import TrueColours, refuse_recoloured
from actiseg_eval.scoring.input_checks import refuse_unscored
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root

BY_ID = ("davis", "vos-benchmark", "vost")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return open_split(make_root(tmp_path_factory.mktemp("checks") / "clean"), "train")


def changed(kitchen, folder, change):
    """Predictions made of all true masks by a function of sequence and mask."""
    for sequence in kitchen.sequences:
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            made = change(sequence, mask).astype(np.uint8)
            write_index_mask(folder / sequence.folder / f"{frame}.png", made)
    return folder


def binary(sequence, mask):
    return (mask > 0) * 255


def problems_of(action, *arguments, **more):
    with pytest.raises(InputError) as caught:
        action(*arguments, **more)
    return caught.value.problems


def squares(root, name, value, count=5, moved=0):
    """A clip of a square of a value."""
    mask = np.zeros((24, 32), np.uint8)
    mask[5:14, 5 + moved : 14 + moved] = value
    for frame in range(count):
        write_index_mask(root / name / f"{frame:05d}.png", mask)
    return root


def test_binary_masks_of_a_whole_split_are_one_problem(kitchen, tmp_path):
    (problem,) = problems_of(score, changed(kitchen, tmp_path / "p", binary), gt=kitchen)
    assert (
        problem.what
        == "no predicted pixel has an object's id (predicted: 255; objects: 1, 2, 3, 4)"
    )
    assert problem.hint == "map 255 to the object's id"
    names = [sequence.folder for sequence in kitchen.sequences]
    assert problem.where == f"{tmp_path / 'p'}: {', '.join(names[:3])} and {len(names) - 3} more"


def test_one_sequence_of_foreign_ids_is_named_alone(kitchen, tmp_path):
    wrong = kitchen.sequences[2].folder

    def change(sequence, mask):
        return np.where(mask > 0, 40 + mask, 0) if sequence.folder == wrong else mask

    (problem,) = problems_of(score, changed(kitchen, tmp_path / "p", change), gt=kitchen)
    assert problem.where == f"{tmp_path / 'p'}: {wrong}"
    assert "predicted: 41, 42, 43, 44; objects: 1, 2, 3, 4" in problem.what
    assert problem.hint == "write the id of its object as the value of each pixel"


def test_one_pixel_of_an_objects_id_is_enough(kitchen, tmp_path):
    def change(sequence, mask):
        made = binary(sequence, mask)
        made[0, 0] = 3
        return made

    report = score(changed(kitchen, tmp_path / "p", change), gt=kitchen)
    assert report.handled["frames_with_extra_ids"] == 12


def test_blank_sequences_are_not_foreign(kitchen, tmp_path):
    first = kitchen.sequences[0].folder

    def change(sequence, mask):
        return mask if sequence.folder == first else np.zeros_like(mask)

    assert score(changed(kitchen, tmp_path / "p", change), gt=kitchen).metrics["tp"] > 0


def test_faulty_files_and_foreign_ids_are_told_at_once(kitchen, tmp_path):
    folder = changed(kitchen, tmp_path / "p", binary)
    sequence = kitchen.sequences[0]
    path = folder / sequence.folder / f"{sequence.frames[0]}.png"
    path.write_bytes(b"?")
    said = " ".join(problem.what for problem in problems_of(score, folder, gt=kitchen, workers=2))
    assert "not a readable PNG" in said
    assert "no predicted pixel" in said


def test_json_and_folders_of_objects_are_checked_too(kitchen, tmp_path):
    entries = []
    for sequence in kitchen.sequences:
        entries += [
            {
                "sequence": sequence.folder,
                "frame": frame,
                "object_id": 9,
                "segmentation": {"size": [120, 160], "counts": [0, 50, 19150]},
            }
            for frame in sequence.frames
        ]
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            path = tmp_path / "objects" / sequence.folder / "9" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((mask == 1).astype(np.uint8) * 255).save(path)
    write_json(tmp_path / "p.json", entries)
    for place in (tmp_path / "p.json", tmp_path / "objects"):
        (problem,) = problems_of(score, place, gt=kitchen)
        assert "predicted: 9; objects: 1, 2, 3, 4" in problem.what
        assert str(place) in problem.where


def test_the_scorer_checks_ids(kitchen):
    scorer = Scorer(kitchen)
    for sequence in kitchen.sequences[:2]:
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            scorer.update(sequence.folder, frame, (mask > 0).astype(np.int64) * 200)
    (problem,) = problems_of(scorer.report)
    assert "predicted: 200" in problem.what


def test_one_frame_may_have_foreign_ids_for_the_scorer_and_for_a_folder(kitchen, tmp_path):
    """One pixel of an object's id in the whole sequence is enough, see `check_results`."""
    scorer, folder = Scorer(kitchen), tmp_path / "p"
    for sequence in kitchen.sequences:
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            made = np.full_like(mask, 99) if frame == sequence.frames[1] else mask
            write_index_mask(folder / sequence.folder / f"{frame}.png", made)
            scorer.update(sequence, frame, made)
    whole = score(folder, gt=kitchen, resamples=0)
    assert scorer.report(resamples=0).metrics == whole.metrics


def test_compare_and_robustness_check_ids_of_every_run(kitchen, tmp_path):
    good = predict(kitchen, "shift", tmp_path / "good")
    bad = changed(kitchen, tmp_path / "bad", binary)
    worse = changed(kitchen, tmp_path / "worse", lambda sequence, mask: binary(sequence, mask) // 5)
    methods = parse_methods([str(good), str(bad), str(worse)])
    found = problems_of(compare, methods, gt=kitchen)
    assert [of.what.split(";")[0][-4:] for of in found] == [" 255", ": 51"]
    for place, source in (("m/0", good), ("m/1", bad), ("n/0", good), ("n/1", worse)):
        shutil.copytree(source, tmp_path / "runs" / place)
    found = problems_of(robustness, read_runs(tmp_path / "runs"), gt=kitchen)
    for place, problem in zip(("m/1", "n/1"), found, strict=True):
        assert str(tmp_path / "runs" / place) in problem.where


def test_the_cases_that_gave_figures_are_refused(real_data):
    cases = real_data.parent / "cases"
    if not (cases / "08_binary_masks_0_255").is_dir():
        pytest.skip(f"no {cases}")
    case = cases / "08_binary_masks_0_255"
    (problem,) = problems_of(score, case / "preds", gt=case / "root", split="val")
    assert "predicted: 255" in problem.what
    case = cases / "02_truth_of_first_frame_only"
    (problem,) = problems_of(score, case / "preds", gt=case / "gt", protocol="davis")
    assert "no frame is scored" in problem.what


@pytest.mark.parametrize("protocol", BY_ID)
def test_binary_masks_of_one_object_are_pointed_to_davis_2016(tmp_path, protocol):
    truth = open_folder(squares(tmp_path / "gt", "clip", 1))
    folder = squares(tmp_path / "p", "clip", 255, moved=2)
    (problem,) = problems_of(score, folder, gt=truth, protocol=protocol)
    assert "predicted: 255; objects: 1)" in problem.what
    assert (
        problem.hint
        == "map 255 to the object's id, or set `protocol` to davis-2016 to score binary masks"
    )
    expected = 63 / 99
    assert score(folder, gt=truth, protocol="davis-2016").metrics["j"] == pytest.approx(expected)
    squares(tmp_path / "p", "clip", 1, moved=2)
    assert score(folder, gt=truth, protocol=protocol).metrics["j"] == pytest.approx(expected)


@pytest.mark.parametrize("protocol", ["davis", "davis-unsupervised", "vost"])
@pytest.mark.parametrize("value", [1, 255])
def test_binary_truth_is_pointed_to_davis_2016(tmp_path, protocol, value):
    truth = open_folder(squares(squares(tmp_path / "gt", "a", 255), "b", 255))
    folder = squares(squares(tmp_path / "p", "a", value), "b", value)
    (problem,) = problems_of(score, folder, gt=truth, protocol=protocol)
    assert "have only 0 and 255" in problem.what
    assert "`protocol` to davis-2016" in problem.hint
    assert problem.where == f"{tmp_path / 'gt'}: a, b"
    assert score(folder, gt=truth, protocol="davis-2016").metrics["j"] == 1


def test_binary_masks_of_a_list_are_pointed_to_the_dataset(kitchen, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(kitchen.root, root)
    split = open_split(root, "train")
    for sequence in split.sequences:
        for frame in sequence.frames:
            path = split.find_mask(sequence, frame)
            write_index_mask(path, ((read_index_mask(path) > 0) * 255).astype(np.uint8))
    folder = predict(kitchen, "all", tmp_path / "p")
    (problem,) = problems_of(score, folder, gt=split)
    assert "'actionvos' has no object 255" in problem.what
    assert "object ids" in problem.hint


def test_objects_of_unscored_frames_are_objects(tmp_path):
    """A method that tracks an object which was there in the first frame alone is wrong, no more."""
    for place in ("gt", "p"):
        squares(tmp_path / place, "clip", 2)
    squares(tmp_path / "gt", "clip", 1, count=1)
    squares(tmp_path / "p", "clip", 1)
    report = score(tmp_path / "p", gt=open_folder(tmp_path / "gt"), protocol="vos-benchmark")
    assert report.metrics["j"] == 0
    assert report.handled["frames_with_extra_ids"] == 3


def test_void_is_no_object_where_there_are_others(tmp_path):
    truth = np.zeros((24, 32), np.uint8)
    truth[5:14, 5:14], truth[:, 20:] = 1, 255
    for frame in range(4):
        write_index_mask(tmp_path / "gt" / "clip" / f"{frame}.png", truth)
    folder = squares(tmp_path / "p", "clip", 255)
    for name in range(5):
        (folder / "clip" / f"{name:05d}.png").rename(folder / "clip" / f"{name}.png")
    (problem,) = problems_of(
        score, folder, gt=open_folder(tmp_path / "gt"), protocol="vos-benchmark"
    )
    assert "predicted: 255; objects: 1)" in problem.what


def test_a_truth_without_a_pixel_has_nothing_to_score(tmp_path):
    truth = open_folder(squares(tmp_path / "gt", "clip", 0))
    for protocol in ("davis", "vos-benchmark", "vost", "davis-unsupervised"):
        (problem,) = problems_of(
            score, squares(tmp_path / "p", "clip", 0), gt=truth, protocol=protocol
        )
        assert "finds no object in its 1 sequence" in problem.what


@pytest.mark.parametrize("count", [1, 2])
def test_no_scored_frame_is_refused_with_the_protocols_that_score_it(tmp_path, count):
    truth = open_folder(squares(tmp_path / "gt", "clip", 1, count))
    folder = squares(tmp_path / "p", "clip", 1)
    for protocol in ("davis", "davis-2016", "vos-benchmark", "vost"):
        (problem,) = problems_of(score, folder, gt=truth, protocol=protocol)
        assert f"no frame is scored: {protocol!r} leaves out" in problem.what
        assert problem.hint.endswith("every frame: davis-unsupervised")
    assert score(folder, gt=truth, protocol="davis-unsupervised").metrics["j"] == 1


def test_two_frame_clips_of_a_list_are_not_scored_by_davis(kitchen, tmp_path):
    folder = predict(kitchen, "all", tmp_path / "p")
    (problem,) = problems_of(score, folder, gt=kitchen, protocol="davis")
    assert "actionvos" in problem.hint
    other = predict(kitchen, "all", tmp_path / "q")
    (problem,) = problems_of(compare, [folder, other], gt=kitchen, protocol="vost")
    assert "no frame is scored" in problem.what
    refuse_unscored(kitchen.sequences, kitchen, load_protocol("actionvos"))


def test_protocols_that_differ_are_still_told(tmp_path):
    truth = open_folder(squares(tmp_path / "gt", "clip", 255))
    found = compare_protocols(squares(tmp_path / "p", "clip", 1), gt=truth)
    assert "only 0 and 255" in found.outcomes["davis"]
    assert found.outcomes["davis-2016"].metrics["j"] == 1


# Colours


def painted(mask, palette=PALETTE):
    """The colours that a mask has."""
    return np.frombuffer(palette, np.uint8).reshape(-1, 3)[mask]


def repainted(mask, order, palette=PALETTE):
    """The same picture with indices in another order: indices and palette."""
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    places = np.zeros(256, np.uint8)
    places[list(order)] = np.arange(len(order))
    return places[mask], colours[list(order)].tobytes()


scene = st.lists(st.integers(0, 3), min_size=12, max_size=12).map(
    lambda pixels: np.array(pixels, np.uint8).reshape(3, 4)
)


@given(scene, st.permutations([0, 1, 2, 3]))
@settings(max_examples=80, deadline=None)
def test_a_palette_in_another_order_is_refused_exactly_where_an_id_changes(mask, order):
    indices, palette = repainted(mask, order)
    assert (painted(indices, palette) == painted(mask)).all()
    truth = TrueColours(PALETTE, {1, 2, 3})
    if (indices == mask).all():
        refuse_recoloured(indices, palette, truth, "here")
        return
    with pytest.raises(InputError, match="in the colours of other true ids"):
        refuse_recoloured(indices, palette, truth, "here")


def test_an_adaptive_palette_of_a_picture_is_refused(kitchen, tmp_path):
    folder = tmp_path / "p"
    for sequence in kitchen.sequences:
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            path = folder / sequence.folder / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(painted(mask))
            picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=8).save(path)
    found = problems_of(score, folder, gt=kitchen)
    assert all(of.where.endswith(".png") and "palette" in of.hint for of in found)
    wrong = sum(
        (read_index_mask(folder / sequence.folder / f"{frame}.png") != mask).any()
        for sequence in kitchen.sequences
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True)
    )
    assert len(found) == wrong


def test_palettes_of_other_colours_say_nothing_of_ids():
    mask = np.array([[0, 1, 2, 2]], np.uint8)
    truth = TrueColours(PALETTE, {1, 2})
    rainbow = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0])
    for palette in (b"", rainbow, bytes(768), PALETTE[:9], b"\x80\x00", bytes(range(9))):
        refuse_recoloured(mask, palette, truth, "here")


def test_the_palette_of_the_truth_itself_is_known():
    mask = np.array([[0, 1, 2, 2]], np.uint8)
    own = bytes([0, 0, 0, 236, 95, 103, 249, 145, 87])
    refuse_recoloured(mask, own, TrueColours(own, {1, 2}), "here")
    indices, palette = repainted(mask, [0, 2, 1], own)
    with pytest.raises(InputError, match="1 in that of 2, 2 in that of 1"):
        refuse_recoloured(indices, palette, TrueColours(own, {1, 2}), "here")
    grey = np.array([[0, 255]], np.uint8)
    with pytest.raises(InputError, match="1 in that of 255"):
        refuse_recoloured(grey // 255, bytes([0] * 3 + [255] * 3), TrueColours(b"", {255}), "here")


def test_where_ids_are_free_the_background_alone_must_be_in_its_place():
    mask = np.array([[0, 1, 2, 2]], np.uint8)
    free = TrueColours(PALETTE, {1, 2}, free=True)
    refuse_recoloured(*repainted(mask, [0, 2, 1]), free, "here")
    with pytest.raises(InputError, match="0 in that of 1, 1 in that of 0"):
        refuse_recoloured(*repainted(mask, [1, 0, 2]), free, "here")
