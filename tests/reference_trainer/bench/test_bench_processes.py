"""Matrices in several processes: one is killed, the command is stopped and continued."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("torch")

from actiseg_data.core.errors import Interruption
from reference_trainer.bench.job_processes import run_jobs
from reference_trainer.bench.job_work import Workplace
from reference_trainer.bench.jobs import RunJob
from reference_trainer.bench.running import gather_results, run_matrix
from tests.helpers.small_bench import open_small, run_here, write_plan

pytestmark = pytest.mark.slow  # each process imports torch


def list_records(matrix):
    return [
        (run.arm, run.cell, run.method, run.seed, run.record) for run in gather_results(matrix).runs
    ]


def find_children():
    return [child.pid for child in multiprocessing.active_children()]


def test_a_killed_process_is_replaced(tmp_path):
    plan = write_plan(tmp_path)
    here, there = tmp_path / "here", tmp_path / "there"
    run_here(open_small(plan, here), here)
    killed = []

    def kill_once(path, progress):
        if not killed and "/runs/" in path:
            killed.append(find_children()[0])
            os.kill(killed[0], signal.SIGKILL)

    matrix = open_small(plan, there)
    run_matrix(matrix, there, processes=2, device="cpu", listen=kill_once)
    assert killed
    assert list_records(matrix) == list_records(open_small(plan, here))


def test_a_job_whose_process_always_dies_ends_the_matrix(tmp_path):
    plan = write_plan(tmp_path)
    out = tmp_path / "out"
    matrix = open_small(plan, out)
    run_here(matrix, out, most=6)
    place = Workplace(out.resolve(), {}, False, "cpu")

    def choose_and_kill(busy):
        assignment = matrix.choose_next(busy)
        for child in find_children():
            os.kill(child, signal.SIGKILL)
        return assignment

    with pytest.raises(Interruption, match="died 3 times"):
        run_jobs(place, 1, choose_and_kill, lambda assignment, record: None)


def test_a_stopped_command_continues_in_the_middle_of_a_run(tmp_path):
    plan = write_plan(tmp_path, ("epochs: 1,", "epochs: 12, save_minutes: 0.001,"))
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    command = [sys.executable, "-m", "reference_trainer.cli", "bench", str(plan), "--device", "cpu"]
    subprocess.run([*command, "--out", str(undisturbed), "--quiet"], check=True)
    begun = [*command, "--out", str(out), "--processes", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(begun, **pipes) as process:
        deadline = time.monotonic() + 120
        while not list(out.glob("S/runs/masks/*/*/run/checkpoint.pt")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        printed, messages = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert messages.splitlines()[-2:] == [
        "what was done is kept: run the same command again to continue",
        "ended by SIGTERM",
    ]
    assert "actiseg-train resume" not in printed + messages
    stopped = [path.parent.parent for path in out.glob("S/runs/masks/*/*/run/checkpoint.pt")]
    assert any(not (folder / "job.json").exists() for folder in stopped)
    subprocess.run([*command, "--out", str(out), "--quiet"], check=True)
    first, second = (open_small(plan, folder) for folder in (undisturbed, out))
    assert list_records(first) == list_records(second)
    assert all(isinstance(run, RunJob) for run in first.list_runs())
