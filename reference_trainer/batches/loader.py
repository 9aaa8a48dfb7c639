"""From a dataset on disk to batches. What a batch holds is decided by keys: the seed, the epoch and
what a clip is; never by threads, order of reading or a stream of random numbers.
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
from reference_trainer.batches.action_weights import action_weights
from reference_trainer.batches.mask_grid import STRIDE, at_grid
from reference_trainer.batches.tokens import LENGTH, mirrored, tokenise
from reference_trainer.batches.training_split import Clip, Material

ALGORITHM = 1
"""Version of order, choice and augmentation: a change of any batch raises it."""

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn. size: (H, W) of frames, multiples of 16. clips: in a batch. frames,
    prompts: most of a clip, drawn anew in each epoch where it has more. augment: mirror and
    recolour clips. weighted: see `action_weights`. memory: bytes of decoded clips that are kept.
    """

    size: tuple[int, int]
    clips: int
    frames: int
    prompts: int
    augment: bool
    weighted: bool
    seed: int
    memory: int = 4 << 30

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of masks."""
        return self.size[0] // STRIDE, self.size[1] // STRIDE


@dataclass(frozen=True)
class Decoded:
    """A clip in memory. frames: (T, H, W, 3) uint8. labels: (T, h, w) uint8 object ids."""

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class Loader:
    """The batches of a split, epoch by epoch.

    Clips are decoded when they are first needed and kept while they fit in `Sampling.memory`.
    """

    def __init__(self, material: Material, sampling: Sampling) -> None:
        self.material = material
        self.sampling = sampling
        self._kept: dict[int, Decoded] = {}
        self._free = sampling.memory
        self._orders: dict[int, list[int]] = {}
        self._lock = Lock()

    @property
    def steps(self) -> int:
        """Batches of an epoch; the last may be smaller."""
        return -(-len(self.material.clips) // self.sampling.clips)

    def order(self, epoch: int) -> list[int]:
        """The clips of an epoch, by position in the split, in keyed order."""
        with self._lock:
            if epoch not in self._orders:
                draws = [
                    make_key(
                        self.sampling.seed, ALGORITHM, "train.order", epoch, *of.sequence.identity
                    )
                    for of in self.material.clips
                ]
                self._orders = {epoch: sorted(range(len(draws)), key=draws.__getitem__)}
            return self._orders[epoch]

    def chosen(self, epoch: int, step: int) -> list[int]:
        """The clips of one batch, by position in the split."""
        size = self.sampling.clips
        return self.order(epoch)[step * size : (step + 1) * size]

    def batch(self, epoch: int, step: int) -> Batch:
        """One batch; raises `InputError` with all frames and masks of it that are not sound."""
        views: list[_View] = []
        problems = ProblemCollector()
        for position in self.chosen(epoch, step):
            with problems.collect():
                clip = self.material.clips[position]
                views.append(_view(clip, self._decoded(position), self.sampling, epoch))
        problems.raise_if_any()
        return _joined(views)

    def epoch(self, epoch: int, first: int = 0, threads: int = 1) -> Iterator[Batch]:
        """The batches of an epoch from some step on, made ahead by threads."""
        steps = iter(range(first, self.steps))
        with ThreadPoolExecutor(max(threads, 1)) as pool:
            ahead: deque[Future[Batch]] = deque()
            try:
                for step in steps:
                    ahead.append(pool.submit(self.batch, epoch, step))
                    if len(ahead) > 2 * threads:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def _decoded(self, position: int) -> Decoded:
        kept = self._kept.get(position)
        if kept is not None:
            return kept
        decoded = decode(self.material, self.material.clips[position].sequence, self.sampling.size)
        size = decoded.frames.nbytes + decoded.labels.nbytes
        with self._lock:
            if position not in self._kept and size <= self._free:
                self._kept[position] = decoded
                self._free -= size
        return decoded


def decode(material: Material, sequence: VideoSequence, size: tuple[int, int]) -> Decoded:
    """A clip's frames at some size and its labels at a quarter of it; `InputError` with all faults."""
    grid = size[0] // STRIDE, size[1] // STRIDE
    problems = ProblemCollector()
    frames, labels = np.empty(0, np.uint8), np.empty(0, np.uint8)
    with problems.collect():
        frames = decode_frames(material, sequence, size)
    with problems.collect():
        labels = np.stack([at_grid(mask, grid) for mask in material.masks.iterate_masks(sequence)])
    problems.raise_if_any()
    return Decoded(frames, labels)


