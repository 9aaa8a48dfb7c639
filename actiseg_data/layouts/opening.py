"""Open a dataset. One in a layout that a caller cannot use is refused by name."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import check_choice, refuse
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.workers import WorkerPool
from actiseg_data.layouts import layout_table
from actiseg_data.layouts.action_lists import ACTIONVOS, check_split_name, read_split
from actiseg_data.layouts.actionvos import IMAGE_SETS, ActionSplit
from actiseg_data.layouts.dataset_opening import is_recorded, open_dataset, open_recorded
from actiseg_data.layouts.davis import GIVE, has_sequences
from actiseg_data.layouts.document_search import find_document, is_document, strip_ending
from actiseg_data.layouts.layout import Layout
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.referring import EXPRESSIONS_FILE
from actiseg_data.layouts.split import Split

DEFAULT_SPLIT = "train"
"""The split of an ActionVOS root that is opened if none is named."""


def open_split(
    root: PathLike,
    name: str | None = None,
    *,
    masks: bool = True,
    layout: str | None = None,
    workers: int | WorkerPool = 1,
) -> Split:
    """Open a split of a dataset in any layout that has masks.

    In an ActionVOS root, the action list is read and the folders of its sequences are found; masks
    are not decoded. Of other datasets, masks may be decoded to find the objects.

    Parameters
    ----------
    root : str or Path
        The dataset.
    name : str, optional
        The split, such as ``train`` or ``val_human``. Each layout has a default.
    masks : bool
        Whether masks are required. If not, an ActionVOS root without any masks of the split is
        accepted.
    layout : str, optional
        The key of a layout, such as ``davis``. By default it is recognised.
    workers : int or WorkerPool
        Processes that decode masks.

    Raises
    ------
    InputError
        With every problem of the list; if some sequences have no folder of masks; for a dataset in
        no layout, or in several.
    """
    root, name = locate_split(as_path(root), name)
    if is_recorded(root):
        return _open_copy(root, name)
    chosen = choose_layout(root, layout)
    if chosen is ACTIONVOS:
        return open_action_split(root, DEFAULT_SPLIT if name is None else name, masks=masks)
    assert chosen.find_form is not None, "the chosen layout has splits"
    form, name = chosen.find_form(root, name)
    return open_dataset(root, form, name, workers)


def locate_split(path: Path, name: str | None = None) -> tuple[Path, str | None]:
    """Return the root and the split of a dataset that is given by one of its documents.

    Any other path is the root itself.

    Raises
    ------
    InputError
        For a document that is not that of the named split.
    """
    if not is_document(path):
        return path, name
    own = strip_ending(path.name)
    if name not in (None, own):
        hint = f"give {own} as `split`, or the folder of the document"
        raise refuse(f"has the split {own!r} alone, not {name!r}", path, hint)
    return path.parent, own


def choose_split(root: Path, name: str | None, layout: str | None = None) -> str:
    """Return the name of the split that `open_split` opens; no mask is decoded.

    Raises
    ------
    InputError
        For a dataset in no layout, or in several; if it is not an ActionVOS root, for an unknown
        split, too.
    """
    root, name = locate_split(root, name)
    if is_recorded(root):
        return open_recorded(root).name
    chosen = choose_layout(root, layout)
    if chosen is ACTIONVOS or chosen.find_form is None:
        return DEFAULT_SPLIT if name is None else name
    return chosen.find_form(root, name)[1]


def choose_layout(root: Path, key: str | None = None) -> Layout:
    """Return the layout of a dataset: the named one, or the one that it has.

    Raises
    ------
    InputError
        For an unknown layout, and for a dataset in several layouts, or in none that has splits.
    """
    usable = {layout.key: layout for layout in layout_table.list_layouts() if _is_usable(layout)}
    if key is not None:
        check_choice(key, usable, "layout")
        return usable[key]
    fitting = layout_table.find_layouts(root)
    if len(fitting) > 1:
        names = " and of ".join(layout.name for layout in fitting)
        keys = " or ".join(layout.key for layout in fitting)
        raise refuse(f"has the marks of {names}", root, f"choose one: give {keys} as `layout`")
    if fitting and _is_usable(fitting[0]):
        return fitting[0]
    if not fitting and root.is_dir() and has_sequences(root):
        return layout_table.PLAIN_LAYOUT
    kind = recognise_dataset(root)
    if kind is not None:
        raise refuse(f"is {kind}", root, "give a dataset with masks (see docs/layouts.md)")
    if root.is_dir() and not (root / IMAGE_SETS).is_dir():
        names = ", ".join(layout.name for layout in usable.values())
        hint = "give the folder of a dataset in a layout of docs/layouts.md"
        raise refuse(f"has the marks of no layout (looked for {names})", root, hint)
    return ACTIONVOS


def has_polygons(root: Path, key: str | None = None) -> bool:
    """Return whether the masks of a clean dataset are polygons; `key` may name its layout."""
    return not is_recorded(root) and choose_layout(locate_split(root)[0], key).has_polygons


def _is_usable(layout: Layout) -> bool:
    return layout is ACTIONVOS or layout.find_form is not None


def _open_copy(root: Path, name: str | None) -> Split:
    """Open a noisy copy of a dataset without action lists, which has one split."""
    split = open_recorded(root)
    if name not in (None, split.name):
        raise refuse(f"has the split {split.name!r} alone", root, "leave `split` out")
    return split


def open_source(root: Path, copy: Path, name: str, *, masks: bool = True) -> Split:
    """Open the split of a clean dataset that a noisy copy was made from.

    Parameters
    ----------
    root : Path
        The clean dataset.
    copy : Path
        The noisy copy. It says where a dataset without action lists keeps its files.
    name : str
        The split.
    masks : bool
        As in `open_split`, which raises the same errors.
    """
    if not is_recorded(copy):
        return open_action_split(root, name, masks=masks)
    root, _ = locate_split(root)
    if not root.is_dir():
        raise refuse_missing(root, "the dataset folder is missing", "give the clean dataset")
    return open_dataset(root, open_recorded(copy).form, name)


def has_source(root: Path, copy: Path, name: str) -> bool:
    """Return whether a folder has the list, or the masks, that a noisy copy was made from."""
    if is_recorded(copy):
        form = open_recorded(copy).form
        documents = (find_document(root, document) for document in form.mask_documents)
        return (root / form.masks).is_dir() and all(path.is_file() for path in documents)
    return (root / IMAGE_SETS / f"{name}.json").is_file()


def open_action_split(root: PathLike, name: str, *, masks: bool = True) -> ActionSplit:
    """Open a split of an ActionVOS root: read its action list and find its sequences.

    Parameters and errors as in `open_split`; a dataset in another layout is refused, too.
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
            raise refuse_missing(root, what, "give the folder of a dataset")
    return read_split(root, name, masks=masks)


