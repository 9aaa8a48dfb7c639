"""The meter of memorised noise: right by a count by hand, and without effect on training."""

from __future__ import annotations

import csv
from collections import defaultdict

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import read_ledger
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.batches.loader import decode_sequence, normalise_frames
from reference_trainer.batches.mask_grid import sample_grid
from reference_trainer.batches.tokens import tokenise
from reference_trainer.batches.training_split import open_training_split, read_clean_prompts
from reference_trainer.inference.trained_model import load_model
from reference_trainer.training import memorisation
from reference_trainer.training.engine import fit, resume
from reference_trainer.training.run_state import assemble_run
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.roots import make_root
from tests.helpers.trained import _rendered, small, weights


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meter")
    frames = tuple(f"frame_{at:010d}" for at in (5, 15, 25))
    clips = [kitchen_clip(at, video=f"P{at:02d}_01", frames=frames) for at in range(1, 7)]
    return _rendered(make_root(folder / "clean", clips))


@pytest.fixture(scope="module")
def noisy(kitchen, tmp_path_factory):
    recipe = make_recipe("mixed", 0.5, target_iou=0.5)
    return corrupt(kitchen, recipe, out=tmp_path_factory.mktemp("meter") / "noisy").out


@pytest.fixture(scope="module")
def metered(kitchen, noisy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("meter") / "run"
    return fit(small(kitchen, noisy=str(noisy)), folder, quiet=True)


def read_figures(folder):
    """The figures of the meter by epoch."""
    figures = defaultdict(dict)
    with (folder / "log.csv").open() as stream:
        for row in csv.DictReader(stream):
            if row["term"].startswith(("noisy_", "flipped_")):
                assert row["term"] not in figures[int(row["epoch"])]
                figures[int(row["epoch"])][row["term"]] = float(row["value"])
    return dict(figures)


def test_each_epoch_has_the_figures_of_both_kinds_of_noise(metered):
    figures = read_figures(metered.folder)
    assert sorted(figures) == [0, 1]
    for row in figures.values():
        shares = [row[f"noisy_pixels_as_{name}"] for name in ("labelled", "true", "neither")]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        for figure in ("iou", "activity"):
            for prompt in ("noisy", "clean"):
                assert 0 <= row[f"flipped_{figure}_{prompt}_prompt"] <= 1


def test_the_figures_are_those_of_a_count_by_hand(kitchen, noisy, metered):
    """All frames by loops over pixels, with the net of the last epoch."""
    split = open_training_split(kitchen, "train", noisy=noisy)
    net = load_model(metered.folder, "cpu").model
    config = metered.config
    grid = (config.height // 4, config.width // 4)
    flips = {
        (row.sequence, row.object_id)
        for row in read_ledger(noisy / "ledger.jsonl")
        if row.kind == "category"
    }
    pixels, ious, chances = [], defaultdict(list), defaultdict(list)
    for item, clean in zip(split.sequences, read_clean_prompts(split), strict=True):
        chosen = [0, 2]  # two of three frames
        frames = decode_sequence(split, item.sequence, config.size).frames[chosen]
        images = torch.from_numpy(normalise_frames(frames))[None]
        outputs = []
        for prompts in (item.prompts, clean.prompts):
            assert [each.object_id for each in prompts] == [each.object_id for each in item.prompts]
            tokens = torch.from_numpy(np.stack([tokenise(each.text) for each in prompts]))[None]
            with torch.inference_mode():
                output = net(images, tokens)
            outputs.append((output.masks[0].numpy(), torch.sigmoid(output.activity[0]).numpy()))
        labels = [
            [sample_grid(mask, grid) for mask in source.iterate_masks(each.sequence)]
            for source, each in ((split.labels, item), (split.clean, clean))
        ]
        active = {label.object_id for label in clean.sequence.objects if label.positive}
        for position, frame in enumerate(chosen):
            for place in np.ndindex(*grid):
                wrong, right = (int(masks[frame][place]) for masks in labels)
                wrong, right = (number if number in active else 0 for number in (wrong, right))
                if wrong != right:
                    scores = outputs[0][0][:, position, place[0], place[1]]
                    row = int(scores.argmax())
                    predicted = item.prompts[row].object_id if scores[row] >= 0 else 0
                    pixels.append((predicted == wrong, predicted == right))
        for row, prompt in enumerate(item.prompts):
            if (
                prompt.object_id not in active
                or (clean.sequence.folder, prompt.object_id) not in flips
            ):
                continue
            true = np.stack([labels[1][frame] == prompt.object_id for frame in chosen])
            for name, (masks, activity) in zip(("noisy", "clean"), outputs, strict=True):
                predicted = masks[row] >= 0
                if (predicted | true).any():
                    ious[name].append((predicted & true).sum() / (predicted | true).sum())
                chances[name].append(activity[row])
    found = read_figures(metered.folder)[1]
    assert len(pixels) > 20
    assert len(chances["noisy"]) > 2
    labelled, true = np.mean(pixels, axis=0)
    assert found["noisy_pixels_as_labelled"] == pytest.approx(labelled, abs=1e-5)
    assert found["noisy_pixels_as_true"] == pytest.approx(true, abs=1e-5)
    for name in ("noisy", "clean"):
        assert found[f"flipped_iou_{name}_prompt"] == pytest.approx(np.mean(ious[name]), abs=1e-5)
        chance = np.mean(chances[name])
        assert found[f"flipped_activity_{name}_prompt"] == pytest.approx(chance, abs=1e-5)


@pytest.mark.parametrize("strategy", ["plain", "co-teaching"])
def test_the_meter_changes_no_weight(kitchen, noisy, tmp_path, strategy):
    for meter in (True, False):
        config = small(kitchen, noisy=str(noisy), strategy=strategy, meter=meter)
        fit(config, tmp_path / str(meter), quiet=True)
    with_meter, without = weights(tmp_path / "True"), weights(tmp_path / "False")
    assert with_meter.keys() == without.keys()
    assert all(torch.equal(value, without[name]) for name, value in with_meter.items())
    assert read_figures(tmp_path / "True")
    assert not read_figures(tmp_path / "False")


def test_a_resumed_run_logs_the_figures_of_an_uninterrupted_one(
    kitchen, noisy, metered, tmp_path, monkeypatch
):
    measure = memorisation.MemorisationMeter.measure
    calls = []

    def fail_in_the_second_epoch(self, net, device):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(self, net, device)

    monkeypatch.setattr(memorisation.MemorisationMeter, "measure", fail_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        fit(small(kitchen, noisy=str(noisy)), tmp_path / "run", quiet=True)
    monkeypatch.undo()
    resume(tmp_path / "run", quiet=True)
    assert read_figures(tmp_path / "run") == read_figures(metered.folder)


def test_clean_labels_have_no_meter(kitchen, noisy, tmp_path):
    assert assemble_run(small(kitchen), tmp_path / "run").meter is None
    assert (
        assemble_run(small(kitchen, noisy=str(noisy), meter=False), tmp_path / "run").meter is None
    )


def test_no_more_sequences_are_measured_than_the_limit(kitchen, noisy, tmp_path, monkeypatch):
    monkeypatch.setattr(memorisation, "MOST_SEQUENCES", 2)
    run = assemble_run(small(kitchen, noisy=str(noisy)), tmp_path / "run")
    run.meter.measure(run.nets[0], run.device)
    first = [item.position for item in run.meter._sequences]
    run.meter.measure(run.nets[0], run.device)
    assert [item.position for item in run.meter._sequences] == first
    assert len(first) == 2
    assert len(open_split(kitchen, "train").sequences) == 6


def test_labels_that_are_copied_or_resisted_are_told_apart():
    labelled, true = np.array([[[1, 1, 2, 0]]]), np.array([[[1, 0, 1, 1]]])
    for predicted, name in ((labelled, "as_labelled"), (true, "as_true")):
        sums = memorisation.count_pixels(predicted, labelled, true)
        assert (sums["pixels"], sums[name]) == (3, 3)
    sums = memorisation.count_pixels(np.full((1, 1, 4), 3), labelled, true)
    assert (sums["as_labelled"], sums["as_true"]) == (0, 0)
