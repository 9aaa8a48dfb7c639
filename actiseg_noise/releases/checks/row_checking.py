"""Compare the Parquet files of a release with the lists, the ledger and the masks of an archive."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from actiseg_data.annotations.pillow_errors import explain_pillow_errors
from actiseg_data.core.errors import InputError
from actiseg_noise.releases.checks.archive_checking import ArchiveCheck, MaskDigests, digest_object
from actiseg_noise.releases.contents.extra_packages import load_extra
from actiseg_noise.releases.data_files.parquet_shards import DATA, make_schema
from actiseg_noise.releases.data_files.release_rows import RowTask, RowWords

_BATCH = 256
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.parquet")
_WORDS = tuple(column.name for column in fields(RowWords))
_ADDED = "positive_clean"
"""A column that files of version 0.1.0 lack. It says nothing if no label has noise."""

Key = tuple[str, str | None, int]
"""What identifies a row among those of a list: sequence, frame and object."""


@dataclass(frozen=True)
class ListedRows:
    """What the rows of one list must be, as far as the archive says it.

    Attributes
    ----------
    name : str
        The list.
    tasks : tuple of RowTask
        Its sequences, see `actiseg_noise.releases.data_files.row_planning.plan_rows`.
    ious : mapping of (str, str, int) to float
        IoU on disk of the items in the ledger, by sequence, frame and object.
    has_noise : bool
        Whether its masks got noise, so that objects without noise of their own may have lost
        pixels to others.
    is_filled : bool
        Whether masks are filled from polygons, whose IoU the ledger has. That of pixels differs.
    """

    name: str
    tasks: tuple[RowTask, ...]
    ious: Mapping[Key, float]
    has_noise: bool
    is_filled: bool = False

    def iterate_keys(self) -> Iterator[tuple[Key, RowWords, str | None]]:
        """Yield what may be a row, in the order of the rows: key, words, kind of mask noise."""
        for task in self.tasks:
            folder = task.sequence.folder
            frames = task.sequence.frames if task.names else (None,)
            for frame in frames:
                for words in task.words:
                    number = words.object_id
                    kind = None if frame is None else task.kinds.get((frame, number))
                    yield (folder, frame, number), words, kind


@dataclass
class _RowReader:
    """Compare the rows of one list, row by row in their order."""

    listed: ListedRows
    check: ArchiveCheck
    expected: dict[Key, tuple[int, dict[str, Any]]]
    seen: set[Key] = field(default_factory=set)
    last: int = -1

    @property
    def has_noisy_labels(self) -> bool:
        """Whether an object is labelled as active and was not, or the reverse."""
        return any(cells["positive"] != cells[_ADDED] for _, cells in self.expected.values())

    def compare(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Yield a line for each cell that is not what the archive says."""
        key = (row["sequence"], row["frame"], row["object_id"])
        shown = f"{key[0]}, {key[1]}, object {key[2]}"
        if key not in self.expected:
            yield f"{shown}: is not in the archive"
            return
        position, cells = self.expected[key]
        if key in self.seen:
            yield f"{shown}: has two rows"
        elif position < self.last:
            yield f"{shown}: is not in its place"
        self.seen.add(key)
        self.last = position
        yield from (
            f"{shown}: {column} is not that of the archive"
            for column, value in cells.items()
            if column in row and row[column] != value
        )
        if not self._is_possible(key, row["kind"], row["iou"]):
            yield f"{shown}: iou is not that of the archive"
        try:
            if not _is_mask(row["mask"], key, self.check.masks):
                yield f"{shown}: the mask is not that of the archive"
        except InputError:
            yield f"{shown}: the mask cannot be read"
        if "image" in row and not self._is_photograph(row["image"], key):
            yield f"{shown}: the photograph is not that of the archive"

    def list_missing(self) -> Iterator[str]:
        """Yield a line for each object of a list, a mask or the ledger that has no row."""
        for key in self.expected.keys() - self.seen:
            frame = "" if key[1] is None else key[1]
            mask = self.check.masks.get((key[0], frame))
            shows = mask is not None and key[2] in mask.objects
            is_changed = key in self.listed.ious and not self.listed.is_filled
            if key[1] is None or shows or is_changed:
                yield f"lacks a row for {key[0]}, {key[1]}, object {key[2]}"

    def _is_possible(self, key: Key, kind: object, iou: object) -> bool:
        """Return whether an IoU is that of the ledger, or that of an object without own noise."""
        known = self.listed.ious.get(key)
        if known is not None:
            if not isinstance(iou, float):
                return False
            return 0 <= iou <= 1 if self.listed.is_filled else abs(iou - known) < 1e-6
        if iou is None:
            return True
        return self.listed.has_noise and kind is None and isinstance(iou, float) and 0 <= iou < 1

    def _is_photograph(self, cell: Any, key: Key) -> bool:
        digest = self.check.photographs.get((key[0], key[1] or ""))
        if cell is None:
            return digest is None
        return hashlib.sha256(cell["bytes"] or b"").hexdigest() == digest


