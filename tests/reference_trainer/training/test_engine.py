"""Runs: the same weights however often they are stopped, and everything that stops them."""

from __future__ import annotations

import csv
import dataclasses
import errno
import os
import shutil
import signal
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

import yaml

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.config.config_file import read_config, read_values
from reference_trainer.config.old_names import OLD_NAMES
from reference_trainer.inference.trained_model import load_model
from reference_trainer.strategies import STRATEGIES
from reference_trainer.strategies.base import Strategy
from reference_trainer.training import checkpoint, engine
from reference_trainer.training.engine import compute_learning_rate, fit, resume
from reference_trainer.training.run_state import assemble_run, make_model
from reference_trainer.training.warm_start import read_warm_start
from tests.helpers.trained import choose_start, small, weights


@pytest.fixture(scope="module")
def noisy(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("engine") / "noisy"
    return corrupt(root, make_recipe("mixed", 0.6), out=out).out


@pytest.fixture(scope="module")
def undisturbed(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine") / "run"
    fit(small(root), folder, quiet=True)
    return folder


def disturbed(monkeypatch, at, happens):
    """Something happens before the step `at`, once."""
    step = engine.train_step
    done = []

    def doing(run, *arguments):
        if run.step == at and not done:
            done.append(run.step)
            happens()
        return step(run, *arguments)

    monkeypatch.setattr(engine, "train_step", doing)


def die():
    raise KeyboardInterrupt


def same(one, other):
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


LATER = pytest.mark.slow(reason="the same path as another step of its epoch")


@pytest.mark.parametrize("at", [0, 3, 5, *(pytest.param(at, marks=LATER) for at in (1, 2, 4))])
def test_a_run_killed_at_any_step_ends_with_the_same_weights(
    root, undisturbed, tmp_path, monkeypatch, at
):
    """Six steps in two epochs; killed in the first epoch there is no checkpoint yet."""
    disturbed(monkeypatch, at, die)
    with pytest.raises(KeyboardInterrupt):
        fit(small(root), tmp_path / "run", quiet=True)
    resumed = resume(tmp_path / "run", quiet=True)
    assert resumed.step == 6
    same(undisturbed, tmp_path / "run")


def age(folder):
    """Rewrite a run as the release before would have written it."""
    names = {"neck.exchange.": "neck.others.", "prompts.repeated": "prompts.again"}

    def rename(name):
        for new, old in names.items():
            if name.startswith(new):
                return old + name.removeprefix(new)
        return name

    def age_config(text):
        for old, new in OLD_NAMES.items():
            text = text.replace(f"\n{new}:", f"\n{old}:")
        return text.replace("match-focal", "undecided")

    for file in ("checkpoint.pt", "model.pt"):
        document = torch.load(folder / file, weights_only=True)
        document["schema"] = document["schema"].replace("checkpoint/3.", "checkpoint/1.")
        document["config"] = age_config(document["config"])
        del document["videos"], document["start_videos"]
        if "net" in document:
            document["net"] = {rename(name): value for name, value in document["net"].items()}
        torch.save(document, folder / file)
    config = folder / "config.yaml"
    config.write_text(age_config(config.read_text()))


def test_a_model_of_an_earlier_release_predicts_and_its_run_is_refused(copied):
    """Strategies have changed since, so a run that continued would change its method."""
    new = load_model(copied).model.state_dict()
    age(copied)
    assert "rate:" in (copied / "config.yaml").read_text()
    old = load_model(copied).model.state_dict()
    assert all(torch.equal(new[name], old[name]) for name in new | old)
    with pytest.raises(InputError, match="checkpoint/1"):
        resume(copied, quiet=True)
    with pytest.raises(InputError, match="does not say which videos"):
        read_warm_start(copied)


@pytest.mark.parametrize("at", [1, 4])
def test_sigterm_saves_after_the_step(root, undisturbed, tmp_path, monkeypatch, capsys, at):
    disturbed(monkeypatch, at, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as stopped:
        fit(small(root), tmp_path / "run", quiet=True)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert f"stopped by SIGTERM after step {at + 1} of 6, saved" in capsys.readouterr().out
    assert weights(tmp_path / "run")["step"] == at + 1
    assert resume(tmp_path / "run", quiet=True).step == 6
    same(undisturbed, tmp_path / "run")
    assert logged(undisturbed) == logged(tmp_path / "run")


def logged(folder):
    with (folder / "log.csv").open(newline="") as stream:
        return list(csv.reader(stream))


FAST = ("plain", "distil-None", "co-teaching-released", "elr-paper", "pmhm-released")
CASES = [
    pytest.param(
        *(name, arithmetic),
        marks=() if name in FAST or f"{name}-{arithmetic}" in FAST else pytest.mark.slow,
    )
    for name, info in STRATEGIES.items()
    for arithmetic in (("paper", "released") if info.released else (None,))
]


@pytest.mark.parametrize(("name", "arithmetic"), CASES)
def test_every_strategy_remembers_all_that_it_needs(
    root, noisy, start, tmp_path, monkeypatch, name, arithmetic
):
    options = {} if arithmetic is None else {"arithmetic": arithmetic}
    values = {"epochs": 3, **choose_start(name, start)}
    config = small(root, noisy=str(noisy), strategy=name, options=options, **values)
    fit(config, tmp_path / "whole", quiet=True)
    disturbed(monkeypatch, 5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit):
        fit(config, tmp_path / "run", quiet=True)
    resume(tmp_path / "run", quiet=True)
    same(tmp_path / "whole", tmp_path / "run")


def test_all_strategies_deploy_the_same_parameters(root, start, tmp_path):
    counts = set()
    for name in STRATEGIES:
        config = small(root, strategy=name, **choose_start(name, start))
        run = assemble_run(config, tmp_path / name)
        counts.add(run.parameter_count)
    assert len(counts) == 1


def test_the_log_has_each_step_once_and_losses_are_sums(undisturbed):
    rows = logged(undisturbed)
    assert rows[0] == ["step", "epoch", "net", "term", "value"]
    steps = {}
    for step, epoch, net, term, value in rows[1:]:
        assert int(epoch) == int(step) // 3
        assert net == "0"
        assert term not in steps.setdefault(int(step), {})
        steps[int(step)][term] = float(value)
    assert sorted(steps) == list(range(6))
    for terms in steps.values():
        parts = terms["mask"] + terms["dice"] + terms["activity"]
        assert terms["loss"] == pytest.approx(parts, rel=1e-4)


def test_seeds_give_other_runs_and_nets_of_their_own(root, undisturbed, tmp_path):
    fit(small(root, seed=1), tmp_path / "other", quiet=True)
    one, two = weights(undisturbed), weights(tmp_path / "other")
    assert not torch.equal(
        one["nets.0.mask_head.layers.0.weight"], two["nets.0.mask_head.layers.0.weight"]
    )
    config = small(root)
    first, again, second = (make_model(config, number) for number in (0, 0, 1))
    assert torch.equal(first.modulation.weight, again.modulation.weight)
    assert not torch.equal(first.modulation.weight, second.modulation.weight)


@pytest.mark.slow
def test_training_lowers_the_loss(root, tmp_path):
    fit(small(root, epochs=12, augment=False, learning_rate=6e-3), tmp_path / "run", quiet=True)
    losses = [float(row[4]) for row in logged(tmp_path / "run") if row[3] == "loss"]
    assert sum(losses[-3:]) < 0.7 * sum(losses[:3])


def test_a_loss_that_is_no_number_stops_the_run_and_names_sequences(root, tmp_path, monkeypatch):
    run = assemble_run(small(root), tmp_path / "none")
    step = engine.train_step

    def poisoned(run, nets, batch, progress):
        if run.step == 4:
            batch.frames.fill_(float("nan"))
        return step(run, nets, batch, progress)

    monkeypatch.setattr(engine, "train_step", poisoned)
    with pytest.raises(InputError) as refused:
        fit(small(root), tmp_path / "run", quiet=True)
    (problem,) = refused.value.problems
    clips = [run.split.sequences[at].sequence.folder for at in run.loader.select_positions(1, 1)]
    assert all(clip in problem.what for clip in clips)
    assert "epoch 1, step 4" in problem.what
    assert problem.hint.endswith("learning_rate to 0.0005; the checkpoint of step 3 was kept")
    assert weights(tmp_path / "run")["step"] == 3


def test_a_run_refused_before_it_saved_leaves_nothing(root, tmp_path, monkeypatch):
    """So the same command can be given again."""
    step = engine.train_step

    def poisoned(run, nets, batch, progress):
        batch.frames.fill_(float("nan"))
        return step(run, nets, batch, progress)

    monkeypatch.setattr(engine, "train_step", poisoned)
    (tmp_path / "mine").mkdir()
    for name in ("run", "mine"):
        with pytest.raises(InputError, match="no checkpoint was saved"):
            fit(small(root), tmp_path / name, quiet=True)
    monkeypatch.setattr(engine, "train_step", step)
    assert [of.name for of in tmp_path.iterdir()] == ["mine"]
    assert not list((tmp_path / "mine").iterdir())
    copy = shutil.copytree(root, tmp_path / "copy")
    next(copy.glob("JPEGImages_Sparse/*/*/*.jpg")).write_bytes(b"no picture")
    with pytest.raises(InputError, match="not a readable image"):
        fit(small(copy), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    assert fit(small(root, epochs=1), tmp_path / "run", quiet=True).step == 3


def test_a_disk_that_is_full_from_the_start_is_told_as_such(root, tmp_path, monkeypatch):
    def fails(document, stream):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(
        InputError, match=r"\); no checkpoint was saved\. Hint: free disk space, then train again"
    ):
        fit(small(root), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_model_that_was_not_written_is_written_on_resume(
    root, undisturbed, tmp_path, monkeypatch
):
    real = torch.save

    def fails(document, stream):
        if document["step"] == 6 and "net" in document:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(document, stream)

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(InputError, match="the checkpoint of step 6 was kept"):
        fit(small(root), tmp_path / "run", quiet=True)
    assert checkpoint.load_checkpoint(tmp_path / "run" / "model.pt")["step"] == 3
    monkeypatch.setattr(torch, "save", real)
    resume(tmp_path / "run", quiet=True)
    ours, theirs = (
        checkpoint.load_checkpoint(of / "model.pt") for of in (tmp_path / "run", undisturbed)
    )
    assert ours["step"] == 6
    assert all(torch.equal(ours["net"][name], theirs["net"][name]) for name in theirs["net"])


def test_a_full_disk_leaves_the_last_good_checkpoint(root, undisturbed, tmp_path, monkeypatch):
    save = torch.save
    full = []

    def fails(document, stream):
        full.append(document["step"])
        if document["step"] == 6:
            stream.write(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(document, stream)

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(InputError, match=r"No space left on device\); the checkpoint of step 3"):
        fit(small(root), tmp_path / "run", quiet=True)
    assert weights(tmp_path / "run")["step"] == 3
    assert {of.name for of in (tmp_path / "run").iterdir()} >= {"checkpoint.pt", "model.pt"}
    assert not list((tmp_path / "run").glob("*.draft"))
    monkeypatch.setattr(torch, "save", save)
    assert resume(tmp_path / "run", quiet=True).handled == {}
    same(undisturbed, tmp_path / "run")


def test_a_checkpoint_that_fails_on_the_way_is_counted(root, undisturbed, tmp_path, monkeypatch):
    save = torch.save

    def fails(document, stream):
        if document["step"] == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(document, stream)

    monkeypatch.setattr(torch, "save", fails)
    run = fit(small(root), tmp_path / "run", quiet=True)
    assert run.handled == {"checkpoints_not_written": 1}
    same(undisturbed, tmp_path / "run")


def test_memory_that_runs_out_is_told_with_what_to_lower(root, tmp_path, monkeypatch):
    def exhausted(*arguments):
        raise torch.OutOfMemoryError("tried to allocate 20 GiB")

    monkeypatch.setattr(engine, "train_step", exhausted)
    with pytest.raises(InputError, match=r"memory of cpu ran out.*batch_size=1, max_prompts=6"):
        fit(small(root), tmp_path / "run", quiet=True)
    least = {"batch_size": 1, "max_frames": 1, "max_prompts": 3}
    with pytest.raises(InputError, match=r"one or more settings: max_prompts=1\n?$"):
        fit(small(root, **least), tmp_path / "run", quiet=True)


@pytest.fixture
def copied(undisturbed, tmp_path):
    return shutil.copytree(undisturbed, tmp_path / "copied")


def test_a_checkpoint_cut_short_is_refused(copied):
    whole = (copied / "checkpoint.pt").read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 100):
        (copied / "checkpoint.pt").write_bytes(whole[:size])
        with pytest.raises(InputError, match="damaged, truncated or not a checkpoint"):
            resume(copied, quiet=True)


def test_code_in_a_checkpoint_is_never_run(copied):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(copied / "run by a checkpoint"),)

    torch.save({"schema": checkpoint.SCHEMA, "evil": Evil()}, copied / "checkpoint.pt")
    with pytest.raises(InputError, match="not a checkpoint"):
        resume(copied, quiet=True)
    assert not (copied / "run by a checkpoint").exists()


def test_a_run_of_another_version_is_refused(copied):
    document = torch.load(copied / "checkpoint.pt", weights_only=True)
    document |= {"schema": "actiseg/checkpoint/99", "toolkit": "9.9"}
    torch.save(document, copied / "checkpoint.pt")
    with pytest.raises(InputError, match=r"by actiseg 9\.9.*checkpoint/99"):
        resume(copied, quiet=True)


def test_other_settings_or_another_dataset_are_refused(root, copied, tmp_path):
    file = copied / "config.yaml"
    told = file.read_text()
    file.write_text(told.replace("seed: 0", "seed: 5"))
    with pytest.raises(InputError, match=r"with other settings.*: seed was 0"):
        resume(copied, quiet=True)
    moved = shutil.copytree(root, tmp_path / "moved")
    document = read_json(moved / IMAGE_SETS / "train.json", "list")
    document[0]["narration"] = "take another cup"
    (moved / IMAGE_SETS / "train.json").write_text(str(document).replace("'", '"'))
    run = tmp_path / "run"
    fit(small(moved, epochs=1), run, quiet=True)
    shutil.copyfile(root / IMAGE_SETS / "train.json", moved / IMAGE_SETS / "train.json")
    with pytest.raises(InputError, match="differs from the one at the start of this run"):
        resume(run, quiet=True)


def change_mask(root):
    path = next(root.glob("Annotations_Sparse/train/*/*.png"))
    write_index_mask(path, np.zeros_like(read_index_mask(path)))


def change_prompt(root):
    path = root / IMAGE_SETS / "train_meta_expressions_promptaction.json"
    text = path.read_text()
    assert "take cup" in text
    path.write_text(text.replace("take cup", "put cup", 1))


def change_frame(root):
    path = next(root.glob("JPEGImages_Sparse/train/*/*.jpg"))
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize("change", [change_mask, change_prompt, change_frame])
def test_labels_that_changed_since_are_refused(root, noisy, tmp_path, change):
    """In the dataset, and in a noisy copy without a recipe, such as ActiSeg-NL's own files."""
    clean = shutil.copytree(root, tmp_path / "clean")
    changed = clean
    values = {}
    if change is not change_frame:
        changed = shutil.copytree(noisy, tmp_path / "noisy", symlinks=False)
        for name in ("recipe.json", "summary.json"):
            (changed / name).unlink()
        values = {"noisy": str(changed)}
    fit(small(clean, epochs=1, **values), tmp_path / "run", quiet=True)
    assert resume(tmp_path / "run", quiet=True).step == 3
    change(changed)
    with pytest.raises(InputError, match="masks or frames have changed"):
        resume(tmp_path / "run", quiet=True)


def test_a_run_goes_on_elsewhere_with_other_means(root, noisy, tmp_path, monkeypatch):
    fit(small(root, noisy=str(noisy)), tmp_path / "whole", quiet=True)
    clean, copy = (shutil.copytree(of, tmp_path / of.name) for of in (root, noisy))
    disturbed(monkeypatch, 4, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit):
        fit(small(clean, noisy=str(copy)), tmp_path / "run", quiet=True)
    moved = {"dataset": clean, "noisy": copy}
    for name, path in moved.items():
        moved[name] = path.rename(tmp_path / f"{path.name} elsewhere")
    file = tmp_path / "run" / "config.yaml"
    values = read_values(file) | {name: str(path) for name, path in moved.items()}
    values |= {"threads": 3, "memory_mib": 1, "save_minutes": 99.0, "device": "auto"}
    file.write_text(yaml.safe_dump(values))
    assert resume(tmp_path / "run", quiet=True).step == 6
    same(tmp_path / "whole", tmp_path / "run")


def test_every_option_of_a_strategy_stands_in_the_configuration(root, tmp_path):
    for name, info in STRATEGIES.items():
        config = small(root, strategy=name)
        assert config.options == dataclasses.asdict(info.options())
        assert small(root, strategy=name, options=config.options) == config
    fit(small(root, strategy="gce", epochs=1), tmp_path / "run", quiet=True)
    saved = read_values(tmp_path / "run" / "config.yaml")["options"]
    assert saved.keys() == {of.name for of in dataclasses.fields(STRATEGIES["gce"].options)}


def without(name):
    return lambda document: document.pop(name)


def replaced(name, value):
    return lambda document: document.update({name: value})


def shortened(*path):
    def change(document):
        for of in path[:-1]:
            document = document[of]
        document[path[-1]] = document[path[-1]].flatten()[:-1]

    return change


@pytest.mark.parametrize(
    "damage",
    [
        *map(without, ("config", "content", "nets", "optimisers", "strategy", "handled", "step")),
        *(replaced("step", value) for value in (10**9, 0, -1, "3", 3.0, True)),
        *(replaced(name, []) for name in ("nets", "optimisers", "strategy", "config")),
        replaced("nets", [[]]),
        replaced("optimisers", [{}]),
        replaced("optimisers", [{"state": {10**6: {}}}]),
        replaced("optimisers", [{"state": {0: {"step": 1}}}]),
        replaced("strategy", {}),
        replaced("handled", {"odd": None}),
        *(replaced("config", text) for text in ("[1]", "a: [", "encoder: foo", "2001-99-99")),
        shortened("nets", 0, "modulation.weight"),
        shortened("optimisers", 0, "state", 3, "exp_avg"),
        shortened("strategy", "targets"),
    ],
)
def test_a_checkpoint_without_all_its_members_is_refused(remembering, tmp_path, damage):
    copy = shutil.copytree(remembering, tmp_path / "copy")
    document = torch.load(copy / "checkpoint.pt", weights_only=True)
    damage(document)
    torch.save(document, copy / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt"):
        resume(copy, quiet=True)


@pytest.fixture(scope="module")
def remembering(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine") / "run"
    fit(small(root, strategy="elr", epochs=1), folder, quiet=True)
    return folder


def test_operations_are_counted_anew_in_each_phase(root, tmp_path, monkeypatch):
    """A warm-up that ends within an epoch: what follows costs more, from that step on."""
    monkeypatch.setattr(Strategy, "get_phase", lambda self, progress: int(progress.step >= 4))
    counted = []
    step = engine.train_step

    def costly(run, nets, batch, progress):
        counted.append(nets is run.nets)
        told = step(run, nets, batch, progress)
        if progress.step >= 4:
            _ = torch.ones(100, 100) @ torch.ones(100, 100_000)  # 2e9 operations
        return told

    monkeypatch.setattr(engine, "train_step", costly)
    run = fit(small(root), tmp_path / "run", quiet=True)
    assert counted == [True, False, False, True, True, False]
    assert run.flops > 4e9


def test_folders_that_hold_something_are_refused(root, undisturbed, tmp_path, noisy):
    with pytest.raises(InputError, match=r"already exists.*actiseg-train resume"):
        fit(small(root), undisturbed, quiet=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="give another folder as out"):
        fit(small(root), tmp_path / "full", quiet=True)
    with pytest.raises(InputError, match="is inside a dataset"):
        fit(small(root), noisy / "run", quiet=True)
    with pytest.raises(InputError, match="is inside a dataset"):
        fit(small(root), root / "runs" / "run", quiet=True)
    with pytest.raises(InputError, match="is the clean dataset itself"):
        fit(small(root, noisy=f"{root}/../{root.name}"), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="is not a run"):
        resume(tmp_path / "full", quiet=True)
    assert not (noisy / "run").exists()


def test_unknown_strategies_and_devices_are_refused_before_anything_is_made(root, tmp_path):
    with pytest.raises(InputError, match=r"strategy 'magic' is unknown.*plain, .*pmhm"):
        fit(small(root, strategy="magic"), tmp_path / "run", quiet=True)
    with pytest.raises(
        InputError, match=r"device: 'toaster' is unknown\. Hint: use one of auto, cpu, cuda"
    ):
        fit(small(root, device="toaster"), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="'meta' is unknown"):
        fit(small(root, device="meta"), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="'cdua' is unknown; did you mean 'cuda'"):
        fit(small(root, device="cdua:1"), tmp_path / "run", quiet=True)
    for name in ("cuda:x", "auto:1"):
        with pytest.raises(InputError, match=f"there is no device '{name}'.*use one of auto"):
            fit(small(root, device=name), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(root, tmp_path):
    with pytest.raises(InputError, match=r"cuda was requested.*sees no CUDA device"):
        fit(small(root, device="cuda"), tmp_path / "run", quiet=True)


def test_the_configuration_of_a_run_can_be_read_again(root, undisturbed):
    assert read_config(undisturbed / "config.yaml") == small(root)


def test_the_rate_rises_and_falls():
    config = small("anywhere", learning_rate=2.0, warmup=0.25)
    rates = [compute_learning_rate(config, step, 100) for step in range(100)]
    assert rates[:25] == pytest.approx([2.0 * (n + 1) / 25 for n in range(25)])
    assert rates[25] == pytest.approx(2.0)
    assert rates[62] == pytest.approx(2.0 * 0.5, rel=0.03)
    assert all(a > b > 0 for a, b in pairwise(rates[25:]))
