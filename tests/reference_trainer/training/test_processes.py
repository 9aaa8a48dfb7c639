"""Several processes that share batches: the same weights as in one."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.core.errors import InputError
from reference_trainer.training.processes import (
    ALONE,
    Processes,
    join_processes,
    refuse_strategy,
)
from tests.helpers.paths import ROOT
from tests.helpers.several_processes import STRATEGIES, VALUES, train_all
from tests.helpers.trained import SMALL, weights


def run_in_two(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_each_row_of_a_batch_has_one_process(count, size):
    rows = [
        row
        for rank in range(count)
        for row in range(size)[Processes(rank, count).select_rows(size)]
    ]
    assert rows == list(range(size))


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_processes("cpu") is ALONE
    assert ALONE.is_first
    assert ALONE.sum_numbers(3) == 3
    refuse_strategy("pmhm", 1, ALONE)
    refuse_strategy("plain", 0, Processes(1, 2))
    with pytest.raises(InputError, match="pmhm with robust heads trains in one process, not in 2"):
        refuse_strategy("pmhm", 1, Processes(1, 2))


@pytest.mark.slow(reason="torchrun starts processes that import torch")
def test_two_processes_give_the_weights_of_one(root, tmp_path):
    train_all(root, tmp_path / "one")
    done = run_in_two("tests.helpers.several_processes", root, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    for name in STRATEGIES:
        one, two = tmp_path / "one" / name, tmp_path / "two" / name
        first, second = weights(one), weights(two)
        assert first.keys() == second.keys()
        parts = [
            part
            for part, value in first.items()
            if part.startswith(("nets", "strategy")) and value.numel()
        ]
        different = {
            part: float((first[part].double() - second[part].double()).abs().max())
            for part in parts
        }
        # Sums have another order, and AdamW turns the rounding of small gradients into steps. The
        # weights themselves move by 5e-3 or more.
        assert max(different.values()) < 1e-4, (name, different)
        for here, there in zip(read_log(one), read_log(two), strict=True):
            assert here[:-1] == there[:-1]
            tolerance = 1e-5 if here[0] == "0" else 1e-3
            assert float(here[-1]) == pytest.approx(float(there[-1]), rel=tolerance, abs=1e-6)


def read_log(run):
    with (run / "log.csv").open(newline="") as stream:
        return list(csv.reader(stream))[1:]


@pytest.mark.slow(reason="torchrun starts processes that import torch")
def test_the_command_trains_in_two_processes_and_prints_once(root, tmp_path):
    settings = {**SMALL, **VALUES, "batch_size": 2, "epochs": 1}
    flags = [flag for key, value in settings.items() for flag in ("--set", f"{key}={value}")]
    module = ("reference_trainer.cli", "fit", root, "--out", tmp_path / "run")
    done = run_in_two(*module, *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("in 2 processes") == 1
    assert done.stdout.count("next: actiseg-train predict") == 1
    done = run_in_two(*module[:-1], tmp_path / "pmhm", *flags, "--strategy", "pmhm")
    assert done.returncode != 0
    assert "pmhm with robust heads trains in one process, not in 2" in done.stderr
    assert not (tmp_path / "pmhm").exists()
