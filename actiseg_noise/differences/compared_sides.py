"""Find what A and B are: a noisy split, a release, an archive of one, or a rebuild kit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import check_name
from actiseg_noise.differences.archive_documents import (
    read_archive_documents,
    read_folder_documents,
)
from actiseg_noise.differences.split_snapshot import SplitSnapshot, parse_snapshot
from actiseg_noise.kits.kit_reading import read_kit
from actiseg_noise.kits.kit_record import KITS, RebuildKit
from actiseg_noise.split.noisy_split import read_split_recipe
from actiseg_noise.split.split_archive import ARCHIVES


@dataclass(frozen=True)
class ComparedSide:
    """One noisy split to compare, in one or two forms.

    Attributes
    ----------
    name : str
        The name of the configuration, or of the folder or file.
    data : Path or None
        The folder or archive that has its documents.
    kit : Path or None
        Its rebuild kit.
    """

    name: str
    data: Path | None
    kit: Path | None

    @property
    def where(self) -> Path:
        """A path to name it by in messages."""
        return next(path for path in (self.data, self.kit) if path is not None)

    def read_snapshot(self) -> SplitSnapshot:
        """Read its documents; raise `InputError` if they are damaged or missing."""
        path = self.data
        if path is None:
            raise refuse("has digests only", self.where, "give the noisy split or its archive")
        read = read_folder_documents if path.is_dir() else read_archive_documents
        return parse_snapshot(read(path), str(path))

    def read_rebuild_kit(self) -> RebuildKit:
        """Read its kit; raise `InputError` if it is damaged or missing."""
        if self.kit is None:
            raise refuse("has no rebuild kit", self.where, "give the release that has it")
        return read_kit(self.kit)


def is_release(path: Path) -> bool:
    """Return whether a folder is a release: it has rebuild kits or archives."""
    return (path / KITS).is_dir() or (path / ARCHIVES).is_dir()


def find_sides(path: Path) -> dict[str, ComparedSide]:
    """Find the noisy splits of a release, by configuration, or the only one of another path.

    Raises
    ------
    InputError
        If the path is missing, or nothing that can be compared.
    """
    if path.is_dir() and is_release(path):
        return _find_configurations(path)
    if path.is_dir():
        read_split_recipe(path)  # refuses other folders, and says what they are
        return _index([ComparedSide(path.resolve().name, path, None)])
    if not path.is_file():
        raise refuse("there is no such file or folder", path, "check the path")
    if path.suffix == ".tar":
        return _index([ComparedSide(path.stem, path, None)])
    if path.suffix == ".json":
        return _index([ComparedSide(path.stem, None, path)])
    hint = "give a noisy split, a release, an archive (.tar) of one, or a rebuild kit (.json)"
    raise refuse("cannot be compared", path, hint)


def _find_configurations(release: Path) -> dict[str, ComparedSide]:
    archives, kits = (
        {check_name(file.path.stem, "configuration", folder): file.path for file in files}
        for folder, files in (
            (
                release / name,
                list_files(release / name, ending) if (release / name).is_dir() else [],
            )
            for name, ending in ((ARCHIVES, ".tar"), (KITS, ".json"))
        )
    )
    names = sorted(archives.keys() | kits.keys())
    if not names:
        hint = "fetch the release again"
        raise refuse(f"has no configuration ({KITS}/*.json, {ARCHIVES}/*.tar)", release, hint)
    return _index(ComparedSide(name, archives.get(name), kits.get(name)) for name in names)


def _index(sides: Iterable[ComparedSide]) -> dict[str, ComparedSide]:
    return {side.name: side for side in sides}
