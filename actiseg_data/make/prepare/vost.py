"""Make an ActionVOS root from VOST (Video Object Segmentation under Transformations).

::

    ROOT/ImageSets/<split>.txt                       <number>_<verb>_<noun> on each line
    ROOT/Annotations_raw/<sequence>/<frame>.png      the masks that ActionVOS merges
    ROOT/Annotations/<sequence>/<frame>.png          the masks that VOST's own evaluation reads
    ROOT/JPEGImages/<sequence>/<frame>.jpg           photographs, also of frames without a mask
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon, read_lexicon
from actiseg_data.annotations.masks import VOID, find_ids, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, check_choice, refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.listing import describe_contents, list_files, list_folders
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.sequence_lists import read_sequence_list
from actiseg_data.make.prepare.action_preparation import (
    MERGED_ID,
    ActionPreparation,
    ActionSource,
    PreparationOptions,
    SourceMask,
    make_source,
    prepare_actions,
)
from actiseg_data.records.licence_terms import compose_licence

OBJECTS = ("merged", "instances")
"""What becomes of the instances of a sequence."""

_MASKS = {"merged": ("Annotations_raw", "Annotations"), "instances": ("Annotations",)}
"""The folders of masks in the order of preference."""

_EPIC = "epic"
"""The name of the installed lexicon."""

_LISTS, _PHOTOGRAPHS = "ImageSets", "JPEGImages"

_GIVE = "give the unpacked folder of VOST, with ImageSets, JPEGImages and Annotations_raw"

_LICENCE = "CC-BY-NC-SA-4.0"
"""What https://www.vostdataset.org/data.html states."""

_NOTICE = """\
This dataset was made from:

* VOST: P. Tokmakov, J. Li, A. Gaidon. Breaking the "Object" in Video Object Segmentation.
  CVPR 2023. Its page, https://www.vostdataset.org/data.html, states CC BY-NC-SA 4.0. The videos are
  from Ego4D and EPIC-KITCHENS.

by the construction of:

* ActionVOS: L. Ouyang, R. Liu, Y. Huang, R. Furuta, Y. Sato. ActionVOS: Actions as Prompts for
  Video Object Segmentation. ECCV 2024.

The action lists and prompts were derived from the names of the sequences. {change}
"""

_CHANGES = {
    "merged": "All instances of a\nsequence became one object. Void pixels (255) were kept.",
    "instances": "The masks have\nthe same ids.",
}


