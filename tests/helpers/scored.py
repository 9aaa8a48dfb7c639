"""Predictions with raw scores: noisy versions of the true masks and flags."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.annotations.raw_scores import ScoresWriter, SequenceScores
from actiseg_data.layouts.split import Split


def score_split(split: Split, folder: Path, *, noise: float, seed: int = 0) -> Path:
    """Write masks at the gate 0.5 and raw scores; `noise` is their deviation in logits."""
    folder.mkdir(parents=True)
    writer = ScoresWriter(folder)
    for sequence in split.sequences:
        random = np.random.default_rng([seed, zlib.crc32(sequence.folder.encode())])
        masks = np.stack(list(split.read_masks(sequence)))
        ids = [label.object_id for label in sequence.objects]
        active = np.array([label.positive for label in sequence.objects])
        true = np.stack([masks == number for number in ids])[:, :, ::4, ::4]
        logits = np.where(true, 2.0, -2.0) + noise * random.normal(size=true.shape)
        drawn = np.where(active, 1.0, -1.0) + noise * random.normal(size=len(ids))
        scores = SequenceScores(
            sequence.folder,
            sequence.frames,
            masks.shape[1:],
            tuple(ids),
            tuple((1 / (1 + np.exp(-drawn))).tolist()),
            logits.astype(np.float16),
        )
        writer.add(scores)
        for frame, mask in zip(sequence.frames, scores.make_masks(0.5), strict=True):
            write_index_mask(folder / sequence.folder / f"{frame}.png", mask)
    writer.close({"run": folder.name, "threshold": 0.5, "rendered_frames": False})
    return folder
