"""Make an ActionVOS root from VSCOS (Video State-Changing Object Segmentation).

::

    ROOT/EPIC_<split>_split/EPIC100_state_positive_<split>.yaml
    ROOT/EPIC_<split>_split/<participant>/anno_masks/<video>/<clip>/frame_<number>.png
    ROOT/EPIC_<split>_split/<participant>/rgb_frames/<video>/<clip>/frame_<number>.jpg

The YAML document has the members of `_TEXTS` and `_NUMBERS` for each clip. Only some frames of a
clip have a mask. The dataset is at github.com/venom12138/VSCOS, whose loader takes masks as binary.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from actiseg_data.annotations.masks import MAX_SIDE, find_ids
from actiseg_data.annotations.pillow_errors import explain_pillow_errors
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.listing import describe_contents, list_files
from actiseg_data.core.names import check_name, parse_whole_number, refuse_value
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.yaml_documents import read_yaml
from actiseg_data.make.prepare.action_preparation import (
    MERGED_ID,
    ActionPreparation,
    ActionSource,
    PreparationOptions,
    SourceMask,
    make_source,
    prepare_actions,
)
from actiseg_data.make.prepare.noun_classes import normalise_name
from actiseg_data.records.licence_terms import compose_licence

_TEXTS = ("participant_id", "video_id", "verb", "noun", "narration")
_NUMBERS = ("start_frame", "stop_frame", "verb_class", "noun_class")
_MAX_BYTES = 1 << 24
_HALF_WHITE = 128
"""Pixels from this value on are of the object in a mask with blended pixels."""

_GIVE = "give the unpacked folder of VSCOS, with EPIC_train_split or EPIC_val_split"
_HINT = "write the mask again: 0 outside the object, 255 inside"

_NOTICE = """\
This dataset was made from:

* VSCOS: Video State-Changing Object Segmentation. ICCV 2023. github.com/venom12138/VSCOS
* EPIC-KITCHENS-100, which the frames and narrations are from: (c) University of Bristol,
  CC BY-NC 4.0

by the construction of:

* ActionVOS: L. Ouyang, R. Liu, Y. Huang, R. Furuta, Y. Sato. ActionVOS: Actions as Prompts for
  Video Object Segmentation. ECCV 2024.

