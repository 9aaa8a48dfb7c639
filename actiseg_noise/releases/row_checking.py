"""Compare the Parquet files of a release with the masks of its archive."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from actiseg_noise.releases.archive_checking import ObjectDigests, digest_object
from actiseg_noise.releases.extra_packages import load_extra
from actiseg_noise.releases.parquet_shards import DATA

_BATCH = 256


def check_rows(
    release: Path,
    name: str,
    objects: Mapping[tuple[str, str], ObjectDigests],
    *,
    has_licence: bool,
) -> Iterator[str]:
    """Compare the masks of a configuration's rows with those of its archive.

    Every row's mask must be its object in the archive's mask of that frame, and every object of the
    archive must have a row.

    Parameters
    ----------
    release : Path
        The release.
    name : str
        The configuration.
    objects : mapping
        The objects of each mask of the archive, see
        `actiseg_noise.releases.archive_checking.ArchiveCheck`.
    has_licence : bool
        Whether photographs may be in the rows.

    Yields
    ------
    str
        One line for each frame that differs, and for each file that cannot be read.
    """
    files = sorted((release / DATA / name).glob("*.parquet"))
    if not files:
        yield f"{DATA}/{name}: has no Parquet file"
        return
    seen: dict[tuple[str, str], set[int]] = {}
    for file in files:
        place = file.relative_to(release).as_posix()
        try:
            opened = load_extra("pyarrow.parquet").ParquetFile(file)
            if "image" in opened.schema_arrow.names and not has_licence:
                yield f"{place}: has photographs without a licence of their own"
            columns = ["sequence", "frame", "object_id", "mask"]
            for batch in opened.iter_batches(_BATCH, columns=columns):
                yield from (f"{place}: {line}" for line in _check_batch(batch, objects, seen))
        except (OSError, ValueError, KeyError) as error:
            yield f"{place}: cannot be read ({str(error).splitlines()[0]:.120})"
    for key, digests in objects.items():
        if digests.keys() - seen.get(key, set()):
            yield f"{DATA}/{name}: lacks rows for {key[0]}, {key[1]}"


def _check_batch(
    batch: Any,
    objects: Mapping[tuple[str, str], ObjectDigests],
    seen: dict[tuple[str, str], set[int]],
) -> Iterator[str]:
    for row in batch.to_pylist():
        if row["mask"] is None:
            continue
        key, object_id = (row["sequence"], row["frame"]), row["object_id"]
        if key not in objects:
            yield f"{key[0]}, {key[1]}: is not in the archive"
            continue
        seen.setdefault(key, set()).add(object_id)
        with Image.open(io.BytesIO(row["mask"]["bytes"]), formats=("PNG",)) as image:
            member = np.asarray(image.convert("1"))
        expected = objects[key].get(object_id)
        if member.any() if expected is None else digest_object(member) != expected:
            yield f"{key[0]}, {key[1]}: the mask of object {object_id} is not that of the archive"
