"""Audit a noisy split: measure it, and hold it against its recipe and its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import InputError, refuse, suggest
from actiseg_data.core.listing import list_files
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.validation import check_name
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split, list_splits, open_split
from actiseg_data.layouts.image_sets import name_objects_file
from actiseg_data.layouts.mask_folders import FolderSplit, open_folder
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.records.split_records import RECIPE_FILE, SUMMARY_FILE, Recipe, read_recipe
from actiseg_noise.measurement.audit_claims import Claim, claims_of
from actiseg_noise.measurement.audit_findings import Held, Judgement, judge_by_name, judge_by_recipe
from actiseg_noise.measurement.audit_masks import (
    MaskAudit,
    audit_masks,
    find_mask_folders,
    has_clean_copies,
)
from actiseg_noise.measurement.word_changes import Share, WordFigures, word_figures
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.noisy_split import carried_lexicon, source_root
from actiseg_noise.split.wordings import NoisyList, WordItem, read_noisy_list, read_word_items
from actiseg_noise.text_noise.mentions import MentionFinder, load_finder

AUDIT_SCHEMA = "actiseg/audit/1"


@dataclass(frozen=True)
class Audit:
    """What a noisy split holds.

    noisy: its folder. split: name of its list. clean: what it was held against: ``*_org keys``, or
    a folder. recipe: its own, if it has one. claims: of its name. text, narrations, masks: None
    where it has none. agreements, findings: sentences; the split is what its recipe and name claim
    iff there is no finding. left_out: what could not be told, and why.
    """

    noisy: Path
    split: str | None
    clean: str
    recipe: Recipe | None
    claims: tuple[Claim, ...]
    text: WordFigures | None
    narrations: Share | None
    masks: MaskAudit | None
    agreements: tuple[str, ...]
    findings: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `AUDIT_SCHEMA`."""
        return {
            "schema": AUDIT_SCHEMA,
            "noisy": self.noisy.name,
            "split": self.split,
            "clean": self.clean,
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "claims": [vars(claim) for claim in self.claims],
            "text": None if self.text is None else self.text.to_dict(),
            "narrations": None if self.narrations is None else self.narrations.to_dict(),
            "masks": None if self.masks is None else self.masks.to_dict(),
            "agreements": list(self.agreements),
            "findings": list(self.findings),
            "left_out": dict(self.left_out),
        }


