"""Open a split of a dataset without action lists: find its sequences, and label their objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.workers import WorkerPool
from actiseg_data.layouts import layout_table
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.document_search import find_document
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.image_sets import refuse_repeats
from actiseg_data.layouts.labelling import label_sequences
from actiseg_data.layouts.mask_document import MaskDocument
from actiseg_data.layouts.mask_folders import list_mask_sequences
from actiseg_data.layouts.meta_categories import read_category_names
from actiseg_data.layouts.polygon_split import PolygonSplit
from actiseg_data.layouts.sav_folders import list_object_sequences
from actiseg_data.layouts.sequence_lists import read_sequence_list
from actiseg_data.layouts.sequence_record import (
    SEQUENCES_FILE,
    DatasetForm,
    make_sequence_record,
    parse_sequence_record,
)


def is_recorded(root: Path) -> bool:
    """Return whether a folder is a noisy copy of a dataset without action lists."""
    return (root / SEQUENCES_FILE).is_file()


def open_recorded(root: Path) -> DatasetSplit:
    """Open a noisy copy, whose own list names its sequences and objects. No mask is decoded."""
    path = root / SEQUENCES_FILE
    form, name, sequences = parse_sequence_record(read_json(path), str(path))
    return _make_split(root, name, form, sequences)


def open_dataset(
    root: Path, form: DatasetForm, name: str, workers: int | WorkerPool = 1
) -> DatasetSplit:
    """Open a split of a dataset, and label its objects.

    A ``meta.json`` names the objects. The ids in the masks are the objects where there is none, so
    every mask is decoded.

    Parameters
    ----------
    root : Path
        The dataset.
    form : DatasetForm
        Where it keeps the files of the split.
    name : str
        The name of the split.
    workers : int or WorkerPool
        Processes that decode masks.

    Raises
    ------
    InputError
        With every fault.
    """
    if form.mask_documents:
        sequences, tallies = _list_documented(root, form)
        opened = _make_split(root, name, form, sequences)
        assert isinstance(opened, DocumentSplit), "its masks are in documents"
        return replace(opened, tallies=tallies)
    masks = root / form.masks
    listing = list_object_sequences if form.by_object else list_mask_sequences
    sequences = listing(masks)
    for document in form.documents:
        if document.endswith(".txt"):
            sequences = read_sequence_list(root / document).select(sequences)
    if not sequences:
        raise refuse("has no sequence of masks", masks, "give the folder of the sequences")
    if form.by_object:
        return _make_split(root, name, form, sequences)
    split = DatasetSplit(root, name, sequences, "", form)
    meta = split.category_document
    names = {} if meta is None else read_category_names(root / meta)
    labelled = label_sequences(split, names, workers)
    return _make_split(root, name, form, labelled)


def _list_documented(
    root: Path, form: DatasetForm
) -> tuple[tuple[VideoSequence, ...], dict[str, Mapping[str, int]]]:
    """List the sequences of documents with masks, and the tally of each document.

    Raises an `InputError` with every faulty document.
    """
    read = find_reader(form.layout)
    problems = ProblemCollector()
    sequences: list[VideoSequence] = []
    tallies: dict[str, Mapping[str, int]] = {}
    for name in form.mask_documents:
        with problems.collect():
            document = read(find_document(root, name))
            tallies[name] = document.tally
            sequences += [
                replace(sequence, document=name, size=document.get_size(sequence))
                for sequence in document.sequences
            ]
    problems.raise_if_any()
    refuse_repeats("sequence", (sequence.folder for sequence in sequences), root, problems)
    if not sequences:  # only a noisy copy may have lost all its masks
        where = find_document(root, form.mask_documents[0])
        raise refuse("has no mask that takes noise", where, "give annotations with masks")
    return tuple(sequences), tallies


def _make_split(
    root: Path, name: str, form: DatasetForm, sequences: tuple[VideoSequence, ...]
) -> DatasetSplit:
    record = make_sequence_record(replace(form, photographs=None), name, sequences)
    return make_dataset_split(root, name, form, sequences, digest_json(record))


def make_dataset_split(
    root: Path,
    name: str,
    form: DatasetForm,
    sequences: tuple[VideoSequence, ...],
    fingerprint: str = "",
) -> DatasetSplit:
    """Make the split of some sequences, whose masks are in files or in documents."""
    if form.mask_documents:
        read = find_reader(form.layout)
        kind = PolygonSplit if _has_polygons(form.layout) else DocumentSplit
        return kind(root, name, sequences, fingerprint, form, read)
    return DatasetSplit(root, name, sequences, fingerprint, form)


def _has_polygons(layout: str) -> bool:
    return any(known.has_polygons for known in layout_table.list_layouts() if known.key == layout)


def find_reader(layout: str) -> Callable[[Path], MaskDocument]:
    """Return the function that reads a document of masks of a layout."""
    readers = {known.key: known.read_masks for known in layout_table.list_layouts()}
    read = readers.get(layout)
    if read is None:
        known = ", ".join(key for key, reader in readers.items() if reader is not None)
        what = f"names {layout!r}, which is no layout with masks in documents"
        raise refuse(what, SEQUENCES_FILE, f"the layouts are {known}")
    return read
