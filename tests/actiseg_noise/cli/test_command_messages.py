"""What the commands say about input that cannot be used: the right flag, the right file, a hint."""

from __future__ import annotations

import shutil

import pytest

from tests.helpers.command import run
from tests.helpers.roots import clip, make_root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a clean dataset, a noisy split, and one made at rate 0."""
    folder = tmp_path_factory.mktemp("messages")
    make_root(folder / "clean", [clip(1)])
    for out, rate in (("noisy", "1"), ("quiet", "0")):
        made = run(
            *("corrupt", "clean", "--type", "dilate", "--rate", rate, "--out", out), cwd=folder
        )
        assert made.returncode == 0, made.stderr
    return folder


REFUSED = [
    (("sample", "clean"), "hint: give another folder\n"),
    (("presets", "smart"), "error: NAME: there is no preset"),
    (("corrupt", "clean", "--recipe", "noisy"), "hint: give noisy/recipe.json"),
    (("corrupt", "clean", "--recipe", "clean"), "clean: is a folder, not a recipe"),
    (("corrupt", "clean", "--recipe", "noisy/summary.json"), "this is another kind of file"),
    (("preview", "noisy", "--sequence", "foo"), "error: --sequence: "),
    (("manifests", "check", "--dataset", "nope"), "nope: there is no such folder"),
    (("verify", "noisy/recipe.json"), "is a file"),
    (("lexicon", "show", "knif"), "did you mean 'knife'?"),
    (
        ("corrupt", "clean", "--type", "text", "--rate", "1", "--protect", "knief"),
        "did you mean 'knife'?",
    ),
    (("verify", "noisy", "--source", "noisy"), "is a noisy split (recipe.json)"),
    (("inspect", "noisy", "--source", "noisy"), "is a noisy split (recipe.json)"),
    (("preview", "noisy", "--source", "noisy", "--to", "a.png"), "is a noisy split (recipe.json)"),
    (("audit", "noisy", "--clean", "noisy"), "is a noisy split (recipe.json)"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=lambda value: " ".join(value)[:40])
def test_the_message_names_what_the_user_gave(folder, arguments, said):
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--to", "a.gif"), ("--to", "noisy/a.png")])
def test_preview_prints_nothing_before_its_checks(folder, arguments):
    done = run("preview", "noisy", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")


def test_preview_says_that_a_split_has_no_noise(folder):
    done = run("preview", "quiet", "--to", "quiet.png", cwd=folder)
    assert done.stdout.startswith(f"the split has no noise; {clip(1).folder} is its first sequence")
    loud = run("preview", "noisy", "--to", "noisy.png", cwd=folder)
    assert loud.stdout.startswith(f"{clip(1).folder} has the most noise: ")


def test_the_next_command_takes_no_folder_for_a_flag(folder):
    shutil.copytree(folder / "noisy", folder / "--noisy")
    done = run("verify", "--", "--noisy", cwd=folder)
    assert "next: actiseg-noise verify ./--noisy --source DATASET" in done.stdout
