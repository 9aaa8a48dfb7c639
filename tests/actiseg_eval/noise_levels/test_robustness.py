"""Figures over levels of noise: as scored one by one, by hand and by other commands."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from scipy import stats

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.core.tables import render_markdown_page
from actiseg_data.layouts.opening import open_split
from actiseg_eval import score
from actiseg_eval.comparison.comparing import compare
from actiseg_eval.comparison.methods import Method
from actiseg_eval.noise_levels.label_quality import measure_labels
from actiseg_eval.noise_levels.measuring import robustness
from actiseg_eval.noise_levels.robustness_tables import (
    explain_tables,
    make_robustness_page,
    tabulate_metric,
)
from actiseg_eval.noise_levels.runs import read_runs
from actiseg_eval.noise_levels.shares import Shares
from actiseg_eval.predictions.ground_truth import open_truth
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.gains import apply_holm
from actiseg_eval.scoring.scoring_options import make_options
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import keep, predict, shifted
from tests.helpers.roots import make_root

FEW = Bootstrap(resamples=500)


def make_protocol_options(protocol):
    return make_options(protocol, None, filter=True, missing="error", comparable=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 28)]
    return make_root(tmp_path_factory.mktemp("robust") / "clean", clips)


@pytest.fixture(scope="module")
def truth(root):
    return open_split(root, "train")


@pytest.fixture(scope="module")
def folder(truth, tmp_path_factory):
    """Runs by folders' names: masks moved by more pixels at higher levels."""
    runs = tmp_path_factory.mktemp("runs") / "runs"
    moved = {
        "plain/clean": (1, 1),
        "plain/0.2_s1": (2, 3),
        "plain/0.2_s2": (3, 3),
        "plain/40%": (8, 8),
        "elr/0": (2, 2),
        "elr/0.2": (3, 2),
        "elr/0.4": (4, 4),
    }
    for name, by in moved.items():
        for sequence in truth.sequences:
            for frame, mask in zip(sequence.frames, truth.read_masks(sequence), strict=True):
                path = runs / name / sequence.folder / f"{frame}.png"
                write_index_mask(path, shifted(mask, *by))
    return runs


@pytest.fixture(scope="module")
def runs(folder):
    return read_runs(folder)


@pytest.fixture(scope="module")
def found(truth, runs):
    return robustness(runs, gt=truth, resamples=FEW.resamples)


@pytest.fixture(scope="module")
def scored(truth, runs):
    """The figures of each run by the command for one."""
    return {
        (method, level, run): score(run, gt=truth, resamples=0).metrics
        for method, level, run in runs.list_runs()
    }


def curve(found, figure, method):
    return next(each for each in found.curves[figure] if each.method == method)


def means(scored, runs, method, figure):
    return [
        float(np.mean([scored[method, level, run][figure] for run in of]))
        for level, of in runs.methods[method].items()
    ]


@pytest.mark.parametrize("figure", ["p_miou", "n_miou", "p_ciou", "n_ciou", "giou", "acc"])
def test_values_areas_and_shares_are_those_of_score_by_hand(found, runs, scored, figure):
    for method in ("plain", "elr"):
        each = curve(found, figure, method)
        values = means(scored, runs, method, figure)
        assert [point.level for point in each.points] == [0, 0.2, 0.4]
        assert [point.value for point in each.points] == pytest.approx(values, abs=1e-12)
        area = (values[0] + 2 * values[1] + values[2]) / 4
        assert each.area == pytest.approx(area, abs=1e-12)
        if figure.startswith("p_"):  # a blank mask scores 0
            assert each.shares.retained == pytest.approx(area / values[0], abs=1e-9)
        else:
            assert each.shares == Shares()
            assert "blank masks score well" in found.without_shares[figure]
    seeds = curve(found, figure, "plain").points[1].seeds
    expected = [scored["plain", 0.2, run][figure] for run in runs.methods["plain"][0.2]]
    assert list(seeds) == pytest.approx(expected, abs=1e-12)


