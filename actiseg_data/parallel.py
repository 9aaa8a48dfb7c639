"""Run one function over many items, in this process or in several, with equal results."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from typing import Any, TypeAlias, TypeVar

from actiseg_data.errors import Interrupted, Problem, Refused

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (items done, items in all)."""

_PENDING_PER_WORKER = 4  # enough to keep workers busy, few enough to keep memory flat

_PATIENCE = 3.0  # seconds without a result after which the workers are looked at

_shared: Any = None


def run(
    function: Callable[[S, T], R],
    shared: S,
    items: Sequence[T],
    workers: int = 1,
    progress: Progress | None = None,
) -> list[R]:
    """``[function(shared, item) for item in items]``, by `workers` processes.

    shared is sent to each process once. Items that are refused do not stop the others: all their
    problems are raised together at the end, in order of items, as one `Refused`; an `Interrupted`
    stops all at once. A process that dies is `Interrupted`, not a hang. With more than one worker
    the calling script needs the usual ``if __name__ == "__main__":`` guard, since processes are
    spawned afresh on every system.

    >>> run(pow, 2, [1, 2, 3])
    [2, 4, 8]
    """
    problems: dict[int, tuple[Problem, ...]] = {}
    results: dict[int, R] = {}
    if workers <= 1:
        calls = _here(function, shared, items)
    else:
        calls = _spawned(function, shared, items, workers)
    try:
        with closing(calls):  # now, not when the interpreter ends and files are closed already
            for done, (position, outcome) in enumerate(calls, 1):
                try:
                    results[position] = outcome()
                except Interrupted:
                    raise
                except Refused as refused:
                    problems[position] = refused.problems
                if progress:
                    progress(done, len(items))
    except BrokenProcessPool:
        died = "a worker process died (killed, or out of memory)"
        cure = "run again with fewer workers; finished work is kept where the command resumes"
        raise Interrupted(Problem(died, "--workers", cure)) from None
    if problems:
        raise Refused(problem for position in sorted(problems) for problem in problems[position])
    return [results[position] for position in range(len(items))]


def _here(
    function: Callable[[S, T], R], shared: S, items: Sequence[T]
) -> Generator[tuple[int, Callable[[], R]], None, None]:
    for position, item in enumerate(items):
        yield position, lambda item=item: function(shared, item)  # type: ignore[misc]


def _spawned(
    function: Callable[[S, T], R], shared: S, items: Sequence[T], workers: int
) -> Generator[tuple[int, Callable[[], R]], None, None]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start_worker, (shared,))
    waiting = enumerate(items)
    pending: dict[Future[R], int] = {}
    others = set(multiprocessing.active_children())
    started: set[Any] = set()
    try:
        while True:
            for position, item in waiting:
                pending[pool.submit(_in_worker, function, item)] = position
                if len(pending) >= workers * _PENDING_PER_WORKER:
                    break
            if not pending:
                return
            finished, _ = wait(pending, _PATIENCE, FIRST_COMPLETED)
            alive = set(multiprocessing.active_children()) - others
            if not finished and not started <= alive:
                # One died in the middle of a result; the pool waits for the rest of it for ever.
                for process in alive:
                    process.kill()
                raise BrokenProcessPool
            started |= alive
            for future in finished:
                yield pending.pop(future), future.result
    finally:
        with suppress(OSError):  # a broken pool may have closed its pipes before
            pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(shared: Any) -> None:
    global _shared
    _shared = shared


def _in_worker(function: Callable[[Any, T], R], item: T) -> R:
    return function(_shared, item)
