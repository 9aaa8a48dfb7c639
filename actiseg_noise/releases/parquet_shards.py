"""Write the rows of a release as Parquet files that viewers show and libraries load."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_noise.releases.release_contents import Configuration
from actiseg_noise.releases.release_rows import make_rows, open_row_sources

DATA = "data"
"""The folder of the Parquet files in a release."""

COLUMNS = {
    "sequence": "string",
    "frame": "string",
    "object_id": "int32",
    "positive": "bool",
    "prompt": "string",
    "prompt_clean": "string",
    "name": "string",
    "name_clean": "string",
    "class_id": "int32",
    "class_id_clean": "int32",
    "mask": "image",
    "picture": "image",
    "kind": "string",
    "iou": "float64",
    "kind_text": "string",
}
"""The columns in their order, and their types."""

FRAME_COLUMNS = COLUMNS | {"image": "image"}
"""The columns of rows with photographs."""

_SEQUENCES = 32
"""How many sequences are processed before their rows are written, which bounds the memory."""

_ROW_GROUP = 256
"""Most rows of a row group: a viewer reads one group at a time."""

_SHARD_BYTES = 400_000_000
"""A file that has reached this size is followed by another one."""


@dataclass(frozen=True)
class Shard:
    """A Parquet file.

    Attributes
    ----------
    path : Path
        The file.
    split : str
        The list whose rows it has.
    rows : int
        How many.
    """

    path: Path
    split: str
    rows: int


def write_shards(
    configuration: Configuration,
    release: Path,
    *,
    frames: bool,
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> tuple[Shard, ...]:
    """Write the rows of a configuration to ``data/<configuration>/<list>-*.parquet``.

    Parameters
    ----------
    configuration : Configuration
        The noisy split.
    release : Path
        The release folder.
    frames : bool
        Whether rows have photographs.
    workers : int or WorkerPool
        Processes. The files do not depend on it.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If pyarrow is not installed, or if a mask is missing or damaged.
    """
    folder = release / DATA / configuration.name
    shards: list[Shard] = []
    for source in open_row_sources(configuration, frames=frames):
        writer = _ShardWriter(folder, source.name, FRAME_COLUMNS if frames else COLUMNS)
        with stage(f"writing the rows of {configuration.name}, {source.name}") as progress:
            total = len(source.noisy.sequences)
            for first in range(0, total, _SEQUENCES):
                chunk = source.noisy.sequences[first : first + _SEQUENCES]
                made = run_parallel(make_rows, source, chunk, workers)
                writer.write([row for rows in made for row in rows])
                if progress is not None:
                    progress(min(first + _SEQUENCES, total), total)
        shards += writer.finish()
    return tuple(shards)


class _ShardWriter:
    """Write rows to numbered Parquet files, each closed when it is large enough."""

    def __init__(self, folder: Path, split: str, columns: dict[str, str]) -> None:
        self._folder, self._split, self._columns = folder, split, columns
        self._parquet, self._schema = _make_schema(columns)
        self._counts: list[int] = []
        self._writer: Any = None
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows, in row groups of a bounded size."""
        import pyarrow

        for first in range(0, len(rows), _ROW_GROUP):
            group = rows[first : first + _ROW_GROUP]
            arrays = {
                name: [
                    _wrap_image(row.get(name)) if kind == "image" else row.get(name)
                    for row in group
                ]
                for name, kind in self._columns.items()
            }
            self._open().write_table(pyarrow.table(arrays, schema=self._schema))
            self._counts[-1] += len(group)
            if self._name_draft(len(self._counts) - 1).stat().st_size > _SHARD_BYTES:
                self._close()

    def finish(self) -> Iterator[Shard]:
        """Close the last file, give all files their final names, and yield them."""
        if not self._counts:
            self._open()
        self._close()
        total = len(self._counts)
        for number, rows in enumerate(self._counts):
            path = self._folder / f"{self._split}-{number:05d}-of-{total:05d}.parquet"
            os.replace(self._name_draft(number), path)
            yield Shard(path, self._split, rows)

    def _open(self) -> Any:
        if self._writer is None:
            draft = self._name_draft(len(self._counts))
            self._writer = self._parquet.ParquetWriter(draft, self._schema, compression="zstd")
            self._counts.append(0)
        return self._writer

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _name_draft(self, number: int) -> Path:
        return self._folder / f".{self._split}-{number}.draft"


def _wrap_image(data: bytes | None) -> dict[str, Any] | None:
    return None if data is None else {"bytes": data, "path": None}


def _make_schema(columns: dict[str, str]) -> tuple[Any, Any]:
    """Make the Arrow schema, with the types that Hugging Face's libraries read from it."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise refuse(
            "pyarrow is not installed", "`data`", 'run pip install "actiseg[publish]", or give none'
        ) from None
    makers: dict[str, Callable[[], Any]] = {
        "string": pyarrow.string,
        "int32": pyarrow.int32,
        "bool": pyarrow.bool_,
        "float64": pyarrow.float64,
        "image": lambda: pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]),
    }
    features = {
        name: {"_type": "Image"} if kind == "image" else {"dtype": kind, "_type": "Value"}
        for name, kind in columns.items()
    }
    note = json.dumps({"info": {"features": features}})
    fields = [(name, makers[kind]()) for name, kind in columns.items()]
    return parquet, pyarrow.schema(fields, metadata={"huggingface": note})
