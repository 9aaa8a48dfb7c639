"""Matrices of runs: what they compute, how they go on, and what they refuse."""

from __future__ import annotations

import errno
import gzip
import json
import shutil
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

import actiseg_eval
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError, Interruption
from reference_trainer.bench import job_processes
from reference_trainer.bench.bench_report_making import make_report
from reference_trainer.bench.job_work import Workplace
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.report_writing import write_bench_report
from reference_trainer.bench.run_results import RESULTS_FILE, read_results, write_results
from reference_trainer.bench.running import (
    check_predictions,
    gather_results,
    lock_bench,
    open_matrix,
    run_matrix,
)
from reference_trainer.bench.tuning import tune_methods
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import read_values
from reference_trainer.training.engine import fit
from tests.helpers.small_bench import PLAN, open_small, run_here, write_plan


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished benchmark, which tests only read."""
    folder = tmp_path_factory.mktemp("bench")
    plan = write_plan(folder)
    out = folder / "out"
    done = run_here(open_small(plan, out), out)
    return plan, out, done


def change_mask(root):
    mask = next(root.rglob("Annotations_Sparse/*/*/*.png"))
    pixels = read_index_mask(mask).copy()
    pixels[:20] = 0
    pixels[:20, :20] = 1
    write_index_mask(mask, pixels)


@pytest.fixture
def copied(finished, tmp_path):
    plan, out, _ = finished
    shutil.copytree(out, tmp_path / "out", symlinks=True)
    return plan, tmp_path / "out"


def test_every_job_is_done_once(finished):
    plan, out, done = finished
    matrix = open_small(plan, out)
    assert len(done) == len(set(done))
    assert matrix.choose_next(set()) is None
    progress = matrix.measure_progress()
    assert (progress.missing, progress.failed) == (0, 0)
    # frozen and clean, plain and gce on noisy masks, and one more value of each knob: at the seed
    # of tuning, and where it is chosen at the other seed as well
    further = [{"learning_rate": 0.002}, {"options": {"q": 0.3}}]
    chosen = [choice for choice in matrix.tune().values() if choice.knob in further]
    assert progress.runs == 2 * 4 + 2 + len(chosen)


def test_figures_of_the_report_are_those_of_the_evaluator(finished):
    plan, out, _ = finished
    report = make_report(load_plan(plan), gather_results(open_small(plan, out)))
    (arm,) = report.arms
    (cell,) = arm.cells
    rows = {(row.method, row.variant): row for row in cell.rows}
    assert [row.method for row in cell.rows[:2]] == ["frozen", "clean"]

    def score(path):
        scores = [
            actiseg_eval.measure_raw_scores([out / f"S/runs/{path}/s{seed}/test"], resamples=100)
            for seed in (0, 1)
        ]
        return [found.methods[0].figures["auroc"].value for found in scores]

    values = {
        name: sum(score(path)) / 2
        for name, path in (
            ("frozen", "clean/frozen"),
            ("clean", "clean/plain"),
            ("plain", "masks/plain"),
            ("gce", "masks/gce"),
        )
    }
    assert len(set(values.values())) == 4
    for name, value in values.items():
        assert rows[name, ""].figures["auroc"].value == pytest.approx(value, abs=1e-12)
    gain, _ = arm.gains["auroc"]
    assert gain == pytest.approx(values["clean"] - values["frozen"], abs=1e-12)
    labels = actiseg_eval.score(
        out / "S/noise/masks/train/copy", gt=out / "S/data/train/root", split="train"
    )
    assert cell.labels == pytest.approx(labels.metrics["p_miou"], abs=1e-12)


def test_tuning_chooses_the_best_value_on_noisy_labels(finished):
    plan, out, _ = finished
    matrix = open_small(plan, out)
    scores = {}
    for variant in ("gce", "gce@q=0.3"):
        found = actiseg_eval.measure_raw_scores(
            [out / f"S/runs/masks/{variant}/s0/tune"], resamples=100
        )
        scores[variant] = found.methods[0].figures["auroc"].value
        assert "noise/masks/tune/copy" in str(
            json.loads((out / f"S/runs/masks/{variant}/s0/tune/predictions.json").read_text())
        )
    assert scores["gce"] != scores["gce@q=0.3"]
    best = max(scores, key=scores.__getitem__)
    assert matrix.tune()["gce"].knob == {"options": {"q": 0.7 if best == "gce" else 0.3}}


def test_of_equal_scores_the_first_value_is_chosen(finished):
    plan = load_plan(finished[0])
    assert tune_methods(plan, lambda run: 0.5)["gce"].knob == {"options": {"q": 0.7}}
    failing = tune_methods(plan, lambda run: float("-inf") if not run.variant else 0.1)
    assert failing["gce"].knob == {"options": {"q": 0.3}}
    assert tune_methods(plan, lambda run: None) == {}


def test_no_value_is_chosen_if_all_runs_failed(finished):
    assert tune_methods(load_plan(finished[0]), lambda run: float("-inf")) == {}


def test_of_a_figure_that_is_better_if_lower_the_least_is_chosen(finished):
    plan = load_plan(finished[0])
    lower = replace(plan, tuning=replace(plan.tuning, figure="n_rate"))
    chosen = [tune_methods(own, lambda run: 0.4 if run.variant else 0.6) for own in (plan, lower)]
    q = [choice["gce"].knob["options"]["q"] for choice in chosen]
    assert q == [0.7, 0.3]


def test_results_are_those_of_all_arms_whatever_arms_are_run(finished, tmp_path):
    _, out, _ = finished
    arm = PLAN[PLAN.index("  S:\n") : PLAN.index("cells:\n  clean")]
    further = arm.replace("  S:", "  T:")
    plan = write_plan(tmp_path, ("cells:\n  clean", f"{further}cells:\n  clean"))
    matrix = open_matrix(load_plan(plan), out, ["T"])
    runs = gather_results(matrix).runs
    assert {run.arm for run in runs} == {"S"}
    assert runs == gather_results(open_small(finished[0], out)).runs
    longer = write_plan(tmp_path, ("epochs: 1,", "epochs: 3,"), name="longer")
    longer.write_text(longer.read_text().replace("arms:\n", f"arms:\n{further}"))
    with pytest.raises(InputError, match="another configuration"):  # of an arm that is not run
        open_matrix(load_plan(longer), out, ["T"])


def test_what_another_process_did_meanwhile_is_not_done_again(finished, tmp_path):
    plan, out, _ = finished
    other = tmp_path / "out"
    early = open_small(plan, other)
    shutil.copytree(out, other, symlinks=True)
    done = []
    results = run_matrix(early, other, listen=lambda path, progress: done.append(path))
    assert done == []
    assert results.runs == gather_results(open_small(plan, out)).runs


def test_results_make_the_same_report_without_predictions(finished, tmp_path):
    plan, out, _ = finished
    results = gather_results(open_small(plan, out))
    write_results(tmp_path / "kept.gz", results)
    assert read_results(tmp_path / "kept.gz") == results
    loaded = load_plan(plan)
    pages = []
    for kept in (results, read_results(tmp_path / "kept.gz")):
        files = write_bench_report(make_report(loaded, kept), kept, tmp_path / str(len(pages)))
        pages.append([file.read_bytes() for file in files])
    assert pages[0] == pages[1]


def test_an_interrupted_matrix_ends_like_an_undisturbed_one(finished, tmp_path):
    plan, out, done = finished
    other = tmp_path / "out"
    first = run_here(open_small(plan, other), other, most=len(done) // 2)
    second = run_here(open_small(plan, other), other)
    assert first + second == done
    ours, theirs = (gather_results(open_small(plan, folder)) for folder in (out, other))
    assert [run.record for run in ours.runs] == [run.record for run in theirs.runs]


def test_noise_on_the_fly_gives_the_same_figures(finished, tmp_path):
    plan, out, _ = finished
    other = tmp_path / "out"
    run_here(open_small(plan, other), other, on_the_fly=True)
    assert not (other / "S/noise/masks/train/copy").exists()
    ours, theirs = (gather_results(open_small(plan, folder)) for folder in (out, other))
    assert [run.record for run in ours.runs] == [run.record for run in theirs.runs]
    assert ours.labels == theirs.labels


def test_noise_is_added_on_the_fly_where_no_copy_was_left(finished, tmp_path):
    plan, out, done = finished
    other = tmp_path / "out"
    begun = done.index("S/runs/masks/plain/s0")
    run_here(open_small(plan, other), other, on_the_fly=True, most=begun)
    run_here(open_small(plan, other), other)
    assert not (other / "S/noise/masks/train/copy").exists()
    ours, theirs = (gather_results(open_small(plan, folder)) for folder in (out, other))
    assert [run.record for run in ours.runs] == [run.record for run in theirs.runs]
    shutil.rmtree(other / "S/runs/masks/plain/s1")
    recipe = other / "S/noise/masks/train/recipe.json"
    recipe.write_text(recipe.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(InputError, match="has changed since it was made") as caught:
        run_here(open_small(plan, other), other)
    assert [problem.where for problem in caught.value.problems] == [str(recipe.parent)]


@pytest.mark.parametrize(
    ("place", "removed"),
    [
        ("data/start/root", ("starts", "runs")),
        ("data/tune/root", ("noise/masks/tune", "runs/masks")),
    ],
)
def test_data_that_changed_under_starts_and_noise_are_named(copied, place, removed):
    plan, out = copied
    for name in removed:
        shutil.rmtree(out / "S" / name)
    change_mask(out / "S" / place)
    with pytest.raises(InputError, match="has changed since it was made") as caught:
        run_here(open_small(plan, out), out)
    assert caught.value.problems[0].where == str(out / "S" / place.rpartition("/")[0])


def test_a_start_whose_net_changed_is_named_by_the_run_without_training(copied):
    plan, out = copied
    shutil.rmtree(out / "S/runs/clean/frozen/s0")
    shutil.copy(out / "S/starts/s1/run/model.pt", out / "S/starts/s0/run/model.pt")
    with pytest.raises(InputError, match="S/starts/s0"):
        run_here(open_small(plan, out), out)


def test_another_dataset_than_that_of_the_first_runs_is_refused(root, other_root, tmp_path):
    plan = write_plan(
        tmp_path,
        ("train: {clips: 3, videos: 2, seed: 302}", "train: {root: visor, split: train}"),
    )
    out = tmp_path / "out"
    assert run_here(open_small(plan, out), out, {"visor": root}, most=1) == ["S/data/train"]
    matrix = open_small(plan, out)
    with pytest.raises(InputError, match="has another list 'train'") as caught:
        run_matrix(matrix, out, data={"visor": other_root})
    assert [problem.where for problem in caught.value.problems] == [str(other_root)]


def test_another_configuration_is_refused_by_folder(copied, tmp_path):
    _, out = copied
    changed = write_plan(tmp_path, ("epochs: 1,", "epochs: 3,"))
    with pytest.raises(InputError) as caught:
        open_small(changed, out)
    places = " ".join(problem.where for problem in caught.value.problems)
    assert "S/runs/masks/gce/s1" in places
    assert "S/starts/s0" not in places
    assert "another configuration" in str(caught.value)


def change_result(folder, **members):
    """Change members of the result in the record of a job; those that are None are removed."""
    record = folder / "job.json"
    document = json.loads(record.read_text())
    result = {**document["result"], **members}
    document["result"] = {name: value for name, value in result.items() if value is not None}
    record.write_text(json.dumps(document))


def test_damaged_records_are_named_at_once_with_a_cure(copied):
    plan, out = copied
    runs = out / "S/runs"
    damages = {
        runs / "clean/frozen/s0": {"record": None},
        runs / "clean/plain/s0": {"record": 5},
        runs / "clean/plain/s1": {"meter": 3},
        runs / "masks/plain/s0": {"meter": {"noisy_pixels_as_true": ["x"]}},
        runs / "masks/gce/s0": {"tuning_score": "x", "flops": []},
        out / "S/noise/masks/train": {"recipe": None},
        out / "S/starts/s1": {"training_seconds": "1"},
    }
    for folder, members in damages.items():
        change_result(folder, **members)
    (runs / "masks/plain/s1/job.json").write_text('{"schema": "actiseg/bench-job/1"')
    (runs / "masks/gce/s1/job.json").write_text('{"schema": "actiseg/bench-job/1"}')
    with pytest.raises(InputError) as caught:
        open_small(plan, out)
    cures = {problem.hint for problem in caught.value.problems}
    folders = [*damages, runs / "masks/plain/s1", runs / "masks/gce/s1"]
    assert cures == {f"remove {folder} to do the job again" for folder in folders}
    for problem in caught.value.problems:
        assert "job.json" in problem.where
    assert len(caught.value.problems) == 8 + 1 + 6  # two members of one, and six of the last


def test_a_damaged_record_of_a_tuned_run_is_named(copied):
    plan, out = copied
    runs = out / "S/runs/masks"
    change_result(runs / "gce/s0", tuning_score=0.0)
    change_result(runs / "gce@q=0.3/s0", tuning_score=1.0)
    chosen = runs / "gce@q=0.3/s1"
    chosen.mkdir(exist_ok=True)
    (chosen / "job.json").write_bytes((runs / "gce/s1/job.json").read_bytes())
    change_result(chosen, predictions=1)
    with pytest.raises(InputError, match=r"s1/job\.json: result: predictions") as caught:
        open_small(plan, out)
    assert len(caught.value.problems) == 1


def test_a_record_of_another_version_needs_its_release(copied):
    plan, out = copied
    record = out / "S/runs/masks/gce/s1/job.json"
    record.write_text(record.read_text().replace("bench-job/1", "bench-job/2"))
    with pytest.raises(InputError, match="use the release of actiseg that wrote it"):
        open_small(plan, out)


def test_a_start_that_changed_is_named(copied):
    plan, out = copied
    record = out / "S/starts/s0/job.json"
    document = json.loads(record.read_text())
    record.write_text(json.dumps(document | {"output": "0" * 32}))
    with pytest.raises(InputError) as caught:
        open_small(plan, out)
    assert "S/starts/s0" in str(caught.value)
    assert all("/s1" not in problem.where for problem in caught.value.problems)


@pytest.mark.parametrize("place", ["data/train/root", "noise/masks/train/copy", "data/test/root"])
def test_data_that_changed_under_a_matrix_are_named(copied, place):
    plan, out = copied
    shutil.rmtree(out / "S/runs/masks/gce/s1")
    change_mask(out / "S" / place)
    with pytest.raises(InputError, match="has changed since it was made") as caught:
        run_here(open_small(plan, out), out)
    assert f"S/{place.rpartition('/')[0]}" in caught.value.problems[0].where


def test_a_run_whose_loss_is_not_finite_is_recorded_and_the_matrix_goes_on(finished, tmp_path):
    _, out, _ = finished
    other = tmp_path / "out"
    for name in ("data", "noise", "starts"):
        shutil.copytree(out / "S" / name, other / "S" / name, symlinks=True)
    plan = write_plan(
        tmp_path,
        ("{tune: [{learning_rate: 0.005}, {learning_rate: 0.002}]}", "{}"),
        ("{strategy: gce, options: {q: 0.7}, tune: [{options: {q: 0.7}}, {options: {q: 0.3}}]}",
         "{learning_rate: 1e30, epochs: 4}"),
        ("tuning: {arm: S, cells: [masks], seed: 0, figure: auroc}\n", ""),
    )  # fmt: skip
    matrix = open_small(plan, other)
    run_here(matrix, other)
    progress = matrix.measure_progress()
    assert (progress.failed, progress.missing) == (2, 0)
    report = make_report(load_plan(plan), gather_results(matrix))
    assert len(report.failed) == 2
    assert "S masks gce" in report.failed[0]
    assert "not finite" in report.failed[0]
    assert [row.method for row in report.arms[0].cells[0].rows] == ["frozen", "clean", "plain"]


def test_a_run_that_was_begun_with_other_settings_is_done_from_the_beginning(finished, tmp_path):
    plan, out, _ = finished
    moved = tmp_path / "out"
    shutil.copytree(out, moved, symlinks=True)
    begun = moved / "S/runs/masks/plain/s1"
    shutil.rmtree(begun)
    longer = write_plan(tmp_path, ("epochs: 1,", "epochs: 4,"))
    other = tmp_path / "other"
    for name in ("data", "noise", "starts"):
        shutil.copytree(out / "S" / name, other / "S" / name, symlinks=True)
    run_here(open_small(longer, other), other)
    left = other / "S/runs/masks/plain/s1/run"
    start = moved / "S/starts/s1/run"
    config = make_config({**read_values(left / "config.yaml"), "init": str(start)}, "test")
    fit(config, begun / "run", quiet=True)  # it has a checkpoint of four epochs
    run_here(open_small(plan, moved), moved)
    ours, theirs = (gather_results(open_small(plan, folder)) for folder in (out, moved))
    assert [run.record for run in ours.runs] == [run.record for run in theirs.runs]


def test_a_start_whose_loss_is_not_finite_ends_the_matrix(finished, tmp_path):
    _, out, _ = finished
    other = tmp_path / "out"
    shutil.copytree(out / "S/data", other / "S/data", symlinks=True)
    plan = write_plan(tmp_path, ("epochs: 2}", "epochs: 9, learning_rate: 1e30}"))
    with pytest.raises(InputError, match="not finite"):
        run_here(open_small(plan, other), other)
    assert not (other / "S/starts/s0/job.json").exists()


def test_check_measures_kept_predictions(copied):
    plan, out = copied
    matrix = open_small(plan, out)
    assert check_predictions(matrix, out) == []
    scores = out / "S/runs/masks/plain/s1/test/scores.json"
    document = json.loads(scores.read_text())
    first = next(iter(document["sequences"]))
    entry = document["sequences"][first]
    entry["activity"] = {name: 1 - value for name, value in entry["activity"].items()}
    scores.write_text(json.dumps(document))
    shutil.rmtree(out / "S/runs/masks/gce/s0/test")
    different = check_predictions(matrix, out)
    named = {line.partition(":")[0] for line in different}
    assert named == {"S/runs/masks/plain/s1", "S/runs/masks/gce/s0"}


def test_check_measures_what_tuning_decides_by(copied):
    plan, out = copied
    changed = out / "S/runs/masks/gce/s0"
    kept = json.loads((changed / "job.json").read_text())["result"]["tuning_score"]
    change_result(changed, tuning_score=kept + 0.25)
    matrix = open_small(plan, out)
    assert check_predictions(matrix, out) == ["S/runs/masks/gce/s0: has another tuning score"]


def test_starts_and_runs_have_their_device_and_release(finished, tmp_path):
    plan, out, done = finished
    machine = {"device": "cpu", "torch": torch.__version__}
    for path in done:
        result = json.loads((out / path / "job.json").read_text())["result"]
        found = {name: value for name, value in result.items() if name in machine}
        assert found == (machine if "/starts/" in path or "/runs/" in path else {})
    results = gather_results(open_small(plan, out))
    assert {(run.device, run.torch) for run in results.runs} == {("cpu", torch.__version__)}
    assert results.machines == (f"cpu, torch {torch.__version__}",)
    first, *others = results.runs
    mixed = replace(results, runs=(replace(first, device="H200", torch="2.9"), *others))
    write_results(tmp_path / "mixed.gz", mixed)
    assert read_results(tmp_path / "mixed.gz").machines == ("H200, torch 2.9", *results.machines)


def test_records_and_results_without_device_are_read(copied, tmp_path):
    plan, out = copied
    for record in out.rglob("job.json"):
        change_result(record.parent, device=None, torch=None)
    results = gather_results(open_small(plan, out))
    write_results(tmp_path / "kept.gz", results)
    lines = gzip.decompress((tmp_path / "kept.gz").read_bytes()).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    for row in rows[1:]:
        assert (row.pop("device"), row.pop("torch")) == ("", "")
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "older.gz").write_bytes(gzip.compress(text.encode()))
    assert read_results(tmp_path / "older.gz") == results
    assert results.machines == ()


def test_repeated_runs_in_results_are_named(finished, tmp_path):
    plan, out, _ = finished
    results = gather_results(open_small(plan, out))
    twice = [run for run in results.runs if run.seed == 1 and run.cell == "clean"]
    file = tmp_path / "kept.gz"
    write_results(file, replace(results, runs=(*results.runs, *twice)))
    with pytest.raises(InputError) as caught:
        read_results(file)
    assert {(problem.where, problem.what) for problem in caught.value.problems} == {
        (str(file), f"has the run S clean {method} fold 0 seed 1 2 times")
        for method in ("frozen", "plain")
    }


def test_starts_alone_leave_the_results_as_they_are(copied):
    plan, out = copied
    (out / RESULTS_FILE).write_bytes(b"those of the report")
    finish = []
    run_matrix(open_small(plan, out), out, starts_only=True, finish=finish.append)
    assert (out / RESULTS_FILE).read_bytes() == b"those of the report"
    assert finish == []


def test_the_folder_is_locked_until_the_tables_are_written(copied):
    plan, out = copied
    written = []

    def write(results):
        with pytest.raises(InputError, match="another run is using"), lock_bench(out):
            pass
        written.append(results)

    results = run_matrix(open_small(plan, out), out, finish=write)
    assert written == [results]


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_wrong_device_is_refused_before_any_job(tmp_path, device):
    out = tmp_path / "out"
    with pytest.raises(InputError) as caught:
        run_matrix(open_small(write_plan(tmp_path), out), out, device=device)
    assert caught.value.problems[0].where == "`device`"
    assert not out.exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "S/data/train: the job stopped: No space left on device. "
            "Hint: free space, and run the same command again",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "mask.png"),
            "S/data/train: the job stopped: Permission denied (mask.png). "
            "Hint: check the path and its permissions, and run the same command again",
        ),
    ],
)
def test_a_job_that_the_system_stops_names_file_and_cure(monkeypatch, tmp_path, error, message):
    matrix = open_small(write_plan(tmp_path), tmp_path / "out")
    assignment = matrix.choose_next(set())
    path = assignment.job.path

    def fail(place, assignment):
        raise error

    monkeypatch.setattr(job_processes, "perform", fail)
    answer = job_processes._answer(Workplace(tmp_path / "out", {}, False, "cpu"), assignment)
    assert isinstance(answer, Interruption)
    assert str(answer) == message.replace("S/data/train", path)


def test_two_processes_do_not_work_in_one_folder(finished):
    plan, out, _ = finished
    with lock_bench(out), pytest.raises(InputError, match="another run is using this folder"):
        run_matrix(open_small(plan, out), out)


def test_a_dataset_that_is_not_given_is_named(tmp_path):
    plan = write_plan(
        tmp_path,
        ("train: {clips: 3, videos: 2, seed: 302}", "train: {root: visor, split: train}"),
    )
    with pytest.raises(InputError) as caught:
        run_matrix(open_small(plan, tmp_path / "out"), tmp_path / "out", data={"vizor": tmp_path})
    text = str(caught.value)
    assert "did you mean 'visor'" in text
    assert "'visor' is not given" in text
    assert not (tmp_path / "out").exists()


def test_an_unknown_arm_has_a_suggestion(finished):
    with pytest.raises(InputError, match="has no arm 's'; did you mean 'S'"):
        open_matrix(load_plan(finished[0]), finished[1], ["s"])
