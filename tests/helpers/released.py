"""Small releases for tests: archives and rebuild kits of noisy splits."""

from __future__ import annotations

import tarfile
from pathlib import Path

from actiseg_noise.kits.kit_making import make_kit
from actiseg_noise.media.self_check import open_documents
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.noisy_split import open_noisy_split


def make_split_kit(name, out):
    """Make the rebuild kit of a noisy split."""
    split, documents = open_noisy_split(out), open_documents(out)
    clean = [split.source[sequence.folder] for sequence in split.noisy.sequences]
    part = CleanPart(split.source, tuple(clean), documents.kinds)
    digests = {sequence.folder: part.digest_files(sequence) for sequence in clean}
    return make_kit(name, split, documents, digests)


def pack(folder, archive, *, top=None, names=None):
    """Pack a noisy split as a plain tar with one top folder; `names` has the written names."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    top, names = top or archive.stem, names or {}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    with tarfile.open(archive, "w") as tar:
        for path in files:
            name = path.relative_to(folder).as_posix()
            tar.add(path, f"{top}/{names.get(name, name)}")
        if names:
            table = "".join(f"{path}\t{name}\n" for path, name in _list_originals(names).items())
            extra = archive.with_suffix(".names")
            extra.write_text(table)
            tar.add(extra, f"{top}/NAMES.tsv")
            extra.unlink()
    return archive


def _list_originals(names):
    """List each file and folder that is written under another name, with its own one."""
    pairs = [(old.split("/"), new.split("/")) for old, new in names.items()]
    return {
        "/".join(new[: depth + 1]): old[depth]
        for old, new in pairs
        for depth in reversed(range(len(new)))
        if old[depth] != new[depth]
    }


def make_release(release, **splits: Path):
    """Make a release with an archive of each noisy split; ``_`` in names becomes ``-``."""
    for name, folder in splits.items():
        pack(folder, release / "archives" / f"{name.replace('_', '-')}.tar")
    return release
