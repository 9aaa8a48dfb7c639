"""The annotation files of a split of VISOR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.listing import describe_contents, list_files
from actiseg_data.layouts.actionvos import IMAGE_SETS, SUBSETS
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import DIGESTS_FILE, SUMMARY_FILE


def check_split(split: str) -> None:
    """Raise an `InputError` for a split that VISOR does not have with public polygons."""
    if split not in SUBSETS:
        raise refuse(f"{split!r:.60} is not a split of VISOR", "`split`", "give train or val")


def find_annotation_files(annotations: Path | Sequence[Path], split: str) -> tuple[Path, ...]:
    """Find the annotation files of a split, sorted by name.

    Parameters
    ----------
    annotations : Path or sequence of Path
        One annotation file, or a folder that has them in ``<split>/`` or ``annotations/<split>/``,
        as in VISOR's download, or directly. Or the files themselves. The records of a noisy copy
        are no annotation files.
    split : str
        ``train`` or ``val``.

    Raises
    ------
    InputError
        If there are none.
    """
    if not isinstance(annotations, Path):
        return tuple(sorted(annotations, key=lambda path: path.name))
    hint = f"give the folder of VISOR's sparse annotations of {split}, unpacked"
    if (annotations / IMAGE_SETS).is_dir():
        raise refuse("is an ActionVOS root, not a folder of annotation files", annotations, hint)
    if annotations.is_file() and annotations.name.lower().endswith(_ENDINGS):
        return (annotations,)
    if not annotations.exists():
        raise refuse("the folder of annotations is missing", annotations, "check the path")
    for folder in (annotations / split, annotations / "annotations" / split, annotations):
        files = [
            entry
            for entry in (list_files(folder, *_ENDINGS) if folder.is_dir() else [])
            if entry.name not in _RECORDS
        ]
        if files:
            return tuple(entry.path for entry in files)
    kind = recognise_dataset(annotations)
    if kind is not None:
        raise refuse(f"is {kind}", annotations, hint)
    if not annotations.is_dir():
        raise refuse("is neither a folder nor an annotation file", annotations, hint)
    held = describe_contents(annotations)
    raise refuse(f"has no annotation file (*.json, *.json.gz); it has {held}", annotations, hint)


_RECORDS = (RECIPE_FILE, SUMMARY_FILE, DIGESTS_FILE, SEQUENCES_FILE)
"""What a noisy copy of a folder has besides the annotation files."""

_ENDINGS = (".json", ".json.gz")
"""Endings of annotation files, in lower case."""
