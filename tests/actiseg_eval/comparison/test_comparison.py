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
from actiseg_data.core.tables import render_markdown_page
from actiseg_data.layouts.opening import open_split
from actiseg_eval import score
from actiseg_eval.comparison.comparing import compare
from actiseg_eval.comparison.comparison_tables import describe_comparison, make_comparison_page
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
    assert [of.rank for of in found.standings["p_miou"]] == [1, 2]
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


def test_a_method_is_not_better_than_itself(kitchen, runs, tmp_path):
    copy = shutil.copytree(runs["shift"], tmp_path / "copy")
    same = [Method("a", (runs["shift"],)), Method("b", (copy,))]
    found = compare(same, gt=kitchen, resamples=FEW.resamples)
    for (each,) in found.differences.values():
        assert (each.gain, each.interval) == (0, (0, 0))
        assert (each.share, each.p) == (0.5, 1)
    assert all(of.rank == 1 for of in found.standings["p_miou"])


def test_several_seeds_are_compared_over_videos_and_seeds(kitchen, runs):
    """The error by hand: from units of reports by sequence, added up by video."""
    seeds = [
        Method("near", tuple(runs[f"moved{at}"] for at in (1, 2, 3))),
        Method("far", tuple(runs[f"moved{at}"] for at in (4, 5, 6))),
    ]
    found = compare(seeds, gt=kitchen, resamples=FEW.resamples, primary="giou")
    reports = [[score(run, gt=kitchen) for run in method.runs] for method in seeds]
    values = np.array([[report.metrics["giou"] for report in of] for of in reports])
    residuals = {}
    for sign, of in zip((1, -1), reports, strict=True):
        for report in of:
            units = report.metrics["n_units"]
            for stratum in report.strata["sequence"]:
                video = next(x.video for x in kitchen.sequences if x.folder == stratum.name)
                above = stratum.metrics["giou"] - report.metrics["giou"]
                added = sign * above * stratum.metrics["n_units"] / units / 3
                residuals[video] = residuals.get(video, 0) + added
    videos = len(residuals)
    over_videos = sum(each**2 for each in residuals.values()) * videos / (videos - 1)
    over_seeds = values.var(axis=1, ddof=1) / 3
    total = over_videos + over_seeds.sum()
    degrees = total**2 / (over_videos**2 / (videos - 1) + (over_seeds**2 / 2).sum())
    gain = values[0].mean() - values[1].mean()
    reach = stats.t.ppf(0.975, degrees) * total**0.5
    (each,) = found.differences["giou"]
    assert each.source == "videos and unpaired seeds"
    assert each.gain == pytest.approx(gain)
    assert each.test.degrees == pytest.approx(degrees)
    assert each.interval == pytest.approx((gain - reach, gain + reach))
    assert each.p >= 2 * stats.t.sf(gain / total**0.5, degrees) - 1e-12
    assert found.standings["giou"][0].seeds == pytest.approx(values[0])
    low, high = found.standings["giou"][0].interval
    assert low < values[0].mean() < high
    lines = "\n".join(part for part in describe_comparison(found) if isinstance(part, str))
    assert "unpaired seeds: the seeds differ" in lines


def test_runs_of_the_same_seeds_are_paired(kitchen, runs, tmp_path):
    for method, first in (("near", 1), ("far", 4)):
        for seed in (1, 2, 3):
            (tmp_path / f"{method}_s{seed}").symlink_to(runs[f"moved{first + seed - 1}"])
    folders = {name: [tmp_path / f"{name}_s{at}" for at in (1, 2, 3)] for name in ("near", "far")}
    turned = {"near": folders["near"], "far": folders["far"][::-1]}
    found, again = (compare(of, gt=kitchen, resamples=FEW.resamples) for of in (folders, turned))
    (each,) = found.differences["p_miou"]
    assert each.source == "videos and paired seeds"
    assert again.differences["p_miou"][0].test.degrees == pytest.approx(each.test.degrees)
    assert found.seeds == {"near": (1, 2, 3), "far": (1, 2, 3)}
    text = render_markdown_page(make_comparison_page(found))
    assert "paired seeds: runs of the same seed are compared (seeds: near 1, 2, 3; far 1" in text
    two = {name: of[:2] for name, of in folders.items()}
    (few,) = compare(two, gt=kitchen, resamples=FEW.resamples).differences["p_miou"]
    assert few.source == "videos and unpaired seeds"


