"""Write the rows of a release as Parquet files that the Hugging Face Hub shows and loads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_noise.releases.contents.checksums import describe_file
from actiseg_noise.releases.contents.extra_packages import load_extra
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseFile
from actiseg_noise.releases.data_files.release_rows import ReleaseRow, RowSource, make_rows
from actiseg_noise.releases.data_files.row_planning import open_row_sources, plan_rows

DATA = "data"
"""The folder of the rows in a release: ``data/<configuration>/<list>-00000-of-00001.parquet``."""

MAX_SHARD = 400 << 20
"""A file of this many bytes gets no more rows."""

_ROWS = 100
_GROUP_BYTES = 8 << 20
"""A row group has this many rows, or images of this many bytes: the viewer loads whole groups."""

_SEQUENCES = 32
"""Sequences whose rows are in memory at once."""

_IMAGES = ("mask", "picture", "image")
_JPEG = b"\xff\xd8"
"""The first bytes of a JPEG."""

COLUMNS = {
    "sequence": "string",
    "frame": "string",
    "object_id": "int32",
    "prompt": "string",
    "prompt_clean": "string",
    "name": "string",
    "name_clean": "string",
    "class_id": "int32",
    "class_id_clean": "int32",
    "positive": "bool",
    "positive_clean": "bool",
    "mask": "image",
    "picture": "image",
    "kind": "string",
    "kind_text": "string",
    "iou": "float64",
}
"""The columns and their types, in order. With frames there is another image: ``image``."""


def write_shards(
    configuration: Configuration,
    folder: Path,
    *,
    frames: bool = False,
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> tuple[ReleaseFile, ...]:
    """Write the rows of a configuration below a folder, one set of files for each list.

    The same split gives the same bytes with the same version of pyarrow, whatever the number of
    workers. Only some sequences are in memory at once.

    Parameters
    ----------
    configuration : Configuration
        The noisy split, with a source that can be reached if it has mask noise.
    folder : Path
        The release. If an error is raised, unfinished files may remain in it.
    frames : bool
        Whether to add the frames as a column ``image``.
    workers : int or WorkerPool
        Processes. A number starts them anew for every few sequences.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If pyarrow is not installed; with every mask that was changed after the split was made.
    """
    load_extra("pyarrow")
    files: list[ReleaseFile] = []
    for source in open_row_sources(configuration):
        shards = _ShardWriter(configuration.name, source.part.split.name, folder, frames=frames)
        try:
            _write_list(configuration, source, shards, workers, stage)
        finally:
            shards.close()
        files += shards.name_files()
    return tuple(files)


def _write_list(
    configuration: Configuration,
    source: RowSource,
    shards: _ShardWriter,
    workers: int | WorkerPool,
    stage: StageProgress,
) -> None:
    tasks = plan_rows(configuration, source, frames=shards.frames)
    name = f"writing rows of {configuration.name}, {source.part.split.name}"
    with stage(name) as progress:
        for start in range(0, len(tasks), _SEQUENCES):
            chunk = tasks[start : start + _SEQUENCES]
            for rows in run_parallel(make_rows, source, chunk, workers):
                shards.add(rows)
            if progress is not None:
                progress(start + len(chunk), len(tasks))


def make_schema(*, frames: bool) -> Any:
    """Make the schema of the files, with the features that the library `datasets` reads from it."""
    arrow = load_extra("pyarrow")
    image = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    columns = COLUMNS | ({"image": "image"} if frames else {})
    features: dict[str, dict[str, str]] = {}
    types = []
    for name, kind in columns.items():
        is_image = kind == "image"
        types.append((name, image if is_image else arrow.type_for_alias(kind)))
        features[name] = {"_type": "Image"} if is_image else {"dtype": kind, "_type": "Value"}
    note = json.dumps({"info": {"features": features}}, separators=(",", ":"))
    return arrow.schema(types, metadata={"huggingface": note})


def make_cells(row: ReleaseRow) -> dict[str, Any]:
    """Return the cells of a row by column."""
    cells = {**asdict(row.words), **{n: getattr(row, n) for n in ("sequence", "frame")}}
    cells |= {"kind": row.kind, "iou": row.iou}
    for name in _IMAGES:
        data = getattr(row, name)
        path = f"{row.frame}-{row.words.object_id}-{name}.png"
        cells[name] = None if data is None else {"bytes": data, "path": path}
    if row.image is not None:
        cells["image"]["path"] = (
            f"{row.frame}.jpg" if row.image[:2] == _JPEG else f"{row.frame}.png"
        )
    return cells


@dataclass
class _ShardWriter:
    """Write rows to files of limited size, in groups of limited size.

    The number of files is known at the end only, so they get their names then.
    """

    configuration: str
    split: str
    folder: Path
    frames: bool
    counts: list[int] = field(default_factory=list)
    _pending: list[ReleaseRow] = field(default_factory=list)
    _bytes: int = 0
    _writer: Any = None
    _stream: Any = None

    def add(self, rows: Sequence[ReleaseRow]) -> None:
        """Add rows; full groups are written."""
        for row in rows:
            self._pending.append(row)
            self._bytes += sum(len(getattr(row, name) or b"") for name in _IMAGES)
            if len(self._pending) >= _ROWS or self._bytes >= _GROUP_BYTES:
                self._write_group()

    def close(self) -> None:
        """Write the remaining rows and end the last file."""
        if self._pending:
            self._write_group()
        self._end_file()

    def name_files(self) -> list[ReleaseFile]:
        """Give the files their final names and describe them."""
        total = len(self.counts)
        files = []
        for number, rows in enumerate(self.counts):
            name = f"{DATA}/{self.configuration}/{self.split}-{number:05}-of-{total:05}.parquet"
            self._place(number).rename(self.folder / name)
            files.append(
                describe_file(self.folder, name, "parquet", self.configuration, self.split, rows)
            )
        return files

    def _place(self, number: int) -> Path:
        return self.folder / DATA / self.configuration / f"{self.split}-{number:05}.unfinished"

    def _write_group(self) -> None:
        arrow = load_extra("pyarrow")
        if self._writer is None:
            self._begin_file()
        cells = [make_cells(row) for row in self._pending]
        table = arrow.Table.from_pylist(cells, schema=make_schema(frames=self.frames))
        self._writer.write_table(table, row_group_size=len(cells))
        self.counts[-1] += len(cells)
        self._pending.clear()
        self._bytes = 0
        if self._stream.tell() >= MAX_SHARD:
            self._end_file()

    def _begin_file(self) -> None:
        path = self._place(len(self.counts))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("wb")
        plain = [name for name in COLUMNS if COLUMNS[name] != "image"]
        images = [f"image.{member}" for member in ("bytes", "path")] if self.frames else []
        self._writer = load_extra("pyarrow.parquet").ParquetWriter(
            self._stream,
            make_schema(frames=self.frames),
            compression="zstd",
            # The rows of one frame share its image: the dictionary has it once.
            use_dictionary=[*plain, *images],
            dictionary_pagesize_limit=8 * _GROUP_BYTES,
            write_statistics=plain,
        )
        self.counts.append(0)

    def _end_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._stream.close()
            self._writer = None
