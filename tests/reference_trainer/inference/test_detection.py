"""Wrong labels found by losses: right by a count by hand, for every strategy that was trained."""

from __future__ import annotations

import json
import sys
import types
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.core.errors import InputError
from actiseg_data.core.statistics import compute_auroc, compute_precision_at
from actiseg_data.records.ledger_record import read_ledger
from actiseg_eval.resampling.rankings import Auroc, find_ranking_value
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.batches.loader import (
    BatchLoader,
    BatchSettings,
    decode_sequence,
    normalise_frames,
)
from reference_trainer.batches.mask_grid import sample_grid
from reference_trainer.batches.tokens import tokenise
from reference_trainer.batches.training_split import open_training_split
from reference_trainer.inference import detection
from reference_trainer.inference.detection import ObjectSignals, detect, rank_signals
from reference_trainer.inference.trained_model import load_model
from reference_trainer.training import run_state
from reference_trainer.training.engine import fit
from reference_trainer.training.memorisation import _choose_sequences
from tests.helpers import numpy_strategies
from tests.helpers.command import run as run_command
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.roots import make_root
from tests.helpers.trained import _rendered, small
from tests.reference_trainer.training.test_engine import die, disturbed

run = partial(run_command, module="reference_trainer.cli")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detect")
    clips = [kitchen_clip(at, video=f"P{at:02d}_01") for at in range(1, 7)]
    return _rendered(make_root(folder / "clean", clips))


@pytest.fixture(scope="module")
def noisy(kitchen, tmp_path_factory):
    recipe = make_recipe("mixed", 0.5, target_iou=0.5)
    return corrupt(kitchen, recipe, out=tmp_path_factory.mktemp("detect") / "noisy").out


@pytest.fixture(scope="module")
def trained(kitchen, noisy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("detect") / "run"
    fit(small(kitchen, noisy=str(noisy), epochs=1), folder, quiet=True)
    return folder


scored = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=20)


@given(scored)
def test_the_area_is_that_of_the_evaluator(items):
    scores, positive = (np.array(part) for part in zip(*items, strict=True))
    mine = compute_auroc(scores.astype(float), positive)
    other = find_ranking_value(Auroc, scores.astype(float), positive)
    assert (mine is None and np.isnan(other)) or mine == pytest.approx(other)


@given(scored, st.integers(1, 20), st.integers(0, 100))
def test_precision_is_the_mean_over_random_orders_of_equal_scores(items, count, seed):
    scores, positive = (np.array(part) for part in zip(*items, strict=True))
    random = np.random.default_rng(seed)
    found = compute_precision_at(scores.astype(float), positive, count)
    drawn = []
    for _ in range(30):
        order = sorted(range(len(scores)), key=lambda at: (-scores[at], random.random()))
        drawn.append(positive[order[:count]].mean())
    if len(set(scores)) == len(scores):
        assert found == pytest.approx(drawn[0])
    assert min(drawn) - 0.5 <= found <= max(drawn) + 0.5
    assert compute_precision_at(scores.astype(float), positive, 99) == pytest.approx(
        positive.mean()
    )


def test_wrong_labels_are_those_of_the_ledger(noisy, trained):
    restored = detection._restore(trained, None, None, "cpu")
    rows = list(read_ledger(noisy / "ledger.jsonl"))
    wrong = detection.find_wrong_labels(restored.split.sequences, rows, 0.9)
    flips = {(row.sequence, row.object_id) for row in rows if row.kind == "category"}
    expected, masks = [], []
    clean = restored.split.clean
    for item in restored.split.sequences:
        truths = clean.read_masks(item.sequence)
        labels = restored.split.labels.read_masks(item.sequence)
        for prompt in item.prompts:
            expected.append((item.sequence.folder, prompt.object_id) in flips)
            pairs = [
                (truth == prompt.object_id, label == prompt.object_id)
                for truth, label in zip(truths, labels, strict=True)
            ]
            ious = [(a & b).sum() / (a | b).sum() if (a | b).any() else 1.0 for a, b in pairs]
            selected = {row.object_id for row in rows if row.sequence == item.sequence.folder}
            masks.append(prompt.object_id in selected and np.mean(ious) < 0.9)
    assert wrong["prompts"].tolist() == expected
    assert sum(expected) > 2
    # A label that only lost pixels to a noisy neighbour has no row.
    assert (wrong["masks"] <= np.array(masks)).all()
    assert wrong["masks"].sum() > 2
    assert "activity" not in wrong


