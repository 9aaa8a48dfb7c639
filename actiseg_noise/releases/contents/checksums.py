"""The checksums of a release, in the format of ``sha256sum``."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import open_regular, read_bytes
from actiseg_data.core.files import write_bytes
from actiseg_data.core.names import is_plain_text
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_noise.releases.contents.release_contents import ReleaseFile

CHECKSUMS_FILE = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_BLOCK = 1 << 20


def digest_file(path: Path) -> str:
    """Compute the SHA-256 of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def describe_file(
    release: Path,
    name: str,
    role: str,
    configuration: str | None = None,
    split: str | None = None,
    rows: int | None = None,
) -> ReleaseFile:
    """Describe a file of a release with its size and digest; see `ReleaseFile`."""
    path = release / name
    size = path.stat().st_size
    return ReleaseFile(name, role, configuration, split, size, digest_file(path), rows)


def find_irregular_files(release: Path) -> Iterator[str]:
    """Find links, pipes, devices and sockets in a release; yield one line for each."""
    for name in list_release_files(release):
        mode = (release / name).lstat().st_mode
        if stat.S_ISLNK(mode):
            yield f"{name}: is a link, which does not travel"
        elif not stat.S_ISREG(mode):
            yield f"{name}: is not a regular file"


def list_release_files(release: Path) -> list[str]:
    """List all files of a release but its checksums: relative paths, sorted.

    Links are listed like files, and folders that they lead to are not opened.
    """
    names = []
    for folder, folders, files in os.walk(release):
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        names += [Path(folder, name).relative_to(release).as_posix() for name in (*files, *linked)]
    return sorted(name for name in names if name != CHECKSUMS_FILE)


def write_checksums(release: Path, workers: int | WorkerPool = 1) -> dict[str, str]:
    """Write the checksums of all files of a release; return them by name."""
    names = list_release_files(release)
    digests = run_parallel(_digest_member, release, names, workers)
    lines = (f"{digest}  {name}\n" for name, digest in zip(names, digests, strict=True))
    write_bytes(release / CHECKSUMS_FILE, "".join(lines).encode())
    return dict(zip(names, digests, strict=True))


def read_checksums(release: Path) -> dict[str, str]:
    """Read the checksums of a release by name; raise `InputError` for damaged ones."""
    path = release / CHECKSUMS_FILE
    checksums = {}
    for number, line in enumerate(
        read_bytes(path, "file of checksums").decode(errors="replace").splitlines(), 1
    ):
        match = _LINE.fullmatch(line)
        if match is None or not (_is_inside(match[2]) and is_plain_text(match[2])):
            where = f"{path}: line {number}"
            raise refuse("is not the checksum of a file in the release", where, "restore the file")
        if match[2] in checksums:
            where = f"{path}: line {number}"
            raise refuse(f"lists {match[2]!r} a second time", where, "restore the file")
        checksums[match[2]] = match[1]
    return checksums


def find_changed_files(release: Path, workers: int | WorkerPool = 1) -> Iterator[str]:
    """Compare the files of a release with its checksums; yield one line for each difference.

    All must be regular files, see `find_irregular_files`.
    """
    checksums, present = read_checksums(release), set(list_release_files(release))
    yield from (f"{name}: is missing" for name in sorted(checksums.keys() - present))
    yield from (
        f"{name}: has no checksum in {CHECKSUMS_FILE}"
        for name in sorted(present - checksums.keys())
    )
    names = sorted(present & checksums.keys())
    digests = run_parallel(_digest_member, release, names, workers)
    for name, digest in zip(names, digests, strict=True):
        if digest != checksums[name]:
            yield f"{name}: its content is not what {CHECKSUMS_FILE} says"


def _digest_member(release: Path, name: str) -> str:
    return digest_file(release / name)


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return not (name.startswith("/") or "\\" in name or {"", ".", ".."} & set(parts))
