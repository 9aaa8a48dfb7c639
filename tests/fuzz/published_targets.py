"""Targets for what is published: kits, differences, the index of recipes, releases, archives."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np

from actiseg_data.core.documents import Cursor, parse_json
from actiseg_data.core.names import check_name, is_plain_text
from actiseg_data.records.difference_record import parse_differences, read_differences
from actiseg_noise.differences.archive_documents import read_archive_documents
from actiseg_noise.differences.split_snapshot import parse_snapshot
from actiseg_noise.kits.kit_checking import find_kit_differences
from actiseg_noise.kits.kit_reading import parse_kit, read_kit
from actiseg_noise.kits.kit_record import RebuildKit
from actiseg_noise.mask_noise.mask_differences import apply_difference
from actiseg_noise.media.self_check import open_documents
from actiseg_noise.recipes.published import parse_index
from actiseg_noise.releases.checks.archive_checking import check_archive
from actiseg_noise.releases.contents.checksums import (
    CHECKSUMS_FILE,
    find_changed_files,
    read_checksums,
)
from actiseg_noise.releases.contents.privacy import find_private_traces
from actiseg_noise.releases.contents.release_note import NOTE_FILE, read_note
from actiseg_noise.split.split_archive import iterate_archive, parse_names
from tests.fuzz.published_files import make_published_files, make_scratch
from tests.fuzz.reading import accepted
from tests.helpers.roots import SHAPE


def kits(data: bytes) -> None:
    """Read a rebuild kit: it is the same when it is written and read again."""
    path = make_scratch() / "kit.json"
    path.write_bytes(data)
    kit = accepted(lambda: read_kit(path))
    if kit is None:
        return
    check_name(kit.name, "configuration", "")
    document = json.loads(json.dumps(kit.to_dict()))
    again = parse_kit(document, "kit")
    assert again.to_dict() == kit.to_dict()
    assert kit.sequences
    if kit.differences is not None:
        accepted(lambda: parse_differences(kit.differences, "kit"))


def differences(data: bytes) -> None:
    """Read the differences of an imported split, and apply them to a mask."""
    path = make_scratch() / "differences.json"
    path.write_bytes(data)
    found = accepted(lambda: read_differences(path))
    clean = np.zeros(SHAPE, np.uint8)
    accepted(lambda: apply_difference(clean, data[:200], "mask"))
    if found is None:
        return
    assert parse_differences(json.loads(json.dumps(found.to_dict())), "").to_dict() == (
        found.to_dict()
    )
    for frames in (found.masks or {}).values():
        for packed in frames.values():
            noisy = accepted(lambda packed=packed: apply_difference(clean, packed, "mask"))
            assert noisy is None or (noisy.shape, noisy.dtype) == (SHAPE, np.uint8)


def published(data: bytes) -> None:
    """Read the index of published recipes."""
    document = accepted(lambda: parse_json(data, "recipes.json"))
    index = accepted(lambda: parse_index(Cursor(document, "recipes.json")))
    for name, versions in (index.recipes if index is not None else {}).items():
        assert is_plain_text(name)
        assert [version.version for version in versions] == list(range(1, len(versions) + 1))
        for version in versions:
            for output in version.outputs.values():
                json.dumps(output.to_dict(), default=vars)


def release_files(data: bytes) -> None:
    """Read the note of a release, its checksums, and the table of names in an archive."""
    release = make_scratch() / "release"
    release.mkdir(exist_ok=True)
    (release / NOTE_FILE).write_bytes(data)
    (release / CHECKSUMS_FILE).write_bytes(data)
    note = accepted(lambda: read_note(release))
    if note is not None:
        json.dumps(note.to_dict())
        texts = [note.data, note.licence, *note.configurations, *note.changes]
        assert all(map(is_plain_text, texts))
        for name in note.configurations:
            check_name(name, "configuration", "")
    for name in accepted(lambda: read_checksums(release)) or {}:
        assert ".." not in name.split("/")
    lines = accepted(lambda: list(find_changed_files(release))) or []
    assert all(map(is_plain_text, lines)), lines
    for path, name in (accepted(lambda: parse_names(data, Path("a.tar"))) or {}).items():
        assert is_plain_text(path)
        check_name(name, "original", "")


@cache
def _read_kits() -> tuple[RebuildKit, ...]:
    return tuple(map(read_kit, make_published_files().kits))


def archives(data: bytes) -> None:
    """Read an archive in both ways, and compare its documents with a kit."""
    path = make_scratch() / "archive.tar"
    path.write_bytes(data)
    names = accepted(lambda: [file.name for file in iterate_archive(path) if file.read() or True])
    for name in names or ():
        for part in name.split("/"):
            check_name(part, "member", "")
    documents = accepted(lambda: read_archive_documents(path))
    if documents is not None:
        accepted(lambda: parse_snapshot(documents, "archive"))
    folder = make_scratch() / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    check = accepted(lambda: check_archive(path, find_private_traces, folder))
    if check is not None:
        assert all(map(is_plain_text, check.mismatches)), check.mismatches
        split = accepted(lambda: open_documents(folder))
        for kit in _read_kits() if split is not None else ():
            accepted(lambda kit=kit: list(find_kit_differences(kit, folder, split)))


PUBLISHED_TARGETS = {
    "kits": kits,
    "differences": differences,
    "published": published,
    "release_files": release_files,
    "archives": archives,
}
