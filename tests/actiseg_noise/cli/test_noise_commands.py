"""The command line: exit codes, messages, what is imported when."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.records.recipe_record import read_recipe
from tests.helpers.command import run
from tests.helpers.roots import make_root


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path / "clean")


def test_corrupt_then_verify(root, tmp_path):
    made = run("corrupt", root, "--type", "boundary", "--rate", "0.4", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    out = tmp_path / "clean_boundary_r0.4_s0"
    assert made.stdout.startswith(f"dataset: {root}")
    assert "next: actiseg-noise preview" in made.stdout
    assert f"actiseg-noise verify {out.name} --source" in made.stdout
    assert "100 %" in made.stderr

    again = run("corrupt", root, "--type", "boundary", "--rate", "0.4", "--quiet", cwd=tmp_path)
    assert again.returncode == 0
    assert "exists already" in again.stdout
    assert again.stderr == ""

    assert run("verify", out, "--source", root).returncode == 0
    next((out / MASKS).rglob("*.png")).unlink()
    damaged = run("verify", out)
    assert damaged.returncode == 1
    assert "mismatch: " in damaged.stdout


def test_recipe_file_gives_the_same_split(root, tmp_path):
    run("corrupt", root, "--type", "jitter", "--rate", "0.3", "--out", tmp_path / "a")
    recipe = tmp_path / "a" / "recipe.json"
    assert run("corrupt", root, "--recipe", recipe, "--out", tmp_path / "b").returncode == 0
    first, second = (tmp_path / name / "digests.json" for name in "ab")
    assert first.read_text() == second.read_text()


def test_flags_reach_the_recipe(root, tmp_path):
    done = run(
        *("corrupt", root, "--type", "boundary", "--rate", "0.3", "--seed", "5", "--exact"),
        *("--objects", "all", "--overlap", "background", "--radius", "2"),
        *("--set", 'kinds=["dilate", "jitter"]', "--set", "fold_margin=0.5"),
        *("--correlation-length", "20", "--out", tmp_path / "a"),
    )
    assert done.returncode == 0, done.stderr
    recipe = read_recipe(tmp_path / "a" / "recipe.json")
    (noise,) = recipe.noises
    assert recipe.seed == 5
    assert (noise.rate, noise.exact, noise.objects, noise.overlap) == (
        0.3,
        True,
        "all",
        "background",
    )
    assert noise.parameters["kinds"] == ["dilate", "jitter"]
    assert noise.parameters["radius"] == 2.0
    assert noise.parameters["target_iou"] is None
    assert noise.parameters["fold_margin"] == 0.5
    assert noise.parameters["correlation_length"] == 20.0


def test_dry_run_writes_nothing(root, tmp_path):
    done = run("corrupt", root, "--type", "dilate", "--rate", "1", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0
    assert "24 of 24 items" in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["clean"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["corrupt", "nowhere", "--type", "dilate", "--rate", "1"], "is missing"),
        (["corrupt", "clean"], "give --type"),
        (["corrupt", "clean", "--type", "melt", "--rate", "1"], "there is no type 'melt'"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "1.5"], "error: --rate: the rate 1.5"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "nan"], "outside [0, 1]"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "1", "--split", "val"], "no split"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "1", "--split", "../x"], "separator"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "1", "--images", "move"], "images"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "1", "--set", "x=1"], "no parameter"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "1", "--out", "clean/x"], "inside"),
        (["corrupt", "clean", "--recipe", "no.json"], "recipe is missing"),
        (["corrupt", "clean", "--recipe", "no.json", "--rate", "1"], "--rate cannot be given"),
        (["corrupt", "clean", "--type", "dilate", "--rate", "x"], "Invalid value for"),
        (["corrupt", "--colour"], "No such option"),
        (["verify", "clean"], "is not a noisy split"),
        (["inspect", "nowhere"], "is not a noisy split"),
        (["audit", "nowhere"], "no such folder"),
        (["sample", "clean"], "clean"),
    ],
)
def test_wrong_input_is_an_error_without_a_traceback(root, tmp_path, arguments, said):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["clean"]


def test_each_problem_has_a_hint(root, tmp_path):
    done = run("corrupt", root, "--type", "dilate", "--rate", "7", "--objects", "some")
    assert done.stderr.count("error: ") == 2
    assert done.stderr.count("hint: ") == 2


def test_variable_names_the_dataset(root, tmp_path):
    done = run(
        "corrupt", "--type", "dilate", "--rate", "1", cwd=tmp_path, ACTISEG_DATASET=str(root)
    )
    assert done.returncode == 0
    assert done.stdout.startswith(f"dataset: {root} (from $ACTISEG_DATASET)")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may enter every folder")
def test_a_locked_folder_is_an_error_without_a_traceback(root, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    try:
        done = run("corrupt", root, "--type", "dilate", "--rate", "1", "--out", locked / "x")
        assert done.returncode == 2
        assert "Permission denied" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        locked.chmod(0o700)


def test_a_dry_run_finds_the_errors_of_the_run(root, tmp_path):
    flags = ("--type", "dilate", "--rate", "1", "--dry-run", "--out", root / "x")
    assert run("corrupt", root, *flags).returncode == 2


def test_the_help_shows_defaults():
    text = run("corrupt", "--help").stdout
    for default in (
        "Default: 0.",
        "Default: train, or that of the layout.",
        "Default: 0.8.",
        "Default: contest.",
    ):
        assert default in " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize(
    "command",
    [
        *([], ["corrupt"], ["verify"], ["sample"], ["prepare", "visor"]),
        *(["audit"], ["lexicon"], ["lexicon", "build"], ["lexicon", "show"]),
    ],
)
def test_help_loads_no_heavy_library(command):
    code = (
        "import sys\n"
        "from actiseg_noise import cli\n"
        f"sys.argv = ['actiseg-noise', *{command!r}, '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'numpy', 'cv2', 'shapely', 'scipy', 'PIL', 'torch', 'spacy', 'nltk'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_summary_is_json_that_others_can_read(root, tmp_path):
    run("corrupt", root, "--type", "erode", "--rate", "1", "--out", tmp_path / "a")
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert summary["schema"] == "actiseg/summary/1"
    assert summary["noise"]["iou"]["erode"]["n"] == summary["noise"]["selected"]


def test_reports_never_go_into_a_dataset(root, tmp_path):
    out = tmp_path / "noisy"
    assert run("corrupt", root, "--type", "dilate", "--rate", "1", "--out", out).returncode == 0
    before = (root / "ImageSets" / "train.json").read_bytes()
    sequence = next((out / MASKS / "train").iterdir()).name
    for arguments in (
        ("inspect", out, "--json", root / "ImageSets" / "train.json"),
        ("inspect", out, "--json", out / "figures.json"),
        ("inspect", out, "--json", "."),
        ("preview", out, "--sequence", sequence, "--to", root / "sheet.png"),
    ):
        refused = run(*arguments)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
    assert (root / "ImageSets" / "train.json").read_bytes() == before
    json_file, sheet = tmp_path / "figures.json", tmp_path / "sheet.png"
    assert run("inspect", out, "--json", json_file).returncode == 0
    assert json.loads(json_file.read_text())["schema"] == "actiseg/inspection/2"
    made = run("preview", out, "--sequence", sequence, "--to", sheet)
    assert made.returncode == 0, made.stderr
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_presets_and_types_are_listed_and_run(root, tmp_path):
    listed = run("presets")
    assert "smart/de-EAD" in listed.stdout
    assert "66ec5f5" in run("presets", "coco-n/hard").stdout
    assert "fold_margin = 0.95" in run("types", "jitter").stdout
    assert run("presets", "nope").returncode == run("types", "nope").returncode == 2
    made = run(
        "corrupt",
        root,
        "--preset",
        "actiseg-nl/mask-9",
        "--rate",
        "0.5",
        "--seed",
        "3",
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    recipe = read_recipe(tmp_path / "clean_actiseg-nl-mask-9_r0.5_s3" / "recipe.json")
    assert (recipe.seed, recipe.noises[0].rate, recipe.noises[0].overlap) == (3, 0.5, "reference")
    wrong = run("corrupt", root, "--preset", "smart/mar", "--type", "dilate", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "is of type random-contour" in wrong.stderr
