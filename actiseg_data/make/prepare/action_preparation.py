"""Make an ActionVOS root from sequences of one action each, whose masks are those of another set.

ActionVOS prepares VOST and VSCOS in this way. Its own scripts make files that its loader and its
metrics do not read; here they do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

from actiseg_data.annotations.masks import (
    VOID,
    IndexMask,
    check_same_size,
    find_ids,
    write_index_mask,
)
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector, check_choice
from actiseg_data.core.files import check_outside, new_folder, write_json
from actiseg_data.core.listing import list_files, sort_frames
from actiseg_data.core.names import check_name
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, SUBSETS, escape_name
from actiseg_data.layouts.image_sets import make_image_sets, refuse_repeats
from actiseg_data.layouts.photograph_search import list_photographs
from actiseg_data.records.licences import write_licences

IMAGES = ("link", "copy", "none")
"""What happens with photographs."""

MERGED_ID = 1
"""The id of the only object, if a sequence has the object of its action alone."""


class SourceMask(NamedTuple):
    """A mask as a source has it.

    Attributes
    ----------
    mask : ndarray
        The index mask to write.
    instances : int
        How many objects the source shows.
    is_blended : bool
        Whether the source has blended pixels, which were decided by a threshold.
    """

    mask: IndexMask
    instances: int
    is_blended: bool = False


MaskReader: TypeAlias = Callable[[Path], SourceMask]
"""A function of a module that reads a mask of a source."""


@dataclass(frozen=True)
class ActionSource:
    """A sequence of a source.

    Attributes
    ----------
    sequence : VideoSequence
        The sequence. If it has no objects, all ids in its masks become objects of one name.
    name : str
        That name.
    class_id : int
        The noun class of that name; -1 if unknown.
    masks : tuple of Path
        One for each frame.
    photographs : tuple of (Path or None)
        One for each frame, or None.
    """

    sequence: VideoSequence
    name: str
    class_id: int
    masks: tuple[Path, ...]
    photographs: tuple[Path | None, ...]


@dataclass(frozen=True)
class ActionPreparation:
    """What the preparation of actions made.

    Attributes
    ----------
    sequences, objects, masks, photographs : int
        How many were written; an object counts once in each sequence.
    absent : int
        Frames without a photograph in the source.
    empty : int
        Sequences whose masks show no object.
    merged : int
        Masks with several objects that became one.
    void : int
        Masks with pixels of the id `VOID`, which are of no object.
    blended : int
        Masks with blended pixels, see `SourceMask`.
    skipped : int
        Listed sequences without masks, which were left out.
    licence : str or None
        SPDX identifier or file of the licence, or None if it is not known.
    unclassified : int
        Objects without a class, if a lexicon was to give them one.
    unnamed : int
        Objects that a table of actions does not name.
    unknown : tuple of str
        Sequences in that table that do not exist.
    """

    sequences: int
    objects: int
    masks: int
    photographs: int
    absent: int
    empty: int
    merged: int
    void: int
    blended: int
    skipped: int
    licence: str | None
    unclassified: int = 0
    unnamed: int = 0
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparationOptions:
    """How and where a root is made.

    Attributes
    ----------
    root : Path
        The source.
    split : str
        Name of the action list.
    out : Path
        The root to make.
    images : str
        One of `IMAGES`.
    merge : bool
        Whether all instances become the object `MERGED_ID`.
    workers : int
        Processes.
    stage : StageProgress
        Shows progress.
    """

    root: Path
    split: str
    out: Path
    images: str
    merge: bool
    workers: int
    stage: StageProgress

    def check(self) -> None:
        """Raise an `InputError` for options that cannot be used."""
        problems = ProblemCollector()
        with problems.collect():
            check_name(self.split, "split", "`split`")
        with problems.collect():
            check_choice(self.images, IMAGES, "images")
        with problems.collect():
            check_outside(self.out, [self.root], "out")
        problems.raise_if_any()


def make_source(
    sequence: VideoSequence, name: str, class_id: int, masks: Path, photographs: Path
) -> ActionSource:
    """Make the source of a sequence from its folders of masks and photographs.

    The frames of the sequence are those with a mask. Its folder is named after its other fields.
    """
    listed = [entry.path for entry in list_files(masks, ".png")]
    files = {path.stem: path for path in listed}
    frames = sort_frames(path.stem for path in listed)
    problems = ProblemCollector()
    refuse_repeats("frame", frames, masks, problems)
    for frame in frames:
        with problems.collect():
            check_name(frame, "frame", masks)
    folder = ""
    with problems.collect():
        folder = name_folder(sequence, masks)
    problems.raise_if_any()
    pictures = list_photographs(photographs)
    return ActionSource(
        replace(sequence, folder=folder, frames=tuple(frames)),
        name,
        class_id,
        tuple(files[frame] for frame in frames),
        tuple(pictures.get(frame) for frame in frames),
    )


def name_folder(sequence: VideoSequence, where: Path | str) -> str:
    """Name the folder of a sequence after its other fields; `where` is for messages."""
    folder = f"{sequence.seq_id:08d}_{sequence.video}_{sequence.verb}_{sequence.noun}"
    return check_name(folder, "sequence", where)


def prepare_actions(
    options: PreparationOptions,
    sources: Sequence[ActionSource],
    reader: MaskReader,
    licences: tuple[str, str],
    *,
    licence: str | None,
    skipped: int,
) -> ActionPreparation:
    """Write the root of some sources; nothing is left of it if a mask is faulty.

    Parameters
    ----------
    options : PreparationOptions
        How and where.
    sources : sequence of ActionSource
        The sequences in the order of the list.
    reader : MaskReader
        Reads a mask.
    licences : (str, str)
        The texts of LICENSE and NOTICE.
    licence, skipped
        As in `ActionPreparation`.

    Raises
    ------
    InputError
        With every faulty mask, or if `out` exists.
    """
    with new_folder(options.out) as folder:
        writer = _SequenceWriter(options, folder, reader)
        with options.stage("writing sequences") as progress:
            written = run_parallel(_write_sequence, writer, sources, options.workers, progress)
        sequences = [
            _add_labels(source, sorted(item.ids), merge=options.merge)
            for source, item in zip(sources, written, strict=True)
        ]
        # The published metrics read the flags of human-labelled lists, so this list has them.
        for name, document in make_image_sets(options.split, sequences, flags=True).items():
            write_json(folder / IMAGE_SETS / name, document)
        write_licences(folder, *licences)
    return ActionPreparation(
        sequences=len(sequences),
        objects=sum(len(sequence.objects) for sequence in sequences),
        masks=sum(len(sequence.frames) for sequence in sequences),
        photographs=sum(item.photographs for item in written),
        absent=sum(source.photographs.count(None) for source in sources),
        empty=sum(not item.ids for item in written),
        merged=sum(item.merged for item in written),
        void=sum(item.void for item in written),
        blended=sum(item.blended for item in written),
        skipped=skipped,
        licence=licence,
        unclassified=sum(label.class_id < 0 for item in sequences for label in item.objects),
    )


@dataclass(frozen=True)
class _SequenceWriter:
    options: PreparationOptions
    folder: Path
    reader: MaskReader

    def name_place(self, kind: str, sequence: VideoSequence) -> Path:
        """Return the folder of a sequence's files of a kind, below the root."""
        split = self.options.split
        subset = split if split in SUBSETS else SUBSETS[1]
        return Path(kind, subset, escape_name(sequence.folder))


