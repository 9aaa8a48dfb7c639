"""Check an archive against its own digests, without unpacking its masks."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, decode_index_mask, digest_pixels, find_ids
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, parse_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.dataset_opening import is_recorded, make_dataset_split, open_recorded
from actiseg_data.layouts.dataset_split import parse_document
from actiseg_data.layouts.davis import PHOTOGRAPHS
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE, parse_sequence_record
from actiseg_data.layouts.split import IN_DOCUMENT
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.split_documents import (
    CLEAN_DATASET,
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
)
from actiseg_noise.releases.data_files.archive import (
    DOCUMENTS,
    FILE_MODE,
    FOLDER_MODE,
    LEXICON_LICENCES,
)
from actiseg_noise.releases.data_files.archive_names import spell_names
from actiseg_noise.split.split_archive import (
    NAMES_FILE,
    iterate_archive,
    parse_names,
    restore_path,
)

_HINT = "fetch the archive again, or make it again"

_OPTIONAL = (NAMES_FILE, LEXICON_FILE, DIFFERENCES_FILE, *LEXICON_LICENCES)

TEXTS = (".bib", ".cff", ".csv", ".json", ".jsonl", ".md", ".tsv", ".txt", "LICENSE", "NOTICE")
"""Endings of the names of texts."""

_PIXELS = (".png", ".jpg", ".jpeg")
"""Endings of the names of masks and photographs."""

FindTraces = Callable[[str], Iterator[str]]
"""Finds what a published text must not have."""


@dataclass(frozen=True)
class MaskDigests:
    """The objects of a noisy mask.

    Attributes
    ----------
    shape : tuple of int
        (H, W).
    objects : mapping of int to str
        `digest_object` of each.
    nothing : str
        That of an object without pixels.
    """

    shape: tuple[int, ...]
    objects: Mapping[int, str]
    nothing: str


@dataclass(frozen=True)
class ArchiveCheck:
    """The result of `check_archive`.

    Attributes
    ----------
    mismatches : tuple of str
        One line for each.
    files, frames : int
        Number of files, and how many of them are frames.
    masks : mapping of (str, str) to MaskDigests
        By sequence folder and frame.
    photographs : mapping of (str, str) to str
        The SHA-256 of each frame, by sequence folder and frame.
    """

    mismatches: tuple[str, ...]
    files: int
    frames: int
    masks: Mapping[tuple[str, str], MaskDigests]
    photographs: Mapping[tuple[str, str], str]

    @property
    def ok(self) -> bool:
        """Whether there is no mismatch."""
        return not self.mismatches


def check_archive(path: Path, find_traces: FindTraces, folder: Path) -> ArchiveCheck:
    """Check in one pass that an archive has the files that belong to it, with their digests.

    Parameters
    ----------
    path : Path
        The archive, see `write_archive`.
    find_traces : callable
        Finds what a published text must not have.
    folder : Path
        An empty folder, which gets the documents, the lists and the folders of the masks. Masks are
        not written: all that must be compared with their pixels is compared here.

    Returns
    -------
    ArchiveCheck
        Files that are missing, unknown or different.

    Raises
    ------
    InputError
        If the archive cannot be read, is not safe to unpack, or is not as `write_archive` writes
        it: sorted, without owner and time; see `iterate_archive`.
    """
    read = _ReadArchive(path)
    lines: list[str] = []
    for file in iterate_archive(path, _find_unusual_form):
        read.check_order(file.name)
        data = file.read()
        _unpack(folder, file.name, data, path)
        if file.name.endswith(TEXTS) and _is_ours(file.name):
            traces = find_traces(data.decode("utf-8", "replace"))
            lines += [f"{file.name}: {line}" for line in traces]
        try:
            read.add_file(file.name, data)
        except InputError as error:
            lines.append(f"{file.name}: {error.problems[0].what}")
            read.digests[file.name] = ""
    originals = parse_names(read.documents.get(NAMES_FILE, b""), path)
    lines += _read_mask_documents(read, folder)
    lines += _compare_members(read, originals)
    lines += _check_summary(read.documents, path)
    masks = _join_masks(read, originals)
    photographs = {_name_frame(name, originals): sha256 for name, sha256 in read.frames.items()}
    files = len(read.digests) + len(read.documents) + len(read.frames)
    return ArchiveCheck(tuple(lines), files, len(read.frames), masks, photographs)


def _is_ours(name: str) -> bool:
    """Return whether this toolkit wrote a text.

    Those of other datasets are as their makers wrote them, and encoded masks look like anything.
    """
    return name in (*DOCUMENTS, *_OPTIONAL, SEQUENCES_FILE) or name.startswith(f"{IMAGE_SETS}/")


def _read_mask_documents(read: _ReadArchive, folder: Path) -> Iterator[str]:
    """Digest the masks in the documents of an unpacked archive, if it has any."""
    split = open_recorded(folder) if is_recorded(folder) else None
    if not isinstance(split, DocumentSplit):
        return
    for sequence in split.sequences:
        names = split.name_files(MASKS, sequence)
        try:
            masks = list(split.iterate_digested(sequence))
        except InputError as error:
            yield f"{sequence.document}: {sequence.folder}: {error.problems[0].what}"
            continue
        for name, view, (mask, digest) in zip(names, sequence.views, masks, strict=True):
            read.digests[name] = digest
            place, digests = (sequence.folder, view.frame), digest_objects(mask)
            known = read.documented.get(place, digests)
            objects = {**known.objects, **digests.objects}
            read.documented[place] = replace(digests, objects=objects)


def _join_masks(
    read: _ReadArchive, originals: Mapping[str, str]
) -> dict[tuple[str, str], MaskDigests]:
    """Join the noisy masks by sequence folder and frame. Objects may have a mask each."""
    places = read.place_masks()
    joined: dict[tuple[str, str], MaskDigests] = dict(read.documented)
    for name, mask in read.masks.items():
        original = restore_path(name, originals)
        place = places.get(original) or _name_frame(name, originals)
        known = joined.get(place)
        objects = mask.objects if known is None else {**known.objects, **mask.objects}
        joined[place] = replace(mask, objects=objects)
    return joined


def _name_frame(name: str, originals: Mapping[str, str]) -> tuple[str, str]:
    """Return the names of sequence and frame in the path of a mask or photograph."""
    folder, file = restore_path(name, originals).split("/")[-2:]
    return folder, file.rpartition(".")[0]


def _unpack(folder: Path, name: str, data: bytes, archive: Path) -> None:
    """Write a document or list; of a mask, only its folder. `iterate_archive` checked the name."""
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith(_PIXELS):
            target.write_bytes(data)
    except OSError as error:
        what = f"the member {name!r} cannot be unpacked ({error.strerror})"
        raise refuse(what, archive, _HINT) from None


def digest_object(member: NDArray[np.bool_]) -> str:
    """Digest the pixels of one object, (H, W) bool, in a mask of known size."""
    return digest_pixels(np.packbits(member, axis=1))


def digest_objects(mask: IndexMask) -> MaskDigests:
    """Digest the pixels of each object of a mask, (H, W) uint8."""
    objects = {object_id: digest_object(mask == object_id) for object_id in find_ids(mask)}
    return MaskDigests(mask.shape, objects, digest_object(np.zeros(mask.shape, np.bool_)))


def _find_unusual_form(member: tarfile.TarInfo) -> str | None:
    """Find what `write_archive` cannot have written."""
    mode = FILE_MODE if member.isreg() else FOLDER_MODE
    owner = (member.uid, member.gid, member.uname, member.gname)
    if owner != (0, 0, "", "") or member.mtime != 0 or member.mode != mode:
        return "has an owner, a time or unusual rights"
    return None


class _ReadArchive:
    """The digests of what was read of an archive so far.

    Attributes
    ----------
    documents : dict of str to bytes
        The files beside the folders.
    digests : dict of str to str
        Of masks, weight maps and lists, by the path in the archive; "" for damaged ones.
    masks : dict of str to MaskDigests
        The objects of each noisy mask.
    frames : dict of str to str
        The SHA-256 of each frame.
    documented : dict of (str, str) to MaskDigests
        The masks in documents, by sequence folder and frame.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.documents: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}
        self.masks: dict[str, MaskDigests] = {}
        self.frames: dict[str, str] = {}
        self.documented: dict[tuple[str, str], MaskDigests] = {}
        self._last = b""

    def check_order(self, name: str) -> None:
        """Refuse a file that is not in its place."""
        key = name.encode(errors="surrogateescape")
        if key <= self._last:
            raise refuse(f"the member {name!r} is not in its place", self.path, _HINT)
        self._last = key

    def add_file(self, name: str, data: bytes) -> None:
        """Digest a file; raise `InputError` if it is damaged."""
        kind, *rest = name.split("/")
        where = f"{self.path}: {name}"
        if not rest:
            self.documents[name] = data
            if name not in (*DOCUMENTS, *_OPTIONAL):  # a list of the dataset
                self.digests[name] = digest_json(parse_document(data, where, name))
        elif any(part.startswith(PHOTOGRAPHS) for part in name.split("/")[:-1]):
            self.frames[name] = hashlib.sha256(data).hexdigest()
        elif name.endswith(".png"):
            mask = decode_index_mask(data, where)
            self.digests[name] = digest_pixels(mask)
            if kind != WEIGHTS:
                self.masks[name] = digest_objects(mask)
        else:
            self.digests[name] = digest_json(parse_document(data, where, name))

    def place_masks(self) -> dict[str, tuple[str, str]]:
        """Return sequence and frame of each mask of a dataset without action lists, by its path."""
        if SEQUENCES_FILE not in self.documents:
            return {}
        where = f"{self.path}: {SEQUENCES_FILE}"
        form, name, known = parse_sequence_record(
            parse_json(self.documents[SEQUENCES_FILE], where), where
        )
        split = make_dataset_split(Path(), name, form, known)
        return {
            path: (sequence.folder, view.frame)
            for sequence in known
            for path, view in zip(split.name_files(MASKS, sequence), sequence.views, strict=True)
        }


