"""Does `corrupt` survive kills, full disks, dying workers and input that changes under it?

    python benchmarks/faults.py DATASET --split val

Each trial runs the real command line on a part of the dataset, copied to a temporary folder, and
disturbs it once at a moment drawn uniformly over the time of an undisturbed run. Then three things
must hold: what stands at OUT is whole, or is what stood there before; no byte, name or time of the
source has changed; and the same command, run again without the fault, gives the same ledger,
digests and recipe, byte by byte, as the undisturbed run, and leaves nothing unfinished beside them.
A process that survives its fault must say what, where and cure, without a traceback.

Full and read-only disks are small file systems in memory, which take the right to mount; without
it they are left out, saying so.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.core.validation import read_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, open_split
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.terminal.console import print_table
from actiseg_noise.split.partial_split import name_journal_folder, name_partial_folder
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
class Ended:
    """How a process ended: its exit code (negative: the signal), what it said, and how long it
    took from the fault on, in seconds.
    """

    code: int
    error: str
    seconds: float = 0.0

    @property
    def clear(self) -> bool:
        """Whether it told what went wrong as it should: what, where and cure, no traceback."""
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

    def wait_until_it_speaks(self) -> None:
        """Until the first line of output; before it, the interpreter is still starting."""
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def end(self, signal_number: int | None = None) -> Ended:
        """Send a signal to the whole group, if any, and wait."""
        began = time.perf_counter()
        if signal_number is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal_number)
        try:
            _, error = self.process.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        return Ended(self.process.returncode, error, time.perf_counter() - began)

    def workers(self) -> list[int]:
        """Process ids of the workers that run now."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if (
                    parent == self.process.pid
                    and b"spawn_main" in (folder / "cmdline").read_bytes()
                ):
                    found.append(int(folder.name))
        return found


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder by name: its time of change and its bytes."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def documents(out: Path) -> tuple[bytes, ...]:
    return tuple((out / name).read_bytes() for name in DOCUMENTS)


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Callable[[str], bool]]:
    """A file system in memory; gives what changes its options, True where that was granted.

    Raises `PermissionError` where mounting is not allowed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _mount("-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
        raise PermissionError("mounting is not allowed here")
    try:
        yield lambda others: _mount("-o", f"remount,{others}", str(folder))
    finally:
        _unmount(folder)


@contextmanager
def read_only(folder: Path, where: Path) -> Iterator[Path]:
    """A folder as it is seen read-only at another place; `PermissionError` as above."""
    where.mkdir(parents=True, exist_ok=True)
    if not _mount("--bind", str(folder), str(where)):
        raise PermissionError("mounting is not allowed here")
    try:
        if not _mount("-o", "remount,ro,bind", str(where)):
            raise PermissionError("mounting is not allowed here")
        yield where
    finally:
        _unmount(where)


def _mount(*arguments: str) -> bool:
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


def _unmount(folder: Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", str(folder)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@dataclass
class Scene:
    """A source, a command, and what an undisturbed run of it makes.

    folder: holds everything. source: the clean root. arguments: of the command line but for source,
    output and workers. wanted: `documents` of the undisturbed run. before: `contents` of the
    source. seconds: what the undisturbed run took.
    """

    folder: Path
    source: Path
    arguments: tuple[str, ...]
    draw: random.Random
    wanted: tuple[bytes, ...] = ()
    before: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.before = contents(self.source)
        shutil.copytree(self.source, self.pristine)
        began = time.perf_counter()
        ended = Run(self.command(self.reference)).end()
        self.seconds = time.perf_counter() - began
        assert ended.code == 0, ended.error
        self.wanted = documents(self.reference)
        ended = Run([*self.command(self.other), "--seed", "99"]).end()
        assert ended.code == 0, ended.error

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    @property
    def other(self) -> Path:
        return self.folder / "other"

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

    def moment(self) -> float:
        """Seconds after a start, uniform over the time of an undisturbed run."""
        return self.draw.uniform(0, self.seconds)

    def clear(self) -> None:
        """Nothing at `out` or beside it, and the source as it was at first."""
        shutil.rmtree(self.out.parent, ignore_errors=True)
        self.out.parent.mkdir()
        self.restore()

    def restore(self) -> None:
        """Make the source what it was, where a trial has changed it."""
        if not self.source_is_untouched():
            shutil.rmtree(self.source)
            shutil.copytree(self.pristine, self.source)

    def source_is_untouched(self) -> bool:
        try:
            return contents(self.source) == self.before
        except OSError:
            return False

    def passes_wrongly(self, out: Path) -> bool:
        """Whether something that is not whole stands at the output's final name."""
        if not out.exists():
            return False
        try:
            whole = verify(out).ok
            return not whole or documents(out) not in (self.wanted, documents(self.other))
        except (InputError, OSError):
            return True

    def completes(self, command: list[str], out: Path) -> bool:
        """Whether the command makes what an undisturbed run makes, and leaves nothing else."""
        ended = Run(command).end()
        if ended.code or not ended.clear or name_partial_folder(out).exists():
            return False
        names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
        wanted = sorted(
            path.relative_to(self.reference).as_posix() for path in self.reference.rglob("*")
        )
        return documents(out) == self.wanted and names == wanted and verify(out).ok


