"""Read rebuild kits. A kit comes from the internet, so nothing in it is trusted."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_keys,
    check_schema,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import InputError, ProblemCollector, refuse, suggest
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import check_name, refuse_value
from actiseg_data.layouts.actionvos import SUBSETS
from actiseg_data.layouts.sequence_record import parse_form
from actiseg_data.make.prepare.raw_inputs import RawInput, parse_raw_input
from actiseg_data.records.recipe_record import parse_recipe
from actiseg_noise.kits.kit_record import (
    CLEAN_BYTES,
    COLUMNS,
    IDENTITY_BYTES,
    KIT_SCHEMA,
    KITS,
    MASK_BYTES,
    TEXT_BYTES,
    WEIGHTS_BYTES,
    CleanSource,
    KitThresholds,
    RebuildKit,
    SequenceDigests,
)
from actiseg_noise.split.noisy_documents import (
    GIVEN_THRESHOLDS,
    THRESHOLDS,
    parse_thresholds,
)

_KEYS = (
    *("schema", "name", "recipe", "source", "masks", "weights", "thresholds", "lists"),
    *("sequences", "clean", "lexicon", "differences", "toolkit", "versions"),
)
_DIGEST = re.compile(r"[0-9a-f]{32}")
_HINT = "fetch the release again"


def read_kit(path: Path) -> RebuildKit:
    """Read a rebuild kit.

    Raises
    ------
    InputError
        If the file is missing, cut short, or no kit; if a newer release wrote it; or with every
        member that has the wrong type or length, and every name that is unsafe.
    """
    return parse_kit(read_json(path, "rebuild kit"), str(path))


def parse_kit(document: Any, where: str) -> RebuildKit:
    """Parse the JSON document of a kit; errors are those of `read_kit`."""
    top = Cursor(document, where)
    check_schema(top, KIT_SCHEMA, RELEASE_HINT)
    problems = ProblemCollector()
    check_keys(top, _KEYS, problems)
    values: dict[str, Any] = {}
    readers = {
        "name": lambda cursor: check_name(cursor.as_text(), "configuration", cursor.where),
        "recipe": lambda cursor: parse_recipe(cursor.value, cursor.where),
        "source": _parse_source,
        "masks": Cursor.as_text,
        "weights": Cursor.as_text,
        "thresholds": _parse_thresholds,
        "lists": _parse_lists,
        "sequences": unpack_sequences,
        "clean": _parse_clean,
        "lexicon": _parse_optional,
        "differences": _parse_optional,
        "toolkit": Cursor.as_text,
        "versions": _parse_versions,
    }
    for name, read in readers.items():
        with problems.collect():
            values[name] = read(top[name])
    if not problems.collected and not values["sequences"]:
        problems.add("has no sequence", f"{where}: sequences", _HINT)
    problems.raise_if_any()
    return RebuildKit(**values)


def unpack_sequences(cursor: Cursor) -> dict[bytes, SequenceDigests]:
    """Unpack the columns that `pack_sequences` packed.

    Raises
    ------
    InputError
        With every column that is not base64 or has another length than the count demands.
    """
    problems = ProblemCollector()
    check_keys(cursor, ("count", *COLUMNS), problems)
    count = cursor["count"].as_integer()
    columns: dict[str, bytes] = {}
    for name in COLUMNS:
        with problems.collect():
            columns[name] = _decode(cursor[name])
    problems.raise_if_any()
    actual = len(columns["identity"]) // IDENTITY_BYTES
    if count != actual and len(columns["text"]) == actual * TEXT_BYTES:
        what = f"is {count}, and the columns have {actual} sequences"
        raise refuse(what, cursor["count"].where, _HINT)
    fixed = {
        "identity": IDENTITY_BYTES,
        "frames": struct.calcsize("<I"),
        "text": TEXT_BYTES,
        "clean": 2 * CLEAN_BYTES,
    }
    for name, size in fixed.items():
        with problems.collect():
            _check_length(cursor[name], columns[name], (count * size,))
    problems.raise_if_any()
    frames = struct.unpack(f"<{count}I", columns["frames"])
    for name, full in (("masks", sum(frames) * MASK_BYTES), ("weights", count * WEIGHTS_BYTES)):
        with problems.collect():
            _check_length(cursor[name], columns[name], (0, full))
    identities = _cut(columns["identity"], [IDENTITY_BYTES] * count)
    if any(first >= second for first, second in pairwise(identities)):
        problems.add("the sequences are not sorted, or repeated", cursor.where, _HINT)
    problems.raise_if_any()
    mask_bytes = MASK_BYTES if columns["masks"] else 0
    weights_bytes = WEIGHTS_BYTES if columns["weights"] else 0
    parts = zip(
        frames,
        _cut(columns["masks"], [number * mask_bytes for number in frames]),
        _cut(columns["weights"], [weights_bytes] * count),
        _cut(columns["text"], [TEXT_BYTES] * count),
        _cut(columns["clean"], [2 * CLEAN_BYTES] * count),
        strict=True,
    )
    return {
        identity: SequenceDigests(*entry) for identity, entry in zip(identities, parts, strict=True)
    }


def choose_kit(release: Path, config: str | None = None) -> RebuildKit:
    """Read the kit of one configuration of a release.

    Parameters
    ----------
    release : Path
        A release folder, or the file of a kit.
    config : str, optional
        The name of the configuration. It is needed if the release has several.

    Raises
    ------
    InputError
        If there is no kit, if the configuration is unknown or ambiguous, or if the kit is faulty.
    """
    if not release.is_dir():
        kit = read_kit(release)
        if config not in (None, kit.name):
            raise refuse(
                f"is the kit of {kit.name!r}, not of {config!r}", release, "leave out `config`"
            )
        return kit
    folder = release / KITS
    files = list_files(folder, ".json") if folder.is_dir() else []
    paths = {file.path.stem: file.path for file in files}
    if not paths:
        raise refuse(
            f"has no rebuild kit ({KITS}/*.json)",
            release,
            "give the folder of a release, or the file of a kit",
        )
    known = ", ".join(paths)
    if config is None and len(paths) > 1:
        raise refuse(f"has {len(paths)} configurations: {known}", release, "give one as `config`")
    name = next(iter(paths)) if config is None else config
    if name not in paths:
        what = f"there is no configuration {name!r}{suggest(name, paths)}"
        raise refuse(what, "`config`", f"the configurations here are {known}")
    kit = read_kit(paths[name])
    if kit.name != name:
        raise refuse(f"is the kit of {kit.name!r}", paths[name], _HINT)
    return kit


def _parse_source(cursor: Cursor) -> CleanSource:
    problems = ProblemCollector()
    check_keys(cursor, ("split", "fingerprint", "inputs", "form"), problems)
    split = check_name(cursor["split"].as_text(), "split", cursor["split"].where)
    inputs: list[RawInput] = collect_valid(
        list(cursor["inputs"].iterate_elements()), _parse_input, problems
    )
    form = parse_form(cursor["form"]) if "form" in cursor else None
    problems.raise_if_any()
    return CleanSource(split, _parse_digest(cursor["fingerprint"]), tuple(inputs), form)


def _parse_input(cursor: Cursor) -> RawInput:
    split = cursor["split"].as_text()
    if split not in SUBSETS:
        raise refuse_value(f"one of {', '.join(SUBSETS)}", split, cursor["split"].where)
    return parse_raw_input(cursor, split)


def _parse_digest(cursor: Cursor) -> str:
    digest = cursor.as_text()
    if not _DIGEST.fullmatch(digest):
        raise refuse_value("32 hexadecimal digits", digest, cursor.where)
    return digest


def _parse_lists(cursor: Cursor) -> dict[str, str]:
    problems = ProblemCollector()
    lists = {}
    for name, digest in cursor.iterate_members():
        with problems.collect():
            for part in name.split("/"):
                check_name(part, "list", cursor.where)
            lists[name] = _parse_digest(digest)
    problems.raise_if_any()
    return lists


def _parse_clean(cursor: Cursor) -> dict[str, Mapping[bytes, SequenceDigests]]:
    problems = ProblemCollector()
    clean: dict[str, Mapping[bytes, SequenceDigests]] = {}
    for name, sequences in cursor.iterate_members():
        with problems.collect():
            split = check_name(name, "split", cursor.where)
            clean[split] = unpack_sequences(sequences)
    problems.raise_if_any()
    return clean


def _parse_thresholds(cursor: Cursor) -> KitThresholds:
    problems = ProblemCollector()
    check_keys(cursor, (*THRESHOLDS, GIVEN_THRESHOLDS), problems)
    problems.raise_if_any()
    is_given = GIVEN_THRESHOLDS in cursor and cursor[GIVEN_THRESHOLDS].as_flag()
    return KitThresholds(parse_thresholds(cursor), is_given)


def _parse_optional(cursor: Cursor) -> dict[str, Any] | None:
    return None if cursor.value is None else cursor.as_mapping()


def _parse_versions(cursor: Cursor) -> dict[str, str]:
    return {
        check_name(name, "library", cursor.where): version.as_text()
        for name, version in cursor.iterate_members()
    }


def _decode(cursor: Cursor) -> bytes:
    try:
        return base64.b64decode(cursor.as_text(), validate=True)
    except InputError:
        raise
    except (binascii.Error, ValueError):
        raise refuse("is not base64", cursor.where, _HINT) from None


def _check_length(cursor: Cursor, data: bytes, allowed: tuple[int, ...]) -> None:
    if len(data) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise refuse(f"has {len(data)} bytes, not {wanted}", cursor.where, _HINT)


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut bytes into parts of some sizes."""
    parts, start = [], 0
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
    return parts
