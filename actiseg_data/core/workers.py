"""Run one function over many items, in this process or in several, with equal results."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from multiprocessing.connection import wait
from typing import Any, TypeAlias, TypeVar

from actiseg_data.core.arguments import check_integer
from actiseg_data.core.errors import InputError, Interruption, Problem, refuse

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Called with (items done, items in all)."""

PROCESSES_PER_CORE = 4


class _WorkerDeath(Exception):
    """A worker process ended before it answered."""


class _WorkerTraceback(Exception):
    """The traceback of an error in a worker process, as text."""


class WorkerPool:
    """Worker processes that several runs share, see `start_workers`."""

    def __init__(self, size: int, preload: str) -> None:
        self.size = size
        self._preload = preload
        self._members: list[tuple[Any, Any]] = []

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for _ in range(self.size):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, self._preload), daemon=True)
            with _block_interrupts():
                process.start()
                self._members.append((process, ours))
            theirs.close()  # so that reading ends when the process ends

    def end(self) -> None:
        for process, connection in self._members:
            process.kill()  # it is idle, or its result is not needed any more
            process.join()
            connection.close()

    def iterate_calls(
        self, function: Callable[[S, T], R], shared: S, items: Sequence[T]
    ) -> Generator[tuple[int, Callable[[], R]], None, None]:
        """Iterate over position and outcome of the items, in the order in which they finish."""
        waiting = enumerate(items)
        busy: dict[Any, int] = {}
        try:
            for (_, connection), (position, item) in zip(self._members, waiting, strict=False):
                connection.send((function, shared))
                connection.send(item)
                busy[connection] = position
            while busy:
                ready: list[Any] = wait(list(busy))
                for connection in ready:
                    answer = _answer(connection)
                    answered = busy.pop(connection)
                    for position, item in islice(waiting, 1):
                        connection.send(item)
                        busy[connection] = position
                    yield answered, answer
            for _, connection in self._members[: len(items)]:
                connection.send(_EndOfRun())
        except ConnectionError:
            raise _WorkerDeath from None


@contextmanager
def start_workers(workers: int, preload: str) -> Iterator[WorkerPool | int]:
    """Start worker processes that several runs share, and end them with the block.

    Parameters
    ----------
    workers : int
        How many, at least 1. One worker is this process itself. No more than `PROCESSES_PER_CORE`
        times the number of cores are started, because more of them only take memory.
    preload : str
        A module that the processes import while this process goes on.

    Yields
    ------
    WorkerPool or int
        What `run_parallel` takes as `workers`.
    """
    count = min(_check_workers(workers), PROCESSES_PER_CORE * (os.cpu_count() or 1))
    if count == 1:
        yield 1
        return
    # A pipe to each worker instead of the pool of the standard library: the pool waits forever for
    # the result of a worker that died, and its workers outlive a main process that is killed.
    members = WorkerPool(count, preload)
    try:
        members.start()
        yield members
    finally:
        members.end()


def run_parallel(
    function: Callable[[S, T], R],
    shared: S,
    items: Sequence[T],
    workers: int | WorkerPool = 1,
    progress: ProgressCallback | None = None,
) -> list[R]:
    """Compute ``[function(shared, item) for item in items]`` in several processes.

    With more than one worker the calling script needs the usual ``if __name__ == "__main__":``
    guard, because processes are spawned on every system.

    Parameters
    ----------
    function : callable
        A function of a module, called as ``function(shared, item)``.
    shared : object
        Sent to each process once.
    items : sequence
        What to apply the function to.
    workers : int or WorkerPool
        How many processes to start for this run, or a pool from `start_workers`.
    progress : callable, optional
        Called with the number of finished items and of all items.

    Raises
    ------
    InputError
        With the problems of all items, in order of items; an item with problems does not stop the
        others.
    Interruption
        If an item raises it, or if a worker process dies.

    Examples
    --------
    >>> run_parallel(pow, 2, [1, 2, 3])
    [2, 4, 8]
    """
    if not isinstance(workers, WorkerPool):
        needed = max(min(_check_workers(workers), len(items)), 1)
        with start_workers(needed, function.__module__) as members:
            if isinstance(members, WorkerPool):
                return run_parallel(function, shared, items, members, progress)
    problems: dict[int, tuple[Problem, ...]] = {}
    results: dict[int, R] = {}
    if isinstance(workers, WorkerPool):
        calls = workers.iterate_calls(function, shared, items)
    else:
        calls = _run_locally(function, shared, items)
    try:
        with closing(calls):  # now, not at the end of the interpreter, when files are closed
            for done, (position, outcome) in enumerate(calls, 1):
                try:
                    results[position] = outcome()
                except Interruption:
                    raise
                except InputError as refused:
                    problems[position] = refused.problems
                if progress:
                    progress(done, len(items))
    except _WorkerDeath:
        died = "a worker process died (killed, or out of memory)"
        hint = "run again with fewer workers; finished work is kept if the command can resume"
        raise Interruption(Problem(died, "`workers`", hint)) from None
    if problems:
        raise InputError(problem for position in sorted(problems) for problem in problems[position])
    return [results[position] for position in range(len(items))]


def _check_workers(workers: object) -> int:
    count = check_integer(workers, "workers")
    if count < 1:
        raise refuse(f"{count} is not a number of processes", "`workers`", "give 1 or more")
    return count


def _run_locally(
    function: Callable[[S, T], R], shared: S, items: Sequence[T]
) -> Generator[tuple[int, Callable[[], R]], None, None]:
    for position, item in enumerate(items):
        yield position, lambda item=item: function(shared, item)  # type: ignore[misc]


@contextmanager
def _block_interrupts() -> Iterator[None]:
    """Block the signals that end a command while a process starts.

    The process inherits the block and so prints no traceback when the user interrupts. The main
    process receives the signal afterwards and ends its workers.
    """
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else the first start does so, and unblocks the signal
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(connection: Any) -> Callable[[], Any]:
    """Receive a worker's answer as a function that returns the result or raises the error."""
    try:
        error, result = connection.recv()
    except (EOFError, OSError):
        raise _WorkerDeath from None

    def get() -> Any:
        if error is None:
            return result
        raise error from _WorkerTraceback(result)

    return get


class _EndOfRun:
    """Sent to a worker at the end of a run."""


def _work(connection: Any, preload: str) -> None:
    """Serve runs until the main process is gone.

    Each run sends a function and the shared object, then items. Each item is answered with
    (None, result) or (error, traceback).
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    importlib.import_module(preload)
    with suppress(EOFError, ConnectionError):  # the main process is gone
        while True:
            function, shared = connection.recv()
            while not isinstance(item := connection.recv(), _EndOfRun):
                try:
                    connection.send((None, function(shared, item)))
                except Exception as error:
                    connection.send((error, traceback.format_exc()))


def _end_with_parent() -> None:
    # An orphaned worker would go on writing into a folder that the next run resumes.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
