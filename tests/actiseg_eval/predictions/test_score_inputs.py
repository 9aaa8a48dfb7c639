"""Predictions on disk: every layout gives the same scores, every fault is named."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.prediction_note import PredictionsNote, read_predictions_note
from actiseg_eval import Scorer, score
from actiseg_eval.predictions.ground_truth import open_truth
from tests.helpers.kitchens import make_kitchen
from tests.helpers.predicted import RECIPES, predict


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return open_split(make_kitchen(tmp_path_factory.mktemp("inputs") / "clean", 6), "train")


@pytest.fixture
def folder(kitchen, tmp_path):
    return predict(kitchen, "shift", tmp_path / "preds")


def first(folder):
    return sorted(folder.rglob("*.png"))[0]


def plain(report):
    return report.metrics


def test_every_layout_gives_the_same_figures(kitchen, folder, tmp_path):
    expected = plain(score(folder, gt=kitchen, metrics=["all"]))
    for name in ("train", "val"):
        nested = tmp_path / name
        shutil.copytree(folder, nested / name)
        assert plain(score(nested, gt=kitchen, metrics=["all"])) == expected
    dataset = tmp_path / "dataset"
    shutil.copytree(folder, dataset / MASKS / "train")
    assert plain(score(dataset, gt=kitchen, metrics=["all"])) == expected
    grey, objects, entries = tmp_path / "grey", tmp_path / "objects", []
    from pycocotools import mask as coco

    for path in sorted(folder.rglob("*.png")):
        mask = read_index_mask(path)
        place = path.relative_to(folder)
        (grey / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(grey / place)
        for object_id in np.unique(mask)[1:].tolist() or [1]:
            one = mask == object_id
            to = objects / place.parent / f"{object_id:03d}" / place.name
            to.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(one).convert("1").save(to)
            found = coco.encode(np.asfortranarray(one.astype(np.uint8)))
            entries.append(
                {
                    "sequence": place.parts[0],
                    "frame": place.stem,
                    "object_id": object_id,
                    "segmentation": {"size": found["size"], "counts": found["counts"].decode()},
                }
            )
    write_json(tmp_path / "rle.json", entries)
    for path in sorted(objects.rglob("*.png"))[::2]:  # of 1 bit, and of 8
        with Image.open(path) as image:
            image.convert("L").save(path)
    for place in (grey, objects, tmp_path / "rle.json"):
        assert plain(score(place, gt=kitchen, metrics=["all"])) == expected, place


def fail(kitchen, folder, **more):
    with pytest.raises(InputError) as caught:
        score(folder, gt=kitchen, **more)
    return [str(problem) for problem in caught.value.problems]


def test_all_faulty_files_are_named_at_once(kitchen, folder):
    paths = sorted(folder.rglob("*.png"))
    mask = read_index_mask(paths[1])
    paths[0].unlink()
    write_index_mask(paths[1], mask[:-1])
    Image.fromarray(np.zeros((*mask.shape, 3), np.uint8)).save(paths[3])
    blended = (np.arange(mask.size).reshape(mask.shape) % 200).astype(np.uint8)
    write_index_mask(paths[4], blended)
    paths[7].write_bytes(paths[7].read_bytes()[:60])
    shutil.rmtree(paths[10].parent)
    problems = fail(kitchen, folder)
    for path, says in (
        (paths[0], "is missing"),
        (paths[1], "the true mask has 160 x 120"),
        (paths[3], "truecolour"),
        (paths[4], "blended"),
        (paths[7], "damaged"),
        (paths[10].parent, "was predicted"),
    ):
        assert any(str(path) in problem and says in problem for problem in problems), says
    assert len(problems) == 6


def test_missing_frames_may_be_taken_for_blank(kitchen, folder, tmp_path):
    blank = predict(kitchen, "blank", tmp_path / "blank")
    for path in sorted(folder.rglob("*.png"))[:3]:
        shutil.copy(path, blank / path.relative_to(folder))
    expected = score(blank, gt=kitchen).metrics
    for path in sorted(folder.rglob("*.png"))[3:]:
        path.unlink()
    report = score(folder, gt=kitchen, missing="empty")
    assert report.metrics == expected
    assert report.handled["missing_masks"] == 9


def test_what_is_more_is_counted_and_ignored(kitchen, folder):
    expected = score(folder, gt=kitchen).metrics
    path = first(folder)
    shutil.copy(path, path.with_name("frame_more.png"))
    shutil.copytree(path.parent, folder / "another_sequence")
    mask = read_index_mask(path).copy()
    mask[mask == 0] = 99
    write_index_mask(path, mask)
    report = score(folder, gt=kitchen)
    assert report.metrics == expected
    assert report.handled["extra_files"] == 1
    assert report.handled["extra_sequences"] == 1
    assert report.handled["frames_with_extra_ids"] == 1


def test_another_split_is_recognised(kitchen, folder, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(kitchen.root, root)
    records = json.loads((root / IMAGE_SETS / "train.json").read_text())
    write_json(root / IMAGE_SETS / "few.json", records[:2])
    for path in list(folder.iterdir())[:]:
        if path.name not in {of.folder for of in open_split(root, "train").sequences[2:]}:
            shutil.rmtree(path)
    for few in (open_split(root, "few"), WrappedSplit(open_split(root, "few"))):
        (problem,) = fail(few, folder)
        assert "set split to train, which fits" in problem


class WrappedSplit:
    """A split of a layout of its own: it has the attributes of `MaskSplit`, and another class."""

    def __init__(self, split):
        self._split = split

    def __getattr__(self, name):
        return getattr(self._split, name)


def test_a_split_of_another_class_has_the_same_report(kitchen, folder):
    split = open_split(kitchen.root, "train")
    spelled = replace(split, spellings={"cup_big": "cup:big"})
    report = score(folder, gt=WrappedSplit(spelled)).to_dict()
    assert report["handled"]["names_spelled_otherwise"] == 1
    assert report == score(folder, gt=spelled).to_dict()


def test_predictions_of_another_dataset_are_refused(kitchen, folder):
    note = PredictionsNote("..", "train", kitchen.fingerprint, "actiseg 0", "model", None)
    write_json(folder / "predictions.json", note.to_dict())
    assert read_predictions_note(folder / "predictions.json") == note
    assert score(folder, gt=kitchen).metrics
    write_json(folder / "predictions.json", note.to_dict() | {"dataset_fingerprint": "0" * 32})
    (problem,) = fail(kitchen, folder)
    assert "not of the list" in problem
    write_json(folder / "predictions.json", note.to_dict() | {"schema": "?"})
    assert "schema" in fail(kitchen, folder)[0]


def test_what_holds_no_predictions_is_refused(kitchen, tmp_path):
    assert "no such folder" in fail(kitchen, tmp_path / "nowhere")[0]
    (tmp_path / "empty").mkdir()
    assert "has nothing" in fail(kitchen, tmp_path / "empty")[0]
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "is a link" in fail(kitchen, loop)[0]
    inside = tmp_path / "inside"
    inside.mkdir()
    for sequence in kitchen.sequences:
        (inside / sequence.folder).symlink_to(inside / sequence.folder)
    assert fail(kitchen, inside)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"segmentation": {"size": [120, 161], "counts": "0"}}, "the true mask has 160 x 120"),
        ({"segmentation": {"size": [120, 160], "counts": "0"}}, "do not fill a mask of 160 x 120"),
        ({"segmentation": {"size": [120, 160], "counts": "\u20ac"}}, "damaged"),
        ({"segmentation": {"size": [120, 160], "counts": [-1, 19201]}}, "do not fill"),
        ({"segmentation": {"size": [120, 160], "counts": [1.5]}}, "whole number"),
        # Found by fuzzing: more than any machine's integer.
        ({"segmentation": {"size": [120, 160], "counts": [1 << 70]}}, "do not fill"),
        ({"segmentation": {"size": [0, 160], "counts": "0"}}, "the size is"),
        ({"object_id": 0}, "is not an object id"),
        ({"sequence": 3}, "text"),
        ({"frame": None}, "text"),
    ],
)
def test_faulty_rle_is_refused(kitchen, tmp_path, entry, says):
    sequence = kitchen.sequences[0]
    whole = {
        "sequence": sequence.folder,
        "frame": sequence.frames[0],
        "object_id": 1,
        "segmentation": {"size": [120, 160], "counts": [19200]},
    }
    write_json(tmp_path / "p.json", [whole])
    assert score(tmp_path / "p.json", gt=kitchen, missing="empty").metrics
    write_json(tmp_path / "p.json", [whole | entry])
    assert any(says in problem for problem in fail(kitchen, tmp_path / "p.json", missing="empty"))
    write_json(tmp_path / "p.json", [whole, whole])
    assert "twice" in fail(kitchen, tmp_path / "p.json", missing="empty")[0]


def test_flagged_sequences_are_left_out_unless_asked_for(kitchen, folder, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(kitchen.root, root)
    path = root / IMAGE_SETS / "train.json"
    records = json.loads(path.read_text())
    for record, flag in zip(records, ("redundant", "missing", "other"), strict=False):
        record[flag] = True
    write_json(path, records)
    some = score(folder, gt=root, split="train")
    assert some.metrics["n_sequences"] == 3
    assert some.handled["sequences_filtered"] == 3
    assert score(folder, gt=root, split="train", filter=False).metrics["n_sequences"] == 6
    write_json(path, records[:3])
    assert "every sequence is flagged" in fail(open_split(root, "train"), folder)[0]


def test_names_that_lead_elsewhere_are_refused(tmp_path):
    root = tmp_path / "root"
    (root / "a:b").mkdir(parents=True)
    write_index_mask(root / "a:b" / "x.png", np.zeros((2, 2), np.uint8))
    assert open_truth(root).sequences[0].folder == "a:b"
    (root / "bad ").mkdir()
    write_index_mask(root / "bad " / "x.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="name"):
        open_truth(root)


def test_a_worker_that_dies_is_an_error_not_a_hang(kitchen, folder, monkeypatch):
    import actiseg_eval.scoring.sequence_scoring as module

    monkeypatch.setattr(module, "_score_chunk", _die)
    with pytest.raises(InputError, match=r"died|ended"):
        score(folder, gt=kitchen, workers=2)


def _die(*_):
    os._exit(9)


def test_the_recipes_are_told_apart(kitchen, tmp_path):
    found = {
        recipe: score(predict(kitchen, recipe, tmp_path / recipe), gt=kitchen).metrics["giou"]
        for recipe in RECIPES
    }
    assert found["oracle"] == 1
    assert len(set(found.values())) >= 5


def layered(kitchen, folder):
    """Perfect predictions with a folder for each object; returns their files."""
    for sequence in kitchen.sequences:
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            for label in sequence.objects:
                path = folder / sequence.folder / str(label.object_id) / f"{frame}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray((mask == label.object_id).astype(np.uint8) * 255).save(path)
    return sorted(folder.rglob("*.png"))


def test_folders_of_objects_are_looked_at_as_closely(kitchen, tmp_path):
    folder = tmp_path / "objects"
    paths = layered(kitchen, folder)
    assert score(folder, gt=kitchen).metrics["p_miou"] == 1
    (paths[0].parent.parent / "overview.png").write_bytes(b"?")
    report = score(folder, gt=kitchen)
    assert report.metrics["p_miou"] == 1
    assert report.handled["extra_files"] == 1
    kept = paths[0].read_bytes()
    paths[0].unlink()
    assert fail(kitchen, folder) == [
        f"{paths[0]}: is missing. Hint: predict it, or set missing to empty"
    ]
    assert score(folder, gt=kitchen, missing="empty").handled["missing_masks"] == 1
    soft = np.zeros((120, 160), np.uint8)
    soft[:, :40] = np.arange(40) * 6
    Image.fromarray(soft).save(paths[0])
    assert "several values" in fail(kitchen, folder)[0]
    paths[0].write_bytes(kept)
    shutil.copytree(paths[0].parent, paths[0].parent.parent / f"0{paths[0].parent.name}")
    assert "appears twice" in fail(kitchen, folder)[0]
    shutil.move(paths[0].parent.parent / f"0{paths[0].parent.name}", tmp_path / "away")
    shutil.copytree(paths[0].parent, paths[0].parent.parent / "000")
    assert "not an object id" in fail(kitchen, folder)[0]


def test_frames_that_are_not_scored_need_no_prediction(kitchen, tmp_path):
    truth = open_truth(predict(kitchen, "all", tmp_path / "truth"))
    for sequence in truth.sequences:  # a third frame, so that one is between the others
        path = truth.find_mask(sequence, sequence.frames[0])
        shutil.copy(path, path.with_name("frame_z.png"))
    truth = open_truth(truth.root)
    shutil.copytree(truth.root, tmp_path / "preds")
    for sequence in truth.sequences:
        for frame in (sequence.frames[0], sequence.frames[-1]):
            (tmp_path / "preds" / sequence.folder / f"{frame}.png").unlink()
    for protocol in ("davis", "vos-benchmark"):
        report = score(tmp_path / "preds", gt=truth, protocol=protocol)
        assert report.metrics["jf"] == 1
        assert "frames_with_extra_ids" not in report.handled


def test_ids_that_were_blended_are_refused_also_without_a_list(kitchen, tmp_path):
    truth = open_truth(predict(kitchen, "all", tmp_path / "truth"))
    folder = predict(kitchen, "all", tmp_path / "preds")
    blended = (np.arange(120 * 160).reshape(120, 160) % 200).astype(np.uint8)
    write_index_mask(sorted(folder.rglob("*.png"))[1], blended)
    from actiseg_eval import load_protocol

    whole = replace(load_protocol("vos-benchmark"), frames="all")
    with pytest.raises(InputError, match="blended"):
        score(folder, gt=truth, protocol=whole)


def test_rle_whose_frames_are_named_otherwise_is_refused(kitchen, tmp_path):
    sequence = kitchen.sequences[0]
    entry = {
        "sequence": sequence.folder,
        "frame": f"{sequence.frames[0]}.png",
        "object_id": 1,
        "segmentation": {"size": [120, 160], "counts": [19200]},
    }
    write_json(tmp_path / "p.json", [entry])
    assert score(tmp_path / "p.json", gt=kitchen, missing="empty").handled
    write_json(tmp_path / "p.json", [entry | {"frame": "00000"}])
    (problem,) = fail(kitchen, tmp_path / "p.json", missing="empty")
    assert f"has 00000; frames are called {sequence.frames[0]}" in problem


def test_a_ledger_of_nothing_that_is_scored_is_refused(kitchen, folder):
    sequence = kitchen.sequences[0]
    row = MaskRow(
        sequence.folder, sequence.frames[0], 1, "x", "dilate", {}, "met", 0.8, 0.8, 0.75, 9, 1.1
    )
    for rows, says in (
        ([], "has no row"),
        (
            [replace(row, sequence="00000009_P09_01_x_y")],
            "none of the 6 scored sequences",
        ),
        ([replace(row, object_id=77)], "not scored, such as object 77 in frame_"),
        ([replace(row, frame="frame_9")], "not scored, such as object 1 in frame_9 of"),
    ):
        with pytest.raises(InputError, match=says):
            score(folder, gt=kitchen, strata=rows)
    assert "noise" in score(folder, gt=kitchen, strata=[row]).strata


def test_rows_of_a_ledger_that_fit_nothing_beside_some_that_do_are_counted(kitchen, folder):
    sequence = kitchen.sequences[0]
    row = MaskRow(
        sequence.folder, sequence.frames[0], 1, "x", "dilate", {}, "met", 0.8, 0.8, 0.75, 9, 1.1
    )
    strays = [replace(row, frame="frame_9"), replace(row, object_id=77), replace(row, sequence="x")]
    found = score(folder, gt=kitchen, strata=[row, *strays])
    assert found.handled["ledger_rows_not_scored"] == 3
    assert "ledger_rows_not_scored" not in score(folder, gt=kitchen, strata=[row]).handled


def test_the_scorer_says_what_is_wrong_with_a_frame(kitchen):
    sequence = kitchen.sequences[0]
    truth = read_index_mask(kitchen.find_mask(sequence, sequence.frames[0]))
    height, width = truth.shape
    for name, frame, mask, says in (
        (sequence.folder + "x", "0", truth, f"did you mean '{sequence.folder}'"),
        (sequence.folder, f"{sequence.frames[0]}.png", truth, "frames are called"),
        (
            sequence.folder,
            sequence.frames[0],
            truth[1:],
            f"has {width} x {height - 1} pixels, but the true mask has {width} x {height}",
        ),
    ):
        scorer = Scorer(kitchen)
        with pytest.raises(InputError, match=says):
            scorer.update(name, frame, mask)
        with pytest.raises(InputError, match="no prediction to report"):
            scorer.report()


def test_an_empty_split_is_not_the_default_one(kitchen, folder):
    with pytest.raises(InputError, match="the name is empty"):
        score(folder, gt=kitchen.root, split="")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_no_mask(kitchen, folder):
    path = first(folder)
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in fail(kitchen, folder)[0]


def test_names_in_messages_cannot_forge_lines(kitchen, tmp_path):
    (tmp_path / "preds" / "\x1b[31mevil\nerror: x").mkdir(parents=True)
    (problem,) = fail(kitchen, tmp_path / "preds")
    assert "\x1b" not in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([1, 2], "not \\(H, W\\)"),
        (np.zeros((120, 160)), "whole numbers"),
        (np.full((120, 160), 256), "0 to 255"),
        ({0: np.zeros((120, 160), bool)}, "not an object id"),
        ({"1": np.zeros((120, 160), bool)}, "not an object id"),
        ({1: np.zeros((120, 160))}, "bool"),
        ({1: np.arange(19200, dtype=np.int64).reshape(120, 160)}, "several values"),
        ({1: np.zeros((2, 2), bool), 2: np.zeros((3, 2), bool)}, "differ in size"),
        ({1: np.zeros((2, 2), bool)}, "has 2 x 2 pixels, but the true mask has 160 x 120"),
    ],
)
def test_the_scorer_refuses_what_is_no_prediction(kitchen, given, says):
    scorer = Scorer(kitchen)
    sequence = kitchen.sequences[0]
    with pytest.raises(InputError, match=says):
        scorer.update(sequence.folder, sequence.frames[0], given)


def test_the_scorer_takes_layers_of_any_kind_and_nothing(kitchen):
    sequence = kitchen.sequences[0]
    figures = []
    for kind in (np.uint8(1), np.uint8(255), True):
        scorer = Scorer(kitchen)
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            scorer.update(sequence.folder, frame, {})
            layers = {of.object_id: (mask == of.object_id) * kind for of in sequence.objects}
            scorer.update(sequence.folder, frame, layers)
        figures.append(scorer.report().metrics)
    assert figures[0] == figures[1] == figures[2]
    assert figures[0]["p_miou"] == 1


def test_the_scorer_passes_over_flagged_sequences_as_score_does(kitchen, tmp_path):
    flagged = replace(
        kitchen,
        sequences=tuple(
            replace(of, flagged_other=not at) for at, of in enumerate(kitchen.sequences)
        ),
    )
    scorer = Scorer(flagged)
    for sequence in flagged.sequences:
        for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
            scorer.update(sequence.folder, frame, mask)
    report = scorer.report()
    folder = predict(kitchen, "all", tmp_path / "p")
    assert report.metrics == score(str(folder), gt=flagged).metrics
    assert report.handled["sequences_filtered"] == 1
    with pytest.raises(InputError, match="no action list"):
        Scorer(open_truth(folder))
