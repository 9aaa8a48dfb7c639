"""The input of an audit: which files of a folder are the noisy split, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.errors import check_known, refuse
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import check_name
from actiseg_data.core.progress import StageProgress
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.dataset_opening import is_recorded, open_recorded
from actiseg_data.layouts.image_sets import name_objects_file
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.records.recipe_record import (
    RECIPE_FILE,
    Recipe,
    read_recipe,
    refuse_noisy_source,
)
from actiseg_noise.split.text_items import NoisyList, read_noisy_list


@dataclass(frozen=True)
class AuditInput:
    """What to audit, and how.

    Attributes
    ----------
    noisy : Path
        The noisy dataset, or a folder of noisy lists or masks.
    clean : Path or None
        The clean dataset or folder of masks, if the caller names one.
    split : str or None
        Name of the list. None if there is no list.
    recipe : Recipe or None
        The recipe of the split, if it has one.
    lists : Path or None
        Folder of the noisy lists.
    action_list : NoisyList or None
        The split's own action list, which shows what a recipe could change.
    lexicon : Lexicon
        For names and similarities of classes.
    workers : int
        Number of processes.
    stage : StageProgress
        Shows progress.
    """

    noisy: Path
    clean: Path | None
    split: str | None
    recipe: Recipe | None
    lists: Path | None
    action_list: NoisyList | None
    lexicon: Lexicon
    workers: int
    stage: StageProgress


def open_audit_input(
    noisy: Path,
    clean: Path | None,
    split: str | None,
    lexicon: Lexicon,
    workers: int,
    stage: StageProgress,
) -> AuditInput:
    """Find the recipe, the lists and the split to audit in a folder; parameters as in `audit`."""
    if not noisy.is_dir():
        kind = recognise_dataset(noisy)
        what = "there is no such folder" if kind is None else f"is {kind}"
        raise refuse(what, noisy, "give a folder of noisy lists or masks")
    if clean is not None:
        refuse_noisy_source(clean)
    if split is not None:
        check_name(split, "split", "`split`")
    recipe = _read_recipe(noisy)
    if recipe is not None and split is not None and split != recipe.split:
        _refuse_other_split(noisy, recipe.split, split, clean)
        recipe = None  # it describes another list
    lists = next(
        (folder for folder in (noisy / IMAGE_SETS, noisy) if _list_object_files(folder)), None
    )
    name = split or (recipe.split if recipe is not None else None)
    name = name or _choose_split(lists, clean)
    path = (lists or noisy / IMAGE_SETS) / f"{name}.json"
    if is_recorded(noisy):
        action_list: NoisyList | None = NoisyList(open_recorded(noisy).sequences, {})
    else:
        action_list = read_noisy_list(path) if path.is_file() else None
    return AuditInput(noisy, clean, name, recipe, lists, action_list, lexicon, workers, stage)


def _read_recipe(noisy: Path) -> Recipe | None:
    path = noisy / RECIPE_FILE
    return read_recipe(path) if path.is_file() else None


def _refuse_other_split(noisy: Path, own: str, split: str, clean: Path | None) -> None:
    """Refuse an unknown list, and a clean list that cannot be compared with anything."""
    known = list_splits(noisy)
    check_known([split], known, "split", noisy, f"leave out `split`, for {own}")
    if clean is None:
        raise refuse(
            f"{split!r} is a clean copy next to the noisy split {own!r}",
            noisy,
            "leave out `split`, or give the clean dataset as `clean`",
        )


def _list_object_files(folder: Path) -> list[str]:
    """List the names of the splits that have an objects file in a folder."""
    ending = name_objects_file("")
    files = list_files(folder, ending) if folder.is_dir() else []
    return [file.name[: -len(ending)] for file in files]


def _choose_split(lists: Path | None, clean: Path | None) -> str | None:
    """Choose the default split.

    It is the only split of a folder of lists. For masks alone, it is the only split of the clean
    dataset, or its ``train``.
    """
    names = _list_object_files(lists) if lists is not None else []
    if len(names) > 1:
        raise refuse(
            f"has the splits {', '.join(names)}", lists or "`noisy`", "choose one with `split`"
        )
    if not names and clean is not None:
        known = list_splits(clean)
        return "train" if len(known) > 1 else next(iter(known), None)
    return names[0] if names else None