@dataclass
class Trial:
    """What one fault led to. struck: whether it came before the run had ended by itself."""

    struck: bool = True
    wrong: bool = False
    touched: bool = False
    unclear: bool = False
    completed: bool = True


def judged(
    scene: Scene, command: list[str], out: Path, *ends: Ended, expected: tuple[int, ...]
) -> Trial:
    """The state after a fault, then the same command without it.

    expected: exit codes that the fault may lead to; 0 is one that it came too late for.
    """
    return Trial(
        struck=any(end.code for end in ends),
        wrong=scene.passes_wrongly(out),
        touched=not scene.source_is_untouched(),
        unclear=any(not end.clear or end.code not in (0, *expected) for end in ends),
        completed=scene.completes(command, out),
    )


def killed(scene: Scene, workers: int, overwrite: bool) -> Trial:
    """SIGKILL of the whole process group, up to three times in a row."""
    if overwrite:
        shutil.copytree(scene.other, scene.out)
    command = scene.command(scene.out, workers, overwrite)
    ends = []
    for _ in range(scene.draw.choice((1, 1, 2, 3))):
        run = Run(command)
        time.sleep(scene.moment())
        ends.append(run.end(signal.SIGKILL))
        if scene.passes_wrongly(scene.out):
            return Trial(wrong=True, completed=False)
    return judged(scene, command, scene.out, *ends, expected=(-signal.SIGKILL,))


def main_process_killed(scene: Scene) -> Trial:
    """SIGKILL of the main process alone, and the same command at once: no worker may write on."""
    command = scene.command(scene.out, 2)
    run = Run(command)
    time.sleep(scene.moment())
    run.process.kill()
    run.process.wait()
    trial = judged(
        scene, command, scene.out, Ended(run.process.returncode, ""), expected=(-signal.SIGKILL,)
    )
    run.end(signal.SIGKILL)
    return trial


def interrupted(scene: Scene, number: int, workers: int) -> Trial:
    """SIGINT or SIGTERM to the group, as a terminal and a scheduler send them."""
    command = scene.command(scene.out, workers)
    run = Run(command)
    run.wait_until_it_speaks()
    time.sleep(scene.moment() * 0.8)
    ended = run.end(number)
    code = 130 if number == signal.SIGINT else -number
    trial = judged(scene, command, scene.out, ended, expected=(code,))
    trial.unclear |= ended.seconds > 5
    return trial


