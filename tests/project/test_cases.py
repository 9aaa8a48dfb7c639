"""Small inputs of real users: the right command, and the right value or message."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.command import run
from tests.helpers.paths import ROOT

CASES = Path(os.environ.get("ACTISEG_CASES") or ROOT.parent / "shared" / "cases")


@pytest.fixture
def open_case(tmp_path):
    """Return a function that copies a case to a folder of the test."""

    def copy(name):
        if not (CASES / name).is_dir():
            pytest.skip(f"no case at {CASES / name} (set ACTISEG_CASES)")
        return Path(shutil.copytree(CASES / name, tmp_path / "case"))

    return copy


def score(folder, *arguments):
    return run("score", *arguments, cwd=folder, module="actiseg_eval.cli")


def read_scores(folder, *arguments):
    """Run `score`, and read its JSON file."""
    done = score(folder, *arguments, "--json", "scores.json")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "scores.json").read_text())


def get_error(done):
    """Return the message of a command that ended with an input error."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_ground_truth_with_first_frames_only_is_an_error(open_case):
    case = open_case("02_truth_of_first_frame_only")
    message = get_error(score(case, "preds", "--gt", "gt", "--protocol", "davis"))
    assert "no frame" in message
    assert "davis" in message


@pytest.mark.parametrize("predictions", ["preds_255", "preds_1"])
def test_one_foreground_object_is_any_id(open_case, predictions):
    case = open_case("03_davis2016_0_and_255")
    result = read_scores(case, predictions, "--gt", "gt", "--protocol", "davis-2016")
    assert result["metrics"]["j"] == pytest.approx(0.7609, abs=5e-5)


@pytest.mark.parametrize("protocol", ["davis", "vos-benchmark", "davis-unsupervised"])
@pytest.mark.parametrize("predictions", ["preds_255", "preds_1"])
def test_object_protocols_suggest_davis_2016_or_agree_with_it(open_case, protocol, predictions):
    case = open_case("03_davis2016_0_and_255")
    done = score(case, predictions, "--gt", "gt", "--protocol", protocol, "--json", "scores.json")
    if done.returncode == 0:
        result = json.loads((case / "scores.json").read_text())
        assert result["metrics"]["j"] == pytest.approx(0.7609, abs=5e-5)
    else:
        assert "davis-2016" in get_error(done)


@pytest.mark.parametrize(
    "truth",
    [
        ("DAVIS", "--split", "val"),
        ("DAVIS",),
        ("DAVIS/Annotations/480p", "--split", "val"),
        ("DAVIS/Annotations/480p", "--sequences", "DAVIS/ImageSets/2017/val.txt"),
    ],
)
def test_the_list_of_a_davis_root_restricts_what_is_scored(open_case, truth):
    case = open_case("04_davis_root_with_list")
    result = read_scores(case, "preds", "--gt", *truth, "--protocol", "davis")
    assert result["metrics"]["n_sequences"] == 2


def test_the_hint_is_not_to_score_unlisted_sequences_as_blank(open_case):
    case = open_case("04_davis_root_with_list")
    done = score(case, "preds", "--gt", "DAVIS/Annotations/480p", "--protocol", "davis")
    message = get_error(done)
    assert "--sequences" in message
    assert "cow" in message


def test_numbered_frames_are_in_numerical_order(open_case):
    case = open_case("06_frame_numbers_without_zeros")
    result = read_scores(case, "preds", "--gt", "gt", "--protocol", "davis")
    assert result["metrics"]["j"] == pytest.approx(0.4727, abs=5e-5)


def test_binary_predictions_of_objects_with_ids_are_an_error(open_case):
    case = open_case("08_binary_masks_0_255")
    message = get_error(score(case, "preds", "--gt", "root", "--split", "val"))
    assert "255" in message


def test_frames_by_running_number_are_an_error_that_lists_the_folder(open_case):
    case = open_case("09_frames_by_running_number")
    message = get_error(score(case, "preds", "--gt", "root", "--split", "val"))
    assert "00000.png" in message
    assert "frame_0000001000" in message
    assert "--missing" not in message


def test_names_with_two_extensions_are_accepted(open_case):
    case = open_case("09_frames_by_running_number")
    result = read_scores(case, "preds_jpg_png", "--gt", "root", "--split", "val")
    assert result["metrics"]["n_sequences"] == 3