def test_one_metric_alone_is_tested(kitchen, runs):
    names = ("moved1", "moved3", "shift")
    found = compare(methods(runs, *names), gt=kitchen, resamples=FEW.resamples)
    assert found.primary == "p_miou"
    for metric, pairs in found.differences.items():
        tested = metric == "p_miou"
        assert all((pair.adjusted is not None) == tested for pair in pairs)
        assert all((of.rank is not None) == tested for of in found.standings[metric])
    with pytest.raises(InputError, match="'jf' is not computed") as refused:
        compare(methods(runs, *names), gt=kitchen, primary="jf")
    assert refused.value.problems[0].where == "`primary`"
    for deviation in (0, -1, 2):
        with pytest.raises(InputError, match="outside"):
            compare(methods(runs, *names), gt=kitchen, seed_deviation=deviation)
    several = {"a": [runs["moved1"], runs["shift"]], "b": [runs["moved2"], runs["moved3"]]}
    with pytest.raises(InputError, match="has no effect: all methods have several runs"):
        compare(several, gt=kitchen, seed_deviation=0.02)


def test_a_given_deviation_over_seeds_is_that_of_single_runs(kitchen, runs):
    given = methods(runs, "moved1", "moved2")
    found = compare(given, gt=kitchen, resamples=FEW.resamples, seed_deviation=0.02)
    (each,) = found.differences["p_miou"]
    assert each.source == "videos and seeds as given"
    assert found.differences["giou"][0].source == "videos"  # it is that of the primary metric
    low, high = each.interval
    assert high - low > 2 * 1.96 * 2**0.5 * 0.02
    text = render_markdown_page(make_comparison_page(found))
    assert "a single run has a standard deviation of 0.02 over seeds" in text
    assert "p is of these runs, not of the methods" in text


def test_equal_methods_are_told_from_those_that_may_differ(kitchen, runs, tmp_path):
    copy = shutil.copytree(runs["moved1"], tmp_path / "copy")
    given = [*methods(runs, "moved1", "moved3"), Method("copy", (copy,))]
    found = compare(given, gt=kitchen, resamples=FEW.resamples, equivalence=0.02)
    shown = {(of.first, of.second): of.equivalence.is_shown for of in found.differences["p_miou"]}
    assert shown == {
        ("moved1", "moved3"): False,
        ("moved1", "copy"): True,
        ("moved3", "copy"): False,
    }
    assert all(of.equivalence is None for of in found.differences["giou"])
    page = make_comparison_page(found)
    text = render_markdown_page(page)
    assert "equal within 0.02: the 90 % interval" in text
    assert [row[-1] for row in page.rows.rows if row[0] == "p_miou" and row[2]] == [
        "no",
        "yes",
        "no",
    ]
    assert json.loads(json.dumps(found.to_dict()))["equivalence"] == 0.02
    for margin, level in ((0, 0.95), (1, 0.95), (0.02, 0.5)):
        with pytest.raises(InputError, match=r"between 0 and 1|too low"):
            compare(given, gt=kitchen, equivalence=margin, ci=level)


def test_that_nothing_can_be_found_is_said(kitchen, runs):
    """Of 9 videos the least p is 2 / 2^9, and Holm multiplies it by the pairs."""
    names = [*(f"moved{at}" for at in (1, 2, 3, 4, 5, 6)), "shift"]
    few, many = (
        compare(methods(runs, *of), gt=kitchen, resamples=FEW.resamples)
        for of in (names[:2], names)
    )
    assert few.least_p == 2 / 2**9
    assert many.least_p == 21 * 2 / 2**9
    assert many.least_p > 0.05
    assert all(each.adjusted > 0.05 for each in many.differences["p_miou"])
    said = [render_markdown_page(make_comparison_page(of)) for of in (few, many)]
    assert ["no difference can be significant with 9 videos" in text for text in said] == [
        False,
        True,
    ]


def test_several_seeds_against_one_differ_as_the_shown_means_do(kitchen, runs):
    near = Method("near", tuple(runs[f"moved{at}"] for at in (1, 2, 3)))
    found = compare([near, *methods(runs, "moved6")], gt=kitchen, resamples=FEW.resamples)
    (each,) = found.differences["p_miou"]
    values = {standing.name: standing.value for standing in found.standings["p_miou"]}
    assert each.source == "videos and seeds of one side"
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
    found = compare(methods(runs, *names), gt=kitchen, resamples=FEW.resamples, primary="giou")
    assert len(found.differences["giou"]) == 10
    assert all(each.p <= each.adjusted <= 1 for each in found.differences["giou"])
    ranks = {each.name: each.rank for each in found.standings["giou"]}
    assert ranks["oracle"] == 1
    assert ranks["shift"] == max(ranks.values())
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "actiseg/comparison/2"


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


def test_a_copy_of_a_run_is_noticed(kitchen, runs, tmp_path):
    copy = shutil.copytree(runs["moved1"], tmp_path / "copy")
    given = {"a": [runs["moved1"], copy], "b": [runs["moved2"], runs["shift"]]}
    (notice,) = compare(given, gt=kitchen, resamples=FEW.resamples).notices
    original = f"a ({runs['moved1']})"
    assert notice == f"a ({copy}) has the scores of {original} in every sequence. Is it a copy?"