def test_sister_terms_are_wrong_names(kitchen, tmp_path):
    """They keep the class id, so class ids do not tell them, neither here nor to the meter."""
    recipe = make_recipe("text", 1.0, flip="sister")
    copy = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    rows = list(read_ledger(copy / "ledger.jsonl"))
    assert all(row.class_id == row.class_id_org for row in rows)
    flips = {(row.sequence, row.object_id) for row in rows if row.kind == "category"}
    assert 0 < len(flips) < len(rows)
    split = open_training_split(kitchen, "train", noisy=copy)
    items = [(x.sequence.folder, p.object_id) for x in split.sequences for p in x.prompts]
    wrong = detection.find_wrong_labels(split.sequences, rows)
    assert wrong["prompts"].tolist() == [item in flips for item in items]
    settings = BatchSettings((64, 64), 1, 2, 8, False, False, 0, 0)
    metered = _choose_sequences(BatchLoader(split, settings), 0)
    active = {
        (x.sequence.folder, p.object_id) for x in split.sequences for p in x.prompts if p.positive
    }
    assert sum(int(item.flipped.sum()) for item in metered) == len(flips & active)


def test_the_losses_of_plain_are_those_of_an_independent_version(trained):
    restored = detection._restore(trained, None, None, "cpu")
    rows = list(read_ledger(Path(restored.config.noisy) / "ledger.jsonl"))
    signals = detection.measure_signals(restored, rows)
    net = load_model(trained, "cpu").model
    options, grid = restored.strategy.options, restored.loader.settings.grid
    expected = {name: [] for name in ("loss", "activity", "masks")}
    for position in restored.loader.draw_order(0):
        item = restored.split.sequences[position]
        frames = decode_sequence(restored.split, item.sequence, restored.config.size).frames
        tokens = torch.from_numpy(np.stack([tokenise(each.text) for each in item.prompts]))
        with torch.inference_mode():
            output = net(torch.from_numpy(normalise_frames(frames))[None], tokens[None])
        labels = [
            sample_grid(mask, grid) for mask in restored.split.labels.read_masks(item.sequence)
        ]
        for row, prompt in enumerate(item.prompts):
            y = (np.stack(labels) == prompt.object_id) * float(prompt.positive)
            z = output.masks[0, row].numpy().astype(float)
            p = 1 / (1 + np.exp(-z))
            mask = numpy_strategies.focal(z, y).mean()
            dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
            z = output.activity[0, row].numpy().astype(float)
            activity = numpy_strategies.focal(z, np.array(float(prompt.positive)))
            expected["activity"].append(activity)
            expected["masks"].append(mask + dice)
            total = options.mask * mask + options.dice * dice + options.activity * activity
            expected["loss"].append(total)
    for name, values in expected.items():
        assert signals.signals[name] == pytest.approx(np.array(values), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("strategy", ["elr", "co-teaching", "npn", "smart", "pmhm"])
def test_every_kind_of_strategy_has_a_loss_for_each_prompt(kitchen, noisy, tmp_path, strategy):
    fit(small(kitchen, noisy=str(noisy), epochs=1, strategy=strategy), tmp_path / "r", quiet=True)
    report = detect(tmp_path / "r", device="cpu")
    kinds = {(row.wrong, row.among, row.signal) for row in report.detections}
    assert ("prompts", "active", "loss") in kinds
    assert ("masks", "active", "loss") in kinds
    assert ("masks", "all", "loss") not in kinds
    assert all(0 <= row.auroc <= 1 and 0 <= row.precision <= 1 for row in report.detections)


def test_a_signal_that_knows_finds_all_and_noise_finds_the_share():
    random = np.random.default_rng(0)
    wrong = random.random(4000) < 0.2
    signals = ObjectSignals(
        {"loss": wrong * 1.0, "activity": random.random(4000), "masks": np.zeros(4000)},
        active=np.ones(4000, bool),
        activity=np.full(4000, 0.5),
        wrong={"prompts": wrong},
    )
    detections, notes = rank_signals(signals)
    rows = {row.signal: row for row in detections if row.among == "all"}
    assert (rows["loss"].auroc, rows["loss"].precision, rows["loss"].count) == (1, 1, wrong.sum())
    assert rows["activity"].auroc == pytest.approx(0.5, abs=0.03)
    assert rows["masks"].auroc == 0.5
    assert rows["masks"].precision == pytest.approx(wrong.mean())
    assert any("cleanlab" in note for note in notes) == ("cleanlab activity" not in rows)


def test_cleanlab_is_a_line_where_it_is_installed(monkeypatch):
    module = types.ModuleType("cleanlab.rank")
    module.get_label_quality_scores = lambda labels, chances: chances[range(len(labels)), labels]
    monkeypatch.setitem(sys.modules, "cleanlab", types.ModuleType("cleanlab"))
    monkeypatch.setitem(sys.modules, "cleanlab.rank", module)
    wrong = np.array([True, False, True, False])
    signals = ObjectSignals(
        {"loss": np.zeros(4)},
        active=np.array([True, True, False, False]),
        activity=np.array([0.1, 0.9, 0.8, 0.2]),
        wrong={"activity": wrong},
    )
    detections, notes = rank_signals(signals)
    assert not notes
    (row,) = (row for row in detections if row.signal == "cleanlab activity" and row.among == "all")
    assert (row.auroc, row.precision) == (1, 1)


def test_runs_without_known_errors_are_refused(kitchen, noisy, trained, tmp_path):
    fit(small(kitchen, epochs=1), tmp_path / "clean", quiet=True)
    with pytest.raises(InputError, match="was trained on clean labels"):
        detect(tmp_path / "clean")
    with pytest.raises(InputError, match="is not a run with a checkpoint"):
        detect(tmp_path)
    other = corrupt(kitchen, make_recipe("dilate", 0.5), out=tmp_path / "other").out
    with pytest.raises(InputError, match="noisy copy differs"):
        detect(trained, noisy=other)
    for wrong in ({"top": 0}, {"mask_iou": 0}):
        with pytest.raises(InputError, match=r"is less than 1|is outside"):
            detect(trained, **wrong)
    ledger = noisy / "ledger.jsonl"
    ledger.rename(tmp_path / "kept")
    try:
        with pytest.raises(InputError, match="no label is known to be wrong"):
            detect(trained)
    finally:
        (tmp_path / "kept").rename(ledger)


def test_an_unfinished_run_says_so_and_needs_no_pretrained_weights(
    kitchen, noisy, tmp_path, monkeypatch
):
    disturbed(monkeypatch, 3, die)
    with pytest.raises(KeyboardInterrupt):
        fit(small(kitchen, noisy=str(noisy), epochs=2, batch_size=3), tmp_path / "run", quiet=True)
    build = run_state.build_encoder

    def build_untrained(name, size, *, pretrained):
        assert not pretrained
        return build(name, size)

    monkeypatch.setattr(run_state, "build_encoder", build_untrained)
    assert detect(tmp_path / "run").notes[0] == "the run has done 2 of its 4 steps"


def test_the_command_prints_a_table_and_writes_json(kitchen, noisy, trained, tmp_path):
    done = run(
        *("detect", trained, kitchen, "--noisy", noisy, "--top", "3", "--device", "cpu"),
        *("--quiet", "--json", "out.json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "wrong labels by the losses of plain" in done.stdout
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == "actiseg/detection/1"
    assert {row["count"] for row in document["detections"]} == {3}