The masks were rewritten with the value 1 for the object. The action lists and prompts were derived
from the narrations.
"""


def prepare_vscos(
    root: PathLike,
    split: str,
    out: PathLike,
    *,
    images: str = "link",
    licence: str | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> ActionPreparation:
    """Make an ActionVOS root from VSCOS.

    The clip that is the fifth of the YAML document becomes ``00000005_P01_107_cut_onion``: the
    action "cut onion" of the video ``P01_107`` with the object "onion". Its frames are those with a
    mask. Clips without masks are left out, as in VSCOS's own loader. All pixels of the object get
    the id 1, whatever value they have in the source.

    Parameters
    ----------
    root : str or Path
        VSCOS's folder.
    split : str
        ``train`` or ``val``.
    out : str or Path
        The root to make.
    images, workers, stage
        As for `prepare_vost`.
    licence : str, optional
        SPDX identifier of the licence of the masks. Default: the LICENSE file in `root`; VSCOS
        itself states none.

    Raises
    ------
    InputError
        If the folder is not VSCOS's, with every faulty clip of the YAML document, with every faulty
        mask, or if `out` exists.
    """
    root, out = as_path(root, "root"), as_path(out, "out")
    options = PreparationOptions(root, split, out, images, True, workers, stage)
    options.check()
    text, stated = compose_licence(root, licence)
    sources, skipped = _list_sources(_find_list(root, split))
    return prepare_actions(
        options, sources, read_foreground, (text, _NOTICE), licence=stated, skipped=skipped
    )


def read_foreground(path: Path) -> SourceMask:
    """Read the mask of one object in any mode of a PNG.

    If it has one value or colour besides black, the object is where that is. If it has several,
    they come from blending: the object is where the brightest channel is at least half white.

    Raises
    ------
    InputError
        If the mask is missing or damaged, or if it has several values of which none is so bright,
        or several ids of a palette: these are several objects.
    """
    data = read_bytes(path, "mask")
    with (
        explain_pillow_errors(path, "PNG", _HINT),
        Image.open(io.BytesIO(data), formats=("PNG",)) as image,
    ):
        if max(image.size) > MAX_SIDE:
            raise refuse("has {} x {} pixels, too many".format(*image.size), path, _HINT)
        is_palette = image.mode == "P"
        if image.mode.startswith("I"):
            raise refuse("is of 16 bits, which is not a mask", path, _HINT)
        pixels = np.asarray(image if is_palette else image.convert("RGB"), np.uint8)
    values: NDArray[np.uint8] = pixels if is_palette else pixels.max(axis=2)
    shown = find_ids(np.ascontiguousarray(values))
    if len(shown) <= 1:
        return SourceMask(np.where(values > 0, np.uint8(MERGED_ID), np.uint8(0)), len(shown))
    if is_palette or shown[-1] < _HALF_WHITE:
        what = f"has {len(shown)} values besides 0, so it does not show one object"
        raise refuse(what, path, _HINT)
    inside = values >= _HALF_WHITE
    return SourceMask(np.where(inside, np.uint8(MERGED_ID), np.uint8(0)), 1, is_blended=True)


def _find_list(root: Path, split: str) -> Path:
    """Find the YAML document of a split, in the folder of all splits or in that of this split."""
    held = describe_contents(root)
    name = f"EPIC100_state_positive_{split}.yaml"
    for path in (root / f"EPIC_{split}_split" / name, root / name):
        if path.is_file():
            return path
    what = f"has no EPIC_{split}_split/{name}; it has {held}"
    raise refuse(what, root, _GIVE)


def _list_sources(path: Path) -> tuple[list[ActionSource], int]:
    """List the clips with masks, and count those without. The number of a clip is its position."""
    document = Cursor(read_yaml(path, "list of clips", _GIVE, _MAX_BYTES), str(path))
    problems = ProblemCollector()
    sources = []
    skipped = 0
    for number, (clip, entry) in enumerate(document.iterate_members(), 1):
        with problems.collect():
            source = _read_source(path.parent, number, clip, entry)
            skipped += source is None
            if source is not None:
                sources.append(source)
    problems.raise_if_any()
    if not sources:
        what = f"none of the {skipped} clips has masks in <participant>/anno_masks"
        raise refuse(what, path, _GIVE)
    return sources, skipped


def _read_source(folder: Path, number: int, clip: str, entry: Cursor) -> ActionSource | None:
    """Read a clip of the YAML document; return None if it has no masks."""
    problems = ProblemCollector()
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name in _TEXTS:
        with problems.collect():
            texts[name] = entry[name].as_text()
    for name in _NUMBERS:
        with problems.collect():
            numbers[name] = _parse_number(entry[name])
    with problems.collect():
        check_name(clip, "clip", entry.where)
    for name in ("participant_id", "video_id"):
        if name in texts:
            with problems.collect():
                check_name(texts[name], name.removesuffix("_id"), entry.where)
    problems.raise_if_any()
    masks, photographs = (
        folder / texts["participant_id"] / kind / texts["video_id"] / clip
        for kind in ("anno_masks", "rgb_frames")
    )
    if not masks.is_dir() or not list_files(masks, ".png"):
        return None
    sequence = VideoSequence(
        folder="",
        seq_id=number,
        video=texts["video_id"],
        start=numbers["start_frame"],
        end=numbers["stop_frame"],
        narration=texts["narration"],
        verb=texts["verb"],
        verb_class=numbers["verb_class"],
        noun=texts["noun"],
        noun_class=numbers["noun_class"],
        frames=(),
        objects=(),
    )
    name = normalise_name(texts["noun"])
    return make_source(sequence, name, numbers["noun_class"], masks, photographs)


def _parse_number(cursor: Cursor) -> int:
    number = parse_whole_number(cursor.as_text())
    if number is None:
        raise refuse_value("a whole number", cursor.value, cursor.where)
    return number
