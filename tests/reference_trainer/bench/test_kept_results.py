"""The results that are kept in the repository belong to the plans of the package."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from actiseg_data.core.errors import InputError
from reference_trainer.bench.jobs import name_place
from reference_trainer.bench.kept_starts import load_kept_starts
from reference_trainer.bench.plan import FROZEN
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.results_checks import check_results
from reference_trainer.bench.run_results import read_results
from tests.helpers.paths import ROOT

PLANS_RESULTS = ROOT / "data_manifests" / "baselines" / "equal-terms.jsonl.gz"
KEPT = sorted((ROOT / "data_manifests" / "baselines").glob("*.jsonl.gz"))


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.name)
def test_every_kept_run_is_in_its_plan(file):
    results = read_results(file)
    plan = load_plan(results.plan)
    assert file.name == f"{plan.name}.jsonl.gz"
    assert results.runs
    check_results(plan, results, str(file))
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


def test_results_of_another_state_of_a_plan_are_refused():
    plan = load_plan("equal-terms")
    results = read_results(PLANS_RESULTS)
    noisier = replace(plan.cells["M1"], noise={"": {"type": "boundary", "rate": 0.5}})
    changed = replace(plan, cells={**plan.cells, "M1": noisier})
    with pytest.raises(InputError, match=r"settings than in the plan: \w M1") as caught:
        check_results(changed, results, "kept.gz")
    number = sum(run.cell == "M1" for run in results.runs)
    assert f"{number} runs have other settings" in str(caught.value)
    smaller = replace(plan, seeds=(0, 1))
    with pytest.raises(InputError, match=r"are not in the plan: .*seed 2"):
        check_results(smaller, results, "kept.gz")
    with pytest.raises(InputError, match="has the results of the plan 'equal-terms'"):
        check_results(load_plan("quick"), results, "kept.gz")