def test_intervals_of_levels_with_one_seed_are_those_of_score(truth, found, runs):
    (run,) = runs.methods["elr"][0.4]
    bounds = score(run, gt=truth, resamples=FEW.resamples).intervals
    for figure in ("giou", "p_miou", "n_ciou"):
        point = curve(found, figure, "elr").points[2]
        assert point.interval == pytest.approx(bounds[figure], abs=1e-9)


def test_the_interval_of_an_area_is_that_of_a_plain_bootstrap_t(truth, runs):
    """Whole videos redrawn and the area taken anew, by loops over units of reports by sequence."""
    found = robustness(runs, gt=truth)
    sums = []
    for run in (of[0] for of in runs.methods["elr"].values()):
        strata = score(run, gt=truth, resamples=0).strata["sequence"]
        by_video = {}
        for sequence in truth.sequences:
            figures = next(of.metrics for of in strata if of.name == sequence.folder)
            total = by_video.setdefault(sequence.video, [0.0, 0.0])
            total[0] += figures["giou"] * figures["n_units"]
            total[1] += figures["n_units"]
        sums.append([by_video[video] for video in sorted(by_video)])
    sums = np.array(sums)  # levels, videos, above and below

    def area_and_error(chosen):
        part, area, influence = sums[:, chosen], 0.0, np.zeros(len(chosen))
        for weight, (above, below) in zip((0.25, 0.5, 0.25), part.transpose(0, 2, 1), strict=True):
            ratio = above.sum() / below.sum()
            area += weight * ratio
            influence += weight * (above - ratio * below) / below.sum()
        return area, np.sqrt((influence**2).sum())

    rng = np.random.default_rng(1)
    videos = sums.shape[1]
    area, error = area_and_error(np.arange(videos))
    deviations = []
    for _ in range(6000):
        other, spread = area_and_error(rng.integers(0, videos, videos))
        deviations.append((other - area) / spread)
    low, high = np.quantile(deviations, [0.025, 0.975])
    each = curve(found, "giou", "elr")
    assert each.area == pytest.approx(area)
    expected = (area - high * error, area - low * error)
    assert each.interval == pytest.approx(expected, abs=0.2 * error)


def test_the_breaking_point_is_where_the_line_crosses(found, runs, scored):
    values = means(scored, runs, "plain", "p_miou")
    limit = 0.9 * values[0]
    assert values[1] < limit
    each = curve(found, "p_miou", "plain")
    expected = 0.2 * (values[0] - limit) / (values[0] - values[1])
    assert each.shares.breaking_point == pytest.approx(expected)


def test_the_price_is_the_difference_that_compare_tells(truth, found, runs):
    clean = [Method(name, runs.methods[name][0]) for name in ("plain", "elr")]
    differences = compare(clean, gt=truth, resamples=FEW.resamples).differences
    for figure, (each,) in differences.items():
        price = curve(found, figure, "elr").clean_gap
        assert price.value == pytest.approx(each.gain, abs=1e-12)
        assert price.interval == pytest.approx(each.interval, abs=1e-9)
        assert (price.p, price.source) == (each.p, "videos")
        assert curve(found, figure, "plain").clean_gap is None
    assert curve(found, "p_miou", "elr").clean_gap.value > 0
    assert curve(found, "n_miou", "elr").clean_gap.value < 0  # it keeps less of inactive objects


def renamed(folder, to, **names):
    """A folder of the same runs under other names."""
    for new, old in names.items():
        method, level = new.split("__")
        (to / method).mkdir(parents=True, exist_ok=True)
        (to / method / level.replace("_", ".")).symlink_to(folder / old)
    return read_runs(to)


def test_prices_of_several_methods_are_adjusted(truth, folder, tmp_path):
    runs = renamed(
        folder,
        tmp_path / "runs",
        a__0="plain/clean",
        a__1="plain/0.2_s1",
        b__0="elr/0",
        b__1="elr/0.2",
        c__0="plain/0.2_s2",
        c__1="plain/40%",
    )
    curves = robustness(runs, gt=truth, resamples=FEW.resamples).curves["p_miou"]
    gaps = [gap for each in curves[1:] for gap in (each.area_gain, each.clean_gap)]
    assert curves[0].clean_gap is curves[0].area_gain is None
    assert len(gaps) == 4
    assert [gap.adjusted for gap in gaps] == apply_holm([gap.p for gap in gaps])
    descriptive = robustness(runs, gt=truth, resamples=FEW.resamples, primary="giou")
    for each in descriptive.curves["p_miou"][1:]:
        assert each.area_gain.p is not None
        assert each.area_gain.adjusted is each.clean_gap.adjusted is None


