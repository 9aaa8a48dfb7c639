"""How much a net memorises the noise in its labels, measured on training sequences.

The meter knows the clean labels. It is apart from training: strategies never see it, it changes
no weight, and it draws nothing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actiseg_data.core.keys import make_key
from actiseg_data.records.ledger_record import LEDGER_FILE, LedgerRow, TextRow, read_ledger
from reference_trainer.batches.loader import BatchLoader, normalise_frames
from reference_trainer.batches.mask_grid import sample_grid
from reference_trainer.batches.tokens import tokenise
from reference_trainer.batches.training_split import (
    Prompt,
    PromptedSequence,
    TrainingSplit,
    read_clean_prompts,
    read_labelled_prompts,
)
from reference_trainer.devices import choose_precision
from reference_trainer.network.model import SegmentationModel

_ALGORITHM = 1

MOST_SEQUENCES = 32
"""Sequences that are measured. Keys choose them, the same ones in every epoch."""


@dataclass(frozen=True)
class _MeteredSequence:
    """A sequence with noise, in T frames and on the grid of the model.

    Attributes
    ----------
    position : int
        Its position in the split.
    frames : (T,) int64
        Positions of the frames.
    prompts, clean_prompts : tuple of Prompt, length K
        For the same objects.
    labelled, true : (T, h, w) uint8
        Ids of active objects, with noise and without.
    flipped : (K,) bool
        Whether the prompt names another thing than the clean prompt, and the object is active.
    """

    position: int
    frames: NDArray[np.int64]
    prompts: tuple[Prompt, ...]
    clean_prompts: tuple[Prompt, ...]
    labelled: NDArray[np.uint8]
    true: NDArray[np.uint8]
    flipped: NDArray[np.bool_]

    @property
    def has_noise(self) -> bool:
        """Whether a pixel or a prompt has noise that can be measured."""
        has_noisy_pixels = bool((self.labelled != self.true).any())
        return bool(self.prompts) and (has_noisy_pixels or bool(self.flipped.any()))


class MemorisationMeter:
    """Measure on noisy training sequences whether a net predicts the labels or the truth.

    Parameters
    ----------
    loader : BatchLoader
        The loader of a split with noisy labels.
    seed : int
        Chooses the sequences.

    Attributes
    ----------
    seconds : float
        Time that measuring has taken.
    """

    def __init__(self, loader: BatchLoader, seed: int) -> None:
        self.seconds = 0.0
        self._loader = loader
        self._seed = seed
        self._sequences: list[_MeteredSequence] | None = None

    def measure(self, net: SegmentationModel, device: torch.device) -> dict[str, float]:
        """Measure a net.

        Returns
        -------
        dict of str to float
            Of the pixels whose label noise changed, the shares that are predicted as labelled
            (``noisy_pixels_as_labelled``), as true and as neither. Of the flipped prompts of active
            objects, the mean IoU with the true mask and the mean activity, under the noisy and
            under the clean prompt (``flipped_iou_noisy_prompt``, ...). Without such pixels, or
            prompts, the figures are absent.
        """
        start = time.monotonic()
        if self._sequences is None:
            self._sequences = _choose_sequences(self._loader, self._seed)
        was_training = net.training
        net.eval()
        sums: defaultdict[str, float] = defaultdict(float)
        with torch.inference_mode():
            for item in self._sequences:
                for name, value in self._measure_sequence(net, item, device).items():
                    sums[name] += value
        net.train(was_training)
        self.seconds += time.monotonic() - start
        return _divide(sums)

    def _measure_sequence(
        self, net: SegmentationModel, item: _MeteredSequence, device: torch.device
    ) -> Mapping[str, float]:
        pixels = self._loader.fetch_decoded(item.position).frames[item.frames]
        frames = torch.from_numpy(normalise_frames(pixels))[None].to(device)
        rows = np.flatnonzero(item.flipped).tolist()
        clean_prompts = tuple(item.clean_prompts[row] for row in rows)
        # A net says the same of a prompt whatever is asked beside it, so one pass is enough.
        masks, activity = _predict(net, frames, item.prompts + clean_prompts, device)
        ids = [prompt.object_id for prompt in item.prompts]
        sums = defaultdict(
            float, count_pixels(find_ids(masks[: len(ids)], ids), item.labelled, item.true)
        )
        for number, row in enumerate(rows):
            true = item.true == ids[row]
            sums["flipped"] += 1
            for name, place in (("noisy", row), ("clean", len(ids) + number)):
                iou = compute_iou(masks[place] >= 0, true)
                sums[f"{name}_activity"] += float(activity[place])
                if not np.isnan(iou):
                    sums[f"{name}_iou"] += iou
                    sums[f"{name}_ious"] += 1
        return sums


def find_ids(logits: NDArray[np.float32], ids: list[int]) -> NDArray[np.uint8]:
    """Find the object with the largest logit of each pixel, if that is at least 0; else 0.

    Parameters
    ----------
    logits : (K, T, h, w) float32
    ids : list of int, length K

    Returns
    -------
    (T, h, w) uint8
    """
    best = logits.argmax(axis=0)
    named = np.array(ids, np.uint8)[best]
    return np.where(logits.max(axis=0) >= 0, named, 0).astype(np.uint8)


def count_pixels(
    predicted: NDArray[np.uint8], labelled: NDArray[np.uint8], true: NDArray[np.uint8]
) -> dict[str, float]:
    """Count the pixels with a wrong label, and those of them predicted as labelled and as true.

    >>> predicted, labelled = np.array([1, 0, 2, 1]), np.array([1, 1, 1, 1])
    >>> count_pixels(predicted, labelled, np.array([0, 0, 0, 1]))
    {'pixels': 3.0, 'as_labelled': 1.0, 'as_true': 1.0}
    """
    changed = labelled != true
    return {
        "pixels": float(changed.sum()),
        "as_labelled": float((changed & (predicted == labelled)).sum()),
        "as_true": float((changed & (predicted == true)).sum()),
    }


def compute_iou(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Compute the IoU of two masks; NaN if both are empty."""
    union = np.count_nonzero(predicted | true)
    return np.count_nonzero(predicted & true) / union if union else float("nan")


