"""The masks and training weights of the clean dataset that go into a noisy copy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from actiseg_data.annotations.masks import IndexMask, digest_pixels, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS, Split
from actiseg_noise.mask_noise.mask_weights import HIGHEST, REST
from actiseg_noise.mask_noise.sequence_masks import FrameNoise

_HINT = "prepare the split again, or give --weights none"

CLEAN_DIGESTS = {MASKS: "clean_masks_digest", WEIGHTS: "clean_weights_digest"}
"""Members of the summary that say what a noisy split was made from."""


@dataclass(frozen=True)
class Part:
    """Sequences of one list, with the kinds of files that they have in common.

    kinds: `MASKS` and `WEIGHTS`, `MASKS` alone, or none, for a dataset of lists.
    """

    split: Split
    sequences: tuple[VideoSequence, ...]
    kinds: tuple[str, ...]

    def paths(self, kind: str, sequence: VideoSequence) -> list[Path]:
        """A sequence's files of a kind, in frame order."""
        return self.split.find_pngs(kind, sequence)

    def names(self, sequence: VideoSequence) -> list[str]:
        """A sequence's files as digests name them: relative to the dataset, with forward slashes,
        kind by kind.
        """
        return list(chain.from_iterable(self.names_by_kind(sequence)))

    def names_by_kind(self, sequence: VideoSequence) -> list[list[str]]:
        """`names`, a list for each of the kinds."""
        subset = self.split.subsets.get(sequence.folder)
        return [
            [f"{kind}/{subset}/{sequence.folder}/{frame}.png" for frame in sequence.frames]
            for kind in self.kinds
        ]

    def masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """See `Split.each_mask`."""
        return self.split.iterate_masks(sequence)

    def weights(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """A sequence's weights in frame order, (H, W) uint8 with values 1 to 4, one at a time.

        Raises `InputError` with every map that is missing, damaged, or has other values.
        """
        problems = ProblemCollector()
        paths = self.paths(WEIGHTS, sequence)
        if not any(os.path.lexists(path) for path in paths):
            raise _missing_weights(self.split.find_folder(WEIGHTS, sequence))
        for path in paths:
            with problems.collect():
                weights = _read_weights(path)
            if not problems.collected:
                yield weights
        problems.raise_if_any()

    def check(self, sequence: VideoSequence) -> None:
        """Decode all files of a sequence; raises `InputError` with all that is wrong with them."""
        problems = ProblemCollector()
        shapes: dict[str, list[tuple[int, ...]]] = {}
        for kind, read in ((MASKS, self.masks), (WEIGHTS, self.weights)):
            if kind in self.kinds:
                with problems.collect():
                    shapes[kind] = [pixels.shape for pixels in read(sequence)]
        problems.raise_if_any()
        if WEIGHTS in self.kinds:
            for path, mask, weights in zip(
                self.paths(WEIGHTS, sequence), shapes[MASKS], shapes[WEIGHTS], strict=True
            ):
                with problems.collect():
                    _refuse_other_size(path, weights, mask)
        problems.raise_if_any()

    def weighed(
        self, sequence: VideoSequence, frames: Iterable[FrameNoise]
    ) -> Iterator[tuple[FrameNoise, IndexMask | None]]:
        """A sequence's noisy frames, each with its clean weights; None without weights."""
        if WEIGHTS not in self.kinds:
            yield from ((noise, None) for noise in frames)
            return
        files = zip(self.paths(WEIGHTS, sequence), self.weights(sequence), strict=True)
        for noise, (path, weights) in zip(frames, files, strict=True):
            _refuse_other_size(path, weights.shape, noise.clean.shape)
            yield noise, weights

    def digests(self, sequence: VideoSequence) -> dict[str, list[str]]:
        """Digests of the pixels of a sequence's files by kind, in frame order."""
        readers = {MASKS: self.masks, WEIGHTS: self.weights}
        return {kind: list(map(digest_pixels, readers[kind](sequence))) for kind in self.kinds}


def make_part(split: Split, sequences: Sequence[VideoSequence], *, weights: bool) -> Part:
    """Some sequences of a split with the kinds of files that any of them has.

    weights: False leaves weights out. A dataset without masks has none of either kind.
    """
    kinds: list[str] = []
    for kind in (MASKS, WEIGHTS) if weights else (MASKS,):
        if (kind == MASKS or kinds) and _has_any(split, sequences, kind):
            kinds.append(kind)
    return Part(split, tuple(sequences), tuple(kinds))


def read_digests_of(part: Part, sequence: VideoSequence) -> dict[str, list[str]]:
    """`Part.digests` as a function that worker processes can be given."""
    return part.digests(sequence)


def summarise_digests(by_folder: Mapping[str, Mapping[str, list[str]]]) -> dict[str, str]:
    """One digest of all clean files of a kind, under its name in the summary.

    by_folder: `Part.digests` by sequence folder.
    """
    kinds = dict.fromkeys(kind for found in by_folder.values() for kind in found)
    return {
        CLEAN_DIGESTS[kind]: digest_json({name: found[kind] for name, found in by_folder.items()})
        for kind in kinds
    }


def _has_any(split: Split, sequences: Iterable[VideoSequence], kind: str) -> bool:
    placed = (sequence for sequence in sequences if sequence.folder in split.subsets)
    folders = (split.find_folder(kind, sequence) for sequence in placed)
    # Behind a link to nothing there may be all of them: that is to be told, not passed over.
    return os.path.lexists(split.root / kind) and any(
        os.path.lexists(folder) or find_dangling_link(folder) is not None for folder in folders
    )


def _read_weights(path: Path) -> IndexMask:
    if not path.exists():
        raise _missing_weights(path)
    try:
        weights = read_index_mask(path)
    except InputError as refused:
        raise refuse(refused.problems[0].what, path, _HINT) from None
    low, high = int(weights.min()), int(weights.max())
    if low < REST or high > HIGHEST:
        value = low if low < REST else high
        raise refuse(f"holds the value {value}; weights are 1 to 4", path, _HINT)
    return weights


def _missing_weights(path: Path) -> InputError:
    what, other = "the weights are missing", "give --weights none"
    return refuse_missing(path, what, f"restore them, or {other}", other)


def _refuse_other_size(path: Path, weights: tuple[int, ...], mask: tuple[int, ...]) -> None:
    if weights != mask:
        raise refuse(
            f"has {weights[1]} x {weights[0]} pixels, its mask {mask[1]} x {mask[0]}",
            path,
            _HINT,
        )
