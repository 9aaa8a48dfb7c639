"""Raw scores of predictions, and the index masks that are made from them.

The scores of a model are in two files: ``scores.json`` (objects and their activity) and
``scores.npz`` (mask logits at stride 4, half precision). Masks at full size depend on these files
alone, so another activity threshold needs no model. The trainer writes them; any other program
may, see docs/scoring.md.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import MAX_SIDE, IndexMask
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.files import PathLike, as_path, write_json
from actiseg_data.core.names import check_name, format_name, parse_whole_number
from actiseg_data.core.opencv import load_cv2

SCORES_FILE = "scores.json"
LOGITS_FILE = "scores.npz"
SCHEMA = "actiseg/scores/1"

MAX_GRID = 1024
"""Most rows and columns of logits: a quarter of the largest frames that a model gets."""

MAX_BYTES = 1 << 32
"""Most bytes of the logits of one sequence: 255 objects in a thousand frames need a fifth of it."""

DEFAULT_THRESHOLD = 0.75
"""ActionVOS's activity threshold."""


@dataclass(frozen=True, repr=False)
class SequenceScores:
    """The scores of a model for one sequence.

    Attributes
    ----------
    folder : str
        Folder name of the sequence.
    frames : tuple of str
        Names of the T frames.
    size : (H, W)
        Size of the masks to make.
    objects : tuple of int
        Ids of the K objects that have a prompt.
    activity : (K,) tuple of float in [0, 1]
        Chance that each object takes part in the action.
    logits : (K, T, h, w) float16
        Logits of pixels.
    """

    folder: str
    frames: tuple[str, ...]
    size: tuple[int, int]
    objects: tuple[int, ...]
    activity: tuple[float, ...]
    logits: NDArray[np.float16]

    def __repr__(self) -> str:
        return f"SequenceScores({self.folder!r}, logits={self.logits.shape})"

    def resize_logits(self, row: int, frame: int) -> NDArray[np.float32]:
        """Resize the logits of an object, by its row, in a frame to (H, W), bilinearly."""
        cv2 = load_cv2()
        height, width = self.size
        small = self.logits[row, frame].astype(np.float32)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32)

    def make_masks(self, threshold: float = DEFAULT_THRESHOLD) -> Iterator[IndexMask]:
        """Make the index mask of each frame, (H, W) uint8.

        Objects with an activity below the threshold get no pixel. Logits are resized bilinearly. A
        pixel goes to the object with the highest chance there, if that is at least one half; among
        equals, to the first (ActionVOS's inference, with the objects' own ids).
        """
        height, width = self.size
        rows = [row for row, chance in enumerate(self.activity) if chance >= threshold]
        for frame in range(len(self.frames)):
            best = np.zeros((height, width), np.float32)
            mask = np.zeros((height, width), np.uint8)
            for row in rows:
                large = self.resize_logits(row, frame)
                wins = (large > best) | ((large == 0) & (mask == 0) & (best == 0))
                best[wins] = large[wins]
                mask[wins] = self.objects[row]
            yield mask

    def to_entry(self) -> dict[str, Any]:
        """Convert all but the logits to an entry of ``scores.json``."""
        chances = zip(self.objects, self.activity, strict=True)
        return {
            "frames": list(self.frames),
            "size": list(self.size),
            "activity": {str(object_id): chance for object_id, chance in chances},
        }


