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

from actiseg_data.core.errors import InputError, Interruption, Problem

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (items done, items in all)."""


class _WorkerDeath(Exception):
    """A worker process ended before it answered."""


class _WorkerTraceback(Exception):
    """The traceback of what was raised in a worker process, as text."""


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
            theirs.close()  # so that the end of the process is the end of what can be read from it

    def end(self) -> None:
        for process, connection in self._members:
            process.kill()  # it is idle, or at what nobody waits for any more
            process.join()
            connection.close()

    def iterate_calls(
        self, function: Callable[[S, T], R], shared: S, items: Sequence[T]
    ) -> Generator[tuple[int, Callable[[], R]], None, None]:
        """Position and outcome of each item, in the order in which they are done."""
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
    """Start worker processes that several runs share, and end them.

    They start while this process goes on. preload: a module that they import meanwhile. Give what
    is yielded to `run_parallel` as `workers`: one worker is this process itself.
    """
    if workers <= 1:
        yield 1
        return
    # A pipe to each worker, not the standard library's pool: that one waits for ever for the rest
    # of a result whose worker died, and its workers outlive a main process that is killed.
    members = WorkerPool(workers, preload)
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
    progress: Progress | None = None,
) -> list[R]:
    """``[function(shared, item) for item in items]``, by `workers` processes.

    workers: how many to start for this run, or a `start_workers`. shared is sent to each process once. Items
    that are refused do not stop the others: all their problems are raised together at the end, in
    order of items, as one `InputError`; an `Interruption` stops all at once. A process that dies is
    `Interruption`, not a hang; when this one ends, however it ends, so do they. With more than one
    worker the calling script needs the usual ``if __name__ == "__main__":`` guard, since processes
    are spawned afresh on every system.

    >>> run_parallel(pow, 2, [1, 2, 3])
    [2, 4, 8]
    """
    if not isinstance(workers, WorkerPool):
        with start_workers(min(workers, len(items)), function.__module__) as members:
            if isinstance(members, WorkerPool):
                return run_parallel(function, shared, items, members, progress)
    problems: dict[int, tuple[Problem, ...]] = {}
    results: dict[int, R] = {}
    if isinstance(workers, WorkerPool):
        calls = workers.iterate_calls(function, shared, items)
    else:
        calls = _run_locally(function, shared, items)
    try:
        with closing(calls):  # now, not when the interpreter ends and files are closed already
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
        hint = "run again with fewer workers; finished work is kept where the command resumes"
        raise Interruption(Problem(died, "--workers", hint)) from None
    if problems:
        raise InputError(problem for position in sorted(problems) for problem in problems[position])
    return [results[position] for position in range(len(items))]


def _run_locally(
    function: Callable[[S, T], R], shared: S, items: Sequence[T]
) -> Generator[tuple[int, Callable[[], R]], None, None]:
    for position, item in enumerate(items):
        yield position, lambda item=item: function(shared, item)  # type: ignore[misc]


@contextmanager
def _block_interrupts() -> Iterator[None]:
    """A process started inside never gets the terminal's interrupt, of which it would print a
    traceback; the main process gets it afterwards, and ends the others.
    """
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which the first start does otherwise, and lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(connection: Any) -> Callable[[], Any]:
    """What a worker answers: gives its result when called, or raises what was raised there."""
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
    """The life of a worker. It gets a function and what is shared, then items, and answers each
    with (None, result) or (error, traceback); and so on for each run.
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
    # Left alone, a worker would write on into a folder that the next run has taken up.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
