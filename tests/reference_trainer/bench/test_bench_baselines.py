"""What identifies the labels and predictions of a benchmark, from the job to the release."""

from __future__ import annotations

import json
import shutil

import pytest

pytest.importorskip("torch")

from actiseg_data import digest_raw_scores, open_split
from actiseg_data.records.bench_report_reading import read_bench_report
from actiseg_eval import record_run
from actiseg_noise import check_release, load_recipe, publish
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.run_results import RESULTS_FILE, read_results, write_results
from reference_trainer.bench.running import check_predictions, gather_results, open_matrix
from tests.helpers.small_bench import run_bench, write_plan


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    plan = write_plan(
        folder,
        ("{tune: [{learning_rate: 0.005}, {learning_rate: 0.002}]}", "{}"),
        ("seeds: [0, 1]", "seeds: [0]"),
        ("tuning: {arm: S, cells: [masks], seed: 0, figure: auroc}\n", ""),
        (", tune: [{options: {q: 0.7}}, {options: {q: 0.3}}]", ""),
    )
    run_bench(plan, folder / "bench")
    return folder / "bench"


def open_small(bench):
    return open_matrix(load_plan(bench.parent / "small.yaml"), bench)


def test_a_cell_names_the_recipe_and_the_clean_split_of_its_labels(bench):
    (cell,) = read_bench_report(bench / "report.json").cells
    copy = bench / "S/noise/masks/train/copy"
    (noise,) = cell.noises
    assert noise.recipe == load_recipe(copy / "recipe.json").digest
    assert noise.clean == open_split(bench / "S/data/train/root", "train").fingerprint
    summary = json.loads((copy / "summary.json").read_text())
    assert noise.recipe == summary["recipe_digest"]
    assert noise.clean == summary["dataset_fingerprint"]


def test_a_row_has_the_figures_and_the_digest_of_its_predictions(bench):
    (cell,) = read_bench_report(bench / "report.json").cells
    places = {
        "frozen": "clean/frozen",
        "clean": "clean/plain",
        "plain": "masks/plain",
        "gce": "masks/gce",
    }
    assert [row.method for row in cell.rows] == list(places)
    for row in cell.rows:
        folder = bench / f"S/runs/{places[row.method]}/s0/test"
        values = record_run(folder).values
        assert row.masks.value == pytest.approx(values["p_miou_ungated"])
        assert row.activity.value == pytest.approx(values["auroc"])
        (run,) = row.predictions
        assert (run.fold, run.seed, run.digest) == (0, 0, digest_raw_scores(folder))
    digests = {row.method: row.predictions[0].digest for row in cell.rows}
    assert digests["frozen"] != digests["clean"]


def test_results_keep_what_identifies_labels_and_predictions(bench, tmp_path):
    results = gather_results(open_small(bench))
    write_results(tmp_path / RESULTS_FILE, results)
    read = read_results(tmp_path / RESULTS_FILE)
    assert read == results
    assert set(read.noises) == {"S/masks"}
    assert all(run.predictions for run in read.runs)


def test_other_raw_scores_with_equal_figures_are_named(bench, tmp_path):
    copy = shutil.copytree(bench.parent, tmp_path / "small") / "bench"
    matrix = open_small(copy)
    assert check_predictions(matrix, copy) == []
    scores = copy / "S/runs/masks/plain/s0/test/scores.json"
    document = json.loads(scores.read_text())
    # The least of all chances, below every gate: no figure changes.
    least = min(
        (chance, name, item)
        for name, entry in document["sequences"].items()
        for item, chance in entry["activity"].items()
    )
    document["sequences"][least[1]]["activity"][least[2]] = least[0] * (1 - 1e-9)
    scores.write_text(json.dumps(document))
    lines = check_predictions(matrix, copy)
    assert len(lines) == 1
    assert lines[0].startswith("S/runs/masks/plain/s0: has other")


def test_the_report_becomes_the_baselines_of_a_release(bench, tmp_path):
    for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
        pytest.importorskip(package, reason=f"{package} is in the extra [publish]")
    copy = bench / "S/noise/masks/train/copy"
    result = publish(
        copy,
        tmp_path / "release",
        title="Dilated",
        author="Josiah Carberry",
        baselines=bench / "report.json",
    )
    assert check_release(result.path).lines == ()
    card = (result.path / "README.md").read_text()
    digest = digest_raw_scores(bench / "S/runs/masks/plain/s0/test")
    assert "bench/S/runs/masks/plain/s0/test" in card
    assert digest in (result.path / "baselines.json").read_text()
