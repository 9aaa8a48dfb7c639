"""Methods held against each other: in the right order, and not beyond chance."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_eval import score
from actiseg_eval.comparison.comparing import compare
from actiseg_eval.comparison.methods import Method, make_methods, parse_methods
from actiseg_eval.resampling.bootstrap import Bootstrap
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import RECIPES, predict, shifted
from tests.helpers.roots import make_root

FEW = Bootstrap(resamples=1000)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 28)]
    return open_split(make_root(tmp_path_factory.mktemp("compared") / "clean", clips), "train")


@pytest.fixture(scope="module")
def runs(kitchen, tmp_path_factory):
    """Predictions by recipe, and moved by more and more pixels."""
    folder = tmp_path_factory.mktemp("runs")
    made = {recipe: predict(kitchen, recipe, folder / recipe) for recipe in RECIPES}
    for pixels in (1, 2, 3, 4, 5, 6):
        made[f"moved{pixels}"] = folder / f"moved{pixels}"
        for sequence in kitchen.sequences:
            for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
                path = made[f"moved{pixels}"] / sequence.folder / f"{frame}.png"
                write_index_mask(path, shifted(mask, pixels, pixels))
    return made


def methods(runs, *names):
    return [Method(name, (runs[name],)) for name in names]


def test_the_better_one_is_found_in_each_figures_direction(kitchen, runs):
    found = compare(
        methods(runs, "moved1", "moved3"), gt=kitchen, resamples=FEW.resamples, metrics=["all"]
    )
    one, other = (
        score(runs[name], gt=kitchen, metrics=["all"]).metrics for name in ("moved1", "moved3")
    )
    for figure, sign in (("p_miou", 1), ("n_miou", -1), ("jf", 1), ("boundary_iou", 1)):
        (each,) = found.differences[figure]
        assert each.gain == pytest.approx(sign * (one[figure] - other[figure]), abs=1e-12)
        low, high = each.interval
        assert low <= each.gain <= high
        better = "moved1" if sign > 0 else "moved3"
        assert each.share == (sign > 0)
        assert each.p < 0.01
        assert found.standings[figure][0].name == better
        assert [of.rank for of in found.standings[figure]] == [1, 2]


def test_a_method_is_not_better_than_itself(kitchen, runs, tmp_path):
    copy = shutil.copytree(runs["shift"], tmp_path / "copy")
    same = [Method("a", (runs["shift"],)), Method("b", (copy,))]
    found = compare(same, gt=kitchen, resamples=FEW.resamples)
    for (each,) in found.differences.values():
        assert (each.gain, each.interval) == (0, (0, 0))
        assert (each.share, each.p, each.adjusted) == (0.5, 1, 1)
    assert all(of.rank == 1 for ranks in found.standings.values() for of in ranks)


def test_several_seeds_are_compared_by_welch(kitchen, runs):
    seeds = [
        Method("near", tuple(runs[f"moved{at}"] for at in (1, 2, 3))),
        Method("far", tuple(runs[f"moved{at}"] for at in (4, 5, 6))),
    ]
    found = compare(seeds, gt=kitchen, resamples=FEW.resamples)
    values = [[score(run, gt=kitchen).metrics["p_miou"] for run in method.runs] for method in seeds]
    (each,) = found.differences["p_miou"]
    expected = stats.ttest_ind(*values, equal_var=False)
    assert each.source == "seeds"
    assert each.gain == pytest.approx(np.mean(values[0]) - np.mean(values[1]))
    assert each.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert each.interval == pytest.approx((interval.low, interval.high))
    near = found.standings["p_miou"][0]
    assert near.seeds == pytest.approx(values[0])
    low, high = stats.t.interval(0.95, 2, np.mean(values[0]), stats.sem(values[0]))
    assert near.interval == pytest.approx((max(0, low), min(1, high)))


def test_several_seeds_against_one_differ_as_the_shown_means_do(kitchen, runs):
    near = Method("near", tuple(runs[f"moved{at}"] for at in (1, 2, 3)))
    found = compare([near, *methods(runs, "moved6")], gt=kitchen, resamples=FEW.resamples)
    (each,) = found.differences["p_miou"]
    values = {standing.name: standing.value for standing in found.standings["p_miou"]}
    assert each.source == "videos"
    assert each.gain == pytest.approx(values["near"] - values["moved6"], abs=1e-12)


def test_seeds_that_do_not_differ_are_no_evidence(kitchen, runs, tmp_path):
    copies = [tmp_path / str(at) for at in range(3)]
    for copy in copies:
        shutil.copytree(runs["moved2"], copy)
    same = [Method("a", (runs["moved2"],)), Method("b", tuple(copies))]
    for (each,) in compare(same, gt=kitchen, resamples=FEW.resamples).differences.values():
        assert (each.gain, each.p, each.source) == (0, 1, "videos")


def test_a_figure_of_few_videos_is_left_out(kitchen, runs):
    some = kitchen.sequences[4].video
    clips = tuple(
        replace(of, objects=tuple(replace(each, positive=of.video != some) for each in of.objects))
        for of in kitchen.sequences
    )
    found = compare(
        methods(runs, "moved1", "moved2"),
        gt=replace(kitchen, sequences=clips),
        resamples=FEW.resamples,
    )
    assert "fewer than 8 videos" in found.left_out["n_miou"]
    assert "n_miou" not in found.standings
    assert "p_miou" in found.standings


def test_five_runs_are_ranked_with_ties(kitchen, runs):
    names = ("all", "oracle", "blank", "moved2", "shift")
    found = compare(methods(runs, *names), gt=kitchen, resamples=FEW.resamples)
    assert len(found.differences["giou"]) == 10
    assert all(each.p <= each.adjusted <= 1 for each in found.differences["giou"])
    ranks = {each.name: each.rank for each in found.standings["giou"]}
    assert ranks["oracle"] == 1
    assert ranks["shift"] == max(ranks.values())
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "actiseg/comparison/1"


def test_a_folder_may_have_an_equals_sign(tmp_path, monkeypatch):
    (tmp_path / "lr=0.1").mkdir()
    assert parse_methods([f"{tmp_path}/lr=0.1", "b"])[0].name == "lr=0.1"
    monkeypatch.chdir(tmp_path)
    assert parse_methods(["lr=0.1", "b"])[0].name == "lr=0.1"


def test_methods_are_parsed_and_what_is_none_is_refused(kitchen, runs):
    found = parse_methods(["runs/ours", "elr=a,b"])
    assert [(of.name, len(of.runs)) for of in found] == [("ours", 1), ("elr", 2)]
    for texts, says in (
        (["a"], "fewer than two methods"),
        (["x/a", "y/a"], "two methods are called 'a'"),
        (["a=", "b"], "lacks a name or a folder"),
        (["=x", "b"], "lacks a name or a folder"),
        (["a=x,,y", "b"], "lacks a name or a folder"),
        (["a=x,x", "b"], "names a folder twice"),
        (["a=x", "b=./x"], "'a' and 'b' have the same folder x"),
        (["[bold]a[/bold]=x", "b"], "the name of a method cannot have a /"),
    ):
        with pytest.raises(InputError, match=says):
            parse_methods(texts)
    with pytest.raises(InputError) as refused:
        parse_methods(["x/lr=0.1", "b"])
    assert refused.value.problems[0].what.startswith("there is no folder 'x/lr=0.1'")
    few = type(kitchen)(
        kitchen.root, "few", kitchen.sequences[:3], kitchen.fingerprint, kitchen.subsets
    )
    with pytest.raises(InputError, match="fewer than 8"):
        compare(methods(runs, "all", "shift"), gt=few)


def test_folders_of_a_list_are_methods_with_their_names(tmp_path):
    ours = Method("ours", (Path("a"), Path("b")))
    made = make_methods([tmp_path / "elr", "plain", ours])
    assert [method.name for method in made] == ["elr", "plain", "ours"]
    assert [method.runs for method in made] == [(tmp_path / "elr",), (Path("plain"),), ours.runs]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("a", "must be a mapping from name to folder, or a list of folders, not 'a'"),
        (None, "must be a mapping"),
        ({3: "a", "b": "b"}, "the name of a method must be text, not 3"),
        ({"a": 3, "b": "b"}, "must be a path, not 3"),
        ({"a": ["a", None], "b": "b"}, "must be a path, not None"),
        ({"a": [], "b": "b"}, "'a' lacks a name or a folder"),
        ([3, "b"], "must be a path, not 3"),
        (["x/a", "a"], "two methods are called 'a'"),
        ({"a": "x", "b": ["y", "./x"]}, "'a' and 'b' have the same folder x"),
        (["a"], "there are fewer than two methods"),
    ],
)
def test_methods_of_a_wrong_type_are_refused(given, says):
    with pytest.raises(InputError) as refused:
        make_methods(given)
    (problem,) = refused.value.problems
    assert problem.where == "`methods`"
    assert says in problem.what