def test_methods_with_other_levels_are_held_against_each_other_where_they_meet(
    truth, folder, scored, runs, tmp_path
):
    other = renamed(
        folder,
        tmp_path / "runs",
        a__0="plain/clean",
        a__0_2="plain/0.2_s1",
        a__0_4="plain/40%",
        b__0_1="elr/0",
        b__0_3="elr/0.4",
    )
    found = robustness(other, gt=truth, resamples=FEW.resamples)
    assert found.span == (0.1, 0.3)
    first = [scored["plain", level, of[0]]["giou"] for level, of in runs.methods["plain"].items()]
    ends = (first[0] + first[1]) / 2, (first[1] + first[2]) / 2
    area = (ends[0] + 2 * first[1] + ends[1]) / 4
    assert curve(found, "giou", "a").area == pytest.approx(area)
    assert curve(found, "giou", "b").clean_gap is None  # it has no clean run
    assert "methods differ in levels" in "\n".join(explain_tables(found))
    apart = renamed(
        folder,
        tmp_path / "apart",
        a__0="plain/clean",
        a__0_2="plain/0.2_s1",
        b__0_2="elr/0",
        b__0_4="elr/0.4",
    )
    found = robustness(apart, gt=truth, resamples=FEW.resamples)
    assert found.left_out["areas"] == "the levels of the methods share no range"
    each = curve(found, "giou", "a")
    assert (each.area, each.interval, each.shares) == (None, None, Shares())
    assert each.points[0].value is not None
    json.dumps(found.to_dict(), allow_nan=False)
    assert "nan" not in render_markdown_page(make_robustness_page(found))


def test_without_resamples_there_are_values_alone(truth, runs, found):
    plain = robustness(runs, gt=truth, resamples=0)
    for figure, curves in plain.curves.items():
        for each, whole in zip(curves, found.curves[figure], strict=True):
            assert each.area == whole.area
            assert each.shares.retained == whole.shares.retained
            assert each.shares.breaking_point == whole.shares.breaking_point
            assert each.shares.retained_interval is None
            assert each.interval is None
            if each.clean_gap is not None:
                assert each.clean_gap.value == pytest.approx(whole.clean_gap.value, abs=1e-12)
                assert each.clean_gap.p is None
    assert "95 %" not in render_markdown_page(make_robustness_page(plain))


def test_few_videos_have_no_intervals(truth, runs):
    few = type(truth)(truth.root, "few", truth.sequences[:3], truth.fingerprint, truth.subsets)
    found = robustness(runs, gt=few)
    assert "fewer than 8 sequences" in found.left_out["intervals"]
    assert found.bootstrap is None
    assert found.curves["giou"][0].area is not None


def test_an_undefined_figure_is_none(truth, runs):
    active = tuple(
        type(of)(**{**vars(of), "objects": tuple(each for each in of.objects if each.positive)})
        for of in truth.sequences
    )
    split = type(truth)(truth.root, "train", active, truth.fingerprint, truth.subsets)
    found = robustness(runs, gt=split, resamples=FEW.resamples)
    each = curve(found, "n_miou", "plain")
    assert [point.value for point in each.points] == [None] * 3
    assert (each.area, each.interval, each.shares) == (None, None, Shares())
    assert "fewer than 8 videos" in found.left_out["n_miou"]
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["figures"]["n_miou"][0]["price"]["value"] is None


