"""From a split on disk to batches.

Keys decide what a batch contains: the seed, the epoch and the identity of each sequence. Threads,
the order of reading and random streams have no influence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.keys import Key, draw_uniform, draw_uniforms, make_key
from actiseg_data.layouts.photograph_reading import read_rgb
from reference_trainer.batch import Batch
from reference_trainer.batches.action_weights import make_action_weights
from reference_trainer.batches.mask_grid import STRIDE, sample_grid
from reference_trainer.batches.tokens import LENGTH, mirror_prompt, tokenise
from reference_trainer.batches.training_split import PromptedSequence, TrainingSplit
from reference_trainer.batches.untouched_labels import IDS, read_changed_masks

ALGORITHM = 1
"""Version of order, selection and augmentation. A change of any batch raises it."""

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class BatchSettings:
    """The rules by which batches are drawn.

    Attributes
    ----------
    size : (H, W)
        Size of frames, multiples of 16.
    batch_size : int
        Sequences in a batch.
    max_frames, max_prompts : int
        Most frames and prompts of a sequence. If it has more, each epoch draws anew.
    augment : bool
        Whether to mirror and recolour sequences.
    weighted : bool
        Whether batches have the weights of `make_action_weights`.
    seed : int
    cache_bytes : int
        Memory for decoded sequences.
    """

    size: tuple[int, int]
    batch_size: int
    max_frames: int
    max_prompts: int
    augment: bool
    weighted: bool
    seed: int
    cache_bytes: int = 4 << 30

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of masks."""
        return self.size[0] // STRIDE, self.size[1] // STRIDE


@dataclass(frozen=True)
class DecodedSequence:
    """A sequence in memory.

    Attributes
    ----------
    frames : (T, H, W, 3) uint8
    labels : (T, h, w) uint8
        Object ids.
    unlearned : (T, 256) bool
        By frame and id, the masks that must not be learned: those that noise changed, if the split
        has only untouched labels.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    unlearned: NDArray[np.bool_]

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.frames.nbytes + self.labels.nbytes + self.unlearned.nbytes


class BatchLoader:
    """Load the batches of a split, epoch by epoch.

    Sequences are decoded when they are first needed, and stay in memory within
    `BatchSettings.cache_bytes`.
    """

    def __init__(self, split: TrainingSplit, settings: BatchSettings) -> None:
        self.split = split
        self.settings = settings
        self._cache: dict[int, DecodedSequence] = {}
        self._free_bytes = settings.cache_bytes
        self._orders: dict[int, list[int]] = {}
        self._lock = Lock()

    @property
    def steps(self) -> int:
        """Batches in an epoch. The last batch may be smaller."""
        return -(-len(self.split.sequences) // self.settings.batch_size)

    def draw_order(self, epoch: int) -> list[int]:
        """Draw the order of an epoch, as positions of sequences in the split."""
        with self._lock:
            if epoch not in self._orders:
                keys = [
                    make_key(
                        self.settings.seed, ALGORITHM, "train.order", epoch, *item.sequence.identity
                    )
                    for item in self.split.sequences
                ]
                self._orders = {epoch: sorted(range(len(keys)), key=keys.__getitem__)}
            return self._orders[epoch]

    def select_positions(self, epoch: int, step: int) -> list[int]:
        """Return the positions in the split of the sequences of one batch."""
        size = self.settings.batch_size
        return self.draw_order(epoch)[step * size : (step + 1) * size]

    def load_batch(self, epoch: int, step: int) -> Batch:
        """Load one batch.

        Raises
        ------
        InputError
            If frames or masks are damaged; the error lists all of them.
        """
        views: list[_SequenceView] = []
        problems = ProblemCollector()
        for position in self.select_positions(epoch, step):
            with problems.collect():
                item = self.split.sequences[position]
                decoded = self.fetch_decoded(position)
                views.append(_view_sequence(item, decoded, self.settings, epoch))
        problems.raise_if_any()
        return _join_views(views)

    def iterate_epoch(self, epoch: int, first: int = 0, threads: int = 1) -> Iterator[Batch]:
        """Iterate over the batches of an epoch, which threads prepare in advance.

        Parameters
        ----------
        epoch : int
        first : int
            Step of the epoch to begin with.
        threads : int
        """
        steps = iter(range(first, self.steps))
        with ThreadPoolExecutor(max(threads, 1)) as pool:
            pending: deque[Future[Batch]] = deque()
            try:
                for step in steps:
                    pending.append(pool.submit(self.load_batch, epoch, step))
                    if len(pending) > 2 * threads:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def fetch_decoded(self, position: int) -> DecodedSequence:
        """Return the sequence at a position of the split, from memory if it is there."""
        cached = self._cache.get(position)
        if cached is not None:
            return cached
        sequence = self.split.sequences[position].sequence
        decoded = decode_sequence(self.split, sequence, self.settings.size)
        with self._lock:
            if position not in self._cache and decoded.nbytes <= self._free_bytes:
                self._cache[position] = decoded
                self._free_bytes -= decoded.nbytes
        return decoded


def decode_sequence(
    split: TrainingSplit, sequence: VideoSequence, size: tuple[int, int]
) -> DecodedSequence:
    """Decode the frames of a sequence at a size (H, W), and its labels at a quarter of it.

    Raises
    ------
    InputError
        If files are damaged; the error lists all of them.
    """
    grid = size[0] // STRIDE, size[1] // STRIDE
    problems = ProblemCollector()
    frames, labels = np.empty(0, np.uint8), np.empty(0, np.uint8)
    unlearned = np.zeros((len(sequence.frames), IDS), bool)
    with problems.collect():
        frames = decode_frames(split, sequence, size)
    with problems.collect():
        masks = split.labels.iterate_masks(sequence)
        labels = np.stack([sample_grid(mask, grid) for mask in masks])
        if split.untouched:
            unlearned = read_changed_masks(split, sequence)
    problems.raise_if_any()
    return DecodedSequence(frames, labels, unlearned)


def decode_frames(
    split: TrainingSplit, sequence: VideoSequence, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Decode the frames of a sequence at a size (H, W).

    Returns
    -------
    (T, H, W, 3) uint8

    Raises
    ------
    InputError
        If frames are damaged; the error lists all of them.
    """
    problems = ProblemCollector()
    frames = []
    for path in split.clean.frames(sequence):
        with problems.collect():
            frames.append(read_rgb(path, size))
    problems.raise_if_any()
    return np.stack(frames)


