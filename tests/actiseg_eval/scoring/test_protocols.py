"""The protocols of DAVIS 2016 and VOST, and void pixels under every protocol, computed anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.annotations.masks import VOID, read_index_mask, write_index_mask
from actiseg_data.layouts.mask_folders import open_folder
from actiseg_eval import load_protocol, score
from actiseg_eval.measures.boundary_measures import boundary_f
from actiseg_eval.measures.meter import SequenceMeter
from actiseg_eval.protocols import load_protocols
from tests.helpers.roots import clip, label

FRAMES = tuple(f"{at:05d}" for at in range(6))
SEQUENCE = clip(1, objects=(label(1, "cup"), label(2, "tap")), frames=FRAMES)

drawn = st.lists(st.sampled_from([0, 0, 1, 2, 255]), min_size=12, max_size=12).map(
    lambda pixels: np.array(pixels, np.uint8).reshape(3, 4)
)
clips = st.lists(st.tuples(drawn, drawn), min_size=len(FRAMES), max_size=len(FRAMES))


def measured(protocol, frames, measures=("core", "jf")):
    meter = SequenceMeter(SEQUENCE, load_protocol(protocol), measures)
    for name, (truth, prediction) in zip(FRAMES, frames, strict=True):
        meter.add(name, truth, prediction)
    return meter.build_result()


def iou(truth, prediction):
    union = (truth | prediction).sum()
    return (truth & prediction).sum() / union if union else 1.0


def region(result):
    union = result.truth + result.prediction - result.intersection
    return np.where(union > 0, result.intersection / np.maximum(union, 1), 1.0)


@given(clips)
@settings(max_examples=50, deadline=None)
def test_davis_2016_knows_one_object_which_is_all_that_is_not_0(frames):
    result = measured("davis-2016", frames)
    expected = [iou(truth > 0, prediction > 0) for truth, prediction in frames[1:-1]]
    boundaries = [boundary_f(truth > 0, prediction > 0, 1) for truth, prediction in frames[1:-1]]
    assert region(result)[:, 0].tolist() == pytest.approx(expected)
    assert result.values["f"][:, 0].tolist() == pytest.approx(boundaries)


@given(clips)
@settings(max_examples=50, deadline=None)
def test_davis_2016_gives_the_same_whatever_ids_stand_for_the_object(frames):
    layers = [(truth, {9: prediction > 0, 4: prediction == 2}) for truth, prediction in frames]
    white = [(truth, (prediction > 0).astype(np.uint8) * 255) for truth, prediction in frames]
    expected = measured("davis-2016", frames)
    for others in (layers, white):
        assert (measured("davis-2016", others).intersection == expected.intersection).all()


@given(clips)
@settings(max_examples=50, deadline=None)
def test_vost_leaves_void_pixels_out_of_truth_and_prediction(frames):
    result = measured("vost", frames)
    first = frames[0][0]
    count = max((at for at in (1, 2) if (first == at).any()), default=0)
    assert result.ids == tuple(range(1, count + 1))
    for column, at in enumerate(result.ids):
        expected = [iou(t == at, (p == at) & (t != VOID)) for t, p in frames[1:-1]]
        assert region(result)[:, column].tolist() == pytest.approx(expected)


def clip_on_disk(root, name, frames):
    for place, at in (("gt", 0), ("preds", 1)):
        for frame, pair in zip(FRAMES, frames, strict=False):
            write_index_mask(root / place / name / f"{frame}.png", pair[at])


def squares(count=6, value=1, moved=0, void=0):
    """A square of a value, half of the frame beside it void if wanted, and a moved prediction."""
    truth = np.zeros((24, 32), np.uint8)
    truth[5:14, 5:14] = value
    if void:
        truth[:, 20:] = 255
    prediction = np.roll(np.where(truth == value, value, 0).astype(np.uint8), moved, axis=1)
    return [(truth, prediction)] * count


def test_j_tr_is_over_the_last_quarter_of_the_scored_frames(tmp_path):
    good, bad = squares()[0], squares(moved=20)[0]
    clip_on_disk(tmp_path, "clip", [good, good, good, good, bad, good])
    report = score(tmp_path / "preds", gt=tmp_path / "gt", protocol="vost")
    assert report.metrics["j"] == pytest.approx(3 / 4)
    assert report.metrics["j_tr"] == 0
    assert report.main_metrics[:2] == ("j", "j_tr")
    assert "f" not in report.metrics
    assert "j_tr" not in score(tmp_path / "preds", gt=tmp_path / "gt", protocol="davis").metrics
    more = score(tmp_path / "preds", gt=tmp_path / "gt", protocol="vost", metrics=["all"])
    assert {"f", "jf", "boundary_iou"} <= set(more.metrics)


@pytest.mark.parametrize(
    ("protocol", "key"),
    [
        ("davis", "void_pixels_as_background"),
        ("davis-2016", "void_pixels_as_the_object"),
        ("davis-unsupervised", "void_pixels_cleared"),
        ("vos-benchmark", "void_pixels_as_an_object"),
        ("vost", "void_pixels_cleared"),
    ],
)
def test_void_pixels_of_scored_frames_are_counted_under_every_protocol(tmp_path, protocol, key):
    clip_on_disk(tmp_path, "clip", squares(void=1))
    report = score(tmp_path / "preds", gt=tmp_path / "gt", protocol=protocol)
    frames = load_protocol(protocol).select_frames(FRAMES)
    assert report.handled[key] == len(frames) * 24 * 12
    assert sum(name.startswith("void") for name in report.handled) == 1


def test_void_pixels_are_counted_with_an_action_list_too():
    for name in ("actionvos", "gres"):
        result = measured(name, squares(void=1))
        assert result.tally["void_pixels_as_no_object"] == 6 * 24 * 12
    assert not any(
        "void" in name for name, count in measured("davis", squares()).tally.items() if count
    )


@pytest.mark.parametrize("predictions", ["preds_255", "preds_1"])
def test_the_binary_case_gives_its_figure(real_data, predictions):
    case = real_data.parent / "cases" / "03_davis2016_0_and_255"
    if not case.is_dir():
        pytest.skip(f"no {case}")
    report = score(case / predictions, gt=open_folder(case / "gt"), protocol="davis-2016")
    assert report.metrics["j"] == pytest.approx(0.7609, abs=5e-5)


def test_the_void_case_gives_its_figure(real_data):
    case = real_data.parent / "cases" / "10_void_255_with_given_ids"
    if not case.is_dir():
        pytest.skip(f"no {case}")
    report = score(case / "preds", gt=open_folder(case / "gt"), protocol="vost")
    assert report.metrics["j"] == pytest.approx(0.8235, abs=5e-5)
    void = [(read_index_mask(path) == VOID).sum() for path in sorted((case / "gt/clip").iterdir())]
    assert report.handled["void_pixels_cleared"] == sum(void[1:-1])


def test_every_protocol_says_what_void_pixels_are():
    for protocol in load_protocols().values():
        assert protocol.cases["void pixels (255)"]
