"""Compare the Parquet files of a release with the masks of its archive."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from actiseg_data.annotations.masks import VOID
from actiseg_noise.releases.archive_checking import MaskDigests, digest_object
from actiseg_noise.releases.extra_packages import load_extra
from actiseg_noise.releases.parquet_shards import DATA

_BATCH = 256


def check_rows(
    release: Path,
    name: str,
    masks: Mapping[tuple[str, str], MaskDigests],
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
    masks : mapping
        The masks of the archive by sequence folder and frame.
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
                yield from (f"{place}: {line}" for line in _check_batch(batch, masks, seen))
        except Exception as error:  # whatever a reader raises, the file cannot be read
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            yield f"{place}: cannot be read ({reason:.120})"
    for key, mask in masks.items():
        if mask.objects.keys() - {VOID} - seen.get(key, set()):
            yield f"{DATA}/{name}: lacks rows for {key[0]}, {key[1]}"


def _check_batch(
    batch: Any,
    masks: Mapping[tuple[str, str], MaskDigests],
    seen: dict[tuple[str, str], set[int]],
) -> Iterator[str]:
    for row in batch.to_pylist():
        if row["mask"] is None:
            continue
        key, object_id = (row["sequence"], row["frame"]), row["object_id"]
        mask = masks.get(key)
        if mask is None:
            yield f"{key[0]}, {key[1]}: is not in the archive"
            continue
        seen.setdefault(key, set()).add(object_id)
        with Image.open(io.BytesIO(row["mask"]["bytes"]), formats=("PNG",)) as image:
            fits = image.size == mask.shape[::-1]  # others may be too large to decode
            member = np.asarray(image.convert("1")) if fits else None
        expected = mask.objects.get(object_id, mask.nothing)
        if member is None or digest_object(member) != expected:
            yield f"{key[0]}, {key[1]}: the mask of object {object_id} is not that of the archive"
