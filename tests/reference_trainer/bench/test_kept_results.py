"""The results that are kept in the repository belong to the plans of the package."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from reference_trainer.bench.jobs import name_place
from reference_trainer.bench.kept_starts import load_kept_starts
from reference_trainer.bench.plan import FROZEN
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.run_results import read_results
from tests.helpers.paths import ROOT

KEPT = sorted((ROOT / "data_manifests" / "baselines").glob("*.jsonl.gz"))


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_every_kept_run_is_in_its_plan(file):
    results = read_results(file)
    plan = load_plan(results.plan)
    assert file.name == f"{plan.name}.jsonl.gz"
    assert results.runs
    for run in results.runs:
        if run.method != FROZEN:
            assert run.method in plan.arms[run.arm].cells[run.cell]
        assert run.seed in plan.seeds
        assert run.record is not None or run.problem
    starts = {
        f"{name_place(plan.arms[run.arm], run.fold)}/starts/s{run.seed}": set()
        for run in results.runs
    }
    for run in results.runs:
        starts[f"{name_place(plan.arms[run.arm], run.fold)}/starts/s{run.seed}"].add(run.start)
    kept = load_kept_starts(plan.name)
    assert {path: {kept[path]} for path in starts} == starts
