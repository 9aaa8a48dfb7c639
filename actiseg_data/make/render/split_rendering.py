"""Rendered frames for a whole split, for datasets without photographs."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image

from actiseg_data import __version__
from actiseg_data.annotations.masks import IndexMask, digest_pixels
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import DRAFT, PathLike, as_path, write_bytes, write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import FRAMES, escape_name
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split, paint_masks
from actiseg_data.make.render.noise_fields import ALGORITHM
from actiseg_data.make.render.painting import render_frame
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.rendered_note import (
    RENDERED_SCHEMA,
    name_rendered_file,
    read_rendered,
)

_JPEG_QUALITY = 85


@dataclass(frozen=True)
class RenderReport:
    """The result of `render_split`.

    Attributes
    ----------
    root : Path
        The dataset.
    split : str
        The split.
    sequences : int
        How many the split has.
    rendered, kept : int
        Frames painted now, and frames from an earlier run.
    replaced : int
        Frames painted now that replaced others.
    """

    root: Path
    split: str
    sequences: int
    rendered: int
    kept: int
    replaced: int

    def __str__(self) -> str:
        more = [f"{self.kept} found from a run before"] if self.kept else []
        more += [f"{self.replaced} replaced others"] if self.replaced else []
        return (
            f"rendered {count_nouns(self.rendered, 'frame')} of "
            f"{count_nouns(self.sequences, 'sequence')} of {self.split!r} in "
            f"{self.root}{''.join(f', {count}' for count in more)}: painted from masks, not "
            "photographs"
        )


def render_jpeg(mask: IndexMask, sequence: VideoSequence, frame: str) -> bytes:
    """Render a frame as a JPEG file, see `render_frame`."""
    stream = io.BytesIO()
    Image.fromarray(render_frame(mask, sequence, frame)).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def render_split(
    root: PathLike,
    split: str | None = None,
    *,
    layout: str | None = None,
    overwrite: bool = False,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> RenderReport:
    """Render all frames of a split from its masks, and note so in ``rendered-<split>.json``.

    All masks are checked before anything is written. A run that was stopped is completed by running
    it again. Frames whose masks, names or classes have changed since are painted again.

    Parameters
    ----------
    root : str or Path
        A clean dataset.
    split : str, optional
        The split. Each layout has a default; it is ``train`` in an ActionVOS root.
    layout : str, optional
        The layout of the dataset, such as ``davis``. By default it is recognised.
    overwrite : bool
        Whether to replace existing frames.
    workers : int
        Number of processes. The result does not depend on it.
    stage : callable
        Reports the progress of each step.

    Raises
    ------
    InputError
        For a noisy split, whose frames would show the noise; for faulty masks; for existing frames
        that were not rendered, or that are behind a link.
    """
    root = as_path(root)
    if (root / RECIPE_FILE).is_file():
        raise refuse(
            "is a noisy split: frames painted from its masks would show what is noise",
            root,
            "render the clean dataset that it was made from",
        )
    load_cv2()  # fail before anything is written
    opened = open_split(root, split, layout=layout, workers=workers)
    if any(opened.find_frames_folder(sequence) is None for sequence in opened.sequences):
        hint = (
            "render a dataset with files of masks, such as one of actiseg-noise prepare visor"
            if isinstance(opened, DocumentSplit)
            else "move the masks into a folder Annotations, beside which photographs have a place"
        )
        raise refuse("has no place for frames beside its masks", root, hint)
    with stage("checking masks") as progress:
        digests = run_parallel(_digest_sequence, opened, opened.sequences, workers, progress)
    made_of = {
        _place(opened, item): digest for item, digest in zip(opened.sequences, digests, strict=True)
    }
    outdated = _find_outdated(opened, made_of, overwrite)
    for path in outdated:
        path.unlink()
    note = {
        "schema": RENDERED_SCHEMA,
        "split": opened.name,
        "algorithm": ALGORITHM,
        "toolkit": f"actiseg {__version__}",
        "sequences": made_of,
    }
    write_json(
        root / name_rendered_file(opened.name), note
    )  # before the first frame, so that frames are recognised as rendered
    with stage("rendering frames") as progress:
        counts = run_parallel(_render, opened, opened.sequences, workers, progress)
    total = sum(counts, Counter[str]())
    return RenderReport(
        root, opened.name, len(opened.sequences), total["rendered"], total["kept"], len(outdated)
    )


def _place(split: Split, sequence: VideoSequence) -> str:
    """Name the folder of a sequence's frames, in an ActionVOS root without that of all frames."""
    return str(split.name_frames_folder(sequence)).removeprefix(f"{FRAMES}/")


def _find_frames_folder(split: Split, sequence: VideoSequence) -> Path:
    folder = split.find_frames_folder(sequence)
    assert folder is not None, "checked before"
    return folder


def _digest_sequence(split: Split, sequence: VideoSequence) -> str:
    """Compute a digest of all that decides the pixels of the frames of a sequence."""
    things = [[item.object_id, item.name, item.class_id] for item in sequence.objects]
    masks = [digest_pixels(mask) for mask in split.iterate_masks(sequence)]
    return digest_json([ALGORITHM, sequence.video, *sequence.identity, things, masks])


def _list_frames(split: Split, sequence: VideoSequence) -> list[Path]:
    folder = _find_frames_folder(split, sequence)
    return [folder / escape_name(f"{frame}.jpg") for frame in sequence.frames]


def _find_outdated(split: Split, made_of: Mapping[str, str], overwrite: bool) -> list[Path]:
    """Find the frames to remove: outdated rendered ones, or all others with `overwrite`."""
    known = read_rendered(split.root)
    outdated: list[Path] = []
    foreign: list[Path] = []
    for sequence in split.sequences:
        place = _place(split, sequence)
        if known.get(place) == made_of[place]:
            continue
        ours = _list_frames(split, sequence) if place in known else []
        for path in split.frames(sequence):
            if path.exists():
                (outdated if overwrite or path in ours else foreign).append(path)
    if foreign:
        raise refuse(
            f"{count_nouns(len(foreign), 'existing frame was', 'existing frames were')} not "
            f"rendered by this command, such as {foreign[0]}",
            foreign[0].parent.parent,
            "train on them, or give `overwrite` to replace them",
        )
    linked = {
        link
        for path in outdated
        for link in (path.parent, *path.parent.parents[:2])
        if link.is_symlink()
    }
    problems = ProblemCollector()
    for link in sorted(linked):
        problems.add("is a link: the frames behind it belong elsewhere", link, "remove the link")
    problems.raise_if_any()
    return outdated


def _iterate_frame_masks(split: Split, sequence: VideoSequence) -> Iterator[IndexMask]:
    """Yield an index mask for each frame; of objects that overlap, later ones are on top."""
    pairs = zip(sequence.views, split.iterate_masks(sequence), strict=True)
    for _, group in groupby(pairs, key=lambda pair: pair[0].frame):
        yield paint_masks(mask for _, mask in group)


def _render(split: Split, sequence: VideoSequence) -> Counter[str]:
    paths = _list_frames(split, sequence)
    lacking = [path for path in paths if not path.exists()]
    if lacking:
        for draft in _find_frames_folder(split, sequence).glob(f".*{DRAFT}"):
            draft.unlink()  # left by a killed run
        masks = _iterate_frame_masks(split, sequence)
        for path, frame, mask in zip(paths, sequence.frames, masks, strict=True):
            if path in lacking:
                write_bytes(path, render_jpeg(mask, sequence, frame))
    return Counter(rendered=len(lacking), kept=len(paths) - len(lacking))
