"""The masks and training weights of the clean dataset that go into a noisy split."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from actiseg_data.annotations.masks import (
    IndexMask,
    check_same_size,
    digest_pixels,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.split import Split
from actiseg_noise.mask_noise.frame_noise import FrameNoise
from actiseg_noise.mask_noise.mask_weights import HIGHEST, REST

_HINT = "prepare the split again, or set `weights` to none"

CLEAN_DIGESTS = {MASKS: "clean_masks_digest", WEIGHTS: "clean_weights_digest"}
"""The members of ``summary.json`` with the digests of the clean files."""


@dataclass(frozen=True)
class CleanPart:
    """Sequences of one list, and the kinds of files that they have.

    Attributes
    ----------
    split : Split
        The clean split.
    sequences : tuple of VideoSequence
        Those of its sequences that go into the noisy split.
    kinds : tuple of str
        `MASKS` and `WEIGHTS`, `MASKS` alone, or empty for a dataset of lists.
    """

    split: Split
    sequences: tuple[VideoSequence, ...]
    kinds: tuple[str, ...]

    def list_paths(self, kind: str, sequence: VideoSequence) -> list[Path]:
        """List a sequence's files of one kind, in frame order."""
        return self.split.find_files(kind, sequence)

    def list_names(self, sequence: VideoSequence) -> list[str]:
        """List a sequence's files as ``digests.json`` names them, kind by kind.

        The names are relative to the dataset and have forward slashes.
        """
        return list(chain.from_iterable(self.list_names_by_kind(sequence)))

    def list_names_by_kind(self, sequence: VideoSequence) -> list[list[str]]:
        """List the same names as `list_names`, in one list per kind."""
        return [self.split.name_files(kind, sequence) for kind in self.kinds]

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Yield a sequence's masks in frame order, see `Split.iterate_masks`."""
        return self.split.iterate_masks(sequence)

    def iterate_weights(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Yield a sequence's weights in frame order, one map at a time.

        Yields
        ------
        ndarray
            (H, W) uint8 with values from 1 to 4.

        Raises
        ------
        InputError
            With every map that is missing, damaged, or has other values.
        """
        problems = ProblemCollector()
        paths = self.list_paths(WEIGHTS, sequence)
        if not any(os.path.lexists(path) for path in paths):
            raise _refuse_missing_weights(paths[0].parent)
        for path in paths:
            with problems.collect():
                weights = _read_weights(path)
            if not problems.collected:
                yield weights
        problems.raise_if_any()

    def check(self, sequence: VideoSequence) -> None:
        """Decode all files of a sequence; raise `InputError` with every fault."""
        problems = ProblemCollector()
        shapes: dict[str, list[tuple[int, ...]]] = {}
        if MASKS in self.kinds:
            with problems.collect():
                shapes[MASKS] = self.split.list_shapes(sequence)
        if WEIGHTS in self.kinds:
            with problems.collect():
                shapes[WEIGHTS] = [pixels.shape for pixels in self.iterate_weights(sequence)]
        problems.raise_if_any()
        if WEIGHTS in self.kinds:
            for path, mask, weights in zip(
                self.list_paths(WEIGHTS, sequence), shapes[MASKS], shapes[WEIGHTS], strict=True
            ):
                with problems.collect():
                    check_same_size(weights, mask, "its mask", path, _HINT)
        problems.raise_if_any()

    def pair_weights(
        self, sequence: VideoSequence, frames: Iterable[FrameNoise]
    ) -> Iterator[tuple[FrameNoise, IndexMask | None]]:
        """Yield noisy frames with their clean weights, or with None if there are no weights."""
        if WEIGHTS not in self.kinds:
            yield from ((noise, None) for noise in frames)
            return
        files = zip(self.list_paths(WEIGHTS, sequence), self.iterate_weights(sequence), strict=True)
        for noise, (path, weights) in zip(frames, files, strict=True):
            check_same_size(weights.shape, noise.clean.shape, "its mask", path, _HINT)
            yield noise, weights

    def digest_files(self, sequence: VideoSequence) -> dict[str, list[str]]:
        """Digest the masks and weights of a sequence, by kind and in frame order."""
        readers = {MASKS: self.split.digest_masks, WEIGHTS: self._digest_weights}
        own = sequence.drop_ghosts()
        return {kind: readers[kind](own) for kind in self.kinds}

    def _digest_weights(self, sequence: VideoSequence) -> list[str]:
        return list(map(digest_pixels, self.iterate_weights(sequence)))


def make_part(split: Split, sequences: Sequence[VideoSequence], *, weights: bool) -> CleanPart:
    """Collect sequences of a split with the kinds of files that any of the sequences has.

    Parameters
    ----------
    split : Split
        The clean split. If it has no masks, it has no weights either.
    sequences : sequence of VideoSequence
        Sequences of the split.
    weights : bool
        False leaves weights out.
    """
    kinds: list[str] = []
    for kind in (MASKS, WEIGHTS) if weights else (MASKS,):
        if (kind == MASKS or kinds) and split.has_files(kind, sequences):
            kinds.append(kind)
    return CleanPart(split, tuple(sequences), tuple(kinds))


def digest_sequence_files(part: CleanPart, sequence: VideoSequence) -> dict[str, list[str]]:
    """Digest a sequence's files in a worker process, see `CleanPart.digest_files`."""
    return part.digest_files(sequence)


def summarise_digests(by_folder: Mapping[str, Mapping[str, list[str]]]) -> dict[str, str]:
    """Compute one digest of all clean files of a kind, under its name in ``summary.json``.

    Parameters
    ----------
    by_folder : mapping
        `CleanPart.digest_files` by sequence folder.
    """
    kinds = dict.fromkeys(kind for digests in by_folder.values() for kind in digests)
    return {
        CLEAN_DIGESTS[kind]: digest_json(
            {name: digests[kind] for name, digests in by_folder.items()}
        )
        for kind in kinds
    }


def _read_weights(path: Path) -> IndexMask:
    if not path.exists():
        raise _refuse_missing_weights(path)
    try:
        weights = read_index_mask(path)
    except InputError as error:
        raise refuse(error.problems[0].what, path, _HINT) from None
    low, high = int(weights.min()), int(weights.max())
    if low < REST or high > HIGHEST:
        value = low if low < REST else high
        raise refuse(f"has the value {value}; weights are from 1 to 4", path, _HINT)
    return weights


def _refuse_missing_weights(path: Path) -> InputError:
    what, hint = "the weights are missing", "set `weights` to none"
    return refuse_missing(path, what, f"restore them, or {hint}", hint)
