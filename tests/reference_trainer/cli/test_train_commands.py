"""The commands of `actiseg-train`, each in a process of its own where imports matter."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial

import pytest

from tests.helpers.command import run as run_command
from tests.helpers.command import run_alone

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.cli import main
from reference_trainer.cli.fit_command import choose_evaluation_split
from reference_trainer.config.config_file import read_values
from reference_trainer.strategies import STRATEGIES

BLOCKED = ("spacy", "nltk", "shapely", "inflect", "actiseg_noise")

_BLOCKING = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED!r}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocker())
from reference_trainer.cli import main
main()
"""


run = partial(run_command, module="reference_trainer.cli")


@pytest.mark.slow
def test_the_commands_from_fit_to_score(root, tmp_path):
    flags = [f"--set={k}={v}" for k, v in (("height", 32), ("width", 48), ("channels", 8))]
    run_blocked = partial(run_alone, cwd=tmp_path, code=_BLOCKING)
    done = run_blocked("fit", root, "--out", "run", "--epochs", 1, *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"dataset: {root} (as named)\n")
    assert "strategy: plain\n" in done.stdout
    assert "5 sequences, 18 prompts, rendered frames" in done.stdout
    assert "floating-point operations" in done.stdout
    assert "training: 100 % (3 of 3 steps), loss " in done.stderr
    done = run_blocked("resume", "run", "--quiet")
    assert done.returncode == 0, done.stderr
    done = run_blocked("predict", "run", root, "--out", "preds", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "next: actiseg-eval score preds" in done.stdout
    lower = ("--activity-threshold", 0, "--out", "low", "--quiet")
    done = run_blocked("threshold", "preds", *lower)
    assert done.returncode == 0, done.stderr
    assert "10 of 10 prompts reach activity 0; " in done.stdout
    assert "of 8 masks are blank; rendered frames, not photographs" in done.stdout
    done = run_command("score", "low", "--quiet", module="actiseg_eval.cli", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing option '--out'"),
        (("--out", "run", "--strategy", "magic"), "use one of plain"),
        (("--out", "run", "--set", "speed=9"), "there is no setting 'speed'"),
        (("--out", "run", "--set", "epochs=many"), "give a whole number"),
        (("--out", "run", "--set", "epochs"), "give key=value"),
        (("--out", "run", "--set", "height=100"), "give a multiple of 16"),
        (("--out", "run", "--set", "options.q=1"), "plain has no option q"),
        (("--out", "run", "--set", "options=3"), "options is 3"),
        (("--out", "run", "--set", "encoder=foo"), "'foo' is unknown"),
        (("--out", "run", "--encoder", "foo"), "error: --encoder: 'foo' is unknown"),
        (("--out", "run", "--encoder", "no_such:net"), "no_such:net cannot be imported"),
        (("--out", "run", "--epochs", "0"), "error: --epochs: 0 is out of range"),
        (("--out", "run", "--set", "epochs=0"), "error: --set: epochs 0 is out of range"),
        (("--out", "run", "--set", "learning_rate=.inf"), "give a finite number"),
        (("--out", "run", "--set", f"learning_rate={'9' * 400}"), "give a number"),
        (("--out", "run", "--split", "nothing"), "there is no split"),
        (("--out", "run", "--prompt-style", "x"), "use one of promptaction"),
        (("--out", "run", "--device", "cuda:7"), "was requested"),
        (("--out", "run", "--arithmetic", "released"), "plain has no option arithmetic"),
    ],
)
def test_wrong_input_is_an_error_with_a_hint(
    root, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "argv", ["actiseg-train", "fit", str(root), *arguments, "--quiet"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_strategies_are_listed_with_their_sources(tmp_path):
    done = run_alone("strategies", cwd=tmp_path, code=_BLOCKING)
    assert done.returncode == 0
    names = [line.partition(":")[0] for line in done.stdout.splitlines() if line[0] != " "]
    controls = [name for name, info in STRATEGIES.items() if info.is_control]
    methods = [name for name in STRATEGIES if name not in controls]
    assert names[:-1] == [*methods, "Controls, which a method must beat", *controls]
    assert done.stdout.count("source: ") == len(STRATEGIES)


def test_paths_are_stored_whole_wherever_they_come_from(root, tmp_path):
    noisy = corrupt(root, make_recipe("dilate", 0.5), out=tmp_path / "noisy").out
    (tmp_path / "config.yaml").write_text(f"dataset: {os.path.relpath(root, tmp_path)}\n")
    flags = [f"--set={k}={v}" for k, v in (("height", 32), ("width", 48), ("channels", 8))]
    flags += ["--set=noisy=noisy", "--config=config.yaml", "--epochs=1", "--quiet"]
    done = run("fit", "--out", "run", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = read_values(tmp_path / "run" / "config.yaml")
    assert (found["dataset"], found["noisy"]) == (str(root.resolve()), str(noisy.resolve()))


def test_old_names_of_settings_work_with_a_note(root, tmp_path):
    (tmp_path / "config.yaml").write_text("clips: 3\nheight: 32\nwidth: 48\nchannels: 8\n")
    flags = ("--config", "config.yaml", "--set", "rate=0.01", "--epochs", 1, "--quiet")
    done = run("fit", root, "--out", "run", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "note: config.yaml: 'clips' is now 'batch_size'\n"
        "note: --set: 'rate' is now 'learning_rate'\n"
    )
    values = read_values(tmp_path / "run" / "config.yaml")
    assert (values["batch_size"], values["learning_rate"]) == (3, 0.01)
    assert not values.keys() & {"clips", "rate"}


def test_the_next_command_names_a_split_that_the_dataset_has(sample, tmp_path):
    assert choose_evaluation_split(open_split(sample, "train")) == "val_human"
    root = tmp_path / "one"
    shutil.copytree(sample, root)
    for path in (root / "ImageSets").glob("val*"):
        path.unlink()
    assert choose_evaluation_split(open_split(root, "train")) == "train"
