"""Index masks in plain folders, one for each sequence, as DAVIS and most video datasets have them.

::

    ROOT/<sequence>/<frame>.png

Nothing says which objects there are but the masks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actiseg_data.digests import json_digest
from actiseg_data.errors import Problems, refuse
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import check_name


@dataclass(frozen=True)
class FolderSplit:
    """All sequences of a folder, by name; their objects are unknown until masks are read.

    fingerprint: digest of the names of sequences and frames.
    """

    root: Path
    name: str
    sequences: tuple[Sequence, ...]
    fingerprint: str

    def mask_path(self, sequence: Sequence, frame: str) -> Path:
        return self.root / sequence.folder / f"{frame}.png"


def open_folder(root: Path) -> FolderSplit:
    """List the sequences of a folder; masks are not decoded here.

    Raises `Refused` where it is missing or holds no folder with PNGs, and for names that could lead
    elsewhere.
    """
    if not root.is_dir():
        raise refuse("there is no such folder", root, "give a folder of sequences")
    problems = Problems()
    sequences = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        frames = sorted(path.stem for path in folder.glob("*.png"))
        if frames:
            with problems.caught():
                check_name(folder.name, "sequence", root)
                for frame in frames:
                    check_name(frame, "frame", folder)
                sequences.append(_sequence(folder.name, frames))
    problems.raise_if_any()
    if not sequences:
        raise refuse(
            "holds no sequence of masks",
            root,
            "give an ActionVOS root, or a folder that has <sequence>/<frame>.png",
        )
    names = {sequence.folder: list(sequence.frames) for sequence in sequences}
    return FolderSplit(root, root.name, tuple(sequences), json_digest(names))


def _sequence(folder: str, frames: list[str]) -> Sequence:
    return Sequence(
        folder=folder,
        seq_id=0,
        video=folder,
        start=0,
        end=0,
        narration="",
        verb="",
        verb_class=-1,
        noun="",
        noun_class=-1,
        frames=tuple(frames),
        objects=(),
    )
