"""Write a noisy split to an archive: the same bytes on every machine, and safe to unpack anywhere.

The archive is a plain tar, because the bytes of a compressed one depend on the compressor, and
masks are compressed already.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.files import encode_json, open_atomic
from actiseg_data.layouts.actionvos import FRAMES, Split
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.releases.archive_names import escape_component, escape_path
from actiseg_noise.releases.release_contents import Configuration
from actiseg_noise.split.partial_split import DOCUMENTS
from actiseg_noise.split.split_archive import NAMES_FILE
from actiseg_noise.split.split_files import locate_files

_TIME = 315532800  # 1980-01-01, the first date that every archiver knows

_LOCAL = ("seconds", "source", "images")
"""Members of a summary that are about the machine that wrote the split."""


def write_archive(configuration: Configuration, path: Path, *, frames: bool) -> None:
    """Write a noisy split to a plain tar archive.

    Members are sorted and have one time, no owner and no links. Folders that Windows cannot have
    are escaped, and `NAMES_FILE` has their originals.

    Parameters
    ----------
    configuration : Configuration
        The noisy split. The archive has one folder, of its name.
    path : Path
        The archive.
    frames : bool
        Whether the photographs go into the archive, as files.

    Raises
    ------
    InputError
        If a file of the split is missing.
    """
    members: dict[str, Path | bytes] = dict(_iterate_members(configuration, frames=frames))
    escaped = {escape_path(name): member for name, member in members.items()}
    renamed = _list_renamed(members)
    if renamed:
        escaped[NAMES_FILE] = "".join(f"{new}\t{old}\n" for new, old in renamed.items()).encode()
    with (
        open_atomic(path) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(escaped, key=str.encode):
            _add_member(archive, f"{configuration.name}/{name}", escaped[name])


def _iterate_members(
    configuration: Configuration, *, frames: bool
) -> Iterator[tuple[str, Path | bytes]]:
    """Yield the names of all files of a noisy split, each with its file or its content."""
    folder, documents = configuration.folder, configuration.documents
    files = locate_files(folder, documents.digests)
    for name in documents.digests:
        yield name, files.find(name)
    for name in DOCUMENTS:
        if (folder / name).is_file():
            yield name, folder / name
    summary = {key: value for key, value in documents.summary.items() if key not in _LOCAL}
    source = Path(configuration.split.source.root.name).name
    summary |= {"source": source, "images": "copy" if frames else "none"}
    yield SUMMARY_FILE, encode_json(summary, indent=2)
    if frames:
        for part in documents.open_parts(folder):
            for sequence in part.sequences:
                yield from _iterate_frames(part.split, sequence)


def _iterate_frames(split: Split, sequence: VideoSequence) -> Iterator[tuple[str, Path]]:
    if sequence.folder in split.subsets:
        folder = f"{FRAMES}/{split.subsets[sequence.folder]}/{sequence.folder}"
        for path in split.frames(sequence):
            if path.is_file():
                yield f"{folder}/{path.name}", path


def _list_renamed(members: Iterable[str]) -> dict[str, str]:
    """List the escaped paths, deeper ones first: written path, to the same with its last name."""
    paths = {"/".join(name.split("/")[: depth + 1]) for name in members for depth in range(5)}
    renamed = {}
    for path in sorted(paths, key=lambda path: (-path.count("/"), path)):
        parent, _, last = path.rpartition("/")
        if escape_component(last) != last:
            written = escape_path(parent)
            renamed[f"{written}/{escape_component(last)}"] = f"{written}/{last}"
    return renamed


def _add_member(archive: tarfile.TarFile, name: str, member: Path | bytes) -> None:
    data = member if isinstance(member, bytes) else member.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(data), _TIME, 0o644
    archive.addfile(entry, io.BytesIO(data))
