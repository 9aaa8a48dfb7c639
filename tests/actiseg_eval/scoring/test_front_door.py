"""The Python API, as docs/scoring.md shows it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import types

import numpy as np
import pytest

import actiseg_eval
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.prediction_note import PredictionsNote
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A root `dataset_visor` with predictions `preds`, `preds_b` and runs next to it."""
    folder = tmp_path_factory.mktemp("door")
    clips = [kitchen_clip(number, video=f"P{number:02d}_01") for number in range(1, 10)]
    root = make_root(folder / "dataset_visor", clips, "val_human")
    split = open_split(root, "val_human")
    predict(split, "shift", folder / "preds")
    predict(split, "swap", folder / "preds_b")
    for level, recipe in (("0", "all"), ("0.4", "shift")):
        predict(split, recipe, folder / "runs" / "plain" / level)
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def report(here):
    return actiseg_eval.score("preds", gt="dataset_visor")


def test_score_takes_texts_and_gives_metrics_and_intervals(report):
    assert 0 < report.metrics["giou"] < 1
    low, high = report.intervals["giou"]
    assert low <= report.metrics["giou"] <= high
    document = report.to_dict()
    assert document["metrics"] == report.metrics
    assert document["intervals"]["giou"] == [low, high]
    assert list(document["measures"]) == list(report.metric_groups) == ["core"]


def test_score_without_intervals(here):
    report = actiseg_eval.score("preds", gt="dataset_visor", resamples=0, metrics="core,jf")
    assert report.intervals == {}
    assert report.metric_groups == ("core", "jf")


def test_a_report_is_short_in_a_prompt_and_a_table_in_a_notebook(report):
    assert repr(report).startswith("<Report gIoU 0.")
    assert len(repr(report)) < 120
    assert report._repr_html_().startswith("<table><tr><th>p-mIoU ↑</th>")
    assert f"{report.metrics['giou']:.4f}" in report._repr_html_()
    assert f"{report.metrics['giou']:.4f}" in str(report)


def test_a_report_becomes_a_data_frame(report, monkeypatch):
    rows = []
    frames = types.SimpleNamespace(from_records=lambda records: rows.extend(records) or "frame")
    module = types.ModuleType("pandas")
    module.DataFrame = frames
    monkeypatch.setitem(sys.modules, "pandas", module)
    assert report.to_dataframe() == "frame"
    assert [row["name"] for row in rows[:3]] == ["all", "95 % from", "95 % to"]
    assert rows[0]["giou"] == report.metrics["giou"]
    assert {row["by"] for row in rows} == {"all", *report.strata}
    assert all(list(row) == ["by", "name", *report.metrics, "rendered_frames"] for row in rows)