def check_rows(
    release: Path,
    name: str,
    lists: Sequence[ListedRows],
    check: ArchiveCheck,
    *,
    frames: bool = False,
) -> Iterator[str]:
    """Compare the rows of a configuration with its archive.

    There must be one row for each object of a mask, in the order of the lists, with the words, the
    kind, the IoU and the mask that the archive has. The pictures, and the IoU of objects that only
    lost pixels to others, are not compared: they depend on the clean masks.

    Parameters
    ----------
    release : Path
        The release.
    name : str
        The configuration.
    lists : sequence of ListedRows
        What the rows must be.
    check : ArchiveCheck
        The masks and photographs of the archive.
    frames : bool
        Whether the rows have photographs.

    Yields
    ------
    str
        One line for each cell that differs, each row that is missing, and each file that is
        missing, unknown or cannot be read.
    """
    present = {path.name: path for path in sorted((release / DATA / name).glob("*.parquet"))}
    for listed in lists:
        shards = [file for file in present if _name_list(file) == listed.name]
        names = [
            f"{listed.name}-{number:05}-of-{len(shards):05}.parquet"
            for number in range(len(shards))
        ]
        expected = _index_rows(listed)
        if shards != names or not (shards or not expected):
            yield f"{DATA}/{name}: the Parquet files of {listed.name} are incomplete"
        reader = _RowReader(listed, check, expected)
        for file in shards:
            lines = _read_file(present.pop(file), reader, frames=frames)
            yield from (f"{DATA}/{name}/{file}: {line}" for line in lines)
        yield from (f"{DATA}/{name}: {line}" for line in sorted(reader.list_missing()))
    yield from (f"{DATA}/{name}/{file}: belongs to no list of the archive" for file in present)


def _name_list(file: str) -> str | None:
    match = _SHARD.fullmatch(file)
    return None if match is None else match[1]


def _index_rows(listed: ListedRows) -> dict[Key, tuple[int, dict[str, Any]]]:
    """Return position and cells of each possible row."""
    return {
        key: (position, asdict(words) | {"kind": kind})
        for position, (key, words, kind) in enumerate(listed.iterate_keys())
    }


def _read_file(path: Path, reader: _RowReader, *, frames: bool) -> Iterator[str]:
    columns = ["sequence", "frame", *_WORDS, "mask", "kind", "iou"]
    schema = make_schema(frames=frames)
    arrow_error = load_extra("pyarrow").ArrowException
    try:
        opened = load_extra("pyarrow.parquet").ParquetFile(path)
        if _ADDED not in opened.schema_arrow.names and not reader.has_noisy_labels:
            schema = schema.remove(schema.get_field_index(_ADDED))
            columns.remove(_ADDED)
        if not opened.schema_arrow.equals(schema):
            yield "its columns are not those of a release"
            return
        wanted = [*columns, *(["image"] if frames else [])]
        for batch in opened.iter_batches(_BATCH, columns=wanted):
            for row in batch.to_pylist():
                yield from reader.compare(row)
    except (arrow_error, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        yield f"cannot be read ({reason:.120})"


def _is_mask(cell: Any, key: Key, masks: Mapping[tuple[str, str], MaskDigests]) -> bool:
    """Return whether a cell has an object as the archive's mask has it.

    Raises
    ------
    InputError
        If it is not a PNG, or if the PNG is damaged.
    """
    if key[1] is None:
        return cell is None
    mask = masks.get((key[0], key[1]))
    if mask is None or cell is None:
        return False
    with (
        explain_pillow_errors("mask", "PNG", "make the release again"),
        Image.open(io.BytesIO(cell["bytes"] or b""), formats=("PNG",)) as image,
    ):
        if image.size != mask.shape[::-1]:  # others may be too large to decode
            return False
        member = np.asarray(image.convert("1"))
    return digest_object(member) == mask.objects.get(key[2], mask.nothing)