def test_documents_hold_everything(found, runs):
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "actiseg/robustness/2"
    assert document["range"] == [0, 0.4]
    assert document["better"]["n_miou"] == "lower"
    assert [of["level"] for of in document["methods"]["plain"]] == [0, 0.2, 0.4]
    assert len(document["methods"]["plain"][1]["runs"]) == 2
    text = render_markdown_page(make_robustness_page(found, ("n_ciou",)))
    assert "n-cIoU ↓" in text
    assert "gIoU" not in text
    assert f"{curve(found, 'n_ciou', 'elr').area:.4f}" in text


def test_every_faulty_run_is_told_at_once(truth, folder, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "runs")
    sequence = truth.sequences[0]
    for name in ("plain/clean", "elr/0.4"):
        (broken / name / sequence.folder / f"{sequence.frames[0]}.png").unlink()
    with pytest.raises(InputError) as refused:
        robustness(read_runs(broken), gt=truth, resamples=FEW.resamples)
    assert len(refused.value.problems) == 2
    with pytest.raises(InputError, match="1 is not between"):
        robustness(read_runs(folder), gt=truth, drop=1)


def test_a_refusal_by_a_protocol_tells_which_run(truth, folder, tmp_path):
    many = shutil.copytree(folder, tmp_path / "runs")
    sequence = truth.sequences[0]
    path = many / "elr" / "0.4" / sequence.folder / f"{sequence.frames[0]}.png"
    write_index_mask(path, np.full_like(read_index_mask(path), 21))
    says = f"elr/0.4: {sequence.folder}: has a proposal numbered 21"
    with pytest.raises(InputError, match=says):
        robustness(read_runs(many), gt=truth, protocol="davis-unsupervised", metrics=["core"])


@pytest.fixture(scope="module")
def copies(root, tmp_path_factory):
    """Noisy copies by kind of noise."""
    folder = tmp_path_factory.mktemp("copies")
    for kind in ("dilate", "text", "mixed", "activity"):
        corrupt(root, make_recipe(kind, 0.6), out=folder / kind)
    return folder


@pytest.mark.parametrize("protocol", ["actionvos", "gres"])
@pytest.mark.parametrize("kind", ["dilate", "mixed"])
def test_labels_are_as_good_as_their_active_masks(root, truth, copies, kind, protocol, tmp_path):
    noisy = open_split(copies / kind, "train")
    for sequence in truth.sequences:
        active = {of.object_id for of in sequence.objects if of.positive}
        masks = keep(noisy.read_masks(sequence), active)
        for frame, mask in zip(sequence.frames, masks, strict=True):
            write_index_mask(tmp_path / sequence.folder / f"{frame}.png", mask)
    found = measure_labels(copies / kind, root, make_protocol_options(protocol))
    expected = score(tmp_path, gt=truth, protocol=protocol, resamples=0).metrics
    assert found.metrics["giou"] < 1
    for name, value in found.metrics.items():
        assert value == pytest.approx(expected[name], abs=1e-12)
    assert (found.split, found.rate, found.sequences) == ("train", 0.6, 27)


@pytest.mark.parametrize("protocol", ["actionvos", "gres"])
def test_labels_of_active_objects_are_scored_as_the_copy_has_them(
    root, truth, copies, protocol, tmp_path
):
    flags = {
        sequence.folder: {label.object_id for label in sequence.objects if label.positive}
        for sequence in open_split(copies / "activity", "train").sequences
    }
    for sequence in truth.sequences:
        masks = keep(truth.read_masks(sequence), flags[sequence.folder])
        for frame, mask in zip(sequence.frames, masks, strict=True):
            write_index_mask(tmp_path / sequence.folder / f"{frame}.png", mask)
    found = measure_labels(copies / "activity", root, make_protocol_options(protocol))
    expected = score(tmp_path, gt=truth, protocol=protocol, resamples=0).metrics
    assert 0 < found.metrics["giou"] < 1
    for name, value in found.metrics.items():
        assert value == pytest.approx(expected[name], abs=1e-12)
    section = json.loads((copies / "activity/summary.json").read_text())["labels"]["activity"]
    assert vars(found.activity) == {name: section[name] for name in ("selected", "items")}
    assert found.rate is found.flipped is None


