"""Test whether `corrupt` survives kills, full disks, dead workers and changing input.

    python -m benchmarks.faults DATASET --split val

Each trial runs the real command line on a part of the dataset, copied to a temporary folder, and
injects one fault at a random time of the run. Three conditions are checked afterwards. The folder
OUT is complete, or as it was before. No byte, name or time of the source has changed. The same
command without the fault gives the same ledger, digests and recipe, byte by byte, as a normal run,
and leaves no unfinished work. A process that survives the fault must print an error message with a
hint, and no traceback.

Full and read-only disks are small file systems in memory. Mounting them needs permission; without
it these faults are skipped, and the output says this.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.layouts.opening import open_split
from actiseg_data.terminal.table_printing import print_table
from actiseg_noise.split.partial_split import name_journal_folder, name_partial_folder
from actiseg_noise.verification.verification import verify
from benchmarks.fault_scene import (
    DOCUMENTS,
    Run,
    RunEnd,
    Scene,
    Trial,
    judge_fault,
    read_contents,
    read_documents,
)
from benchmarks.small_disks import mount_read_only, mount_small_disk


def kill_group(scene: Scene, workers: int, overwrite: bool) -> Trial:
    """Send SIGKILL to the whole process group, up to three times in a row."""
    if overwrite:
        shutil.copytree(scene.replaceable, scene.out)
    command = scene.command(scene.out, workers, overwrite)
    ends = []
    for _ in range(scene.draw.choice((1, 1, 2, 3))):
        run = Run(command)
        time.sleep(scene.draw_moment())
        ends.append(run.end(signal.SIGKILL))
        if scene.has_false_finish(scene.out):
            return Trial(wrong=True, completed=False)
    return judge_fault(scene, command, scene.out, *ends, expected=(-signal.SIGKILL,))


def kill_main_process(scene: Scene) -> Trial:
    """Send SIGKILL to the main process, and run the command again at once.

    No worker of the killed process may continue to write.
    """
    command = scene.command(scene.out, 2)
    run = Run(command)
    time.sleep(scene.draw_moment())
    run.process.kill()
    run.process.wait()
    trial = judge_fault(
        scene, command, scene.out, RunEnd(run.process.returncode, ""), expected=(-signal.SIGKILL,)
    )
    run.end(signal.SIGKILL)
    return trial


def interrupt_group(scene: Scene, number: int, workers: int) -> Trial:
    """Send SIGINT or SIGTERM to the group, as a terminal and a scheduler do."""
    command = scene.command(scene.out, workers)
    run = Run(command)
    run.wait_for_output()
    time.sleep(scene.draw_moment() * 0.8)
    ended = run.end(number)
    code = 130 if number == signal.SIGINT else -number
    trial = judge_fault(scene, command, scene.out, ended, expected=(code,))
    trial.unclear |= ended.seconds > 5
    return trial


def fill_disk(scene: Scene, workers: int, inodes: bool) -> Trial:
    """Write to a disk with too little space, or too few inodes; then enlarge it."""
    paths = list(scene.reference.rglob("*"))
    pages = (-(-path.stat().st_size // 4096) for path in paths if path.is_file())
    need = len(paths) if inodes else 4 * sum(pages)
    size = scene.draw.randint(3, need - 1)
    small, large = (
        (f"nr_inodes={size}", f"nr_inodes={10 * need}")
        if inodes
        else (f"size={size}k", f"size={10 * need}k")
    )
    with mount_small_disk(scene.disk, small) as change:
        out = scene.disk / "noisy"
        command = scene.command(out, workers)
        ended = Run(command).end()
        assert change(large)
        return judge_fault(scene, command, out, ended, expected=(2,))


def limit_file_size(scene: Scene) -> Trial:
    """Limit the size of a file, as a quota does, so that writing fails in the middle of a file."""
    most = max((scene.reference / name).stat().st_size for name in DOCUMENTS)
    command = scene.command(scene.out)
    ended = Run(command, largest_file=scene.draw.randrange(1, most)).end()
    return judge_fault(scene, command, scene.out, ended, expected=(2,))


def make_disk_read_only(scene: Scene, workers: int) -> Trial:
    """Write to a disk that becomes read-only, at once or during the run; then make it writable."""
    with mount_small_disk(scene.disk, "size=90%") as change:
        out = scene.disk / "noisy"
        command = scene.command(out, workers)
        moment = scene.draw.choice((0.0, scene.draw_moment()))
        if not moment:
            assert change("ro")
        run = Run(command)
        time.sleep(moment)
        while not change("ro") and run.process.poll() is None:
            pass  # the system refuses while a file is open for writing
        ended = run.end()
        assert change("rw")
        return judge_fault(scene, command, out, ended, expected=(2,))


def read_source_read_only(scene: Scene) -> Trial:
    """Read from a read-only disk, which must succeed."""
    with mount_read_only(scene.source, scene.disk) as source:
        command = scene.command(scene.out, source=source)
        ended = Run(command).end()
        trial = judge_fault(scene, command, scene.out, ended, expected=())
        return Trial(True, trial.wrong, trial.touched, ended.code != 0, trial.completed)


def kill_worker(scene: Scene, both: bool) -> Trial:
    """Send SIGKILL to one worker or both, which must end in an error and not in a hang."""
    command = scene.command(scene.out, 2)
    run = Run(command)
    time.sleep(scene.draw_moment())
    workers: list[int] = []
    while not workers and run.process.poll() is None:
        workers = run.find_workers()
    for number in workers if both else scene.draw.sample(workers, min(1, len(workers))):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    ended = run.end()
    trial = judge_fault(scene, command, scene.out, ended, expected=(2,))
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
    """Change a narration of the dataset that the mask belongs to."""
    folder = mask.parents[3] / IMAGE_SETS
    (path,) = (p for p in folder.iterdir() if "_meta_" not in p.name and "_obj" not in p.name)
    document = read_json(path)
    document[0]["narration"] += " again"
    write_json(path, document)


CHANGES = (rewrite, damage, Path.unlink, loop, rewrite_list)


def change_input(scene: Scene, workers: int) -> Trial:
    """Change a mask or the list during the run, and restore it afterwards."""
    command = scene.command(scene.out, workers)
    mask = scene.draw.choice(sorted((scene.source / MASKS).rglob("*.png")))
    change = scene.draw.choice(CHANGES)
    run = Run(command)
    run.wait_for_output()
    time.sleep(scene.draw_moment() * 0.8)
    change(mask)
    changed = read_contents_if_possible(scene.source)
    ended = run.end()
    touched = read_contents_if_possible(scene.source) != changed
    wrong, replaced = False, False
    if ended.code == 0 and read_documents(scene.out) != scene.wanted:
        # The change came before the file was read, so the run used the changed source, correctly.
        wrong, replaced = not verify(scene.out, scene.source).ok, True
    scene.restore()
    if replaced:
        command = [*command, "--overwrite"]
    trial = judge_fault(scene, command, scene.out, ended, expected=(2,))
    trial.struck, trial.touched = trial.struck or replaced, touched
    trial.wrong = wrong if replaced else trial.wrong
    return trial


def read_contents_if_possible(folder: Path) -> dict[str, tuple[int, bytes]] | None:
    try:
        return read_contents(folder)
    except OSError:
        return None


def run_twice(scene: Scene, overwrite: bool) -> Trial:
    """Run two processes for one output: one fails, or finds the finished result of the other."""
    if overwrite:
        shutil.copytree(scene.replaceable, scene.out)
    command = scene.command(scene.out, 1, overwrite)
    first = Run(command)
    time.sleep(scene.draw.choice((0.0, scene.draw_moment() / 10, scene.draw_moment())))
    ends = [Run(command).end(), first.end()]
    trial = judge_fault(scene, command, scene.out, *ends, expected=(2,))
    trial.struck = True
    trial.unclear |= all(end.code for end in ends)
    return trial


def damage_journal(scene: Scene) -> Trial:
    """Kill a run, and cut or change its journal as a faulty disk might."""
    command = scene.command(scene.out, 2)
    run = Run(command)
    journal = name_journal_folder(name_partial_folder(scene.out))
    while run.process.poll() is None and not any(p.stat().st_size for p in journal.glob("*")):
        time.sleep(0.01)
    time.sleep(scene.draw_moment() / 2)
    ended = run.end(signal.SIGKILL)
    for file in journal.glob("*"):
        data = bytearray(file.read_bytes())
        if scene.draw.random() < 0.5:
            del data[scene.draw.randrange(len(data) + 1) :]
        for _ in range(scene.draw.choice((0, 1, 5, 50)) if data else 0):
            data[scene.draw.randrange(len(data))] ^= 1 << scene.draw.randrange(8)
        file.write_bytes(data)
    return judge_fault(scene, command, scene.out, ended, expected=(-signal.SIGKILL,))


def copy_part(dataset: Path, split: str, count: int, root: Path) -> Path:
    """Copy some sequences of a split, evenly spread, as a dataset of their own."""
    opened = open_split(dataset, split)
    step = max(1, len(opened.sequences) // count)
    sequences = opened.sequences[::step][:count]
    for name in name_image_sets_files(split):
        if opened.has_document(name):
            write_json(root / IMAGE_SETS / name, opened.read_image_set(name, sequences)[0])
    for sequence in sequences:
        target = root / MASKS / opened.subsets[sequence.folder] / sequence.folder
        shutil.copytree(opened.find_folder(MASKS, sequence), target)
    return root


def list_faults(scene: Scene, kills: int, disks: int) -> list[tuple[str, int, Callable[[], Trial]]]:
    """List all faults: name, number of trials, and a function for one trial."""
    few, quarter = max(1, disks // 2), -(-kills // 4)
    return [
        ("SIGKILL, 1 worker", quarter, lambda: kill_group(scene, 1, False)),
        ("SIGKILL, 1 worker, overwrite", quarter, lambda: kill_group(scene, 1, True)),
        ("SIGKILL, 2 workers", quarter, lambda: kill_group(scene, 2, False)),
        ("SIGKILL, 2 workers, overwrite", quarter, lambda: kill_group(scene, 2, True)),
        ("SIGKILL, main process only", disks, lambda: kill_main_process(scene)),
        ("SIGINT, 1 worker", few, lambda: interrupt_group(scene, signal.SIGINT, 1)),
        ("SIGINT, 2 workers", disks, lambda: interrupt_group(scene, signal.SIGINT, 2)),
        ("SIGTERM, 2 workers", few, lambda: interrupt_group(scene, signal.SIGTERM, 2)),
        ("disk full, 1 worker", disks, lambda: fill_disk(scene, 1, False)),
        ("disk full, 2 workers", few, lambda: fill_disk(scene, 2, False)),
        ("disk full of files", few, lambda: fill_disk(scene, 1, True)),
        ("limit on file size", few, lambda: limit_file_size(scene)),
        ("disk read-only", disks, lambda: make_disk_read_only(scene, scene.draw.choice((1, 2)))),
        ("source read-only", 1, lambda: read_source_read_only(scene)),
        ("one worker dies", disks, lambda: kill_worker(scene, False)),
        ("both workers die", few, lambda: kill_worker(scene, True)),
        ("input changes, 1 worker", 2 * disks, lambda: change_input(scene, 1)),
        ("input changes, 2 workers", disks, lambda: change_input(scene, 2)),
        ("two at once", few, lambda: run_twice(scene, False)),
        ("two at once, overwrite", few, lambda: run_twice(scene, True)),
        ("journal damaged", disks, lambda: damage_journal(scene)),
    ]


def main(
    dataset: Path,
    split: Annotated[str, typer.Option()] = "train",
    sequences: Annotated[int, typer.Option(help="Number of sequences to use.")] = 80,
    kills: Annotated[int, typer.Option(help="Trials of SIGKILL.")] = 100,
    disks: Annotated[int, typer.Option(help="Trials of every other fault (half for some).")] = 10,
    only: Annotated[str, typer.Option(help="Only faults with this text in their name.")] = "",
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Inject every fault into `corrupt`, and print the results."""
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        source = copy_part(dataset, split, sequences, Path(folder) / "source")
        arguments = ("--split", split, "--type", "boundary", "--rate", "0.4")
        scene = Scene(Path(folder), source, arguments, random.Random(seed))
        masks = sum(name.endswith(".png") for name in scene.before)
        print(
            f"{sequences} sequences, {masks} masks; normal: {scene.seconds:.1f} s, "
            f"digests {digest_json([d.decode() for d in scene.wanted])}",
            flush=True,
        )
        for name, count, trial in list_faults(scene, kills, disks):
            if only not in name:
                continue
            began = time.perf_counter()
            trials = []
            try:
                for _ in range(count):
                    scene.clear()
                    trials.append(trial())
            except PermissionError as error:
                print(f"{name}: skipped, {error}")
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
    print("some trials failed" if failed else "all trials passed")
    sys.exit(failed)


if __name__ == "__main__":
    typer.run(main)
