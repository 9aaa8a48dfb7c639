"""The digest of raw scores covers what masks are made of, and nothing else."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from actiseg_data import InputError, digest_raw_scores
from actiseg_data.annotations.raw_scores import ScoresWriter, SequenceScores

LOGITS = np.linspace(-4, 4, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5).astype(np.float16)
FIRST = SequenceScores("1_a", ("f1", "f2", "f3"), (16, 20), (1, 7), (0.25, 0.75), LOGITS)
SECOND = replace(FIRST, folder="2_b", logits=-LOGITS)


def write(folder, *scores, run="run"):
    folder.mkdir()
    writer = ScoresWriter(folder)
    for item in scores:
        writer.add(item)
    writer.close({"run": run, "threshold": 0.75, "rendered_frames": True})
    return folder


@pytest.fixture
def digest(tmp_path):
    return digest_raw_scores(write(tmp_path / "scores", FIRST, SECOND))


def test_order_name_and_compression_do_not_count(tmp_path, digest):
    folder = write(tmp_path / "again", SECOND, FIRST, run="other")
    path = folder / "scores.npz"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert digest_raw_scores(folder) == digest


@pytest.mark.parametrize(
    "change",
    [
        {"folder": "3_c"},
        {"frames": ("f1", "f2", "f4")},
        {"size": (20, 16)},
        {"objects": (1, 8)},
        {"activity": (0.25, 0.7500001)},
        {"logits": np.where(LOGITS.max() == LOGITS, np.float16(4.004), LOGITS)},
        {"logits": LOGITS.reshape(2, 3, 5, 4)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_change_of_a_sequence_counts(tmp_path, digest, change):
    folder = write(tmp_path / "changed", replace(FIRST, **change), SECOND)
    assert digest_raw_scores(folder) != digest


def test_a_lost_sequence_counts(tmp_path, digest):
    assert digest_raw_scores(write(tmp_path / "part", FIRST)) != digest


def test_scores_without_logits_have_no_digest(tmp_path):
    folder = write(tmp_path / "scores", FIRST)
    (folder / "scores.npz").unlink()
    with pytest.raises(InputError, match="missing, damaged or truncated"):
        digest_raw_scores(folder)