def test_labels_with_noise_on_words_have_shares_of_names(root, copies):
    found = measure_labels(copies / "text", root)
    summary = json.loads((copies / "text" / "summary.json").read_text())["text"]
    assert found.metrics is None
    assert found.rate is None
    assert (found.flipped.selected, found.flipped.items) == (
        summary["flips"]["selected"],
        summary["flips"]["items"],
    )
    assert found.renamed.selected == summary["substitutions"]["selected"]
    assert measure_labels(copies / "mixed", root).flipped.selected > 0
    assert measure_labels(copies / "dilate", root).flipped is None


def test_labels_of_a_protocol_without_activity_are_whole_masks(root, truth, copies):
    found = measure_labels(copies / "dilate", root, make_protocol_options("davis-unsupervised"))
    expected = score(
        copies / "dilate", gt=truth, protocol="davis-unsupervised", resamples=0
    ).metrics
    assert found.metrics["jf"] == pytest.approx(expected["jf"], abs=1e-12)


def test_a_part_of_a_dataset_has_its_own_labels(root, tmp_path):
    only = [sequence.folder for sequence in open_split(root, "train").sequences[:2]]
    corrupt(root, make_recipe("dilate", 1), out=tmp_path / "part", only=only)
    assert measure_labels(tmp_path / "part", root).sequences == 2


def test_copies_of_another_dataset_or_with_holes_are_refused(root, copies, tmp_path):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 12)]
    other = make_root(tmp_path / "other", clips)
    with pytest.raises(InputError, match="noisy copy of another list than 'train'"):
        measure_labels(copies / "dilate", other)
    with pytest.raises(InputError, match="the recipe is missing"):
        measure_labels(root, root)
    holed = shutil.copytree(copies / "dilate", tmp_path / "holed")
    lost = [path for path in sorted(holed.rglob("*.png")) if "Annotations" in str(path)][:2]
    for path in lost:
        path.unlink()
    with pytest.raises(InputError, match="is missing") as refused:
        measure_labels(holed, root)
    assert len(refused.value.problems) == 2


def test_labels_stand_beside_the_methods(truth, root, folder, copies, tmp_path):
    shutil.copytree(folder, tmp_path / "runs")
    (tmp_path / "runs" / "labels").mkdir()
    for level, kind in ((0.2, "text"), (0.6, "dilate")):
        (tmp_path / "runs" / "labels" / str(level)).symlink_to(copies / kind)
    found = robustness(read_runs(tmp_path / "runs"), gt=truth, resamples=FEW.resamples)
    value = measure_labels(copies / "dilate", root).metrics["giou"]
    table = next(tabulate_metric(found, "giou"))
    assert table.columns[1:] == ["0", "0.2", "0.4", "0.6"]
    assert table.rows[-1] == ["labels (train)", "", "", "", f"{value:.4f}"]
    # Labels hold no inactive object: that their n-mIoU is 0 tells nothing.
    assert not any("labels" in row[0] for row in next(tabulate_metric(found, "n_miou")).rows)
    notes = "\n".join(explain_tables(found))
    assert "labels at 0.2 (train): text noise alone" in notes
    assert "names flipped" in notes
    assert "labels at 0.6 (train): the rate" not in notes
    document = found.to_dict()
    assert [of["level"] for of in document["labels"]] == [0.2, 0.6]
    assert document["labels"][1]["figures"]["giou"] == value
    json.dumps(document, allow_nan=False)


def test_labels_need_action_lists(folder, copies, tmp_path, truth):
    plain = predict(truth, "all", tmp_path / "masks")
    shutil.copytree(folder, tmp_path / "runs")
    (tmp_path / "runs" / "labels").mkdir()
    (tmp_path / "runs" / "labels" / "0.6").symlink_to(copies / "dilate")
    with pytest.raises(InputError, match="has no action lists"):
        robustness(read_runs(tmp_path / "runs"), gt=open_truth(plain), protocol="vos-benchmark")


