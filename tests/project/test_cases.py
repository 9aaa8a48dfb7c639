"""Small inputs that people really had, each with the command, and the right value or message."""

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
    """Copies a case to a folder of its own."""

    def copy(name):
        if not (CASES / name).is_dir():
            pytest.skip(f"no case at {CASES / name} (set ACTISEG_CASES)")
        return Path(shutil.copytree(CASES / name, tmp_path / "case"))

    return copy


def score(folder, *arguments):
    return run("score", *arguments, cwd=folder, module="actiseg_eval.cli")


def scores(folder, *arguments):
    """What `score` writes to its JSON file."""
    done = score(folder, *arguments, "--json", "scores.json")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "scores.json").read_text())


def refused(done):
    """The message of a command that refused its input."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_truth_of_first_frames_alone_is_refused(open_case):
    case = open_case("02_truth_of_first_frame_only")
    message = refused(score(case, "preds", "--gt", "gt", "--protocol", "davis"))
    assert "no frame" in message
    assert "davis" in message


@pytest.mark.parametrize("predictions", ["preds_255", "preds_1"])
def test_one_foreground_object_is_any_id(open_case, predictions):
    case = open_case("03_davis2016_0_and_255")
    found = scores(case, predictions, "--gt", "gt", "--protocol", "davis-2016")
    assert found["metrics"]["j"] == pytest.approx(0.7609, abs=5e-5)


@pytest.mark.parametrize("protocol", ["davis", "vos-benchmark", "davis-unsupervised"])
@pytest.mark.parametrize("predictions", ["preds_255", "preds_1"])
def test_protocols_of_objects_name_davis_2016_or_agree_with_it(open_case, protocol, predictions):
    case = open_case("03_davis2016_0_and_255")
    done = score(case, predictions, "--gt", "gt", "--protocol", protocol, "--json", "scores.json")
    if done.returncode == 0:
        found = json.loads((case / "scores.json").read_text())
        assert found["metrics"]["j"] == pytest.approx(0.7609, abs=5e-5)
    else:
        assert "davis-2016" in refused(done)


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
    found = scores(case, "preds", "--gt", *truth, "--protocol", "davis")
    assert found["metrics"]["n_sequences"] == 2


def test_nobody_is_told_to_score_unasked_sequences_as_blank(open_case):
    case = open_case("04_davis_root_with_list")
    done = score(case, "preds", "--gt", "DAVIS/Annotations/480p", "--protocol", "davis")
    message = refused(done)
    assert "--sequences" in message
    assert "cow" in message


def test_frames_named_by_numbers_are_in_the_order_of_numbers(open_case):
    case = open_case("06_frame_numbers_without_zeros")
    found = scores(case, "preds", "--gt", "gt", "--protocol", "davis")
    assert found["metrics"]["j"] == pytest.approx(0.4727, abs=5e-5)


def test_binary_predictions_of_objects_with_ids_are_refused(open_case):
    case = open_case("08_binary_masks_0_255")
    message = refused(score(case, "preds", "--gt", "root", "--split", "val"))
    assert "255" in message


def test_frames_by_running_number_are_refused_with_what_the_folder_holds(open_case):
    case = open_case("09_frames_by_running_number")
    message = refused(score(case, "preds", "--gt", "root", "--split", "val"))
    assert "00000.png" in message
    assert "frame_0000001000" in message
    assert "--missing empty" not in message


def test_names_with_two_endings_are_taken(open_case):
    case = open_case("09_frames_by_running_number")
    found = scores(case, "preds_jpg_png", "--gt", "root", "--split", "val")
    assert found["metrics"]["n_sequences"] == 3


def test_void_pixels_are_left_out_of_both(open_case):
    case = open_case("10_void_255_with_given_ids")
    found = scores(case, "preds", "--gt", "gt", "--protocol", "vost")
    assert found["metrics"]["j"] == pytest.approx(0.8235, abs=5e-5)


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


def test_hidden_folders_are_no_sequences(open_case):
    case = open_case("18_notebook_folder_in_truth")
    found = scores(case, "preds", "--gt", "gt", "--protocol", "davis")
    assert found["metrics"]["n_sequences"] == 1


def prepare(folder):
    return run(
        *("prepare", "visor", "--annotations", "annotations", "--split", "val"),
        *("--frame-mapping", "mapping.json", "--narrations", "narrations.csv"),
        *("--noun-classes", "nouns.csv", "--out", "out"),
        cwd=folder,
    )


def test_dense_interpolations_are_named_once(open_case):
    case = open_case("23_visor_dense_json")
    message = refused(prepare(case))
    assert message.count("dense interpolations") == 1
    assert "exhaustive' is missing" not in message
    assert not (case / "out").exists()


def test_an_empty_polygon_is_left_out_and_counted(open_case):
    case = open_case("24_visor_empty_polygon")
    done = prepare(case)
    assert done.returncode == 0, done.stderr
    assert (case / "out" / "ImageSets" / "val.json").is_file()
    assert "polygon" in done.stdout


def test_no_flip_names_what_its_narration_names(open_case):
    case = open_case("33_another_noun_of_the_narration")
    done = run(
        *("corrupt", "root", "--type", "category", "--scope", "both", "--flip", "supercategory"),
        *("--rate", "1", "--seed", "5", "--images", "none", "--out", "out"),
        cwd=case,
    )
    assert done.returncode == 0, done.stderr
    file = case / "out" / "ImageSets" / "train_meta_expressions_promptaction.json"
    videos = json.loads(file.read_text())["videos"]
    prompts = [of["exp"] for video in videos.values() for of in video["expressions"].values()]
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
def test_a_number_with_letters_behind_it_claims_nothing(open_case, name):
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
