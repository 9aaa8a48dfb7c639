"""Runs of `corrupt` that a fault can hit, and the check of what they leave."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_noise.split.partial_split import name_partial_folder
from actiseg_noise.verification.verification import verify

DOCUMENTS = ("digests.json", "ledger.jsonl", "recipe.json")
PATIENCE = 120  # seconds after which a run counts as hanging

PREPARE = """
import os, signal, sys
# A background job is started with interrupts ignored.
signal.signal(signal.SIGINT, signal.SIG_DFL)
if sys.argv[1]:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class RunEnd:
    """The end of a process.

    Attributes
    ----------
    code : int
        Exit code, or minus the signal number.
    error : str
        Standard error.
    seconds : float
        Time from the fault to the end.
    """

    code: int
    error: str
    seconds: float = 0.0

    @property
    def clear(self) -> bool:
        """Whether a failure was reported with a hint and without a traceback."""
        if "Traceback" in self.error:
            return False
        return self.code != 2 or ("error: " in self.error and "  hint: " in self.error)


class Run:
    """A `corrupt` command line in a process group of its own."""

    def __init__(self, command: list[str], largest_file: int | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", PREPARE, str(largest_file or ""), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        )

    def wait_for_output(self) -> None:
        """Wait for the first line of output. Until then, the interpreter is still starting."""
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def end(self, signal_number: int | None = None) -> RunEnd:
        """Send a signal to the whole group, if one is given, and wait."""
        began = time.perf_counter()
        if signal_number is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal_number)
        try:
            _, error = self.process.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return RunEnd(self.process.returncode, error, time.perf_counter() - began)

    def find_workers(self) -> list[int]:
        """Find the process ids of the running workers."""
        workers = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if (
                    parent == self.process.pid
                    and b"spawn_main" in (folder / "cmdline").read_bytes()
                ):
                    workers.append(int(folder.name))
        return workers


def read_contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Read every file below a folder: modification time and content by relative path."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_documents(out: Path) -> tuple[bytes, ...]:
    return tuple((out / name).read_bytes() for name in DOCUMENTS)


@dataclass
class Scene:
    """A source, a command, and the result of a normal run.

    Attributes
    ----------
    folder : Path
        Folder for everything.
    source : Path
        Root of the clean dataset.
    arguments : tuple of str
        Arguments of the command line, without source, output and workers.
    draw : Random
        Random generator of the faults.
    wanted : tuple of bytes
        `read_documents` of the normal run.
    before : dict
        `read_contents` of the source.
    seconds : float
        Duration of the normal run.
    """

    folder: Path
    source: Path
    arguments: tuple[str, ...]
    draw: random.Random
    wanted: tuple[bytes, ...] = ()
    before: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.before = read_contents(self.source)
        shutil.copytree(self.source, self.pristine)
        began = time.perf_counter()
        ended = Run(self.command(self.reference)).end()
        self.seconds = time.perf_counter() - began
        assert ended.code == 0, ended.error
        self.wanted = read_documents(self.reference)
        ended = Run([*self.command(self.replaceable), "--seed", "99"]).end()
        assert ended.code == 0, ended.error

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    @property
    def replaceable(self) -> Path:
        return self.folder / "replaceable"

    @property
    def pristine(self) -> Path:
        return self.folder / "pristine"

    @property
    def out(self) -> Path:
        return self.folder / "made" / "noisy"

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    def command(
        self, out: Path, workers: int = 1, overwrite: bool = False, source: Path | None = None
    ) -> list[str]:
        return [
            *(sys.executable, "-m", "actiseg_noise.cli", "corrupt", str(source or self.source)),
            *("--out", str(out), "--workers", str(workers), "--quiet", *self.arguments),
            *(["--overwrite"] if overwrite else []),
        ]

    def draw_moment(self) -> float:
        """Draw a time in seconds, uniform over the duration of a normal run."""
        return self.draw.uniform(0, self.seconds)

    def clear(self) -> None:
        """Remove `out` and unfinished work, and restore the source."""
        shutil.rmtree(self.out.parent, ignore_errors=True)
        self.out.parent.mkdir()
        self.restore()

    def restore(self) -> None:
        """Restore the source if a trial changed it."""
        if not self.has_clean_source():
            shutil.rmtree(self.source)
            shutil.copytree(self.pristine, self.source)

    def has_clean_source(self) -> bool:
        try:
            return read_contents(self.source) == self.before
        except OSError:
            return False

    def has_false_finish(self, out: Path) -> bool:
        """Return whether the final output exists but is not complete."""
        if not out.exists():
            return False
        try:
            whole = verify(out).ok
            return not whole or read_documents(out) not in (
                self.wanted,
                read_documents(self.replaceable),
            )
        except (InputError, OSError):
            return True

    def can_complete(self, command: list[str], out: Path) -> bool:
        """Return whether the command gives the result of a normal run, and nothing else."""
        ended = Run(command).end()
        if ended.code or not ended.clear or name_partial_folder(out).exists():
            return False
        names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
        wanted = sorted(
            path.relative_to(self.reference).as_posix() for path in self.reference.rglob("*")
        )
        return read_documents(out) == self.wanted and names == wanted and verify(out).ok


@dataclass
class Trial:
    """The result of one fault. `struck` is False if the run had ended before the fault."""

    struck: bool = True
    wrong: bool = False
    touched: bool = False
    unclear: bool = False
    completed: bool = True


def judge_fault(
    scene: Scene, command: list[str], out: Path, *ends: RunEnd, expected: tuple[int, ...]
) -> Trial:
    """Check the state after a fault, and run the same command without the fault.

    `expected` has the exit codes that the fault may cause. 0 means that it came too late.
    """
    return Trial(
        struck=any(end.code for end in ends),
        wrong=scene.has_false_finish(out),
        touched=not scene.has_clean_source(),
        unclear=any(not end.clear or end.code not in (0, *expected) for end in ends),
        completed=scene.can_complete(command, out),
    )
