"""The rows of a release: one for each object in each frame, with its words and its masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import IndexMask, check_same_size
from actiseg_data.annotations.png import encode_bilevel
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.layouts.split import Split
from actiseg_data.records.split_documents import DIGESTS_FILE
from actiseg_noise.releases.data_files.change_pictures import draw_change
from actiseg_noise.split.clean_parts import CleanPart


@dataclass(frozen=True)
class RowWords:
    """What the lists say about an object of a sequence, before and after the noise.

    Attributes
    ----------
    object_id : int
        Its id.
    prompt, prompt_clean : str or None
        Its prompt in the main style; None if the split has no prompts.
    name, name_clean : str
        Its name.
    class_id, class_id_clean : int
        Its EPIC noun class.
    positive, positive_clean : bool
        Whether it takes part in the action.
    kind_text : str or None
        The kind of text noise; None if its words are unchanged.
    """

    object_id: int
    prompt: str | None
    prompt_clean: str | None
    name: str
    name_clean: str
    class_id: int
    class_id_clean: int
    positive: bool
    positive_clean: bool
    kind_text: str | None


@dataclass(frozen=True)
class ReleaseRow:
    """One object in one frame.

    Attributes
    ----------
    sequence, frame : str
        Names in the lists. The frame is None in a split of lists alone.
    words : RowWords
        What the lists say about the object.
    mask : bytes or None
        Its noisy mask, a PNG of 1 bit.
    picture : bytes or None
        See `actiseg_noise.releases.data_files.change_pictures.draw_change`.
    kind : str or None
        The kind of mask noise; None if the object was not selected.
    iou : float or None
        IoU of its mask on disk with the clean one. None if it is the clean one, and was not
        selected.
    image : bytes or None
        The frame, if the release has frames.
    """

    sequence: str
    frame: str | None
    words: RowWords
    mask: bytes | None = None
    picture: bytes | None = None
    kind: str | None = None
    iou: float | None = None
    image: bytes | None = None


@dataclass(frozen=True)
class RowSource:
    """The masks of the rows of one list.

    Attributes
    ----------
    part : CleanPart
        The list of the noisy split, and the kinds of files that it has.
    clean : Split or None
        The source. None if the masks are copies of its masks, or if there are none.
    """

    part: CleanPart
    clean: Split | None


@dataclass(frozen=True)
class RowTask:
    """One sequence whose rows are made.

    Attributes
    ----------
    sequence : VideoSequence
        The sequence.
    words : tuple of RowWords
        Its objects.
    kinds : mapping of (str, int) to str
        The kind of mask noise by frame and object id.
    names, digests : tuple of str
        Its masks as ``digests.json`` names them, and the pixels that they had when they were made.
    frames : tuple of Path
        Its frames, if the release has frames.
    """

    sequence: VideoSequence
    words: tuple[RowWords, ...]
    kinds: Mapping[tuple[str, int], str]
    names: tuple[str, ...]
    digests: tuple[str | None, ...]
    frames: tuple[Path, ...]


def make_rows(source: RowSource, task: RowTask) -> tuple[ReleaseRow, ...]:
    """Make the rows of a sequence, in the order of frames, then of the list.

    Each mask is decoded once.

    There is a row for each object that the clean or the noisy mask of a frame has. A split of lists
    has a row for each object of a sequence.

    Raises
    ------
    InputError
        With every mask that is damaged, or that changed after the split was made.
    """
    sequence = task.sequence
    if not task.names:
        return tuple(ReleaseRow(sequence.folder, None, words) for words in task.words)
    rows: list[ReleaseRow] = []
    views = sequence.views
    problems = ProblemCollector()
    for position, (clean, noisy, digest) in enumerate(_iterate_pairs(source, sequence)):
        if digest != task.digests[position]:
            what = (
                f"was changed after the split was made: its pixels are not what {DIGESTS_FILE} says"
            )
            where = source.part.split.root / task.names[position]
            problems.add(what, where, "make the split again")
        frame = views[position].frame
        number = sequence.frames.index(frame)
        image = read_bytes(task.frames[number], "frame") if task.frames else None
        rows += _make_frame_rows(task, frame, clean, noisy, image)
    problems.raise_if_any()
    return tuple(rows)


def _iterate_pairs(
    source: RowSource, sequence: VideoSequence
) -> Iterator[tuple[IndexMask, IndexMask, str]]:
    """Yield the clean and the noisy mask of each frame, and the digest of the noisy one.

    A copy has the same mask twice.
    """
    split = source.part.split
    if source.clean is None:
        for mask, digest in split.iterate_digested(sequence):
            yield mask, mask, digest
        return
    masks = zip(
        split.find_masks(sequence),
        source.clean.iterate_masks(sequence),
        split.iterate_digested(sequence),
        strict=True,
    )
    for path, clean, (noisy, digest) in masks:
        check_same_size(noisy.shape, clean.shape, "the clean mask", path, "make the split again")
        yield clean, noisy, digest


def _make_frame_rows(
    task: RowTask, frame: str, clean: IndexMask, noisy: IndexMask, image: bytes | None
) -> Iterator[ReleaseRow]:
    # Pixels by clean and noisy id: all areas and intersections at once.
    pairs = np.bincount((clean.astype(np.uint16) << 8 | noisy).ravel(), minlength=1 << 16)
    common = pairs.reshape(256, 256)
    clean_areas, noisy_areas = common.sum(axis=1), common.sum(axis=0)
    for words in task.words:
        number = words.object_id
        union = int(clean_areas[number] + noisy_areas[number] - common[number, number])
        if not union:
            continue
        kind = task.kinds.get((frame, number))
        iou = round(int(common[number, number]) / union, 6)
        untouched = kind is None and int(common[number, number]) == union
        yield ReleaseRow(
            sequence=task.sequence.folder,
            frame=frame,
            words=words,
            mask=encode_bilevel(noisy == number),
            picture=draw_change(clean, noisy, number),
            kind=kind,
            iou=None if untouched else iou,
            image=image,
        )
