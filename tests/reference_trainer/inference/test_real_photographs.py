"""The whole way on real pixels: VISOR's photographs are loaded, get noise, are learned and scored.

Four sequences of one video are too few to learn from: no figure here means anything.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from actiseg_data import open_split, read_index_mask
from actiseg_data.annotations.raw_scores import read_scores
from actiseg_eval import parse_run_record, record_run, score
from actiseg_noise import audit, corrupt, verify
from actiseg_noise.preview import make_preview
from reference_trainer.batches.loader import decode_frames
from reference_trainer.batches.training_split import open_training_split
from reference_trainer.inference.predictor import predict
from reference_trainer.training.engine import fit
from tests.helpers.real_photographs import VIDEO
from tests.helpers.trained import small

BOWL = f"00000001_{VIDEO}_pick-up_bowl:washing:up"
POUR = f"00000001_{VIDEO}_pour-out_water"
SIZE = (854, 480)


@pytest.fixture(scope="module")
def noisy(photographs, tmp_path_factory):
    """Noise in every mask, and other names."""
    out = tmp_path_factory.mktemp("noisy") / "mixed"
    recipe = {"boundary_rate": 1.0, "text_rate": 1.0, "mix": 1.0, "target_iou": 0.6}
    return corrupt(photographs, "mixed", out=out, **recipe).out


@pytest.fixture(scope="module")
def predictions(photographs, noisy, tmp_path_factory):
    """Of a net that was trained for two steps on the noisy labels."""
    folder = tmp_path_factory.mktemp("trained")
    run = fit(small(photographs, noisy=str(noisy), batch_size=1, epochs=1), folder / "run")
    assert run.step == 2
    predict(folder / "run", photographs, "val_human", folder / "preds", device="cpu")
    return folder / "preds"


def test_labels_are_those_of_the_index(photographs, real_data):
    index = json.loads((real_data / "photographs/visor_P03_101/index.json").read_text())
    names = {item["id"]: item["name"] for item in index["objects"]}
    for split in ("train", "val_human"):
        opened = open_split(photographs, split)
        for sequence in opened.sequences:
            assert all(names[item.object_id] == item.name for item in sequence.objects)
            for frame, mask in zip(sequence.frames, opened.iterate_masks(sequence), strict=True):
                seen = {names[value] for value in np.unique(mask) if value}
                assert seen == set(index["objects_in_frame"][str(int(frame[6:]))])
    bowl = open_split(photographs, "train")[BOWL]
    active = {item.name for item in bowl.objects if item.positive}
    assert active == {"left hand", "washing up bowl"}


def test_frames_are_the_photographs(photographs):
    data = open_training_split(photographs, "train")
    assert not data.rendered
    sequence = data.clean[BOWL]
    frames = decode_frames(data, sequence, (32, 48))
    assert frames.shape == (2, 32, 48, 3)
    for path, frame in zip(data.clean.frames(sequence), frames, strict=True):
        with Image.open(path) as image:
            assert image.size == SIZE
            whole = np.asarray(image.convert("RGB"), np.float64)
        assert frame.mean((0, 1)) == pytest.approx(whole.mean((0, 1)), abs=3)


def test_noise_is_that_of_the_recipe(photographs, noisy):
    assert verify(noisy, photographs).ok
    assert audit(noisy, photographs).ok
    clean, copy = open_split(photographs, "train"), open_split(noisy, "train")
    with (noisy / "ledger.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    strengths = {
        (row["sequence"], row["frame"], row["object_id"]): row["iou"]
        for row in rows
        if row.get("iou") is not None
    }
    found = {}
    for sequence in clean.sequences:
        pairs = zip(clean.iterate_masks(sequence), copy.iterate_masks(sequence), strict=True)
        for frame, (before, after) in zip(sequence.frames, pairs, strict=True):
            for item in sequence.objects:
                first, second = before == item.object_id, after == item.object_id
                if item.positive and first.any():
                    iou = (first & second).sum() / (first | second).sum()
                    found[sequence.folder, frame, item.object_id] = iou
    assert strengths == pytest.approx(found, abs=1e-6)
    assert np.median(list(found.values())) == pytest.approx(0.6, abs=0.05)
    texts = [row for row in rows if row.get("prompt")]
    assert texts
    assert all(row["prompt"] != row["prompt_org"] for row in texts)


def test_a_preview_shows_the_photograph(photographs, noisy):
    sheet = make_preview(noisy, BOWL, photographs, [])
    colours = np.asarray(sheet.convert("RGB")).reshape(-1, 3)
    with_photograph = len(np.unique(colours, axis=0))
    assert min(sheet.size) > 200
    assert with_photograph > 40_000  # 12,000 without photographs


def test_predictions_are_scored_on_real_masks(photographs, predictions):
    masks = sorted(predictions.rglob("*.png"))
    assert len(masks) == 3
    assert {read_index_mask(mask).shape for mask in masks} == {SIZE[::-1]}
    report = score(predictions, gt=photographs, split="val_human", metrics="core")
    truth = open_split(photographs, "val_human")
    ious = []
    for sequence in truth.sequences:
        for frame, mask in zip(sequence.frames, truth.iterate_masks(sequence), strict=True):
            found = read_index_mask(predictions / sequence.folder / f"{frame}.png")
            for item in sequence.objects:
                shape = mask == item.object_id
                if item.positive and shape.any():
                    union = (shape | (found == item.object_id)).sum()
                    ious.append((shape & (found == item.object_id)).sum() / union)
    assert report.metrics["p_miou"] == pytest.approx(np.mean(ious))


def test_a_record_of_the_run_says_photographs(photographs, predictions):
    record = record_run(predictions, gt=photographs, split="val_human")
    assert not record.rendered
    assert record.clusters == (VIDEO,)
    scores = {item.folder: item for item in read_scores(predictions)}
    truth = open_split(photographs, "val_human")
    pairs = [
        (chance, {item.object_id: item.positive for item in truth[folder].objects}[object_id])
        for folder, item in scores.items()
        for object_id, chance in zip(item.objects, item.activity, strict=True)
    ]
    active = [chance for chance, positive in pairs if positive]
    idle = [chance for chance, positive in pairs if not positive]
    wins = [(a > b) + (a == b) / 2 for a in active for b in idle]
    assert record.values["auroc"] == pytest.approx(np.mean(wins))
    again = parse_run_record(json.loads(json.dumps(record.to_dict())))
    assert again.values == record.values