def test_the_mask_on_disk_of_a_copy_is_what_is_scored(root, truth, copies, tmp_path):
    """A changed pixel changes the figure: nothing is taken from the ledger."""
    changed = shutil.copytree(copies / "dilate", tmp_path / "changed")
    before = measure_labels(changed, root).metrics["p_ciou"]
    sequence = next(of for of in truth.sequences if any(each.positive for each in of.objects))
    path = open_split(changed, "train").find_mask(sequence, sequence.frames[0])
    mask = read_index_mask(path)
    path.unlink()
    write_index_mask(path, np.zeros_like(mask))
    assert measure_labels(changed, root).metrics["p_ciou"] < before


def test_summaries_are_not_trusted(root, copies, tmp_path):
    broken = shutil.copytree(copies / "text", tmp_path / "broken")
    summary = json.loads((broken / "summary.json").read_text())
    del summary["text"]["flips"]
    (broken / "summary.json").unlink()
    write_json(broken / "summary.json", summary)
    with pytest.raises(InputError, match="'flips' is missing"):
        measure_labels(broken, root)


def test_the_gain_in_area_is_tested_as_by_a_plain_bootstrap(truth, runs):
    """Videos redrawn for both methods at once, from units of reports by sequence."""
    found = robustness(runs, gt=truth, primary="giou")
    videos = sorted({sequence.video for sequence in truth.sequences})

    def sum_videos(run):
        sums = np.zeros((len(videos), 2))
        strata = score(run, gt=truth, resamples=0).strata["sequence"]
        for sequence in truth.sequences:
            figures = next(of.metrics for of in strata if of.name == sequence.folder)
            units = figures["n_units"]
            sums[videos.index(sequence.video)] += (figures["giou"] * units, units)
        return sums

    weights = {0: 0.25, 0.2: 0.5, 0.4: 0.25}
    parts = [
        (sign * weights[level] / len(of), sum_videos(run))
        for method, sign in (("elr", 1), ("plain", -1))
        for level, of in runs.methods[method].items()
        for run in of
    ]

    def gain_of(chosen):
        sums = [(weight, part[chosen].sum(axis=0)) for weight, part in parts]
        return sum(weight * above / below for weight, (above, below) in sums)

    each = curve(found, "giou", "elr").area_gain
    assert each.value == pytest.approx(gain_of(np.arange(9)))
    assert each.value == pytest.approx(
        curve(found, "giou", "elr").area - curve(found, "giou", "plain").area
    )
    rng = np.random.default_rng(3)
    drawn = np.var([gain_of(rng.integers(0, 9, 9)) for _ in range(4000)]) * 9 / 8
    # Two runs of one level are all that is known of seeds: they stand for those of all runs.
    spread = np.var(curve(found, "giou", "plain").points[1].seeds, ddof=1)
    over_seeds = spread * (0.5**2 / 2 + 4 * 0.25**2 + 0.5**2)
    degrees = (drawn + over_seeds) ** 2 / (drawn**2 / 8 + over_seeds**2)
    low, high = each.interval
    reach = stats.t.ppf(0.975, degrees) * (drawn + over_seeds) ** 0.5
    assert high - low == pytest.approx(2 * reach, rel=0.1)
    assert each.test.degrees == pytest.approx(degrees, rel=0.1)
    assert each.source == "videos and seeds of one side"
    assert each.adjusted >= each.p
    assert each.to_dict()["by"] == each.source
    assert curve(found, "giou", "plain").area_gain is None


def test_a_method_that_moves_less_is_found_to_be_more_robust(found):
    each = curve(found, "p_miou", "elr")
    assert each.area_gain.value > 0  # although it is worse at level 0
    assert each.clean_gap.value > 0
    assert curve(found, "n_miou", "elr").area_gain.value < 0


