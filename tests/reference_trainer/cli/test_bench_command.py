"""The command `actiseg-train bench`: what it prints and refuses. Matrices have their own tests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

pytest.importorskip("torch")

from reference_trainer.bench.run_results import RESULTS_FILE, Results, read_results, write_results
from reference_trainer.bench.running import lock_bench
from reference_trainer.training.warm_start import read_warm_start
from tests.helpers.command import run as run_command
from tests.helpers.small_bench import open_small, run_here, write_plan

run = partial(run_command, module="reference_trainer.cli")


def test_a_dry_run_prints_cells_and_hours_and_writes_nothing(tmp_path):
    done = run("bench", "quick", "--out", tmp_path / "out", "--dry-run", "--processes", 2)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "S: 32 training clips, 48 steps a run"
    assert lines[1].startswith("S clean (clean labels): 6 runs, ")
    assert "with 2 processes (estimate, rough)" in lines[-2]
    assert lines[-1].endswith("tuning has chosen their values: gce")
    assert not (tmp_path / "out").exists()


def test_a_benchmark_from_begin_to_tables(tmp_path):
    plan, out = write_plan(tmp_path), tmp_path / "out"
    most = len(run_here(open_small(plan, tmp_path / "whole"), tmp_path / "whole")) - 1
    run_here(open_small(plan, out), out, most=most)
    done = run("bench", plan, "--out", out, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "Arm S: synthetic clips, rendered frames, 2 videos tested" in done.stdout
    names = ("report.json", "report.md", "report.csv", "curves.csv", RESULTS_FILE)
    assert all((out / name).is_file() for name in names)
    assert "several devices" not in done.stdout
    done = run("bench", plan, "--out", out, "--check", "--arm", "S")
    assert done.returncode == 0, done.stdout
    kept = out / RESULTS_FILE
    done = run("bench", plan, "--out", tmp_path / "tables", "--results", kept, "--quiet")
    assert done.returncode == 0, done.stderr
    for name in names[:-1]:
        assert (tmp_path / "tables" / name).read_bytes() == (out / name).read_bytes()
    results = read_results(kept)
    first, *others = results.runs
    mixed = tmp_path / "mixed.gz"
    write_results(mixed, replace(results, runs=(replace(first, device="H200"), *others)))
    done = run("bench", plan, "--out", tmp_path / "tables", "--results", mixed)
    release = first.torch
    line = f"several devices or releases: H200, torch {release}; cpu, torch {release}"
    assert f"runs come from {line}" in done.stdout.splitlines()
    before = (tmp_path / "tables/report.json").read_bytes()
    (tmp_path / "tables/report.md").unlink()
    with lock_bench(tmp_path / "tables"):
        done = run("bench", plan, "--out", tmp_path / "tables", "--results", kept)
    assert done.returncode == 2
    assert "another run is using this folder" in done.stderr
    assert not (tmp_path / "tables/report.md").exists()
    assert (tmp_path / "tables/report.json").read_bytes() == before


def test_starts_alone_are_made_and_loaded_as_weights(tmp_path):
    import torch

    out = tmp_path / "out"
    done = run("bench", write_plan(tmp_path), "--out", out, "--starts", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    digests = {}
    for seed in (0, 1):
        folder = out / f"S/starts/s{seed}/run"
        digests[seed] = read_warm_start(folder).digest
        assert f"{folder}: {digests[seed]}" in done.stdout.splitlines()
        assert torch.load(folder / "model.pt", weights_only=True)["net"]
    assert digests[0] != digests[1]
    assert not (out / "S/runs").exists()
    assert not (out / RESULTS_FILE).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("quik",), "error: PLAN: there is no plan 'quik'; did you mean 'quick'?"),
        (("quick", "--arm", "s"), "has no arm 's'; did you mean 'S'?"),
        (("quick", "--processes", 0), "error: --processes: 0 is out of range"),
        (("quick", "--data", "visor"), "'visor' is not a name and a folder"),
        (("equal-terms", "--dry-run", "--data", "vizor=."), "did you mean 'visor'"),
        (("equal-terms", "--dry-run", "--data", "visor=none"), "none: is not a folder"),
        (("quick", "--check"), "has no finished run"),
        (("quick", "--check", "--dry-run"), "exclude one another"),
        (("quick", "--dry-run", "--processes", 0), "error: --processes: 0 is out of range"),
        (("quick", "--device", "gpu"), "error: --device: 'gpu' is unknown"),
        (("quick", "--results", "none.gz"), "none.gz: the results file is missing"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path, arguments, message):
    done = run("bench", *arguments, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flag", "ignored"),
    [
        (("--results", "none.gz"), ("arm", "data", "processes", "device", "on-the-fly")),
        (("--check",), ("data", "processes", "device", "on-the-fly")),
    ],
)
def test_options_without_effect_are_refused_by_name(tmp_path, flag, ignored):
    values = {"arm": "S", "data": "a=b", "processes": 1, "device": "cpu"}
    given = [
        word
        for name in ignored
        for word in (f"--{name}", *([values[name]] if name in values else []))
    ]
    done = run("bench", "quick", "--out", tmp_path / "out", *flag, *given)
    assert done.returncode == 2
    for name in ignored:
        assert f"--{name}: has no effect with {flag[0]}" in done.stderr
    assert done.stderr.count("has no effect") == len(ignored)


def test_results_of_another_plan_are_refused(tmp_path):
    write_results(tmp_path / "kept.gz", Results("equal-terms", {}, {}, ()))
    done = run("bench", "quick", "--out", tmp_path / "out", "--results", tmp_path / "kept.gz")
    assert done.returncode == 2
    assert "has the results of the plan 'equal-terms', not of 'quick'" in done.stderr