class ScoresWriter:
    """Write the scores of a split into a folder, a sequence at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, Any] = {}
        self._archive = zipfile.ZipFile(folder / LOGITS_FILE, "w", zipfile.ZIP_DEFLATED)

    def add(self, scores: SequenceScores) -> None:
        self._entries[scores.folder] = scores.to_entry()
        # Members are numbered: names of sequences may have characters that archives do not allow.
        name = f"{len(self._entries) - 1}.npy"
        with self._archive.open(name, "w") as stream:
            np.lib.format.write_array(stream, scores.logits, allow_pickle=False)

    def close(self, about: Mapping[str, Any]) -> None:
        """Finish the archive, and write the JSON file. `about` has members of its head."""
        self._archive.close()
        document = {"schema": SCHEMA, **about, "sequences": self._entries}
        write_json(self._folder / SCORES_FILE, document)


def read_scores(folder: Path) -> Iterator[SequenceScores]:
    """Read the scores in a folder of predictions, a sequence at a time.

    Raises
    ------
    InputError
        If they are missing or damaged.
    """
    document = _read_document(folder)
    archive_path = folder / LOGITS_FILE
    with _report_damage(archive_path), zipfile.ZipFile(archive_path) as archive:
        for number, (name, entry) in enumerate(document["sequences"].iterate_members()):
            yield _read_sequence_scores(archive, f"{number}.npy", name, entry)


@dataclass(frozen=True, repr=False)
class RawScores:
    """The raw scores in a folder of predictions, of which any sequence can be read.

    Attributes
    ----------
    folder : Path
        The folder of the predictions.
    entries : mapping of str to (str, Cursor)
        By sequence, the name of its member in the archive of logits, and its entry in the document.
    """

    folder: Path
    entries: Mapping[str, tuple[str, Cursor]]

    @property
    def has_logits(self) -> bool:
        """Whether masks can be made: `LOGITS_FILE` may be absent where only activity is known."""
        return (self.folder / LOGITS_FILE).is_file()

    def read_activity(self, sequence: str) -> dict[int, float]:
        """Read the activity of each object of a sequence, by id.

        Raises
        ------
        InputError
            If the sequence has no scores, or damaged ones.
        """
        return _read_activity(self._find(sequence)[1])

    def read(self, sequence: str) -> SequenceScores:
        """Read all scores of a sequence; errors as in `read_scores`."""
        member, entry = self._find(sequence)
        with (
            _report_damage(self.folder / LOGITS_FILE),
            zipfile.ZipFile(self.folder / LOGITS_FILE) as archive,
        ):
            return _read_sequence_scores(archive, member, sequence, entry)

    def _find(self, sequence: str) -> tuple[str, Cursor]:
        if sequence not in self.entries:
            where = self.folder / SCORES_FILE
            raise refuse(f"has no scores of {format_name(sequence)}", where, "predict again")
        return self.entries[sequence]


def open_raw_scores(folder: Path) -> RawScores:
    """Open the raw scores in a folder of predictions.

    Raises
    ------
    InputError
        If `SCORES_FILE` is missing or damaged.
    """
    document = _read_document(folder)
    members = document["sequences"].iterate_members()
    return RawScores(
        folder, {name: (f"{number}.npy", entry) for number, (name, entry) in enumerate(members)}
    )


def digest_raw_scores(predictions: PathLike) -> str:
    """Compute a digest of the raw scores in a folder of predictions.

    It covers sequences, frames, objects, activity and logits, and neither the order of the
    sequences nor how files are compressed. Masks depend on these scores and a gate alone.

    Parameters
    ----------
    predictions : str or Path
        A folder with `SCORES_FILE` and `LOGITS_FILE`.

    Returns
    -------
    str
        32 hexadecimal digits (BLAKE2b-128).

    Raises
    ------
    InputError
        If the scores are missing or damaged.

    Examples
    --------
    ::

        digest_raw_scores("bench/S/runs/M1/gce/s0/test")
    """
    scores = open_raw_scores(as_path(predictions, "predictions"))
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(scores.entries):
        item = scores.read(name)
        head = {"sequence": name, "logits": list(item.logits.shape), **item.to_entry()}
        digest.update(digest_json(head).encode())
        digest.update(item.logits.astype("<f2").tobytes())
    return digest.hexdigest()


def read_rendered_flag(folder: Path) -> bool:
    """Return whether predictions are of rendered frames, not photographs."""
    return _read_document(folder)["rendered_frames"].as_flag()


def _read_document(folder: Path) -> Cursor:
    path = folder / SCORES_FILE
    document = Cursor(read_json(path, "file of scores"), str(path))
    if document["schema"].as_text() != SCHEMA:
        raise refuse(
            f"has the schema {document['schema'].as_text()!r}; this release reads {SCHEMA!r}",
            path,
            "predict again",
        )
    return document


@contextmanager
def _report_damage(path: Path) -> Iterator[None]:
    """Report errors of a missing or damaged archive as an `InputError` that names it."""
    try:
        yield
    except InputError:
        raise
    except (
        *(OSError, EOFError, KeyError, RuntimeError, ValueError, MemoryError),
        *(zipfile.BadZipFile, zlib.error),
    ) as error:
        what = f"is missing, damaged or truncated ({error})"
        raise refuse(what, path, "predict again") from None


def _read_sequence_scores(
    archive: zipfile.ZipFile, member: str, folder: str, entry: Cursor
) -> SequenceScores:
    check_name(folder, "sequence", entry.where)
    frames = tuple(
        check_name(name.as_text(), "frame", name.where)
        for name in entry["frames"].iterate_elements()
    )
    activity = _read_activity(entry)
    size = [side.as_integer() for side in entry["size"].iterate_elements()]
    if len(size) != 2 or not all(0 < side <= MAX_SIDE for side in size):
        raise refuse(f"the size is {size}", entry.where, "predict again")
    logits = _read_logits(archive, member, (len(activity), len(frames)))
    return SequenceScores(
        folder, frames, (size[0], size[1]), tuple(activity), tuple(activity.values()), logits
    )


def _read_activity(entry: Cursor) -> dict[int, float]:
    activity = {
        parse_whole_number(name) or 0: chance.as_number()
        for name, chance in entry["activity"].iterate_members()
    }
    if not all(1 <= object_id <= 255 for object_id in activity):
        raise refuse("has an object id outside 1 to 255", entry.where, "predict again")
    if not all(0 <= chance <= 1 for chance in activity.values()):
        raise refuse("has an activity outside [0, 1]", entry.where, "predict again")
    return activity


def _read_logits(
    archive: zipfile.ZipFile, member: str, expected: tuple[int, int]
) -> NDArray[np.float16]:
    """Read the logits of (K, T) `expected`; check the header before memory is allocated."""
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"{member} has another version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype != np.float16 or fortran or len(shape) != 4:
            raise ValueError(f"{member} does not hold logits")
        if shape[:2] != expected:
            raise ValueError(f"{member} holds logits of other objects or frames")
        size = 2 * math.prod(shape)
        if not all(0 < side <= MAX_GRID for side in shape[2:]) or size > MAX_BYTES:
            raise ValueError(f"{member} has the shape {shape}")
        data = stream.read(size + 1)
    if len(data) != size:
        raise ValueError(f"{member} holds more or less data than its shape {shape}")
    return np.frombuffer(data, np.float16).reshape(shape)