def test_shares_are_above_the_frozen_net(truth, folder, runs, scored, tmp_path):
    frozen = predict(truth, "shift", tmp_path / "frozen")
    floor = score(frozen, gt=truth, resamples=0).metrics["p_miou"]
    found = robustness(runs, gt=truth, resamples=FEW.resamples, frozen=frozen)
    assert (found.floor, found.floors["p_miou"]) == ("frozen", pytest.approx(floor))
    for method in ("plain", "elr"):
        values = means(scored, runs, method, "p_miou")
        shares = curve(found, "p_miou", method).shares
        area = (values[0] + 2 * values[1] + values[2]) / 4
        assert shares.retained == pytest.approx((area - floor) / (values[0] - floor))
    low, high = shares.retained_interval
    assert low < shares.retained < high
    low, high = shares.breaking_interval
    assert low <= shares.breaking_point
    assert high is None or shares.breaking_point <= high
    # Two seeds of "plain" differ so much that one may be no better than the frozen net.
    assert curve(found, "p_miou", "plain").shares.retained_interval is None
    notes = "\n".join(explain_tables(found))
    assert "no intervals of shares of p-mIoU for plain: at 0 not significantly above" in notes
    assert f"both above the masks of the frozen net (p-mIoU {floor:.4f}" in notes
    assert "no shares of gIoU: blank masks score well in it" in notes
    by_file = tmp_path / "runs.yaml"
    levels = "".join(
        f"  {method}: {{0: {folder}/{method}/{clean}, 0.4: {folder}/{method}/{noisy}}}\n"
        for method, clean, noisy in (("plain", "clean", "40%"), ("elr", "0", "0.4"))
    )
    by_file.write_text(f"methods:\n{levels}frozen: frozen\n")
    read = read_runs(by_file)
    assert read.frozen == (tmp_path / "frozen",)
    again = robustness(read, gt=truth, resamples=FEW.resamples)
    assert again.floors == found.floors
    document = json.loads(json.dumps(again.to_dict(), allow_nan=False))
    assert document["floor"] == "frozen"


def test_a_method_no_better_than_the_floor_has_no_share(truth, folder, runs, tmp_path):
    oracle = predict(truth, "oracle", tmp_path / "frozen")
    found = robustness(runs, gt=truth, resamples=FEW.resamples, frozen=[oracle])
    assert curve(found, "p_miou", "plain").shares == Shares()
    notes = "\n".join(explain_tables(found, ["p_miou"]))
    assert (
        "no shares of p-mIoU: at 0, elr, plain are not above the masks of the frozen net" in notes
    )
    with pytest.raises(InputError, match="nowhere"):
        robustness(runs, gt=truth, frozen=tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"is named twice\. Hint: give each seed of frozen once"):
        robustness(runs, gt=truth, frozen=[oracle, oracle])


def test_blank_masks_are_not_robust(truth, folder, tmp_path):
    """They lose nothing, and have nothing to lose."""
    blank = predict(truth, "blank", tmp_path / "masks")
    (tmp_path / "runs/none").mkdir(parents=True)
    for level in ("0", "0.4"):
        shutil.copytree(blank, tmp_path / "runs/none" / level)
    (tmp_path / "runs/plain").symlink_to(folder / "plain")
    found = robustness(read_runs(tmp_path / "runs"), gt=truth, resamples=FEW.resamples)
    assert curve(found, "p_miou", "none").shares == Shares()
    text = render_markdown_page(make_robustness_page(found, ("p_miou",)))
    assert "at 0, none is not above blank masks" in text
    assert "retained above blank" in text
    assert "area better than plain" in text


def test_levels_with_the_same_seeds_are_paired(truth, folder, tmp_path):
    """The area of each seed is a number, and areas vary as these numbers do."""
    moved = ("plain/clean", "plain/0.2_s1", "plain/0.2_s2", "plain/40%", "elr/0", "elr/0.2")
    for method, first in (("a", 0), ("b", 2)):
        for level in (0, 1):
            for seed in (1, 2, 3):
                run = tmp_path / "runs" / method / f"{level}_s{seed}"
                shutil.copytree(folder / moved[(first + level + seed) % len(moved)], run)
    runs = read_runs(tmp_path / "runs")
    found = robustness(runs, gt=truth, resamples=FEW.resamples)
    each = curve(found, "p_miou", "b")
    assert each.source == "videos and paired seeds"
    assert each.area_gain.source == "videos and paired seeds"
    assert "paired seeds: runs of the same seed are compared" in "\n".join(explain_tables(found))
    assert each.points[0].interval[0] < each.points[0].value < each.points[0].interval[1]