@dataclass(frozen=True)
class _SequenceTally:
    """The ids in the masks of a sequence, and counts as in `ActionPreparation`."""

    ids: frozenset[int]
    photographs: int
    merged: int
    void: int
    blended: int


def _write_sequence(writer: _SequenceWriter, source: ActionSource) -> _SequenceTally:
    """Write the masks and photographs of a sequence; raise `InputError` with every fault."""
    problems = ProblemCollector()
    ids: set[int] = set()
    merged = void = blended = 0
    shape: tuple[int, ...] | None = None
    target = writer.folder / writer.name_place(MASKS, source.sequence)
    for frame, path in zip(source.sequence.frames, source.masks, strict=True):
        with problems.collect():
            read = writer.reader(path)
            shape = shape or read.mask.shape
            hint = "make all masks of a sequence at one size"
            check_same_size(read.mask.shape, shape, "the sequence's first mask", path, hint)
            shown = find_ids(read.mask)
            ids.update(shown)
            merged += writer.options.merge and read.instances > 1
            void += VOID in {*shown} - source.sequence.object_ids
            blended += read.is_blended
            write_index_mask(target / f"{escape_name(frame)}.png", read.mask)
    problems.raise_if_any()
    photographs = _take_photographs(writer, source)
    ids -= {VOID} - source.sequence.object_ids
    return _SequenceTally(frozenset(ids), photographs, merged, void, blended)


def _take_photographs(writer: _SequenceWriter, source: ActionSource) -> int:
    """Link or copy the photographs of a sequence's frames; return how many."""
    options = writer.options
    pairs = [
        (frame, path)
        for frame, path in zip(source.sequence.frames, source.photographs, strict=True)
        if path is not None and options.images != "none"
    ]
    place = writer.name_place(FRAMES, source.sequence)
    # A relative link must lead from the final folder, which is at another depth.
    final = options.out.parent.resolve() / options.out.name / place
    if pairs:
        (writer.folder / place).mkdir(parents=True)
    for frame, path in pairs:
        target = writer.folder / place / f"{escape_name(frame)}{path.suffix}"
        if options.images == "copy":
            shutil.copyfile(path, target)
        else:
            target.symlink_to(os.path.relpath(path.resolve(), final))
    return len(pairs)


def _add_labels(source: ActionSource, ids: Sequence[int], *, merge: bool) -> VideoSequence:
    """Add the objects of a sequence, if it has none: all take part in the action."""
    if source.sequence.objects:
        return source.sequence
    ids = [MERGED_ID] if merge else ids
    several = len(ids) > 1
    labels = tuple(
        ObjectLabel(
            object_id,
            f"{source.name} {position}" if several else source.name,
            source.class_id,
            positive=True,
            handbox=True,
            narration=True,
        )
        for position, object_id in enumerate(ids, 1)
    )
    return replace(source.sequence, objects=labels)
