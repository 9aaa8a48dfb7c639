"""The interface of a layout: how a dataset looks on disk, and how its masks are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from actiseg_data.layouts.mask_document import MaskDocument
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.sequence_record import DatasetForm

FormFinder: TypeAlias = Callable[[Path, "str | None"], "tuple[DatasetForm, str]"]
"""Find where a root keeps the files of a split, by default the usual one; return its name, too."""

MaskOpener: TypeAlias = Callable[[Path, "str | None", bool], MaskSplit]
"""Open the masks of a root: of a split, by default the usual one, or of all sequences if true."""


@dataclass(frozen=True)
class DocumentKind:
    """A kind of JSON document.

    Attributes
    ----------
    keys : frozenset of bytes
        Keys near its beginning that only this kind has.
    description : str
        What it is, and which command takes it.
    """

    keys: frozenset[bytes]
    description: str


@dataclass(frozen=True)
class Layout:
    """A layout of datasets on disk.

    A capability that a layout does not have is None.

    Attributes
    ----------
    key : str
        As ``--layout`` takes it, such as ``davis``.
    name : str
        As it appears in a sentence, such as ``DAVIS`` or ``a folder of masks``.
    description : str or None
        What messages call a root, and which command takes it. None for the layout that every
        command takes.
    is_root : function of Path to bool
        Whether a folder has this layout. Only names and the beginnings of files are read.
    documents : tuple of DocumentKind
        The documents that a root of this layout has.
    open_masks : function, optional
        See `MaskOpener`. Its errors say what a root lacks.
    find_form : function, optional
        See `FormFinder`. Its errors say what a root lacks.
    read_masks : function, optional
        Reads a document of masks. None for layouts whose masks are files.
    may_overlap : bool
        Whether its datasets may have a mask for each object.
    owns_folder : bool
        Whether a folder with its mark has nothing else, so that no report belongs there.
    has_polygons : bool
        Whether its masks are polygons, so that noise of outlines moves these.
    task : str
        What its datasets are for.
    is_video : bool
        Whether its sequences are of videos. Otherwise, each is one image.
    """

    key: str
    name: str
    description: str | None = None
    is_root: Callable[[Path], bool] = lambda root: False
    documents: tuple[DocumentKind, ...] = ()
    open_masks: MaskOpener | None = None
    find_form: FormFinder | None = None
    read_masks: Callable[[Path], MaskDocument] | None = None
    may_overlap: bool = False
    owns_folder: bool = True
    has_polygons: bool = False
    task: str = "video object segmentation"
    is_video: bool = True
