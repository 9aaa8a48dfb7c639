"""Check an archive against its digests and a rebuild kit, without unpacking it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.masks import decode_index_mask, digest_pixels
from actiseg_data.annotations.sequences import VideoSequence, number_duplicates
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, parse_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import check_name, format_name
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import read_record
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.split_documents import (
    CLEAN_DATASET,
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
)
from actiseg_noise.kits.kit_record import MASK_BYTES, RebuildKit
from actiseg_noise.kits.sequence_digesting import cut_digest, identify_sequence
from actiseg_noise.releases.archive import DOCUMENTS, FILE_MODE, FOLDER_MODE
from actiseg_noise.releases.archive_names import spell_names
from actiseg_noise.split.split_archive import NAMES_FILE

_HINT = "fetch the archive again, or make it again"
_BLOCK = tarfile.BLOCKSIZE
_DEEPEST = 5
"""Components of the longest path: the folder at the top, kind, subset, sequence, file."""


@dataclass(frozen=True)
class ArchiveMember:
    """A file in an archive.

    Attributes
    ----------
    name : str
        Relative path below the folder at the top.
    data : bytes
        Its content.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class ArchiveCheck:
    """The result of `check_archive`.

    Attributes
    ----------
    mismatches : tuple of str
        One line for each.
    files, frames : int
        Number of files, and how many of them are frames.
    """

    mismatches: tuple[str, ...]
    files: int
    frames: int

    @property
    def ok(self) -> bool:
        """Whether there is no mismatch."""
        return not self.mismatches


