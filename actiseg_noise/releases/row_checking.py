"""Compare the Parquet files of a release with the masks of its archive."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from actiseg_data.annotations.masks import VOID, IndexMask, decode_index_mask
from actiseg_data.layouts.actionvos import MASKS
from actiseg_noise.releases.parquet_shards import DATA, load_parquet
from actiseg_noise.split.split_archive import (
    ARCHIVES,
    NAMES_FILE,
    iterate_archive,
    parse_names,
    restore_path,
)

_MOST_BYTES = 1 << 28
_BATCH = 256


def check_rows(release: Path, name: str, *, has_licence: bool) -> Iterator[str]:
    """Compare the masks of a configuration's rows with those of its archive.

    Every row's mask must be its object in the archive's mask of that frame, and every object of the
    archive must have a row.

    Parameters
    ----------
    release : Path
        The release.
    name : str
        The configuration.
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
    masks = _read_masks(release / ARCHIVES / f"{name}.tar")
    seen: dict[tuple[str, str], set[int]] = {}
    for file in files:
        place = file.relative_to(release).as_posix()
        try:
            opened = load_parquet().ParquetFile(file)
            if "image" in opened.schema_arrow.names and not has_licence:
                yield f"{place}: has photographs without a licence of their own"
            columns = ["sequence", "frame", "object_id", "mask"]
            for batch in opened.iter_batches(_BATCH, columns=columns):
                yield from (f"{place}: {line}" for line in _check_batch(batch, masks, seen))
        except (OSError, ValueError, KeyError) as error:
            yield f"{place}: cannot be read ({str(error).splitlines()[0]:.120})"
    for key, mask in masks.items():
        lacking = set(np.unique(_decode(mask)).tolist()) - {0, VOID} - seen.get(key, set())
        if lacking:
            yield f"{DATA}/{name}: lacks rows for {key[0]}, {key[1]}"


def _check_batch(
    batch: Any, masks: dict[tuple[str, str], bytes], seen: dict[tuple[str, str], set[int]]
) -> Iterator[str]:
    last: tuple[tuple[str, str], IndexMask] | None = None
    for row in batch.to_pylist():
        if row["mask"] is None:
            continue
        key, object_id = (row["sequence"], row["frame"]), row["object_id"]
        if key not in masks:
            yield f"{key[0]}, {key[1]}: is not in the archive"
            continue
        if last is None or last[0] != key:
            last = key, _decode(masks[key])
        seen.setdefault(key, set()).add(object_id)
        with Image.open(io.BytesIO(row["mask"]["bytes"]), formats=("PNG",)) as image:
            member = np.asarray(image.convert("1"))
        if member.shape != last[1].shape or (member != (last[1] == object_id)).any():
            yield f"{key[0]}, {key[1]}: the mask of object {object_id} is not that of the archive"


def _read_masks(archive: Path) -> dict[tuple[str, str], bytes]:
    """Read the files of all masks of an archive, by sequence and frame."""

    def is_wanted(name: str) -> bool:
        return name.startswith(f"{MASKS}/") or name == NAMES_FILE

    written = dict(iterate_archive(archive, is_wanted, _MOST_BYTES))
    originals = parse_names(written.pop(NAMES_FILE, b""), archive)
    masks = {}
    for name, data in written.items():
        parts = restore_path(name, originals).split("/")
        masks[parts[-2], parts[-1].removesuffix(".png")] = data
    return masks


def _decode(data: bytes) -> IndexMask:
    return decode_index_mask(data, "mask")