def require_actions(split: Split) -> ActionSplit:
    """Return a split as one with action lists; raise `InputError` if it has none."""
    if not isinstance(split, ActionSplit):
        raise refuse(
            "has neither action lists nor referring expressions, so it has no text to change",
            split.root,
            f"add its {EXPRESSIONS_FILE}, or choose noise of masks",
        )
    return split


def has_object_masks(root: Path, key: str | None = None) -> bool:
    """Return whether a dataset has a mask for each object; `key` may name its layout."""
    place, name = locate_split(root)
    if is_recorded(place):
        form = open_recorded(place).form
    else:
        named = key is not None
        fitting = [choose_layout(place, key)] if named else layout_table.find_layouts(place)
        if len(fitting) != 1 or fitting[0].find_form is None or not fitting[0].may_overlap:
            return False
        form, _ = fitting[0].find_form(place, name)
    return form.by_object or bool(form.mask_documents)


def open_masks(
    root: Path, split: str | None = None, *, whole: bool = False, layout: str | None = None
) -> MaskSplit:
    """Open the masks of a dataset in any layout of `LAYOUTS`, or of a plain folder of sequences.

    Parameters
    ----------
    root : Path
        The dataset. Masks are not decoded.
    split : str, optional
        A part of the dataset; each layout has a default.
    whole : bool
        Whether to take all sequences, even if there are lists of sequences.
    layout : str, optional
        The key of a layout, such as ``davis``. By default it is recognised.

    Raises
    ------
    InputError
        For a dataset whose masks cannot be opened, which the message names; and for a missing
        split.
    """
    if is_recorded(root):
        return open_recorded(root)
    known = layout_table.find_layout(root) if layout is None else choose_layout(root, layout)
    if known is not None and known.open_masks is not None:
        return known.open_masks(root, split, whole)
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
