"""Settings of controls: runs that end early, on untouched labels, and with the start as teacher."""

from __future__ import annotations

import csv
import os
import signal

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.core.errors import InputError
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.config.run_config import Config
from reference_trainer.inference.detection import detect
from reference_trainer.inference.trained_model import load_model
from reference_trainer.training import engine
from reference_trainer.training.engine import fit, resume
from reference_trainer.training.warm_start import read_warm_start
from tests.helpers.trained import small, weights


@pytest.fixture(scope="module")
def noisy(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("controls") / "noisy"
    return corrupt(root, make_recipe("mixed", 0.5), out=out).out


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """A run of six steps in two epochs, and its net before each step."""
    states = []
    train_step = engine.train_step

    def remember(run, *arguments):
        state = run.nets[0].state_dict()
        states.append({name: value.clone() for name, value in state.items()})
        return train_step(run, *arguments)

    folder = tmp_path_factory.mktemp("controls") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "train_step", remember)
        fit(small(root), folder, quiet=True)
    return folder, states


def read_log(folder):
    with (folder / "log.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def stop_before(monkeypatch, step):
    """A signal before a step, once."""
    train_step = engine.train_step
    done = []

    def send(run, *arguments):
        if run.step == step and not done:
            done.append(step)
            os.kill(os.getpid(), signal.SIGTERM)
        return train_step(run, *arguments)

    monkeypatch.setattr(engine, "train_step", send)


@pytest.mark.parametrize(("share", "last"), [(0.5, 3), (0.7, 4), (0.01, 1)])
def test_a_run_that_ends_early_is_the_beginning_of_the_whole_run(
    root, whole, tmp_path, share, last
):
    """At the end of an epoch, within one, and at once: rates, losses and weights."""
    folder, states = whole
    run = fit(small(root, stop_after=share), tmp_path / "run", quiet=True)
    assert (run.step, run.last_step, run.steps) == (last, last, 6)
    first = [row for row in read_log(folder) if int(row["step"]) < last]
    assert read_log(tmp_path / "run") == first
    net = load_model(tmp_path / "run").model.state_dict()
    assert all(torch.equal(value, states[last][name]) for name, value in net.items())
    assert weights(tmp_path / "run")["step"] == last


def test_a_run_that_ended_early_is_finished(root, tmp_path, capsys):
    fit(small(root, stop_after=0.5), tmp_path / "run")
    assert "3 of 6 steps (stop_after 0.5)" in capsys.readouterr().out
    before = load_model(tmp_path / "run").model.state_dict()
    assert resume(tmp_path / "run").step == 3
    told = "note: this run is finished: it has done 3 of 6 steps (stop_after 0.5)"
    assert told in capsys.readouterr().out
    net = load_model(tmp_path / "run").model.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in net.items())


def test_a_run_that_will_end_early_resumes(root, whole, tmp_path, monkeypatch, capsys):
    stop_before(monkeypatch, 1)
    with pytest.raises(SystemExit):
        fit(small(root, stop_after=0.7), tmp_path / "run", quiet=True)
    assert "stopped by SIGTERM after step 2 of 4" in capsys.readouterr().out
    assert resume(tmp_path / "run", quiet=True).step == 4
    net = load_model(tmp_path / "run").model.state_dict()
    assert all(torch.equal(value, whole[1][4][name]) for name, value in net.items())
    text = (tmp_path / "run" / "config.yaml").read_text()
    (tmp_path / "run" / "config.yaml").write_text(text.replace("stop_after: 0.7", "stop_after: 1"))
    with pytest.raises(InputError, match=r"stop_after was 0\.7"):
        resume(tmp_path / "run", quiet=True)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("nan")])
def test_shares_of_a_run_are_above_0_and_at_most_1(root, share):
    with pytest.raises(InputError, match=r"stop_after.*give a share above 0, at most 1"):
        small(root, stop_after=share)


# Untouched labels.


def test_a_run_on_untouched_labels_says_what_it_leaves_out(root, noisy, tmp_path, capsys):
    config = small(root, noisy=str(noisy), labels="untouched")
    fit(config, tmp_path / "run")
    assert "changed prompts left out" in capsys.readouterr().out
    assert "labels: untouched" in (tmp_path / "run" / "config.yaml").read_text()
    # The meter measures the noise that the run does not see.
    terms = {row["term"] for row in read_log(tmp_path / "run")}
    assert {"noisy_pixels_as_labelled", "noisy_pixels_as_true"} <= terms
    assert "flipped_iou_noisy_prompt" in terms
    with pytest.raises(InputError, match="was trained on untouched labels alone"):
        detect(tmp_path / "run")


def test_a_run_on_untouched_labels_resumes(root, noisy, tmp_path, monkeypatch):
    config = small(root, noisy=str(noisy), labels="untouched")
    fit(config, tmp_path / "whole", quiet=True)
    stop_before(monkeypatch, 1)
    with pytest.raises(SystemExit):
        fit(config, tmp_path / "run", quiet=True)
    resume(tmp_path / "run", quiet=True)
    expected = weights(tmp_path / "whole")
    assert all(
        torch.equal(value, expected[name]) for name, value in weights(tmp_path / "run").items()
    )


def test_labels_are_all_or_untouched_by_noise(root, noisy):
    with pytest.raises(InputError, match=r"'clean' is out of range.*give all or untouched"):
        Config(str(root), noisy=str(noisy), labels="clean")
    with pytest.raises(InputError, match=r"clean labels are all untouched.*give noisy"):
        Config(str(root), labels="untouched")


# Distillation from the start.


def test_the_teacher_of_distillation_is_the_start(root, start, tmp_path):
    config = small(root, strategy="distil", init=str(start), epochs=1)
    fit(config, tmp_path / "run", quiet=True)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["strategy"]
    theirs = read_warm_start(start).net
    assert state.keys() == theirs.keys()
    assert all(torch.equal(state[name], theirs[name]) for name in theirs)
    first = {row["term"]: float(row["value"]) for row in read_log(tmp_path / "run")[:8]}
    assert first["start_masks"] == pytest.approx(0, abs=1e-6)


def test_distillation_without_a_start_is_refused(root, tmp_path):
    with pytest.raises(InputError, match=r"init: distil stays near the net"):
        fit(small(root, strategy="distil"), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
