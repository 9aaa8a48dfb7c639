"""Targets for datasets without action lists: the list of a noisy copy, and documents of masks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.core.documents import read_json
from actiseg_data.core.names import check_name
from actiseg_data.layouts.coco_instances import parse_coco_instances, read_coco_instances
from actiseg_data.layouts.dataset_opening import open_recorded
from actiseg_data.layouts.mask_document import MOST_OBJECTS, DocumentChange, MaskDocument
from actiseg_data.layouts.mevis_json import parse_mevis_masks, read_mevis_masks
from actiseg_data.layouts.referring import read_referring
from actiseg_data.layouts.sav_json import parse_sav_video, read_sav_video
from actiseg_data.layouts.sequence_record import (
    SEQUENCES_FILE,
    make_sequence_record,
    parse_sequence_record,
)
from actiseg_data.layouts.split import MASKS
from actiseg_data.layouts.visor_document import read_visor_document
from tests.fuzz.published_files import make_scratch
from tests.fuzz.reading import accepted
from tests.helpers.made_layouts import MAKERS, MadeLayout

_MOST_MASKS = 6
"""How many masks of a sequence are decoded."""

_MOST_PIXELS = 1 << 16
"""Pixels of the largest mask that is encoded again."""


@cache
def make_layout(form: str) -> MadeLayout:
    """Make a dataset of one sequence; `form` is a key of `MAKERS`."""
    return MAKERS[form](make_scratch() / form, ("bear",))


@cache
def _copy_documents() -> Path:
    """Copy documents of masks to a folder of their own, where a list can be written beside them."""
    clean = make_layout("sa-v documents").path
    return shutil.copytree(clean, make_scratch() / "recorded")


def sequence_records(data: bytes) -> None:
    """Read the list of a noisy copy, and the masks that it names."""
    root = _copy_documents()
    path = root / SEQUENCES_FILE
    path.write_bytes(data)
    record = accepted(lambda: parse_sequence_record(read_json(path), "list"))
    if record is not None:
        again = json.loads(json.dumps(make_sequence_record(*record)))
        assert parse_sequence_record(again, "list") == record
    split = accepted(lambda: open_recorded(root))
    for sequence in split or ():
        _check_names(sequence)
        for name in split.name_files(MASKS, sequence):
            assert ".." not in name.split("/")
            assert not name.startswith("/")
        accepted(lambda of=sequence: list(islice(split.iterate_masks(of), _MOST_MASKS)))


def _check_names(sequence: Any) -> None:
    check_name(sequence.folder, "sequence", "")
    for frame in sequence.frames:
        check_name(frame, "frame", "")
    for label in sequence.objects:
        check_name(label.identity, "object", "")
    assert len({label.identity for label in sequence.objects}) == len(sequence.objects)


def _read_mevis(path: Path) -> MaskDocument:
    return read_mevis_masks(path, _find_expressions())


def _parse_mevis(document: Any, where: str) -> MaskDocument:
    return parse_mevis_masks(document, where, read_referring(_find_expressions()))


def _find_expressions() -> Path:
    return make_layout("mevis").path / "train" / "meta_expressions.json"


_Parse = Callable[[Any, str], MaskDocument]

_READERS: tuple[tuple[Callable[[Path], MaskDocument], _Parse | None], ...] = (
    (read_coco_instances, parse_coco_instances),
    (read_sav_video, parse_sav_video),
    (_read_mevis, _parse_mevis),
    (read_visor_document, None),
)
"""How a document is read, and how it is parsed again if its masks can change."""


def mask_documents(data: bytes) -> None:
    """Read a document of masks in each form, and change a mask."""
    path = make_scratch() / "masks.json"
    path.write_bytes(data)
    for read, parse in _READERS:
        document = accepted(lambda read=read: read(path))
        if document is None:
            continue
        assert json.dumps(document.replace({})) == json.dumps(read_json(path))
        accepted(lambda of=document: of.categories)
        assert document.sequences
        for sequence in document.sequences:
            _check_names(sequence)
            assert all(1 <= number <= MOST_OBJECTS for number in sequence.object_ids)
            accepted(lambda of=sequence, document=document: _check_masks(document, of))
        if parse is not None:
            accepted(lambda document=document, parse=parse: _change_mask(document, parse))


def _check_masks(document: MaskDocument, sequence: Any) -> None:
    masks = islice(document.iterate_masks(sequence), _MOST_MASKS)
    for view, mask in zip(sequence.views, masks, strict=False):
        assert mask.dtype == np.uint8
        assert mask.shape == document.get_size(sequence)
        assert {*np.unique(mask)} <= {0, view.objects[0].object_id}


def _change_mask(document: MaskDocument, parse: _Parse) -> None:
    """Mirror the first mask: the document with the change has exactly the new mask."""
    sequence = document.sequences[0]
    if not sequence.views or np.prod(document.get_size(sequence)) > _MOST_PIXELS:
        return
    view, new = sequence.views[0], next(iter(document.iterate_masks(sequence)))[:, ::-1]
    (label,) = view.objects
    segment = document.encode(sequence, view.frame, label, new > 0)
    key = (sequence.folder, view.frame, label.object_id)
    changed = json.loads(json.dumps(document.replace({key: DocumentChange(segment=segment)})))
    again = parse(changed, "changed")
    assert np.array_equal(next(iter(again.iterate_masks(again.sequences[0]))), new)


LAYOUT_TARGETS = {"sequence_records": sequence_records, "mask_documents": mask_documents}
