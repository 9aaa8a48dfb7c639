"""SA-V: a JSON document of masklets for each video, or a folder for each object.

::

    ROOT/<video>_manual.json      masklets that people made
    ROOT/<video>_auto.json        masklets that a model made

See `actiseg_data.layouts.sav_folders` for folders.
"""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.listing import list_files
from actiseg_data.layouts.document_search import strip_ending, strip_gz
from actiseg_data.layouts.layout import DocumentKind, Layout
from actiseg_data.layouts.sav_folders import SAV_KEY, find_folder_form, has_object_folders
from actiseg_data.layouts.sav_json import read_sav_video
from actiseg_data.layouts.sequence_record import DatasetForm

_SPLITS = ("manual", "auto")
"""The two sets of masklets, by the ends of the names of their documents; the default first."""


def _list_documents(root: Path) -> dict[str, list[str]]:
    """List the documents of a folder by split."""
    names = [file.name for file in list_files(root, ".json", ".json.gz")]
    documents = {
        split: [strip_gz(name) for name in names if strip_ending(name).endswith(f"_{split}")]
        for split in _SPLITS
    }
    return {split: names for split, names in documents.items() if names}


def _is_root(root: Path) -> bool:
    return root.is_dir() and (has_object_folders(root) or bool(_list_documents(root)))


def _find_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the documents, or else the folders; see `FormFinder`."""
    documents = _list_documents(root)
    if not documents:
        return find_folder_form(root, split)
    if split is None:
        split = next(iter(documents))
    if split not in documents:
        raise refuse(
            f"there is no split {split!r}{suggest(split, documents)}",
            root,
            f"give {' or '.join(documents)} as `split`",
        )
    return DatasetForm(SAV_KEY, "", mask_documents=tuple(documents[split])), split


SAV = Layout(
    key=SAV_KEY,
    name="SA-V",
    description="SA-V or a dataset with a folder for each object",
    is_root=_is_root,
    documents=(
        DocumentKind(
            frozenset((b"video_id", b"masklet")),
            "the masklets of SA-V (give the folder that has them)",
        ),
    ),
    find_form=_find_form,
    may_overlap=True,
    owns_folder=False,
    read_masks=read_sav_video,
)
