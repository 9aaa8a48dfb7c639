"""Write a noisy split as an archive in the ActionVOS layout, with equal bytes for equal splits."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.file_reading import read_bytes, refuse_missing
from actiseg_data.core.files import encode_json, open_atomic
from actiseg_data.core.manifests import find_installed
from actiseg_data.layouts.split import IN_DOCUMENT
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import (
    CLEAN_DATASET,
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
)
from actiseg_noise.releases.data_files.archive_names import ArchiveNames, spell_names
from actiseg_noise.releases.data_files.frame_files import find_frame_files, open_frame_places
from actiseg_noise.split.noisy_documents import SplitDocuments, read_documents
from actiseg_noise.split.noisy_split import find_source_root, read_split_recipe
from actiseg_noise.split.split_archive import NAMES_FILE
from actiseg_noise.split.split_files import locate_files

DOCUMENTS = (RECIPE_FILE, LEDGER_FILE, SUMMARY_FILE, DIGESTS_FILE, LICENSE_FILE, NOTICE_FILE)
"""The documents that every archive has."""

LEXICON_LICENCES = ("LICENSE-CC-BY-NC-4.0", "LICENSE-WORDNET")
"""The texts of the licences that NOTICE names, if noise wrote names of the installed lexicon."""

FILE_MODE, FOLDER_MODE = 0o644, 0o755


@dataclass(frozen=True)
class ArchiveReport:
    """An archive that was written.

    Attributes
    ----------
    files, frames : int
        Number of files in it, and how many of them are frames.
    respelled : int
        Number of files and folders that have another name in it, see `NAMES_FILE`.
    size : int
        Bytes.
    sha256 : str
        64 hexadecimal digits.
    """

    files: int
    frames: int
    respelled: int
    size: int
    sha256: str


def write_archive(folder: Path, path: Path, *, frames: bool = False) -> ArchiveReport:
    """Write a noisy split as a ``.tar``, completely or not at all.

    The archive has one folder at the top, called like the archive without its ending. It has the
    files that ``digests.json`` lists and the documents, and nothing else. Members are sorted, have
    no owner and no time, and are never links. The summary has neither the path of the source nor
    the time that the run took, so two runs of `corrupt` give equal archives.

    Parameters
    ----------
    folder : Path
        The noisy split. Its files are copied and not decoded: `verify` it before.
    path : Path
        The archive, such as ``archives/boundary-40.tar``.
    frames : bool
        Whether to add the frames, from the split or from its source.

    Raises
    ------
    InputError
        If the folder is not a noisy split, with every file that is missing, or with every name that
        cannot be unpacked on every system.

    Examples
    --------
    >>> import tempfile
    >>> from actiseg_data import make_sample
    >>> from actiseg_noise import corrupt, make_recipe
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     sample = make_sample(f"{parent}/sample").path
    ...     out = corrupt(sample, make_recipe("boundary", 0.4, split="val"), out=f"{parent}/n").out
    ...     report = write_archive(out, Path(parent, "boundary-40.tar"))
    >>> report.files, report.frames, report.respelled
    (66, 0, 2)
    """
    documents = read_documents(folder, read_split_recipe(folder))
    paths = _find_files(folder, documents)
    photographs = _find_frames(folder, documents) if frames else {}
    names = spell_names([*paths, *photographs], folder)
    contents: dict[str, Path | bytes] = {
        names.written[name]: file for name, file in (paths | photographs).items()
    }
    contents |= _collect_documents(folder, documents, names, frames=bool(photographs))
    with open_atomic(path) as stream:
        sink = _HashingSink(stream)
        with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for member, content in _iterate_members(path.stem, contents):
                archive.addfile(member, content)
    return ArchiveReport(
        files=len(contents),
        frames=len(photographs),
        respelled=len(names.respelled),
        size=sink.size,
        sha256=sink.state.hexdigest(),
    )


def normalise_summary(summary: Mapping[str, Any], *, frames: bool) -> dict[str, Any]:
    """Return a summary without what depends on the maintainer's disk and run.

    >>> normalise_summary({"source": "../../data", "seconds": 9, "images": "link"}, frames=False)
    {'source': 'clean_dataset', 'images': 'none'}
    """
    kept = {name: value for name, value in summary.items() if name != "seconds"}
    return kept | {"source": CLEAN_DATASET, "images": "copy" if frames else "none"}


def _find_files(folder: Path, documents: SplitDocuments) -> dict[str, Path]:
    """Find the files that ``digests.json`` lists, by their relative path."""
    files = locate_files(folder, documents.digests)
    problems = ProblemCollector()
    paths = {}
    for name in (name for name in documents.digests if IN_DOCUMENT not in name):
        paths[name] = files.find(name)
        if not paths[name].is_file():
            with problems.collect():
                raise refuse_missing(paths[name], "the file is missing", "make the split again")
    problems.raise_if_any()
    return paths


def _find_frames(folder: Path, documents: SplitDocuments) -> dict[str, Path]:
    """Find the frames of all lists, by the relative path that they get."""
    source = find_source_root(folder, None)
    problems = ProblemCollector()
    frames = {}
    for part in documents.open_parts(folder):
        places = open_frame_places(part, source)
        for sequence in part.sequences:
            with problems.collect():
                paths = find_frame_files(places, sequence)
                parent = next(
                    filter(None, (split.name_frames_folder(sequence) for split in places))
                )
                for frame, path in zip(sequence.frames, paths, strict=True):
                    frames[f"{parent}/{frame}{path.suffix.lower()}"] = path
    problems.raise_if_any()
    return frames


def _collect_documents(
    folder: Path, documents: SplitDocuments, names: ArchiveNames, *, frames: bool
) -> dict[str, Path | bytes]:
    """Collect the documents of an archive, by name."""
    possible = (LEXICON_FILE, DIFFERENCES_FILE)
    carried = [name for name in possible if (folder / name).is_file()]
    contents: dict[str, Path | bytes] = {
        name: folder / name for name in (*DOCUMENTS, *carried) if name != SUMMARY_FILE
    }
    problems = ProblemCollector()
    for name in contents:
        if not (folder / name).is_file():
            problems.add("the file is missing", folder / name, "make the split again")
    problems.raise_if_any()
    if LEXICON_FILE not in carried and any(
        "lexicon" in noise.parameters for noise in documents.recipe.noises
    ):
        contents |= {
            name: find_installed(f"lexicon/{name}").read_text("utf-8").encode()
            for name in LEXICON_LICENCES
        }
    summary = normalise_summary(documents.summary, frames=frames)
    contents[SUMMARY_FILE] = encode_json(summary, indent=2)
    if names.table is not None:
        contents[NAMES_FILE] = names.table
    return contents


def _iterate_members(
    top: str, contents: Mapping[str, Path | bytes]
) -> Iterator[tuple[tarfile.TarInfo, BinaryIO | None]]:
    """Yield the folders and files of an archive in the order of the bytes of their names."""
    files = {f"{top}/{name}": content for name, content in contents.items()}
    for name in sorted({*files, *list_parents(files)}, key=str.encode):
        content = files.get(name)
        if content is None:
            yield make_member(name, None), None
        else:
            data = content if isinstance(content, bytes) else read_bytes(content)
            yield make_member(name, len(data)), io.BytesIO(data)


def list_parents(names: Iterable[str]) -> set[str]:
    """List the folders of relative paths.

    >>> sorted(list_parents(["a/b/0.png", "a/1.png"]))
    ['a', 'a/b']
    """
    parents: set[str] = set()
    for name in names:
        parent = name.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def make_member(name: str, size: int | None) -> tarfile.TarInfo:
    """Make the header of a file, or, if `size` is None, of a folder: no owner and no time."""
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE if size is None else tarfile.REGTYPE
    member.mode = FOLDER_MODE if size is None else FILE_MODE
    member.size = size or 0
    return member


class _HashingSink(io.RawIOBase):
    """A stream that also computes the digest of what is written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self.state = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self.state.update(data)
        self.size += len(data)
        return self._stream.write(data)