def normalise_frames(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Normalise (T, H, W, 3) uint8 to (T, 3, H, W) float32 by ImageNet's mean and deviation."""
    return _standardise(frames.astype(np.float32) / np.float32(255))


def _standardise(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (frames - MEAN) / DEVIATION
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


@dataclass(frozen=True)
class _SequenceView:
    """One sequence of a `Batch`, without padding."""

    frames: NDArray[np.float32]
    tokens: NDArray[np.int64]
    masks: NDArray[np.float32]
    weights: NDArray[np.float32]
    active: NDArray[np.float32]
    unit_ids: NDArray[np.int64]
    unit_mask: NDArray[np.bool_]
    flipped: bool


def _view_sequence(
    item: PromptedSequence, decoded: DecodedSequence, settings: BatchSettings, epoch: int
) -> _SequenceView:
    """Draw the frames, prompts and augmentation of a sequence for an epoch."""

    def draw(purpose: str) -> Key:
        return make_key(
            settings.seed, ALGORITHM, f"train.{purpose}", epoch, *item.sequence.identity
        )

    frame_positions = _draw_positions(len(decoded.frames), settings.max_frames, draw("frames"))
    prompt_positions = _draw_positions(len(item.prompts), settings.max_prompts, draw("prompts"))
    prompts = [item.prompts[position] for position in prompt_positions]
    flipped = settings.augment and draw_uniform(draw("mirror")) < 0.5
    frames, labels = decoded.frames[frame_positions], decoded.labels[frame_positions]
    if flipped:
        frames, labels = frames[:, :, ::-1], labels[:, :, ::-1]
    if settings.augment:
        draws = draw_uniforms(draw("colour"), 6 + 4 * len(frame_positions))
        pixels = _standardise(_recolour_frames(frames, draws))
    else:
        pixels = normalise_frames(frames)
    ids = np.array([prompt.object_id for prompt in prompts])
    is_learned = ~decoded.unlearned[frame_positions][:, ids].T
    # A mask that must not be learned is empty, so that nothing can learn it.
    shapes = (labels == ids[:, None, None, None]) & is_learned[:, :, None, None]
    active = np.array([prompt.positive for prompt in prompts])
    weights = np.ones(shapes.shape, np.float32)
    if settings.weighted:
        weights = make_action_weights(
            torch.from_numpy(shapes),
            torch.tensor([prompt.handbox for prompt in prompts]),
            torch.tensor([prompt.narration for prompt in prompts]),
            torch.from_numpy(active),
        ).numpy()
    texts = [mirror_prompt(prompt.text) if flipped else prompt.text for prompt in prompts]
    first_units = item.first_unit + np.array(prompt_positions) * len(item.sequence.frames)
    return _SequenceView(
        frames=pixels,
        tokens=np.stack([tokenise(text) for text in texts]),
        masks=(shapes & active[:, None, None, None]).astype(np.float32),
        weights=weights,
        active=active.astype(np.float32),
        unit_ids=first_units[:, None] + np.array(frame_positions),
        unit_mask=is_learned,
        flipped=flipped,
    )


def _draw_positions(count: int, most: int, key: Key) -> list[int]:
    """Draw at most `most` of `count` positions without replacement, in ascending order."""
    if count <= most:
        return list(range(count))
    ranks = draw_uniforms(key, count)
    return sorted(np.argsort(ranks, kind="stable")[:most].tolist())


def _recolour_frames(frames: NDArray[np.uint8], draws: NDArray[np.float64]) -> NDArray[np.float32]:
    """Change contrast, saturation and tint of a sequence, and brightness of each frame, a little.

    Parameters
    ----------
    frames : (T, H, W, 3) uint8
    draws : (6 + 4 T,) float64 in [0, 1)

    Returns
    -------
    (T, H, W, 3) float32 in [0, 1]
    """
    u = (2 * draws - 1).astype(np.float32)
    contrast, saturation, light = 1 + 0.3 * u[0], 1 + 0.4 * u[1], 0.15 * u[2]
    tint = 1 + 0.1 * u[3:6]
    frame_draws = u[6:].reshape(len(frames), 4)
    pixels = frames.astype(np.float32) / np.float32(255)
    grey = (pixels @ _GREY)[..., None]
    pixels = grey + saturation * (pixels - grey)
    tints = tint * (1 + 0.03 * frame_draws[:, None, None, :3])
    lights = light + 0.04 * frame_draws[:, None, None, 3:]
    pixels = ((pixels - 0.5) * contrast + 0.5 + lights) * tints
    clipped: NDArray[np.float32] = np.clip(pixels, 0, 1)
    return clipped


def _join_views(views: list[_SequenceView]) -> Batch:
    """Join views to a batch, padded to the largest numbers of frames and prompts."""
    count = len(views)
    frames = max(len(view.frames) for view in views)
    prompts = max(len(view.tokens) for view in views)
    height, width = views[0].frames.shape[2:]
    grid = views[0].masks.shape[2:]
    batch = Batch(
        frames=torch.zeros(count, frames, 3, height, width),
        tokens=torch.zeros(count, prompts, LENGTH, dtype=torch.int64),
        prompt_mask=torch.zeros(count, prompts, dtype=torch.bool),
        frame_mask=torch.zeros(count, frames, dtype=torch.bool),
        masks=torch.zeros(count, prompts, frames, *grid),
        weights=torch.ones(count, prompts, frames, *grid),
        active=torch.zeros(count, prompts),
        unit_ids=torch.full((count, prompts, frames), -1, dtype=torch.int64),
        unit_mask=torch.zeros(count, prompts, frames, dtype=torch.bool),
        flipped=torch.tensor([view.flipped for view in views]),
    )
    for row, view in enumerate(views):
        t, k = len(view.frames), len(view.tokens)
        _put_first(batch.frames[row], view.frames)
        for padding in range(t, frames):
            # Frames of a sequence exchange features in the model: padding must add nothing new.
            batch.frames[row, padding] = batch.frames[row, padding % t]
        _put_first(batch.tokens[row], view.tokens)
        batch.prompt_mask[row, :k] = True
        batch.frame_mask[row, :t] = True
        _put_first(batch.masks[row, :, :t], view.masks)
        _put_first(batch.weights[row, :, :t], view.weights)
        _put_first(batch.active[row], view.active)
        _put_first(batch.unit_ids[row, :, :t], view.unit_ids)
        _put_first(batch.unit_mask[row, :, :t], view.unit_mask)
    return batch


def _put_first(
    target: Tensor, values: NDArray[np.float32] | NDArray[np.int64] | NDArray[np.bool_]
) -> None:
    target[: len(values)] = torch.from_numpy(values)