def audit(
    noisy: Path,
    clean: Path | None = None,
    split: str | None = None,
    lexicon: Lexicon | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Audit:
    """Measure a noisy split, whoever made it, and say where it is not what it claims to be.

    noisy: a dataset with noisy lists or masks; or a folder of noisy lists alone, or of masks alone,
    as ActiSeg-NL publishes them. clean: the clean dataset; without it, clean words are those of the
    ``*_org`` keys, and clean masks those of the dataset that a split of this toolkit names, or the
    clean copies among the noisy masks; for masks alone, a folder ``<sequence>/<frame>.png``, too.
    split: name of the list, where the folder has several. lexicon: for classes, names and
    similarities, by default the split's own or the installed one.

    Raises `InputError` where there is nothing to audit or nothing to hold it against.

    ::

        audit(Path("ImageSets_noise20_classid_prompt")).findings
    """
    if not noisy.is_dir():
        kind = recognise_dataset(noisy)
        what = "there is no such folder" if kind is None else f"is {kind}"
        raise refuse(what, noisy, "give a folder of noisy lists or masks")
    if split is not None:
        check_name(split, "split", "--split")
    recipe = _recipe_of(noisy)
    if recipe is not None and split is not None and split != recipe.split:
        _refuse_other_split(noisy, recipe.split, split, clean)
        recipe = None  # it is not about this list
    lists = next((folder for folder in (noisy / IMAGE_SETS, noisy) if _splits(folder)), None)
    name = split or (recipe.split if recipe is not None else None) or _only_split(lists, clean)
    own_lexicon = carried_lexicon(noisy) or load_lexicon()
    known = lexicon or own_lexicon
    left_out: dict[str, str] = {}
    against: list[str] = []

    own_list = (lists or noisy / IMAGE_SETS) / f"{name}.json"
    own = read_noisy_list(own_list) if own_list.is_file() else None
    items: list[WordItem] = []
    if lists is not None and name is not None:
        items = _word_items(lists, name, clean, left_out)
        if items:
            against.append("*_org keys" if clean is None else str(clean))
    if recipe is not None and recipe.text_noise is None:
        left_out.pop("text", None)  # its words are clean ones, which nothing has to tell
    words = word_figures(items, known, _finder(known, left_out)) if items else None
    masks = _masks(noisy, clean, recipe, name, own, left_out, against, workers, stage)
    if words is None and masks is None:
        kind = recognise_dataset(noisy) if "masks" not in left_out else None
        if kind is None and "masks" in left_out and "text" not in left_out:
            raise refuse(
                f"has noisy masks, but {left_out['masks']}",
                noisy,
                "give the clean dataset, or for masks alone a folder of clean ones, as --clean",
            )
        media = ("text", "masks")
        lacks = (left_out.get(medium, f"has no noisy {medium} of a split") for medium in media)
        raise refuse(
            "; ".join(lacks) if kind is None else f"is {kind}",
            noisy,
            "give a folder with *_objects_category.json and prompts, or with train/ or val/ masks, "
            "and the clean dataset as --clean where the files do not tell the clean words",
        )
    claims = claims_of(noisy)
    held = Held(items, words, own, masks)
    judged = [
        *_judged_by_recipe(recipe, held, own_lexicon),
        *judge_by_name(claims, recipe, held),
    ]
    if words is not None and words.misnamed:
        judged.append((False, f"{words.misnamed} prompts do not begin with the object's name"))
    return Audit(
        noisy=noisy,
        split=name,
        clean=", ".join(dict.fromkeys(against)),
        recipe=recipe,
        claims=claims,
        text=words,
        narrations=_narrations(own),
        masks=masks,
        agreements=tuple(text for fine, text in judged if fine),
        findings=tuple(text for fine, text in judged if not fine),
        left_out=left_out,
    )


def _masks(
    noisy: Path,
    clean: Path | None,
    recipe: Recipe | None,
    name: str | None,
    own: NoisyList | None,
    left_out: dict[str, str],
    against: list[str],
    workers: int,
    stage: StageProgress,
) -> MaskAudit | None:
    """The masks of a split; None where it has none or nothing tells the clean ones."""
    folders = find_mask_folders(noisy)
    if folders is None:
        return None
    try:
        with_masks = _clean_split(noisy, clean, recipe, name)
    except InputError as refused:
        if clean is not None:
            raise
        left_out["masks"] = refused.problems[0].what
        return None
    if with_masks is None and not has_clean_copies(folders):
        left_out["masks"] = _why_no_clean_masks(noisy, recipe)
        return None
    wanted = None if own is None else {sequence.folder for sequence in own.sequences}
    masks = audit_masks(noisy, folders, with_masks, wanted, workers, stage)
    against.append("clean copies" if with_masks is None else str(with_masks.root))
    if masks.positive is None:
        left_out["claims on masks"] = (
            "nothing tells which objects are active: give a clean dataset with action lists as "
            "--clean"
        )
    lacking = _lacking_frames(own, with_masks)
    if lacking:
        left_out[f"masks of {lacking} frames"] = "the clean dataset lacks them"
    return masks


def _why_no_clean_masks(noisy: Path, recipe: Recipe | None) -> str:
    if recipe is not None and (noisy / SUMMARY_FILE).is_file():
        return f"the clean dataset that they were made from is not at {source_root(noisy, None)}"
    return "tells no clean masks (frame_org.png, or the source)"


def _refuse_other_split(noisy: Path, own: str, split: str, clean: Path | None) -> None:
    """Refuse a list that is none of a noisy split's, or that stands beside it without noise and
    with nothing to be held against.
    """
    known = list_splits(noisy)
    if split not in known:
        raise refuse(
            f"has no split {split!r}{suggest(split, known)}", noisy, f"leave --split out, for {own}"
        )
    if clean is None:
        raise refuse(
            f"{split!r} stands beside the noisy split {own!r} as it was",
            noisy,
            "leave --split out, or give the clean dataset as --clean",
        )


def _lacking_frames(own: NoisyList | None, clean: Split | FolderSplit | None) -> int:
    """How many frames of a split's own list the clean dataset does not have."""
    if own is None or clean is None:
        return 0
    known = {(of.folder, frame) for of in clean.sequences for frame in of.frames}
    return sum((of.folder, frame) not in known for of in own.sequences for frame in of.frames)


def _narrations(own: NoisyList | None) -> Share | None:
    """How many narrations changed, of those whose clean one is told."""
    if own is None or not own.narrations:
        return None
    return Share(len(own.narrations), len(own.changed))


def _recipe_of(noisy: Path) -> Recipe | None:
    path = noisy / RECIPE_FILE
    return read_recipe(path) if path.is_file() else None


def _splits(folder: Path) -> list[str]:
    ending = name_objects_file("")
    files = list_files(folder, ending) if folder.is_dir() else []
    return [file.name[: -len(ending)] for file in files]


def _only_split(lists: Path | None, clean: Path | None) -> str | None:
    """The default split: the only one of a folder of lists, or, of masks alone, that of the clean
    dataset, or its ``train``.
    """
    names = _splits(lists) if lists is not None else []
    if len(names) > 1:
        raise refuse(f"has the splits {', '.join(names)}", lists, "say which as --split")
    if not names and clean is not None:
        known = list_splits(clean)
        return "train" if len(known) > 1 else next(iter(known), None)
    return names[0] if names else None


def _word_items(
    lists: Path, split: str, clean: Path | None, left_out: dict[str, str]
) -> list[WordItem]:
    """The words of a split; none where it has none or nothing tells the clean ones."""
    if not (lists / name_objects_file(split)).is_file():
        return []
    try:
        return read_word_items(lists, split, None if clean is None else clean / IMAGE_SETS)
    except InputError as refused:
        if clean is None and all("*_org" in problem.what for problem in refused.problems):
            left_out["text"] = refused.problems[0].what
            return []
        raise


def _finder(lexicon: Lexicon, left_out: dict[str, str]) -> MentionFinder | None:
    """Finds nouns in narrations; None without spaCy."""
    try:
        return load_finder(lexicon)
    except InputError as refused:
        left_out["contradictions"] = refused.problems[0].what
        return None


def _clean_split(
    noisy: Path, clean: Path | None, recipe: Recipe | None, name: str | None
) -> Split | FolderSplit | None:
    """The split, or folder of masks, that masks are compared with; None if there is none."""
    if clean is not None and not list_splits(clean):
        return open_folder(clean)
    if name is None:
        return None
    if clean is not None:
        return open_split(clean, name)
    if recipe is not None and (noisy / SUMMARY_FILE).is_file():
        root = source_root(noisy, None)
        if (root / IMAGE_SETS / f"{name}.json").is_file():
            return open_split(root, name)
    return None


def _judged_by_recipe(recipe: Recipe | None, held: Held, lexicon: Lexicon) -> list[Judgement]:
    if recipe is None:
        return []
    try:
        return list(judge_by_recipe(check_recipe(recipe, RECIPE_FILE), held, lexicon))
    except InputError as refused:
        why = refused.problems[0].what
        return [(False, f"it could not be held against its {RECIPE_FILE}: {why}")]
