"""Runs of `corrupt` under faults: kills, full disks, dying workers, input that changes.

The fast part; `benchmarks/faults.py` tests a real dataset, and has the tools.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError, Interruption, Problem
from actiseg_data.core.progress import ignore_progress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption import corruption as corrupt_module
from actiseg_noise.corruption import finished_run
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.split import partial_split as output
from actiseg_noise.split.journal import find_records, read_record
from actiseg_noise.split.partial_split import name_journal_folder, name_partial_folder
from actiseg_noise.verification.verification import verify
from benchmarks import fault_scene, faults
from benchmarks.small_disks import mount_read_only, mount_small_disk
from tests.helpers.roots import add_frames, clip, make_root

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals and limits of POSIX")

RECIPE = make_recipe("boundary", 0.5)


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    source = make_root(folder / "source", [clip(n) for n in range(1, 13)])
    add_frames(source)
    arguments = ("--type", "boundary", "--rate", "0.5", "--images", "copy")
    return fault_scene.Scene(folder, source, arguments, random.Random(0))


@pytest.fixture
def scene(staged):
    staged.clear()
    return staged


@pytest.fixture
def may_mount(tmp_path):
    try:
        with mount_small_disk(tmp_path / "probe", "size=16k"):
            pass
    except PermissionError as error:
        pytest.skip(str(error))


@pytest.fixture
def root(tmp_path):
    root = make_root(tmp_path / "clean", [clip(n) for n in (1, 2, 3)])
    add_frames(root)
    return root


@pytest.fixture
def wanted(root, tmp_path):
    """The documents of an undisturbed run."""
    return fault_scene.read_documents(corrupt(root, RECIPE, out=tmp_path / "undisturbed").out)


def assert_whole(root, out, wanted):
    assert fault_scene.read_documents(out) == wanted
    assert verify(out, root).ok
    assert not name_partial_folder(out).exists()
    assert output.is_own(out)


def stopping(name, after, act):
    """A stage that does something once, when so many items of a step are done."""

    def stage(step):
        class Stage:
            def __enter__(self):
                return lambda done, total: act() if (step, done) == (name, after) else None

            def __exit__(self, *error):
                return None

        return Stage()

    return stage


def interrupt():
    raise KeyboardInterrupt


def leave_partial(root, out, after=2, **more):
    with pytest.raises(KeyboardInterrupt):
        corrupt(root, RECIPE, out=out, stage=stopping("corrupting", after, interrupt), **more)
    return name_partial_folder(out)


FAULTS = {
    "killed": lambda scene: faults.kill_group(scene, 1, False),
    "killed-2": lambda scene: faults.kill_group(scene, 2, True),
    "interrupt": lambda scene: faults.interrupt_group(scene, signal.SIGINT, 2),
    "file-size": lambda scene: faults.limit_file_size(scene),
    "worker": lambda scene: faults.kill_worker(scene, both=False),
    "two-at-once": lambda scene: faults.run_twice(scene, overwrite=False),
}
TWICE = pytest.mark.slow(reason="the same path as 'killed', 4 s")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=name, marks=TWICE if name == "killed-2" else ())
        for name, fault in FAULTS.items()
    ],
)
def test_the_command_line_survives(scene, fault):
    trial = fault(scene)
    assert not trial.wrong
    assert not trial.touched
    assert not trial.unclear
    assert trial.completed


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no list of processes here")
def test_no_worker_outlives_a_main_process_that_is_killed(scene):
    process = fault_scene.Run(scene.command(scene.out, 2))
    workers = []
    while len(workers) < 2 and process.process.poll() is None:
        workers = process.find_workers()
    process.process.kill()
    process.process.wait()
    until = time.monotonic() + 10
    while alive(workers) and time.monotonic() < until:
        time.sleep(0.02)
    left = alive(workers)
    process.end(signal.SIGKILL)
    assert len(workers) == 2
    assert not left


def alive(numbers):
    found = []
    for number in numbers:
        with suppress(OSError):
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
            found += [number] if state != "Z" else []
    return found


@pytest.mark.parametrize("options", ["size={}k", "nr_inodes={}"])
@pytest.mark.parametrize("size", [4, 8, 12, 20, 28])
def test_disk_full_then_room_is_made(root, wanted, tmp_path, may_mount, options, size):
    out = tmp_path / "disk" / "noisy"
    before = fault_scene.read_contents(root)
    with mount_small_disk(out.parent, options.format(size)) as change:
        with pytest.raises(Interruption, match="cannot write"):
            corrupt(root, RECIPE, out=out, images="copy")
        assert not out.exists()
        assert change(options.format(1000))
        corrupt(root, RECIPE, out=out, images="copy")
        assert_whole(root, out, wanted)
    assert fault_scene.read_contents(root) == before


def test_disk_read_only_then_mended(root, wanted, tmp_path, may_mount):
    out = tmp_path / "disk" / "noisy"
    with mount_small_disk(out.parent, "size=1m") as change:
        assert change("ro")
        with pytest.raises(Interruption, match="Read-only") as refused:
            corrupt(root, RECIPE, out=out)
        assert all(each.hint for each in refused.value.problems)
        assert change("rw")
        leave_partial(root, out)
        assert change("ro")
        with pytest.raises(Interruption, match="Read-only"):
            corrupt(root, RECIPE, out=out)
        assert change("rw")
        corrupt(root, RECIPE, out=out)
        assert_whole(root, out, wanted)
        assert change("ro")
        assert not corrupt(root, RECIPE, out=out).made  # a finished run needs no right to write


def test_source_that_is_read_only_is_all_that_is_needed(root, wanted, tmp_path, may_mount):
    with mount_read_only(root, tmp_path / "seen") as seen:
        out = corrupt(seen, RECIPE, out=tmp_path / "noisy").out
        assert_whole(seen, out, wanted)


def test_folders_that_nobody_may_write_to_are_not_copied_as_such(root, tmp_path):
    folders = [path for path in (root / FRAMES).rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        out = corrupt(root, RECIPE, out=tmp_path / "noisy", images="copy").out
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert all(path.stat().st_mode & 0o200 for path in out.rglob("*"))


@pytest.mark.parametrize("step", ["checking the source", "corrupting"])
@pytest.mark.parametrize("change", faults.CHANGES, ids=lambda change: change.__name__)
def test_input_that_changes_under_the_run(root, wanted, tmp_path, change, step):
    out = tmp_path / "noisy"
    sequence = open_split(root, "train").sequences[1]
    kept = shutil.copytree(root, tmp_path / "kept")
    mask = root / MASKS / "train" / sequence.folder / f"{sequence.frames[0]}.png"
    with pytest.raises(InputError) as refused:
        corrupt(root, RECIPE, out=out, stage=stopping(step, 2, lambda: change(mask)))
    assert all(each.what and each.where and each.hint for each in refused.value.problems)
    assert not out.exists()
    shutil.rmtree(root)
    shutil.copytree(kept, root)
    corrupt(root, RECIPE, out=out)
    assert_whole(root, out, wanted)


def test_input_that_changes_between_two_runs_is_made_again(root, tmp_path):
    out = tmp_path / "noisy"
    leave_partial(root, out)
    sequence = open_split(root, "train").sequences[0]
    faults.rewrite(root / MASKS / "train" / sequence.folder / f"{sequence.frames[0]}.png")
    (root / IMAGE_SETS / "train_objects_category.json").unlink()
    corrupt(root, RECIPE, out=out)
    assert verify(out, root).ok


def test_what_a_kill_at_the_end_leaves_does_not_get_into_the_split(
    root, wanted, tmp_path, monkeypatch
):
    """Drafts, and a companion that the source has lost since."""
    out = tmp_path / "noisy"
    with monkeypatch.context() as patch:
        patch.setattr(corrupt_module, "finish", lambda *arguments, **more: interrupt())
        with pytest.raises(KeyboardInterrupt):
            corrupt(root, RECIPE, out=out)
    partial = name_partial_folder(out)
    for folder in (partial, partial / IMAGE_SETS, partial / "work"):
        (folder / ".ledger.jsonl.77.draft").write_text("{")
    (partial / IMAGE_SETS / "train_meta_expressions_other.json").write_text("{}")
    corrupt(root, RECIPE, out=out)
    assert_whole(root, out, wanted)
    assert (
        fault_scene.read_contents(out).keys()
        == fault_scene.read_contents(tmp_path / "undisturbed").keys()
    )


def test_overwriting_that_is_stopped_while_it_clears_is_taken_up(
    root, wanted, tmp_path, monkeypatch
):
    """At every second file and folder that it removes of the work before."""
    out = tmp_path / "noisy"
    partial = leave_partial(root, out, images="copy")
    kept = shutil.copytree(partial, tmp_path / "kept")
    calls = stop = 0

    def counted(real):
        def removing(*arguments, **more):
            nonlocal calls
            calls += 1
            if calls == stop:
                raise KeyboardInterrupt
            return real(*arguments, **more)

        return removing

    while True:
        with monkeypatch.context() as patch:
            calls, stop = 0, stop + 2
            patch.setattr(os, "unlink", counted(os.unlink))
            patch.setattr(os, "rmdir", counted(os.rmdir))
            try:
                corrupt(root, RECIPE, out=out, overwrite=True)
            except KeyboardInterrupt:
                pass
            else:
                break
        corrupt(root, RECIPE, out=out, overwrite=True)
        assert_whole(root, out, wanted)
        shutil.rmtree(out)
        shutil.copytree(kept, partial)
    assert stop > 20, "this is what there is to remove"


def test_a_journal_that_is_cut_or_changed_gives_true_records_or_none(root, tmp_path):
    journal = name_journal_folder(leave_partial(root, tmp_path / "noisy", after=1))
    (file,) = journal.glob("*")
    data = file.read_bytes()
    true = {folder: read_record(place) for folder, place in find_records(journal).items()}
    assert len(true) == 1
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        for version in (data[:at], bytes(changed)):
            file.unlink()  # overwriting in place makes some file systems wait for the disk
            file.write_bytes(version)
            for place in find_records(journal).values():
                assert read_record(place) in (*true.values(), None)


@pytest.mark.parametrize("at", [0, 1, 30, -40, -33, -1])
def test_a_run_goes_on_from_a_damaged_journal(root, wanted, tmp_path, at):
    out = tmp_path / "noisy"
    partial = leave_partial(root, out)
    (file,) = name_journal_folder(partial).glob("*")
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data[:at] if at == 30 else data)
    corrupt(root, RECIPE, out=out)
    assert_whole(root, out, wanted)


def test_a_job_that_cannot_be_read_is_not_taken_up(root, wanted, tmp_path):
    out = tmp_path / "noisy"
    partial = leave_partial(root, out)
    (partial / "work" / "job.json").write_text("{")
    with pytest.raises(InputError, match="unfinished work"):
        corrupt(root, RECIPE, out=out)
    corrupt(root, RECIPE, out=out, overwrite=True)
    assert_whole(root, out, wanted)


def test_a_worker_that_dies_while_a_finished_run_is_looked_at_is_told(root, tmp_path, monkeypatch):
    out = corrupt(root, RECIPE, out=tmp_path / "noisy").out

    def dying(*arguments, **more):
        raise Interruption(Problem("a worker process died", "--workers", "run again"))

    monkeypatch.setattr(finished_run, "check_consistency", dying)
    with pytest.raises(Interruption, match="worker process died"):
        corrupt(root, RECIPE, out=out)


def test_what_the_second_of_two_runs_leaves_goes_with_the_next(root, wanted, tmp_path):
    out = tmp_path / "noisy"
    partial = leave_partial(root, out)
    kept = shutil.copytree(partial, tmp_path / "kept")
    corrupt(root, RECIPE, out=out)
    shutil.copytree(kept, partial)
    assert not corrupt(root, RECIPE, out=out).made
    assert_whole(root, out, wanted)

    other = make_recipe("boundary", 0.5, seed=1)
    stage = stopping("corrupting", 1, interrupt)
    with pytest.raises(KeyboardInterrupt):
        corrupt(root, other, out=out, overwrite=True, stage=stage)
    assert not corrupt(root, RECIPE, out=out).made
    assert partial.is_dir()  # another job's work is nobody's to remove


def test_a_lock_on_a_folder_that_is_gone_counts_for_nothing(root, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    out = tmp_path / "noisy"
    partial = leave_partial(root, out)
    real = fcntl.flock

    def late(lock, how):
        shutil.rmtree(partial)  # by a run that overwrites, between opening and locking
        real(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(InputError, match="another run is using this folder"):
        corrupt(root, RECIPE, out=out)


def test_somebody_elses_folder_in_the_place_of_the_work_is_left_alone(root, tmp_path):
    thesis = name_partial_folder(tmp_path / "noisy") / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="unfinished work of another run"):
            corrupt(
                root, RECIPE, out=tmp_path / "noisy", overwrite=overwrite, stage=ignore_progress
            )
    assert [path.name for path in thesis.parent.iterdir()] == ["thesis.txt"]


def large_if_second(flag, number):
    if number == 2:
        while not flag.exists():
            time.sleep(0.01)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return bytes(1 << 24)
    return number


def test_a_worker_that_dies_with_half_a_result_told_is_no_hang(tmp_path):
    """The main process is busy until it is dead, so that no more than the beginning was sent."""
    flag = tmp_path / "first is told"

    def busy(done, total):
        flag.touch()
        while len(multiprocessing.active_children()) > 1:
            time.sleep(0.01)

    with pytest.raises(Interruption, match="worker process died"):
        run_parallel(large_if_second, flag, [1, 2], 2, busy)
