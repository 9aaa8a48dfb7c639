"""Runs that start from a trained net: what they take from it, and when they refuse it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.core.errors import InputError
from reference_trainer.cli.fit_command import fit as fit_by_command
from reference_trainer.config.config_file import read_config
from reference_trainer.inference.predictor import predict
from reference_trainer.inference.trained_model import load_model
from reference_trainer.training.engine import fit, resume
from reference_trainer.training.run_state import assemble_run
from reference_trainer.training.warm_start import digest_parameters, read_warm_start
from tests.helpers.trained import small


def parameters(folder):
    return load_model(folder).model.state_dict()


def test_a_start_gives_its_net_and_its_name(root, start, tmp_path, capsys):
    known = read_warm_start(start)
    assert known.videos == ("P09_01",)
    run = fit(small(root, init=str(start), learning_rate=1e-9, epochs=1), tmp_path / "run")
    assert f"start from {start}: plain, 1 step, 1 video, " in capsys.readouterr().out
    assert run.config.init_digest == known.digest == digest_parameters(parameters(start))
    assert known.digest in (tmp_path / "run" / "config.yaml").read_text()
    ours, theirs = parameters(tmp_path / "run"), parameters(start)
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in theirs)
    # A run on top of this one has seen the videos of both.
    assert read_warm_start(tmp_path / "run").videos == ("P01_01", "P09_01")


def test_a_digest_depends_on_names_shapes_and_values():
    one = {"a": torch.zeros(2), "b": torch.ones(1)}
    others = [
        {"a": torch.zeros(2, 1), "b": torch.ones(1)},
        {"a": torch.zeros(2), "c": torch.ones(1)},
        {"a": torch.zeros(2), "b": torch.zeros(1)},
        {"a": torch.zeros(2, dtype=torch.bfloat16), "b": torch.ones(1)},
    ]
    digests = {digest_parameters(of) for of in (one, *others)}
    assert len(digests) == 5
    assert digest_parameters(dict(reversed(one.items()))) in digests


@pytest.mark.parametrize(
    ("strategy", "warmup"),
    [("gce", 0.0), ("smart", 0.0), ("pmhm", 0.0), ("npn", 1.0), ("npn-10", 0.2)],
)
def test_warm_ups_are_for_cold_starts(root, start, strategy, warmup):
    name, _, epochs = strategy.partition("-")
    epochs = int(epochs or 2)
    assert small(root, strategy=name, epochs=epochs).options["warmup"] > 0
    config = small(root, strategy=name, epochs=epochs, init=str(start))
    assert config.options["warmup"] == pytest.approx(warmup)
    given = small(root, strategy=name, init=str(start), options={"warmup": 0.5})
    assert given.options["warmup"] == 0.5


def test_smarts_teacher_is_the_start(root, start, tmp_path):
    fit(small(root, strategy="smart", init=str(start), epochs=1), tmp_path / "run", quiet=True)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["strategy"]
    theirs = parameters(start)
    assert state.keys() == theirs.keys()
    assert all(torch.equal(state[name], theirs[name]) for name in theirs)


def test_the_second_net_keeps_its_own_heads(root, start, tmp_path):
    config = small(root, strategy="co-teaching", init=str(start))
    one, other = assemble_run(config, tmp_path / "run", read_warm_start(start)).nets
    same = {
        name: torch.equal(value, other.state_dict()[name])
        for name, value in one.state_dict().items()
    }
    assert all(same[name] for name in same if "head" not in name)
    assert not all(same[name] for name in same if name.startswith("mask_head"))


def test_a_warm_run_resumes_without_its_start(root, start, tmp_path):
    config = small(root, init=str(start))
    fit(config, tmp_path / "whole", quiet=True)
    fit(config, tmp_path / "run", quiet=True)
    document = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    text = (tmp_path / "run" / "config.yaml").read_text()
    (tmp_path / "run" / "config.yaml").write_text(text.replace(str(start), "gone"))
    assert resume(tmp_path / "run", quiet=True).start_videos == ("P09_01",)
    assert document["start_videos"] == ["P09_01"]


def test_starts_that_would_give_labels_away_are_refused(root, other_root, start, tmp_path):
    with pytest.raises(InputError, match=r"learned from 1 of the 1 videos of train.*P09_01"):
        fit(small(other_root, init=str(start)), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    fit(small(root, init=str(start), epochs=1), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match=r"started from a net that has learned from 1 of the 1"):
        predict(tmp_path / "run", other_root, "train", tmp_path / "preds")
    assert not (tmp_path / "preds").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": 16}, "give the settings of that run: encoder=tiny, channels=8"),
        ({"init_digest": "0" * 32}, "has the parameters .*, not 0000"),
    ],
)
def test_starts_that_do_not_fit_are_refused(root, start, tmp_path, values, message):
    with pytest.raises(InputError, match=message):
        fit(small(root, init=str(start), **values), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "change", [{"net": {"a": 1}}, {"net": {1: torch.ones(1)}}, {"videos": [1]}]
)
def test_a_damaged_start_is_refused(root, start, tmp_path, change):
    document = torch.load(start / "model.pt", weights_only=True)
    (tmp_path / "start").mkdir()
    torch.save(document | change, tmp_path / "start" / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt: is damaged"):
        read_warm_start(tmp_path / "start")


def test_a_start_that_is_missing_is_refused(root, tmp_path):
    with pytest.raises(
        InputError, match=r"nothing: has no model.pt to start from.*init in config.yaml"
    ):
        fit(small(root, init=str(tmp_path / "nothing")), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="give init"):
        small(root, init_digest="0" * 32)


def test_another_start_than_that_of_a_file_has_its_own_digest(root, start, tmp_path, capsys):
    file = tmp_path / "config.yaml"
    old = small(root, init="away", init_digest="0" * 32, epochs=1)
    file.write_text(old.to_yaml())
    fit_by_command(tmp_path / "run", init=start, config_file=file)
    digest = read_warm_start(start).digest
    assert read_config(tmp_path / "run" / "config.yaml").init_digest == digest
    assert f"init_digest: {digest}" in capsys.readouterr().out
    with pytest.raises(InputError, match="not 0000"):
        fit_by_command(
            tmp_path / "again",
            init=start,
            config_file=file,
            settings=[f"init_digest='{'0' * 32}'"],
            quiet=True,
        )
