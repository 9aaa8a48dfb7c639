"""Runs of `corrupt` that are killed at any moment."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.verification.verification import verify
from tests.helpers.roots import add_frames, clip, make_root

RECIPE = make_recipe("boundary", 0.5)


KILLED = """
import os, signal, sys
from pathlib import Path
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe

root, out, stop, overwrite = sys.argv[1:]
calls = 0

def audit(event, arguments):
    global calls
    written = event == "open" and arguments[1] not in (None, "r", "rb")
    moved = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir")
    if (written and str(arguments[0]).startswith(out)) or moved:
        calls += 1
        if calls == int(stop):
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(audit)
recipe = make_recipe("boundary", 0.5)
corrupt(Path(root), recipe, out=Path(out), images="copy", overwrite=overwrite == "1")
print(calls)
"""


def run_killed(root, out, stop, overwrite):
    arguments = [str(root), str(out), str(stop), str(int(overwrite))]
    return subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("overwrite", "stride"),
    [
        (False, 20),
        (True, 35),
        pytest.param(False, 3, marks=pytest.mark.slow),
        pytest.param(True, 5, marks=pytest.mark.slow),
    ],
)
def test_killed_at_any_moment_a_rerun_completes(tmp_path, overwrite, stride):
    """SIGKILL at every n-th write, rename or removal below the output; then the same command."""
    root = make_root(tmp_path / "clean", [clip(1), clip(2)])
    add_frames(root)
    other = make_recipe("dilate", 0.5)
    undisturbed = corrupt(root, RECIPE, out=tmp_path / "a", images="copy").out
    if overwrite:
        corrupt(root, other, out=tmp_path / "x")
    whole = run_killed(root, tmp_path / "x", 0, overwrite)
    assert whole.returncode == 0, whole.stderr
    total = int(whole.stdout)
    assert total > 20
    for stop in range(1, total + 1, stride):
        out = tmp_path / "b" / "noisy"
        shutil.rmtree(out.parent, ignore_errors=True)
        out.parent.mkdir()
        if overwrite:
            corrupt(root, other, out=out)
        assert run_killed(root, out, stop, overwrite).returncode == -9
        if out.exists():
            assert verify(out).ok  # the old one or the new one, but whole
        corrupt(root, RECIPE, out=out, images="copy", overwrite=overwrite)
        assert verify(out, root).ok
        for name in ("digests.json", "ledger.jsonl", "recipe.json"):
            assert (out / name).read_bytes() == (undisturbed / name).read_bytes()
        assert sorted(p.name for p in out.iterdir()) == sorted(
            p.name for p in undisturbed.iterdir()
        )
        assert [p.name for p in out.parent.iterdir()] == ["noisy"]