def decode_frames(
    material: Material, sequence: VideoSequence, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """A sequence's frames at some size, (T, H, W, 3) uint8; `InputError` with all that are faulty."""
    problems = ProblemCollector()
    frames = []
    for path in material.find_frames(sequence):
        with problems.collect():
            frames.append(read_rgb(path, size))
    problems.raise_if_any()
    return np.stack(frames)


def normalised(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(T, H, W, 3) uint8 to (T, 3, H, W) float32, by ImageNet's mean and deviation."""
    return _standard(frames.astype(np.float32) / np.float32(255))


def _standard(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (frames - _MEAN) / _DEVIATION
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


@dataclass(frozen=True)
class _View:
    """One clip as a batch has it, without filling: see `Batch`."""

    frames: NDArray[np.float32]
    tokens: NDArray[np.int64]
    masks: NDArray[np.float32]
    weights: NDArray[np.float32]
    active: NDArray[np.float32]
    frame_items: NDArray[np.int64]
    flipped: bool


def _view(clip: Clip, decoded: Decoded, sampling: Sampling, epoch: int) -> _View:
    def draw(purpose: str) -> Key:
        return make_key(
            sampling.seed, ALGORITHM, f"train.{purpose}", epoch, *clip.sequence.identity
        )

    at = _some(len(decoded.frames), sampling.frames, draw("frames"))
    asked = _some(len(clip.prompts), sampling.prompts, draw("prompts"))
    prompts = [clip.prompts[position] for position in asked]
    flipped = sampling.augment and draw_uniform(draw("mirror")) < 0.5
    frames, labels = decoded.frames[at], decoded.labels[at]
    if flipped:
        frames, labels = frames[:, :, ::-1], labels[:, :, ::-1]
    if sampling.augment:
        pixels = _standard(_recoloured(frames, draw_uniforms(draw("colour"), 6 + 4 * len(at))))
    else:
        pixels = normalised(frames)
    ids = np.array([prompt.object_id for prompt in prompts])
    shapes = labels == ids[:, None, None, None]
    active = np.array([prompt.positive for prompt in prompts])
    weights = np.ones(shapes.shape, np.float32)
    if sampling.weighted:
        weights = action_weights(
            torch.from_numpy(shapes),
            torch.tensor([prompt.handbox for prompt in prompts]),
            torch.tensor([prompt.narration for prompt in prompts]),
            torch.from_numpy(active),
        ).numpy()
    texts = [mirrored(prompt.text) if flipped else prompt.text for prompt in prompts]
    asked_numbers, frame_numbers = np.array(asked), np.array(at)
    return _View(
        frames=pixels,
        tokens=np.stack([tokenise(text) for text in texts]),
        masks=(shapes & active[:, None, None, None]).astype(np.float32),
        weights=weights,
        active=active.astype(np.float32),
        frame_items=clip.first_unit
        + asked_numbers[:, None] * len(clip.sequence.frames)
        + frame_numbers,
        flipped=flipped,
    )


def _some(count: int, most: int, draw: Key) -> list[int]:
    """All of `count` positions, or `most` of them, drawn without replacement; ascending."""
    if count <= most:
        return list(range(count))
    ranks = draw_uniforms(draw, count)
    return sorted(np.argsort(ranks, kind="stable")[:most].tolist())


def _recoloured(frames: NDArray[np.uint8], draws: NDArray[np.float64]) -> NDArray[np.float32]:
    """Contrast, saturation and tint of a clip, brightness of each frame, changed a little.

    frames: (T, H, W, 3) uint8. draws: (6 + 4 T,) in [0, 1). Returns float32 in [0, 1].
    """
    u = (2 * draws - 1).astype(np.float32)
    contrast, saturation, light = 1 + 0.3 * u[0], 1 + 0.4 * u[1], 0.15 * u[2]
    tint = 1 + 0.1 * u[3:6]
    each = u[6:].reshape(len(frames), 4)
    pixels = frames.astype(np.float32) / np.float32(255)
    grey = (pixels @ _GREY)[..., None]
    pixels = grey + saturation * (pixels - grey)
    tints = tint * (1 + 0.03 * each[:, None, None, :3])
    lights = light + 0.04 * each[:, None, None, 3:]
    pixels = ((pixels - 0.5) * contrast + 0.5 + lights) * tints
    clipped: NDArray[np.float32] = np.clip(pixels, 0, 1)
    return clipped


def _joined(views: list[_View]) -> Batch:
    """Views side by side, filled up to the widest."""
    clips = len(views)
    frames = max(len(view.frames) for view in views)
    prompts = max(len(view.tokens) for view in views)
    height, width = views[0].frames.shape[2:]
    grid = views[0].masks.shape[2:]
    batch = Batch(
        frames=torch.zeros(clips, frames, 3, height, width),
        tokens=torch.zeros(clips, prompts, LENGTH, dtype=torch.int64),
        asked=torch.zeros(clips, prompts, dtype=torch.bool),
        shown=torch.zeros(clips, frames, dtype=torch.bool),
        masks=torch.zeros(clips, prompts, frames, *grid),
        weights=torch.ones(clips, prompts, frames, *grid),
        active=torch.zeros(clips, prompts),
        frame_items=torch.full((clips, prompts, frames), -1, dtype=torch.int64),
        flipped=torch.tensor([view.flipped for view in views]),
    )
    for at, view in enumerate(views):
        t, k = len(view.frames), len(view.tokens)
        _put(batch.frames[at], view.frames)
        for filled in range(t, frames):
            # The model lets frames of a clip speak with each other: what fills up says nothing new.
            batch.frames[at, filled] = batch.frames[at, filled % t]
        _put(batch.tokens[at], view.tokens)
        batch.asked[at, :k] = True
        batch.shown[at, :t] = True
        _put(batch.masks[at, :, :t], view.masks)
        _put(batch.weights[at, :, :t], view.weights)
        _put(batch.active[at], view.active)
        _put(batch.frame_items[at, :, :t], view.frame_items)
    return batch


def _put(target: Tensor, values: NDArray[np.float32] | NDArray[np.int64]) -> None:
    target[: len(values)] = torch.from_numpy(values)