def disk_full(scene: Scene, workers: int, inodes: bool) -> Trial:
    """An output on a disk with too little room, or too few files; then room is made."""
    paths = list(scene.reference.rglob("*"))
    pages = (-(-path.stat().st_size // 4096) for path in paths if path.is_file())
    need = len(paths) if inodes else 4 * sum(pages)
    size = scene.draw.randint(3, need - 1)
    small, large = (
        (f"nr_inodes={size}", f"nr_inodes={10 * need}")
        if inodes
        else (f"size={size}k", f"size={10 * need}k")
    )
    with small_disk(scene.disk, small) as change:
        out = scene.disk / "noisy"
        command = scene.command(out, workers)
        ended = Run(command).end()
        assert change(large)
        return judged(scene, command, out, ended, expected=(2,))


def file_too_large(scene: Scene) -> Trial:
    """A limit on the size of a file, as quotas are: writing fails in the middle of one."""
    most = max((scene.reference / name).stat().st_size for name in DOCUMENTS)
    command = scene.command(scene.out)
    ended = Run(command, largest_file=scene.draw.randrange(1, most)).end()
    return judged(scene, command, scene.out, ended, expected=(2,))


def disk_turns_read_only(scene: Scene, workers: int) -> Trial:
    """An output on a disk that becomes read-only, at once or in the middle; then it is mended."""
    with small_disk(scene.disk, "size=90%") as change:
        out = scene.disk / "noisy"
        command = scene.command(out, workers)
        moment = scene.draw.choice((0.0, scene.moment()))
        if not moment:
            assert change("ro")
        run = Run(command)
        time.sleep(moment)
        while not change("ro") and run.process.poll() is None:
            pass  # refused as long as a file is open for writing
        ended = run.end()
        assert change("rw")
        return judged(scene, command, out, ended, expected=(2,))


def source_is_read_only(scene: Scene) -> Trial:
    """A source on a disk that is read-only: nothing is wrong with that."""
    with read_only(scene.source, scene.disk) as source:
        command = scene.command(scene.out, source=source)
        ended = Run(command).end()
        trial = judged(scene, command, scene.out, ended, expected=())
        return Trial(True, trial.wrong, trial.touched, ended.code != 0, trial.completed)


def worker_dies(scene: Scene, both: bool) -> Trial:
    """SIGKILL of one worker or of both: an error, and no hang."""
    command = scene.command(scene.out, 2)
    run = Run(command)
    time.sleep(scene.moment())
    workers: list[int] = []
    while not workers and run.process.poll() is None:
        workers = run.workers()
    for number in workers if both else scene.draw.sample(workers, min(1, len(workers))):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    ended = run.end()
    trial = judged(scene, command, scene.out, ended, expected=(2,))
    trial.unclear |= bool(ended.code) and "worker process died" not in ended.error
    return trial


def rewrite(mask: Path) -> None:
    write_index_mask(mask, read_index_mask(mask)[::-1])


def damage(mask: Path) -> None:
    data = mask.read_bytes()
    mask.write_bytes(data[: len(data) // 2] + b"?" + data[len(data) // 2 + 1 :])


def loop(mask: Path) -> None:
    mask.unlink()
    mask.symlink_to(mask.name)


def rewrite_list(mask: Path) -> None:
    """Of the dataset that the mask belongs to: one narration is another."""
    folder = mask.parents[3] / IMAGE_SETS
    (path,) = (p for p in folder.iterdir() if "_meta_" not in p.name and "_obj" not in p.name)
    document = read_json(path)
    document[0]["narration"] += " again"
    write_json(path, document)


CHANGES = (rewrite, damage, Path.unlink, loop, rewrite_list)


def input_changes(scene: Scene, workers: int) -> Trial:
    """A mask or the list changes under the run; then it is what it was."""
    command = scene.command(scene.out, workers)
    mask = scene.draw.choice(sorted((scene.source / MASKS).rglob("*.png")))
    change = scene.draw.choice(CHANGES)
    run = Run(command)
    run.wait_until_it_speaks()
    time.sleep(scene.moment() * 0.8)
    change(mask)
    changed = contents_or_none(scene.source)
    ended = run.end()
    touched = contents_or_none(scene.source) != changed
    wrong, replaced = False, False
    if ended.code == 0 and documents(scene.out) != scene.wanted:
        # It came before anything was read: then the run is one of the changed source, and right.
        wrong, replaced = not verify(scene.out, scene.source).ok, True
    scene.restore()
    if replaced:
        command = [*command, "--overwrite"]
    trial = judged(scene, command, scene.out, ended, expected=(2,))
    trial.struck, trial.touched = trial.struck or replaced, touched
    trial.wrong = wrong if replaced else trial.wrong
    return trial


def contents_or_none(folder: Path) -> dict[str, tuple[int, bytes]] | None:
    try:
        return contents(folder)
    except OSError:
        return None


def two_at_once(scene: Scene, overwrite: bool) -> Trial:
    """Two processes for one output: one is refused, or finds what the other has made."""
    if overwrite:
        shutil.copytree(scene.other, scene.out)
    command = scene.command(scene.out, 1, overwrite)
    first = Run(command)
    time.sleep(scene.draw.choice((0.0, scene.moment() / 10, scene.moment())))
    ends = [Run(command).end(), first.end()]
    trial = judged(scene, command, scene.out, *ends, expected=(2,))
    trial.struck = True
    trial.unclear |= all(end.code for end in ends)
    return trial


def journal_damaged(scene: Scene) -> Trial:
    """A run that was killed, and whose journal a bad disk has cut short or changed."""
    command = scene.command(scene.out, 2)
    run = Run(command)
    journal = name_journal_folder(name_partial_folder(scene.out))
    while run.process.poll() is None and not any(p.stat().st_size for p in journal.glob("*")):
        time.sleep(0.01)
    time.sleep(scene.moment() / 2)
    ended = run.end(signal.SIGKILL)
    for file in journal.glob("*"):
        data = bytearray(file.read_bytes())
        if scene.draw.random() < 0.5:
            del data[scene.draw.randrange(len(data) + 1) :]
        for _ in range(scene.draw.choice((0, 1, 5, 50)) if data else 0):
            data[scene.draw.randrange(len(data))] ^= 1 << scene.draw.randrange(8)
        file.write_bytes(data)
    return judged(scene, command, scene.out, ended, expected=(-signal.SIGKILL,))


def part_of(dataset: Path, split: str, count: int, root: Path) -> Path:
    """Copy some sequences of a split, evenly spread, as a dataset of their own."""
    opened = open_split(dataset, split)
    step = max(1, len(opened.sequences) // count)
    sequences = opened.sequences[::step][:count]
    for name in name_image_sets_files(split):
        if opened.has_document(name):
            write_json(root / IMAGE_SETS / name, opened.image_set(name, sequences)[0])
    for sequence in sequences:
        target = root / MASKS / opened.subsets[sequence.folder] / sequence.folder
        shutil.copytree(opened.folder(MASKS, sequence), target)
    return root


def campaign(scene: Scene, kills: int, disks: int) -> list[tuple[str, int, Callable[[], Trial]]]:
    """All faults: name, number of trials, and what makes one."""
    few, quarter = max(1, disks // 2), -(-kills // 4)
    return [
        ("SIGKILL, 1 worker", quarter, lambda: killed(scene, 1, False)),
        ("SIGKILL, 1 worker, overwrite", quarter, lambda: killed(scene, 1, True)),
        ("SIGKILL, 2 workers", quarter, lambda: killed(scene, 2, False)),
        ("SIGKILL, 2 workers, overwrite", quarter, lambda: killed(scene, 2, True)),
        ("SIGKILL, main process only", disks, lambda: main_process_killed(scene)),
        ("SIGINT, 1 worker", few, lambda: interrupted(scene, signal.SIGINT, 1)),
        ("SIGINT, 2 workers", disks, lambda: interrupted(scene, signal.SIGINT, 2)),
        ("SIGTERM, 2 workers", few, lambda: interrupted(scene, signal.SIGTERM, 2)),
        ("disk full, 1 worker", disks, lambda: disk_full(scene, 1, False)),
        ("disk full, 2 workers", few, lambda: disk_full(scene, 2, False)),
        ("disk full of files", few, lambda: disk_full(scene, 1, True)),
        ("limit on file size", few, lambda: file_too_large(scene)),
        ("disk read-only", disks, lambda: disk_turns_read_only(scene, scene.draw.choice((1, 2)))),
        ("source read-only", 1, lambda: source_is_read_only(scene)),
        ("one worker dies", disks, lambda: worker_dies(scene, False)),
        ("both workers die", few, lambda: worker_dies(scene, True)),
        ("input changes, 1 worker", 2 * disks, lambda: input_changes(scene, 1)),
        ("input changes, 2 workers", disks, lambda: input_changes(scene, 2)),
        ("two at once", few, lambda: two_at_once(scene, False)),
        ("two at once, overwrite", few, lambda: two_at_once(scene, True)),
        ("journal damaged", disks, lambda: journal_damaged(scene)),
    ]


def main(
    dataset: Path,
    split: Annotated[str, typer.Option()] = "train",
    sequences: Annotated[int, typer.Option(help="As many of the split are taken.")] = 80,
    kills: Annotated[int, typer.Option(help="Trials of SIGKILL.")] = 100,
    disks: Annotated[int, typer.Option(help="Trials of each other fault, or half of it.")] = 10,
    only: Annotated[str, typer.Option(help="Faults whose name holds this.")] = "",
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Disturb `corrupt` in every way, and tell what came of it."""
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        source = part_of(dataset, split, sequences, Path(folder) / "source")
        arguments = ("--split", split, "--type", "boundary", "--rate", "0.4")
        scene = Scene(Path(folder), source, arguments, random.Random(seed))
        masks = sum(name.endswith(".png") for name in scene.before)
        print(
            f"{sequences} sequences, {masks} masks; undisturbed: {scene.seconds:.1f} s, "
            f"digests {digest_json([d.decode() for d in scene.wanted])}",
            flush=True,
        )
        for name, count, trial in campaign(scene, kills, disks):
            if only not in name:
                continue
            began = time.perf_counter()
            trials = []
            try:
                for _ in range(count):
                    scene.clear()
                    trials.append(trial())
            except PermissionError as error:
                print(f"{name}: left out, {error}")
                continue
            sums = [
                sum(t.struck for t in trials),
                sum(t.wrong for t in trials),
                sum(t.touched for t in trials),
                sum(t.unclear for t in trials),
            ]
            completed = sum(t.completed for t in trials)
            failed |= any(sums[1:]) or completed < count
            seconds = time.perf_counter() - began
            rows.append(
                [name, str(count), *map(str, sums), f"{completed} of {count}", f"{seconds:.0f}"]
            )
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    columns = ["fault", "trials", "struck", "false finish", "source hit", "unclear"]
    print_table("Faults", [*columns, "re-runs right", "s"], rows)
    print("not all as it must be" if failed else "all as it must be")
    sys.exit(failed)


if __name__ == "__main__":
    typer.run(main)