def _read_digests(documents: Mapping[str, bytes], path: Path) -> dict[str, str]:
    if DIGESTS_FILE not in documents:
        raise refuse(f"has no {DIGESTS_FILE}", path, _HINT)
    where = f"{path}: {DIGESTS_FILE}"
    top = Cursor(parse_json(documents[DIGESTS_FILE], where), where)
    return {name: cursor.as_text() for name, cursor in top.iterate_members()}


def _compare_members(read: _ReadArchive, originals: Mapping[str, str]) -> Iterator[str]:
    """Compare files and their names with what the archive lists."""
    actual, documents = read.digests, read.documents
    listed = _read_digests(documents, read.path)
    in_files = [name for name in listed if IN_DOCUMENT not in name]
    names = spell_names(in_files, read.path)
    expected = {names.written[name]: listed[name] for name in in_files}
    expected |= {name: digest for name, digest in listed.items() if IN_DOCUMENT in name}
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            yield f"{name}: is missing"
        elif name not in expected:
            yield f"{name}: is not listed in {DIGESTS_FILE}"
        elif actual[name] and actual[name] != expected[name]:
            yield f"{name}: its content is not what {DIGESTS_FILE} says"
    for name in (*DOCUMENTS, NAMES_FILE):
        if name not in documents and (name != NAMES_FILE or names.table is not None):
            yield f"{name}: is missing"
    for name in sorted(documents.keys() - {*DOCUMENTS, *_OPTIONAL, *expected}):
        yield f"{name}: does not belong to a noisy split"
    if not set(names.respelled) <= originals.items():
        yield f"{NAMES_FILE}: lacks a name"


def _check_summary(documents: Mapping[str, bytes], path: Path) -> Iterator[str]:
    """Find what the summary of an archive must not have: a path, or a duration."""
    if SUMMARY_FILE in documents:
        where = f"{path}: {SUMMARY_FILE}"
        top = Cursor(parse_json(documents[SUMMARY_FILE], where), where)
        if top["source"].value != CLEAN_DATASET:
            yield f"{SUMMARY_FILE}: names the folder of the source"
        if "seconds" in top:
            yield f"{SUMMARY_FILE}: has the time that the run took"