def _divide(sums: defaultdict[str, float]) -> dict[str, float]:
    figures: dict[str, float] = {}
    pixels = sums["pixels"]
    if pixels:
        shares = {name: sums[f"as_{name}"] / pixels for name in ("labelled", "true")}
        shares["neither"] = (pixels - sums["as_labelled"] - sums["as_true"]) / pixels
        figures |= {f"noisy_pixels_as_{name}": share for name, share in shares.items()}
    for name in ("noisy", "clean"):
        if sums[f"{name}_ious"]:
            figures[f"flipped_iou_{name}_prompt"] = sums[f"{name}_iou"] / sums[f"{name}_ious"]
        if sums["flipped"]:
            activity = sums[f"{name}_activity"] / sums["flipped"]
            figures[f"flipped_activity_{name}_prompt"] = activity
    return figures


def _predict(
    net: SegmentationModel, frames: Tensor, prompts: tuple[Prompt, ...], device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mask logits, (K, T, h, w), and the activity, (K,), of the prompts."""
    tokens = torch.from_numpy(np.stack([tokenise(prompt.text) for prompt in prompts]))
    with choose_precision(device):
        output = net(frames, tokens[None].to(device))
    activity = torch.sigmoid(output.activity[0].float())
    return output.masks[0].float().cpu().numpy(), activity.cpu().numpy()


def _choose_sequences(loader: BatchLoader, seed: int) -> list[_MeteredSequence]:
    """Choose the first `MOST_SEQUENCES` sequences with noise, in the order of their keys."""
    split = loader.split
    clean = {item.sequence.folder: item for item in read_clean_prompts(split)}
    # All of them, also those that a run with untouched labels leaves out.
    labelled = {item.sequence.folder: item for item in read_labelled_prompts(split)}
    misnamed = _read_misnamed(split)
    keys = [
        make_key(seed, _ALGORITHM, "train.meter", *item.sequence.identity)
        for item in split.sequences
    ]
    chosen: list[_MeteredSequence] = []
    for position in sorted(range(len(keys)), key=keys.__getitem__):
        if len(chosen) == MOST_SEQUENCES:
            break
        folder = split.sequences[position].sequence.folder
        metered = _read_metered_sequence(
            loader, position, labelled[folder], clean[folder], misnamed
        )
        if metered.has_noise:
            chosen.append(metered)
    return chosen


def _read_misnamed(split: TrainingSplit) -> set[tuple[str, int]]:
    """Read which objects have the name of another thing; none if a copy has no ledger.

    Class ids do not tell all of them: a sister term names another thing, and its class stays.
    """
    ledger = split.labels.root / LEDGER_FILE
    rows: Iterable[LedgerRow] = ()
    if split.live is not None:
        rows = chain.from_iterable(split.live.rows.values())
    elif ledger.is_file():
        rows = read_ledger(ledger)
    return {
        (row.sequence, row.object_id)
        for row in rows
        if isinstance(row, TextRow) and row.object_id is not None and row.names_another
    }


def _read_metered_sequence(
    loader: BatchLoader,
    position: int,
    item: PromptedSequence,
    clean: PromptedSequence,
    misnamed: Collection[tuple[str, int]],
) -> _MeteredSequence:
    """Read the labels of a sequence, with and without noise."""
    split = loader.split
    true_prompts = {prompt.object_id: prompt for prompt in clean.prompts}
    count = min(loader.settings.max_frames, len(item.sequence.frames))
    frames = np.linspace(0, len(item.sequence.frames) - 1, count).round().astype(np.int64)
    prompts = tuple(prompt for prompt in item.prompts if prompt.object_id in true_prompts)
    flipped = [
        prompt.positive
        and (
            prompt.class_id != true_prompts[prompt.object_id].class_id
            or (item.sequence.folder, prompt.object_id) in misnamed
        )
        for prompt in prompts
    ]
    return _MeteredSequence(
        position=position,
        frames=frames,
        prompts=prompts,
        clean_prompts=tuple(true_prompts[prompt.object_id] for prompt in prompts),
        labelled=_read_active(split, item, frames, loader.settings.grid, noisy=True),
        true=_read_active(split, clean, frames, loader.settings.grid, noisy=False),
        flipped=np.array(flipped, bool),
    )


def _read_active(
    split: TrainingSplit,
    item: PromptedSequence,
    frames: NDArray[np.int64],
    grid: tuple[int, int],
    *,
    noisy: bool,
) -> NDArray[np.uint8]:
    """Read the ids of active objects on the grid, (T, h, w)."""
    source = split.labels if noisy else split.clean
    chosen = item.sequence.restrict(item.sequence.frames[number] for number in frames.tolist())
    masks = [sample_grid(mask, grid) for mask in source.iterate_masks(chosen)]
    active = [prompt.object_id for prompt in item.prompts if prompt.positive]
    labels = np.stack(masks)
    return np.where(np.isin(labels, active), labels, 0).astype(np.uint8)