def test_without_pandas_the_error_says_how_to_install_it(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install pandas"):
        report.to_dataframe()


def test_predictions_name_their_dataset_in_python_as_on_the_command_line(here, tmp_path):
    split = open_split(here / "dataset_visor", "val_human")
    preds = shutil.copytree(here / "preds", tmp_path / "preds")
    root = os.path.relpath(here / "dataset_visor", preds)
    note = PredictionsNote(root, "val_human", split.fingerprint, "t", "m", None)
    write_json(preds / "predictions.json", note.to_dict())
    assert actiseg_eval.score(preds, resamples=0).split == "val_human"


def test_without_a_dataset_the_error_names_the_parameter(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACTISEG_DATASET", raising=False)
    with pytest.raises(InputError, match=r"^gt: "):
        actiseg_eval.score(place / "preds")


def test_a_scorer_takes_a_root_and_any_array(here):
    split = open_split(here / "dataset_visor", "val_human")
    scorer = actiseg_eval.Scorer("dataset_visor", "val_human")
    for sequence in split.sequences:
        for frame, mask in zip(sequence.frames, split.iterate_masks(sequence), strict=True):
            scorer.update(sequence.folder, frame, mask.astype(np.int64))
    report = scorer.report(resamples=0)
    assert report.metrics["p_miou"] == 1
    assert actiseg_eval.Scorer(split).truth is split


def test_a_scorer_without_predictions_has_no_report(here):
    scorer = actiseg_eval.Scorer("dataset_visor", "val_human")
    with pytest.raises(InputError, match="no prediction to report"):
        scorer.report()


def test_sequences_are_a_file_or_a_list_of_names(here, tmp_path):
    names = [sequence.folder for sequence in open_split("dataset_visor", "val_human").sequences][:2]
    (tmp_path / "names.txt").write_text("\n".join(names))
    where = {"gt": "dataset_visor", "resamples": 0}
    listed = actiseg_eval.score("preds", sequences=names, **where)
    assert (
        listed.metrics
        == actiseg_eval.score("preds", sequences=tmp_path / "names.txt", **where).metrics
    )
    assert listed.split == "val_human, 2 listed"
    scorer = actiseg_eval.Scorer("dataset_visor", sequences=iter(names))
    assert [sequence.folder for sequence in scorer.truth.sequences] == names


@pytest.mark.parametrize(
    ("sequences", "says"),
    [
        (["nowhere"], "name 1: there is no sequence 'nowhere'. Hint: correct the name"),
        ([3], "must be text, not 3"),
        ([], "lists no sequence"),
        (3, "must be a path or a list of names, not 3"),
    ],
)
def test_what_is_no_list_of_sequences_is_refused(here, sequences, says):
    with pytest.raises(InputError) as refused:
        actiseg_eval.score("preds", gt="dataset_visor", sequences=sequences)
    assert str(refused.value).startswith("sequences: ")
    assert says in str(refused.value)


def test_numbers_of_numpy_are_numbers(here):
    report = actiseg_eval.score(
        "preds",
        gt="dataset_visor",
        ci=np.float32(0.9),
        resamples=np.int64(100),
        workers=np.int32(1),
    )
    assert json.loads(json.dumps(report.to_dict()))["intervals"]["giou"]
    result = actiseg_eval.robustness(
        "runs", gt="dataset_visor", drop=np.float32(0.5), resamples=np.uint8(0)
    )
    assert json.loads(json.dumps(result.to_dict()))["drop"] == 0.5


WRONG = [
    ("gt", 3),
    ("gt", ["dataset_visor"]),
    ("protocol", None),
    ("protocol", ["davis"]),
    ("metrics", 3),
    ("metrics", ["core", 3, "x"]),
    ("missing", 3),
    ("ci", "0.9"),
    ("resamples", 100.5),
    ("resamples", None),
    ("resamples", -5),
    ("cluster", ["video"]),
    ("workers", 0),
    ("workers", "2"),
]


@pytest.mark.parametrize(("parameter", "value"), WRONG)
def test_a_wrong_argument_is_refused_by_its_name(here, parameter, value):
    arguments = {"gt": "dataset_visor", parameter: value}
    calls = [(actiseg_eval.score, "preds"), (actiseg_eval.robustness, "runs")]
    for function, first in [*calls, (actiseg_eval.compare, ["preds", "preds_b"])]:
        with pytest.raises(InputError) as refused:
            function(first, **arguments)
        (problem,) = refused.value.problems
        assert problem.where == f"`{parameter}`"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("score", {"predictions": None}),
        ("score", {"predictions": "preds", "strata": 3}),
        ("score", {"predictions": "preds", "strata": [3]}),
        ("robustness", {"runs": {}}),
        ("robustness", {"runs": "runs", "drop": "0.1"}),
        ("robustness", {"runs": "runs", "baseline": 3}),
        ("Scorer", {"gt": None}),
    ],
)
def test_an_argument_of_one_function_is_refused_by_its_name(here, function, arguments):
    parameter = list(arguments)[-1]
    with pytest.raises(InputError, match=f"^{parameter}: must be "):
        getattr(actiseg_eval, function)(**{"gt": "dataset_visor"} | arguments)


def test_the_hint_about_resamples_says_that_0_is_possible(here):
    with pytest.raises(InputError, match="give 10,000, or 0 for no intervals"):
        actiseg_eval.score("preds", gt="dataset_visor", resamples=-5)
    with pytest.raises(InputError, match=r"0 is outside \[100"):
        actiseg_eval.compare(["preds", "preds_b"], gt="dataset_visor", resamples=0)


def test_methods_are_compared_by_name(here):
    comparison = actiseg_eval.compare(
        {"a": "preds", "b": ["preds_b"]}, gt="dataset_visor", resamples=100
    )
    assert {standing.name for standing in comparison.standings["giou"]} == {"a", "b"}
    assert repr(comparison).startswith("<Comparison of a, b: protocol actionvos")
    with pytest.raises(InputError, match="fewer than two methods"):
        actiseg_eval.compare({"a": "preds"}, gt="dataset_visor")


def test_robustness_takes_the_path_of_the_runs(here):
    result = actiseg_eval.robustness("runs", gt="dataset_visor", split="val_human", resamples=100)
    (curve,) = result.curves["giou"]
    assert [point.level for point in curve.points] == [0, 0.4]
    assert repr(result).startswith("<Robustness of plain: protocol actionvos")
