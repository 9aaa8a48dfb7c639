"""Open a dataset. One in a layout that a caller cannot use is refused by name."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.layouts import layout_table
from actiseg_data.layouts.action_lists import check_split_name, read_split
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split
from actiseg_data.layouts.davis import GIVE, has_sequences
from actiseg_data.layouts.layout import MaskSplit
from actiseg_data.layouts.recognition import recognise_dataset


def open_split(root: PathLike, name: str, *, masks: bool = True) -> Split:
    """Open a split: read its action list and find the folders of its sequences.

    Masks are not decoded.

    Parameters
    ----------
    root : str or Path
        A root in the ActionVOS layout.
    name : str
        The split, such as ``train`` or ``val_human``.
    masks : bool
        Whether masks are required. If not, a root without any masks of the split is accepted.

    Raises
    ------
    InputError
        With every problem of the list; if some sequences have no folder of masks; for a dataset in
        another layout, which the message names.
    """
    root = as_path(root)
    check_split_name(root, name)
    if not (root / IMAGE_SETS / f"{name}.json").is_file():
        kind = recognise_dataset(root)
        if kind is not None:
            hint = "give an ActionVOS root"
            raise refuse(f"is not an ActionVOS root but {kind}", root, hint)
        if not root.is_dir():
            what = "is not a folder" if root.exists() else "the dataset folder is missing"
            raise refuse_missing(root, what, "give an ActionVOS root")
    return read_split(root, name, masks=masks)


def open_masks(root: Path, split: str | None = None, *, whole: bool = False) -> MaskSplit:
    """Open the masks of a dataset in any layout of `LAYOUTS`, or of a plain folder of sequences.

    Parameters
    ----------
    root : Path
        The dataset. Masks are not decoded.
    split : str, optional
        A part of the dataset; each layout has a default.
    whole : bool
        Whether to take all sequences, even if there are lists of sequences.

    Raises
    ------
    InputError
        For a dataset whose masks cannot be opened, which the message names; and for a missing
        split.
    """
    layout = layout_table.find_layout(root)
    if layout is not None and layout.open_masks is not None:
        return layout.open_masks(root, split, whole)
    plain = layout_table.PLAIN_LAYOUT
    if not (root.is_dir() and has_sequences(root)):
        _refuse_foreign(root)
    assert plain.open_masks is not None, "the plain layout has masks alone"
    return plain.open_masks(root, split, whole)


def _refuse_foreign(root: Path) -> None:
    """Raise an `InputError` for a missing path, and for a dataset without masks to open."""
    kind = recognise_dataset(root)
    if kind not in (None, layout_table.PLAIN_LAYOUT.description):
        raise refuse(f"is {kind}", root, GIVE)
    if root.exists() and not root.is_dir():
        raise refuse("is not a folder", root, GIVE)
    if not root.is_dir():
        raise refuse_missing(root, "there is no such folder", GIVE)
