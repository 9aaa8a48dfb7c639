"""Processes that do jobs side by side. One that dies is replaced, and its job is done again."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from actiseg_data.core.errors import InputError, Interruption, Problem
from reference_trainer.bench.job_records import JobRecord
from reference_trainer.bench.job_work import Assignment, Workplace, perform

MOST_TRIES = 3
"""How often a job is begun whose process dies."""

_STOP_SECONDS = 60.0
"""How long a process may take to save its run when it is stopped."""


def run_jobs(
    place: Workplace,
    processes: int,
    choose: Callable[[set[str]], Assignment | None],
    accept: Callable[[Assignment, JobRecord], None],
) -> None:
    """Do jobs until none is left.

    Parameters
    ----------
    place : Workplace
    processes : int
    choose : callable
        Called with the paths of the jobs that are being done. Returns the next job, or None if none
        can be done now.
    accept : callable
        Called with each job that has ended.

    Raises
    ------
    InputError
        With the problems of a job that cannot be done. The jobs that are being done are stopped;
        those that train keep a checkpoint.
    Interruption
        If a process dies again and again, or if the disk is full.
    """
    tries: Counter[str] = Counter()
    with _start_crew(place, processes) as crew:
        while True:
            for member in crew:
                busy = {peer.assignment.job.path for peer in crew if peer.assignment}
                if member.assignment is None and (assignment := choose(busy)) is not None:
                    tries[assignment.job.path] += 1
                    member.send(assignment)
            active = {member.connection: member for member in crew if member.assignment}
            if not active:
                return
            for connection in wait(list(active)):
                member = active[connection]  # type: ignore[index]
                assignment = member.assignment
                assert assignment is not None, "only busy members are waited for"
                answer = member.receive()
                if answer is None:
                    _refuse_deaths(assignment.job.path, tries)
                    member.replace()
                else:
                    accept(assignment, answer)


def _refuse_deaths(path: str, tries: Counter[str]) -> None:
    if tries[path] >= MOST_TRIES:
        problem = Problem(
            f"the process of this job died {MOST_TRIES} times",
            path,
            "it may lack memory: use fewer `processes`, and run the same command again",
        )
        raise Interruption(problem)


class _Member:
    """A process, and the job that it does."""

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self.assignment: Assignment | None = None
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, self._place), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, assignment: Assignment) -> None:
        self.assignment = assignment
        with suppress(OSError):  # a process that has died is noticed when it should answer
            self.connection.send(assignment)

    def receive(self) -> JobRecord | None:
        """Receive the record of the job, or None if the process has died."""
        self.assignment = None
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(answer, BaseException):
            raise answer
        assert isinstance(answer, JobRecord), "a process sends a record or an error"
        return answer

    def replace(self) -> None:
        """Start a new process in the place of one that has died."""
        self.end()
        self._start()

    def stop(self) -> None:
        """Ask the process to save its run and stop."""
        with suppress(OSError, ValueError):
            if self._process.pid is not None and self._process.is_alive():
                os.kill(self._process.pid, signal.SIGTERM)

    def end(self) -> None:
        """Kill the process; if it does a job, once it has saved its run or ended the job."""
        if self.assignment is not None:
            wait([self._process.sentinel, self.connection], _STOP_SECONDS)
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextmanager
def _start_crew(place: Workplace, processes: int) -> Iterator[list[_Member]]:
    crew = [_Member(place) for _ in range(processes)]
    try:
        yield crew
    finally:
        for member in crew:
            member.stop()
        for member in crew:
            member.end()


def _work(connection: Connection, place: Workplace) -> None:
    """Do jobs until the connection ends: the life of a process."""
    import torch

    torch.set_num_threads(1)  # so that weights do not depend on how many processes there are
    with suppress(AttributeError, OSError):
        os.setpgid(0, 0)  # Ctrl-C reaches the main process alone, which stops this one in turn
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            assignment = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_answer(place, assignment))


def _answer(place: Workplace, assignment: Assignment) -> JobRecord | BaseException:
    path = assignment.job.path
    try:
        # The command that is stopped says how to continue. That of a single run would not help.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            return perform(place, assignment)
    except InputError as error:
        return InputError(Problem(item.what, item.where, item.hint) for item in error.problems)
    except OSError as error:
        return Interruption(_describe_failure(error, path))
    except Exception:
        what = f"the job stopped with an error of the program:\n{traceback.format_exc()}"
        return Interruption(Problem(what, path, "report it"))


def _describe_failure(error: OSError, path: str) -> Problem:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    file = error.filename2 or error.filename  # a copy that fails names both files
    place = "" if file is None else f" ({file})"
    cure = "free space" if is_full else "check the path and its permissions"
    what = f"the job stopped: {error.strerror or error}{place}"
    return Problem(what, path, f"{cure}, and run the same command again")


def _end_with_parent() -> None:
    """End this process when the process that started it has ended, however that ended."""
    parent: Any = multiprocessing.parent_process()
    wait([parent.sentinel])
    os._exit(1)