def test_void_pixels_are_ignored_in_ground_truth_and_prediction(open_case):
    case = open_case("10_void_255_with_given_ids")
    result = read_scores(case, "preds", "--gt", "gt", "--protocol", "vost")
    assert result["metrics"]["j"] == pytest.approx(0.8235, abs=5e-5)


@pytest.mark.parametrize("protocol", ["vos-benchmark", "davis", "davis-unsupervised", "vost"])
def test_void_pixels_are_counted_under_every_protocol(open_case, protocol):
    case = open_case("10_void_255_with_given_ids")
    done = score(case, "preds", "--gt", "gt", "--protocol", protocol)
    assert done.returncode == 0, done.stderr
    assert "255" in done.stdout or "void" in done.stdout


def test_a_list_counts_extra_masks_as_folders_do(open_case):
    case = open_case("14_extra_masks_in_a_list")
    done = score(case, "preds.json", "--gt", "gt", "--protocol", "vos-benchmark")
    assert done.returncode == 0, done.stderr
    assert "extra files 1" in done.stdout
    assert "extra sequences 1" in done.stdout


def test_hidden_folders_are_not_sequences(open_case):
    case = open_case("18_notebook_folder_in_truth")
    result = read_scores(case, "preds", "--gt", "gt", "--protocol", "davis")
    assert result["metrics"]["n_sequences"] == 1


def prepare(folder):
    return run(
        *("prepare", "visor", "--annotations", "annotations", "--split", "val"),
        *("--frame-mapping", "mapping.json", "--narrations", "narrations.csv"),
        *("--noun-classes", "nouns.csv", "--out", "out"),
        cwd=folder,
    )


def test_dense_interpolations_are_prepared(open_case):
    case = open_case("23_visor_dense_json")
    done = prepare(case)
    assert done.returncode == 0, done.stderr
    assert "no hand contacts" in " ".join(done.stdout.split())
    (sequence,) = json.loads((case / "out" / "ImageSets" / "val.json").read_text())
    assert len(sequence["sparse_frames"]) == 3
    labels = {entry["name"]: entry for entry in sequence["object_classes"].values()}
    assert (labels["knife"]["narration"], labels["knife"]["handbox"]) == (1, 0)


def test_an_empty_polygon_is_skipped_and_counted(open_case):
    case = open_case("24_visor_empty_polygon")
    done = prepare(case)
    assert done.returncode == 0, done.stderr
    assert (case / "out" / "ImageSets" / "val.json").is_file()
    assert "polygon" in done.stdout


def test_a_flip_does_not_repeat_a_noun_of_its_narration(open_case):
    case = open_case("33_another_noun_of_the_narration")
    done = run(
        *("corrupt", "root", "--type", "category", "--scope", "both", "--flip", "supercategory"),
        *("--rate", "1", "--seed", "5", "--images", "none", "--out", "out"),
        cwd=case,
    )
    assert done.returncode == 0, done.stderr
    file = case / "out" / "ImageSets" / "train_meta_expressions_promptaction.json"
    videos = json.loads(file.read_text())["videos"]
    prompts = [entry["exp"] for video in videos.values() for entry in video["expressions"].values()]
    assert len(prompts) >= 10
    for prompt in prompts:
        name, _, narration = prompt.partition(" used in the action of ")
        words = narration.split()
        assert words.count(name) <= 1, prompt
        assert len(set(words[2:])) == len(words[2:]), prompt


@pytest.mark.parametrize(
    "name",
    [
        "text_10k_steps",
        pytest.param("480p_mixed_30fps", marks=pytest.mark.slow),
        pytest.param("noise100k", marks=pytest.mark.slow),
    ],
)
def test_a_number_followed_by_letters_claims_nothing(open_case, name):
    case = open_case("35_names_that_claim_nothing")
    done = run(
        *("corrupt", "clean", "--type", "category", "--rate", "1", "--images", "none"),
        *("--out", "out"),
        cwd=case,
    )
    assert done.returncode == 0, done.stderr
    shutil.move(case / "out" / "ImageSets", case / name)
    done = run("audit", name, "--strict", cwd=case)
    assert done.returncode == 0, done.stdout + done.stderr
