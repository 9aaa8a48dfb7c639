"""The files of a split's frames, in the noisy split or in its source."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.layouts.opening import has_source, open_source
from actiseg_data.layouts.split import Split
from actiseg_noise.split.clean_parts import CleanPart


def open_frame_places(part: CleanPart, source: Path | None) -> tuple[Split, ...]:
    """Open the splits that may have the frames of a list: the noisy one, then the source's."""
    copy, name = part.split.root, part.split.name
    if source is None or not has_source(source, copy, name):
        return (part.split,)
    return part.split, open_source(source, copy, name, masks=False)


def find_frame_files(places: tuple[Split, ...], sequence: VideoSequence) -> list[Path]:
    """Find the frames of a sequence, in order, with links resolved.

    Raises
    ------
    InputError
        If any of them is in none of the places.
    """
    located: dict[int, Path] = {}
    expected: list[Path] = []
    for split in places:
        if split.find_frames_folder(sequence) is None:
            continue
        paths = split.frames(sequence)
        expected = expected or paths
        for position, path in enumerate(paths):
            if path.is_file():
                located.setdefault(position, path.resolve())
    problems = ProblemCollector()
    lacking = [path for position, path in enumerate(expected) if position not in located]
    if lacking or not expected:
        where = lacking[0] if lacking else places[0].root / sequence.folder
        what = f"{len(lacking) or len(sequence.frames)} frames of the sequence are missing"
        problems.add(what, where, "put them there, or publish the masks without frames")
    problems.raise_if_any()
    return [located[position] for position in range(len(expected))]
