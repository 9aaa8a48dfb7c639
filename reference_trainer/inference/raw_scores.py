"""Raw scores of predictions, kept beside them, and index masks made of them.

What a model says stands in two files: ``scores.json`` (objects, their activity) and ``scores.npz``
(mask logits at stride 4, half precision). Masks at full size are made of these alone, so another
threshold of activity needs no model.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import MAX_SIDE, IndexMask
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.files import write_json
from actiseg_data.core.names import check_name, parse_whole_number
from actiseg_data.core.opencv import load_cv2

SCORES_FILE = "scores.json"
LOGITS_FILE = "scores.npz"
SCHEMA = "actiseg/scores/1"

MAX_GRID = 1024
"""Highest and widest logits: a quarter of the largest frames that a model sees."""

MAX_BYTES = 1 << 32
"""Most that the logits of one sequence may take: 255 objects in a thousand frames take a fifth."""

DEFAULT_THRESHOLD = 0.75
"""ActionVOS's."""


@dataclass(frozen=True)
class ClipScores:
    """What a model says of one sequence.

    objects: ids of the K objects that were asked for. activity: (K,) the chance that each takes
    part. frames: names of the T frames. size: (H, W) of the masks to make. logits: (K, T, h, w)
    float16, of pixels.
    """

    folder: str
    frames: tuple[str, ...]
    size: tuple[int, int]
    objects: tuple[int, ...]
    activity: tuple[float, ...]
    logits: NDArray[np.float16]

    def masks(self, threshold: float = DEFAULT_THRESHOLD) -> Iterator[IndexMask]:
        """The index mask of each frame, (H, W) uint8.

        Objects whose activity is below the threshold get no pixel. Logits are made large
        bilinearly; a pixel goes to the object that is likeliest there, if its chance is at least
        one half, and to the first of several (ActionVOS's inference, with real ids).
        """
        cv2 = load_cv2()
        height, width = self.size
        asked = [at for at, chance in enumerate(self.activity) if chance >= threshold]
        for frame in range(len(self.frames)):
            best = np.zeros((height, width), np.float32)
            mask = np.zeros((height, width), np.uint8)
            for at in asked:
                small = self.logits[at, frame].astype(np.float32)
                large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
                wins = (large > best) | ((large == 0) & (mask == 0) & (best == 0))
                best[wins] = large[wins]
                mask[wins] = self.objects[at]
            yield mask

    def entry(self) -> dict[str, Any]:
        """All but the logits, as ``scores.json`` has it."""
        chances = zip(self.objects, self.activity, strict=True)
        return {
            "frames": list(self.frames),
            "size": list(self.size),
            "activity": {str(object_id): chance for object_id, chance in chances},
        }


class ScoresWriter:
    """Writes the scores of a split into a folder, a sequence at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, Any] = {}
        self._archive = zipfile.ZipFile(folder / LOGITS_FILE, "w", zipfile.ZIP_DEFLATED)

    def add(self, scores: ClipScores) -> None:
        self._entries[scores.folder] = scores.entry()
        # A name of its own for each clip; those of sequences may hold what archives do not.
        name = f"{len(self._entries) - 1}.npy"
        with self._archive.open(name, "w") as stream:
            np.lib.format.write_array(stream, scores.logits, allow_pickle=False)

    def close(self, about: Mapping[str, Any]) -> None:
        """Write what stands in JSON. about: members of its head."""
        self._archive.close()
        document = {"schema": SCHEMA, **about, "sequences": self._entries}
        write_json(self._folder / SCORES_FILE, document)


def read_scores(folder: Path) -> Iterator[ClipScores]:
    """The scores in a folder of predictions, a sequence at a time; `InputError` where they are missing
    or damaged.
    """
    top = _read_head(folder)
    archive_path = folder / LOGITS_FILE
    try:
        with zipfile.ZipFile(archive_path) as archive:
            for number, (name, entry) in enumerate(top["sequences"].iterate_members()):
                yield _clip_scores(archive, f"{number}.npy", name, entry)
    except InputError:
        raise
    except (
        *(OSError, EOFError, KeyError, RuntimeError, ValueError, MemoryError),
        *(zipfile.BadZipFile, zlib.error),
    ) as error:
        raise _damaged(archive_path, error) from None


def of_rendered_frames(folder: Path) -> bool:
    """Whether what was predicted are painted frames, no photographs."""
    return _read_head(folder)["rendered_frames"].as_flag()


def _read_head(folder: Path) -> Cursor:
    path = folder / SCORES_FILE
    top = Cursor(read_json(path, "file of scores"), str(path))
    if top["schema"].as_text() != SCHEMA:
        raise refuse(
            f"has the schema {top['schema'].as_text()!r}, this release knows {SCHEMA!r}",
            path,
            "predict again",
        )
    return top


def _damaged(path: Path, error: Exception) -> InputError:
    return refuse(f"is missing, damaged or cut short ({error})", path, "predict again")


def _clip_scores(archive: zipfile.ZipFile, member: str, folder: str, entry: Cursor) -> ClipScores:
    check_name(folder, "sequence", entry.where)
    frames = tuple(
        check_name(of.as_text(), "frame", of.where) for of in entry["frames"].iterate_elements()
    )
    activity = {
        parse_whole_number(name) or 0: of.as_number()
        for name, of in entry["activity"].iterate_members()
    }
    size = [of.as_integer() for of in entry["size"].iterate_elements()]
    if len(size) != 2 or not all(0 < side <= MAX_SIDE for side in size):
        raise refuse(f"the size is {size}", entry.where, "predict again")
    if not all(1 <= object_id <= 255 for object_id in activity):
        raise refuse("has an object id that is none, 1 to 255", entry.where, "predict again")
    if not all(0 <= chance <= 1 for chance in activity.values()):
        raise refuse("has an activity outside [0, 1]", entry.where, "predict again")
    logits = _logits(archive, member, (len(activity), len(frames)))
    return ClipScores(
        folder, frames, (size[0], size[1]), tuple(activity), tuple(activity.values()), logits
    )


def _logits(archive: zipfile.ZipFile, member: str, wanted: tuple[int, int]) -> NDArray[np.float16]:
    """The logits of a member for (K, T) `wanted`; nothing is allocated before its head is sound."""
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"{member} is of another version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype != np.float16 or fortran or len(shape) != 4:
            raise ValueError(f"{member} holds no logits")
        if shape[:2] != wanted:
            raise ValueError(f"{member} holds logits of other objects or frames")
        size = 2 * math.prod(shape)
        if not all(0 < side <= MAX_GRID for side in shape[2:]) or size > MAX_BYTES:
            raise ValueError(f"{member} has the shape {shape}")
        data = stream.read(size + 1)
    if len(data) != size:
        raise ValueError(f"{member} holds more or less than its shape {shape}")
    return np.frombuffer(data, np.float16).reshape(shape)
