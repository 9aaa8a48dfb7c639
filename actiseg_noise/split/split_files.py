"""The paths of a noisy split's files, as digests name them and as a disk may spell them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.masks import IndexMask, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.listing import list_folders
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.dataset_opening import is_recorded, open_recorded
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.spelling import find_path, match_names
from actiseg_data.layouts.split import IN_DOCUMENT


def resolve_name(root: Path, name: str) -> Path:
    """Return the file below `root` that a relative path of ``digests.json`` names."""
    return root.joinpath(*(escape_name(part) for part in name.split("/")))


@dataclass(frozen=True)
class SplitFiles:
    """The files of a noisy split, which another system may have unpacked.

    Attributes
    ----------
    root : Path
        Folder of the noisy split.
    respelled : mapping of str to str
        Sequence folders that the disk spells differently: the relative path in ``digests.json`` to
        the one on disk.
    documented : DocumentSplit or None
        The noisy split, if its masks are in documents.
    """

    root: Path
    respelled: Mapping[str, str]
    documented: DocumentSplit | None = None

    def iterate_masks(self, names: Sequence[str], sequence: VideoSequence) -> Iterator[IndexMask]:
        """Read the masks of a sequence, in the order of its views, one at a time.

        Parameters
        ----------
        names : sequence of str
            The masks, as digests name them.
        sequence : VideoSequence
            The sequence.

        Raises
        ------
        InputError
            For the first mask that is missing or damaged.
        """
        if self.documented is not None:
            yield from self.documented.iterate_masks(sequence)
            return
        for name in names:
            yield read_index_mask(self.find(name))

    def find(self, name: str) -> Path:
        """Return the file that a relative path of ``digests.json`` names, even if it is missing."""
        folder, _, file = name.rpartition("/")
        spelling = self.respelled.get(folder)
        parent = resolve_name(self.root, folder) if spelling is None else self.root / spelling
        return find_path(parent, escape_name(file))


def locate_files(root: Path, names: Iterable[str]) -> SplitFiles:
    """Locate the files of a noisy split.

    Parameters
    ----------
    root : Path
        Folder of the noisy split.
    names : iterable of str
        Relative paths, as in ``digests.json``.
    """
    wanted: dict[str, dict[str, str]] = {}
    for name in (name for name in names if IN_DOCUMENT not in name):
        parent, _, folder = name.rpartition("/")[0].rpartition("/")
        if parent:
            wanted.setdefault(parent, {})[escape_name(folder)] = folder
    respelled = {}
    for parent, folders in wanted.items():
        on_disk = root / parent
        if on_disk.is_dir():
            matches = match_names(folders, {entry.name for entry in list_folders(on_disk)})
            for name, spelling in matches.names.items():
                if name != spelling:
                    respelled[f"{parent}/{folders[name]}"] = f"{parent}/{spelling}"
    copy = open_recorded(root) if is_recorded(root) else None
    return SplitFiles(root, respelled, copy if isinstance(copy, DocumentSplit) else None)
