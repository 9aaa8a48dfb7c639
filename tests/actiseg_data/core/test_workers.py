from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.workers import PROCESSES_PER_CORE, run_parallel, start_workers
from tests.helpers.paths import ROOT

ITEMS = list(range(23))


def scaled(factor, number):
    time.sleep(0.3 * (number == 0))  # later items overtake the first
    return factor * number


def refusing(shared, number):
    time.sleep(0.3 * (number == 0))
    if number % 3 == 0:
        raise InputError(
            problem
            for name in shared
            for problem in refuse(f"is bad in {name}", f"item {number}", "mend it").problems
        )
    return number


def exiting(shared, number):
    if number == 2:
        os._exit(3)
    return number


def killed(shared, number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def mistaken(shared, number):
    raise KeyError(number)


def in_process(shared, number):
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_whatever_the_workers(workers):
    calls = []
    results = run_parallel(
        scaled, 3, ITEMS, workers, lambda done, total: calls.append((done, total))
    )
    assert results == [3 * number for number in ITEMS]
    assert calls == [(done, 23) for done in range(1, 24)]


@pytest.mark.parametrize("workers", [1, 2])
def test_all_problems_of_all_items_are_raised_in_order(workers):
    calls = []
    with pytest.raises(InputError) as refused:
        run_parallel(
            refusing, ("red", "blue"), ITEMS, workers, lambda done, total: calls.append(done)
        )
    assert [(problem.where, problem.what, problem.hint) for problem in refused.value.problems] == [
        (f"item {number}", f"is bad in {name}", "mend it")
        for number in range(0, 23, 3)
        for name in ("red", "blue")
    ]
    assert calls[-1] == 23


@pytest.mark.parametrize(
    "function",
    [
        exiting,
        pytest.param(
            killed,
            marks=pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here"),
        ),
    ],
)
def test_a_worker_that_dies_is_an_error_and_no_hang(function):
    with pytest.raises(InputError, match="a worker process died") as refused:
        run_parallel(function, None, ITEMS, 2)
    assert [problem.where for problem in refused.value.problems] == ["`workers`"]


@pytest.mark.parametrize("workers", [1, 2])
def test_mistakes_in_the_function_are_not_taken_for_refusals(workers):
    with pytest.raises(KeyError):
        run_parallel(mistaken, None, ITEMS, workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_items_give_no_results(workers):
    assert run_parallel(scaled, 3, [], workers) == []


def test_work_is_done_elsewhere_only_where_workers_are_asked_for():
    assert set(run_parallel(in_process, None, ITEMS, 1)) == {os.getpid()}
    assert os.getpid() not in run_parallel(in_process, None, ITEMS, 2)


_KILLED = """
import multiprocessing, os, signal, sys, threading, time
from actiseg_data.core.errors import InputError
from actiseg_data.core.workers import run_parallel

def slow(shared, number):
    time.sleep(0.05)

def kill_one():
    while not multiprocessing.active_children():
        time.sleep(0.01)
    time.sleep(0.5)
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

if __name__ == "__main__":
    threading.Thread(target=kill_one, daemon=True).start()
    try:
        run_parallel(slow, None, range(2000), 2)
    except InputError as refused:
        print(refused, file=sys.stderr)
        sys.exit(2)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def half_told(shared, number):
    if number == 2:
        threading.Timer(0.03, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return bytes(1 << 27)
    return number


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_worker_that_dies_in_the_middle_of_a_result_is_no_hang():
    with pytest.raises(InputError, match="a worker process died"):
        run_parallel(half_told, None, ITEMS[:3], 2)


def test_a_worker_killed_from_outside_leaves_no_traceback(tmp_path):
    (tmp_path / "killed.py").write_text(_KILLED)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "killed.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "a worker process died" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", [0, -3, "2", 1.5, None])
def test_a_number_of_workers_that_makes_no_sense_is_an_input_error(workers):
    with pytest.raises(InputError, match=r"whole number|number of processes") as refused:
        run_parallel(pow, 2, [1, 2], workers)
    assert refused.value.problems[0].where == "`workers`"


def test_no_more_processes_start_than_the_cores_can_use(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with start_workers(1000, "math") as pool:
        assert pool.size == PROCESSES_PER_CORE