def prepare_vost(
    root: PathLike,
    split: str,
    out: PathLike,
    *,
    objects: str = "merged",
    lexicon: PathLike | None = None,
    images: str = "link",
    licence: str | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> ActionPreparation:
    """Make an ActionVOS root from VOST.

    A sequence ``12_cut_bell_pepper`` becomes ``00000001_12_cut_bell pepper``: the action "cut bell
    pepper" of the video ``12`` with the object "bell pepper". Its frames are those with a mask.
    Pixels with the id 255 are void: they stay in the masks and are of no object.

    Parameters
    ----------
    root : str or Path
        VOST's folder.
    split : str
        ``train`` or ``val``.
    out : str or Path
        The root to make.
    objects : str
        ``merged``: all instances of a sequence are one object, as in ActionVOS. ``instances``: they
        keep their ids, as in VOST's own evaluation.
    lexicon : str or Path, optional
        A lexicon that gives objects their noun class, which text noise needs: a file, or ``epic``
        for the installed one. Objects whose name is no name of exactly one class have the class -1;
        by default, all have it, as in ActionVOS.
    images : str
        ``link``, ``copy`` or ``none``.
    licence : str, optional
        SPDX identifier of the licence of the masks. Default: the LICENSE file in `root`, else
        CC-BY-NC-SA-4.0, which VOST's page states.
    workers : int
        Processes.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If the folder is not VOST's, if a listed sequence has no masks, or another name than VOST's
        sequences, with every faulty mask, or if `out` exists.
    """
    check_choice(objects, OBJECTS, "objects")
    merge = objects == "merged"
    root, out = as_path(root, "root"), as_path(out, "out")
    options = PreparationOptions(root, split, out, images, merge, workers, stage)
    options.check()
    text, stated = compose_licence(root, licence, _LICENCE)
    sources = _list_sources(root, split, _find_masks(root, objects))
    if lexicon is not None:
        sources = _classify_objects(sources, lexicon)
    made = prepare_actions(
        options,
        sources,
        read_merged_mask if merge else read_instance_mask,
        (text, _NOTICE.format(change=_CHANGES[objects])),
        licence=stated,
        skipped=0,
    )
    return made if lexicon is not None else replace(made, unclassified=0)


def _classify_objects(sources: list[ActionSource], lexicon: PathLike) -> list[ActionSource]:
    """Give the objects of sources the classes of a lexicon: a file, or `_EPIC`."""
    nouns = load_lexicon() if lexicon == _EPIC else read_lexicon(as_path(lexicon, "lexicon"))
    return [replace(source, class_id=find_class(source.name, nouns)) for source in sources]


def find_class(name: str, lexicon: Lexicon) -> int:
    """Find the only class with a name, in singular or plural; return -1 if it is not clear.

    >>> find_class("onions", load_lexicon()), find_class("gramophone", load_lexicon())
    (16, -1)
    """
    wanted = name.casefold()
    classes = lexicon.find_classes(name) or [
        noun.class_id
        for noun in lexicon.classes.values()
        if wanted in ((form.counterpart or "").casefold() for form in noun.names)
    ]
    return classes[0] if len(classes) == 1 else -1


def read_merged_mask(path: Path) -> SourceMask:
    """Read a mask with all instances as the object `MERGED_ID`; void pixels stay."""
    mask = read_index_mask(path)
    objects = (mask > 0) & (mask != VOID)
    instances = len({*find_ids(mask)} - {VOID})
    return SourceMask(np.where(objects, np.uint8(MERGED_ID), mask), instances)


def read_instance_mask(path: Path) -> SourceMask:
    """Read a mask with its own ids."""
    mask = read_index_mask(path)
    return SourceMask(mask, len({*find_ids(mask)} - {VOID}))


def parse_action(name: str) -> tuple[str, str, str] | None:
    """Parse the name of a sequence as number, verb and noun; return None for any other name.

    >>> parse_action("12_cut_bell_pepper"), parse_action("bear")
    (('12', 'cut', 'bell pepper'), None)
    """
    number, *words = name.split("_")
    if len(words) < 2 or not all((number, *words)):
        return None
    return number, words[0], " ".join(words[1:])


def _find_masks(root: Path, objects: str) -> Path:
    held = describe_contents(root)
    for name in _MASKS[objects]:
        if (root / name).is_dir():
            return root / name
    wanted = " or ".join(_MASKS[objects])
    raise refuse(f"has no folder {wanted}; it has {held}", root, _GIVE)


def _list_sources(root: Path, split: str, masks: Path) -> list[ActionSource]:
    """List the sequences of a split in the order of VOST's list, which numbers them."""
    path = root / _LISTS / f"{split}.txt"
    if not path.is_file():
        lists = list_files(path.parent, ".txt") if path.parent.is_dir() else []
        known = ", ".join(entry.path.stem for entry in lists) or "none"
        raise refuse(f"there is no list of {split!r} (lists here: {known})", path, _GIVE)
    listed = read_sequence_list(path)
    chosen = listed.choose(entry.name for entry in list_folders(masks))
    problems = ProblemCollector()
    sources = []
    for number, name in enumerate((line for line in listed.lines if line in chosen), 1):
        with problems.collect():
            source = _make_source(number, name, masks, root, listed.place(name))
            if not source.masks:
                hint = "VOST has masks of train and val: take one of these, or unpack it again"
                problems.add("has no masks", masks / name, hint)
            sources.append(source)
    problems.raise_if_any()
    return sources


def _make_source(number: int, name: str, masks: Path, root: Path, where: str) -> ActionSource:
    action = parse_action(name)
    if action is None:
        hint = "name it <number>_<verb>_<noun>, or take it out of the list"
        raise refuse(f"{name!r} does not name an action", where, hint)
    video, verb, noun = action
    sequence = VideoSequence(
        folder="",
        seq_id=number,
        video=video,
        start=0,
        end=0,
        narration=f"{verb} {noun}",
        verb=verb,
        verb_class=-1,
        noun=noun,
        noun_class=-1,
        frames=(),
        objects=(),
    )
    return make_source(sequence, noun, -1, masks / name, root / _PHOTOGRAPHS / name)