def iterate_archive(path: Path) -> Iterator[ArchiveMember]:
    """Read the files of an archive one at a time, in its order; nothing is written to disk.

    Raises
    ------
    InputError
        For a file that is not a plain tar, or is cut short. For a member that is a link or a
        device, is outside the folder at the top, is there twice, or is not as `write_archive`
        writes it: with an owner, a time, or other rights.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            yield from _iterate_checked(archive, path)
            stream.seek(archive.offset)
            _check_end(stream.read(3 * tarfile.RECORDSIZE), size, path)
    except InputError:
        raise
    except (tarfile.TarError, ValueError, OverflowError) as error:
        what = f"is damaged, cut short or not a plain tar ({format_name(str(error))})"
        raise refuse(what, path, _HINT) from None
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise refuse(what, path, _HINT) from None


def _iterate_checked(archive: tarfile.TarFile, path: Path) -> Iterator[ArchiveMember]:
    last = b""
    top: str | None = None
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined] # else all headers stay in memory
        parts = member.name.split("/")
        _check_member(member, parts, path)
        key = member.name.encode(errors="surrogateescape")
        top = top or parts[0]
        if parts[0] != top:
            raise _refuse_member(member, "is outside the folder at the top", path)
        if key <= last:
            raise _refuse_member(member, "is there twice, or not in its place", path)
        last = key
        if member.isreg():
            stream = archive.extractfile(member)
            data = b"" if stream is None else stream.read()
            if len(data) != member.size or len(parts) == 1:
                raise _refuse_member(member, "is cut short or not in a folder", path)
            yield ArchiveMember("/".join(parts[1:]), data)


def _check_member(member: tarfile.TarInfo, parts: list[str], path: Path) -> None:
    """Refuse a member that `write_archive` cannot have written."""
    if member.type not in (tarfile.REGTYPE, tarfile.DIRTYPE) or member.issparse():
        raise _refuse_member(member, "is a link, a device or no plain file", path)
    if member.size > path.stat().st_size:
        raise _refuse_member(member, "is cut short", path)
    if len(parts) > _DEEPEST:
        raise _refuse_member(member, "is in too many folders", path)
    try:
        for part in parts:
            check_name(part, "member", path)
    except InputError as error:
        raise _refuse_member(member, error.problems[0].what, path) from None
    mode = FILE_MODE if member.isreg() else FOLDER_MODE
    owner = (member.uid, member.gid, member.uname, member.gname)
    if owner != (0, 0, "", "") or member.mtime != 0 or member.mode != mode:
        raise _refuse_member(member, "has an owner, a time or unusual rights", path)


def _check_end(rest: bytes, size: int, path: Path) -> None:
    """Refuse an archive without the two empty blocks at its end, or with data after them."""
    if len(rest) < 2 * _BLOCK or size % _BLOCK or rest.strip(b"\0"):
        raise refuse("is cut short, or has data after its end", path, _HINT)


def _refuse_member(member: tarfile.TarInfo, what: str, path: Path) -> InputError:
    return refuse(f"the member {format_name(member.name)!r} {what}", path, _HINT)


def check_archive(path: Path, kit: RebuildKit | None = None) -> ArchiveCheck:
    """Check that an archive has the files that belong to it, with the digests that it lists.

    Parameters
    ----------
    path : Path
        The archive, see `write_archive`.
    kit : RebuildKit, optional
        The rebuild kit of the configuration: its masks and lists must be those of the archive.

    Returns
    -------
    ArchiveCheck
        Files that are missing, unknown or different.

    Raises
    ------
    InputError
        If the archive cannot be read, or is not safe to unpack; see `iterate_archive`.
    """
    documents: dict[str, bytes] = {}
    actual: dict[str, str] = {}
    records: dict[str, list[Cursor]] = {}
    lines: list[str] = []
    frames = 0
    for member in iterate_archive(path):
        kind, *rest = member.name.split("/")
        where = f"{path}: {member.name}"
        if not rest:
            documents[kind] = member.data
        elif kind == FRAMES:
            frames += 1
        else:
            try:
                actual[member.name] = _digest_member(member, where, records)
            except InputError as error:
                lines.append(f"{member.name}: {error.problems[0].what}")
                actual[member.name] = ""
    listed = _read_digests(documents, path)
    lines += _compare_members(actual, listed, documents, path)
    lines += _check_summary(documents, path)
    if kit is not None:
        lines += _compare_kit(actual, listed, records, kit, path)
    return ArchiveCheck(tuple(lines), len(actual) + len(documents) + frames, frames)


def _digest_member(member: ArchiveMember, where: str, records: dict[str, list[Cursor]]) -> str:
    """Digest a mask, a weight map or a list; keep the records of action lists."""
    if not member.name.startswith(f"{IMAGE_SETS}/"):
        return digest_pixels(decode_index_mask(member.data, where))
    document = parse_json(member.data, where)
    if isinstance(document, list):
        name = member.name.rpartition("/")[2].removesuffix(".json")
        records[name] = list(Cursor(document, where).iterate_elements())
    return digest_json(document)


def _read_digests(documents: Mapping[str, bytes], path: Path) -> dict[str, str]:
    if DIGESTS_FILE not in documents:
        raise refuse(f"has no {DIGESTS_FILE}", path, _HINT)
    where = f"{path}: {DIGESTS_FILE}"
    top = Cursor(parse_json(documents[DIGESTS_FILE], where), where)
    return {name: cursor.as_text() for name, cursor in top.iterate_members()}


def _compare_members(
    actual: Mapping[str, str],
    listed: Mapping[str, str],
    documents: Mapping[str, bytes],
    path: Path,
) -> Iterator[str]:
    """Compare files and their names with what the archive lists."""
    names = spell_names(listed, path)
    expected = {names.written[name]: digest for name, digest in listed.items()}
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
    for name in sorted(documents.keys() - {*DOCUMENTS, NAMES_FILE, LEXICON_FILE, DIFFERENCES_FILE}):
        yield f"{name}: does not belong to a noisy split"
    if not set(names.respelled) <= _read_table(documents.get(NAMES_FILE, b"")):
        yield f"{NAMES_FILE}: lacks a name"


def _read_table(data: bytes) -> set[tuple[str, str]]:
    rows = (line.split("\t") for line in data.decode(errors="replace").split("\n"))
    return {(row[0], row[1]) for row in rows if len(row) == 2}


def _check_summary(documents: Mapping[str, bytes], path: Path) -> Iterator[str]:
    """Find what the summary of an archive must not have: a path, or a duration."""
    if SUMMARY_FILE in documents:
        where = f"{path}: {SUMMARY_FILE}"
        top = Cursor(parse_json(documents[SUMMARY_FILE], where), where)
        if top["source"].value != CLEAN_DATASET:
            yield f"{SUMMARY_FILE}: names the folder of the source"
        if "seconds" in top:
            yield f"{SUMMARY_FILE}: has the time that the run took"


def _compare_kit(
    actual: Mapping[str, str],
    listed: Mapping[str, str],
    records: Mapping[str, list[Cursor]],
    kit: RebuildKit,
    path: Path,
) -> Iterator[str]:
    """Compare the masks and lists of an archive with a rebuild kit."""
    names = spell_names(listed, path).written
    for file, digest in sorted(kit.lists.items()):
        if actual.get(f"{IMAGE_SETS}/{file}") != digest:
            yield f"{IMAGE_SETS}/{file}: is not the list of the rebuild kit"
    sequences = _read_sequences(records.get(kit.source.split, []))
    folders = _group_masks(listed)
    known = dict(kit.sequences)
    for sequence in sequences:
        digests = known.pop(identify_sequence(sequence), None)
        if digests is None:
            yield f"{sequence.folder}: is not in the rebuild kit"
            continue
        parent = folders.get(sequence.folder, "")
        masks = (
            actual.get(names.get(f"{parent}/{frame}.png", ""), "") for frame in sequence.frames
        )
        packed = b"".join(cut_digest(digest, MASK_BYTES) for digest in masks)
        if digests.masks and packed != digests.masks:
            yield f"{sequence.folder}: its masks are not those of the rebuild kit"
    if known:
        yield f"{len(known)} sequences of the rebuild kit are missing"


def _read_sequences(records: list[Cursor]) -> list[VideoSequence]:
    return number_duplicates([read_record(record) for record in records])


def _group_masks(listed: Mapping[str, str]) -> dict[str, str]:
    """Map the name of each sequence folder to the relative path of its masks."""
    parents = {name.rpartition("/")[0] for name in listed if name.startswith(f"{MASKS}/")}
    return {parent.rpartition("/")[2]: parent for parent in parents}
