"""Audit a noisy split: measure it, and hold it against its recipe and its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.errors import Refused, refuse
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split, open_split
from actiseg_data.layouts.image_sets import objects_file
from actiseg_data.lexicon import Lexicon, load_lexicon
from actiseg_data.records import RECIPE_FILE, SUMMARY_FILE, Recipe, read_recipe
from actiseg_noise.audit.claims import ANY, MASKS, WORDS, Claim, claims_of
from actiseg_noise.audit.masks import MaskAudit, audit_masks, mask_root
from actiseg_noise.audit.words import (
    Share,
    WordFigures,
    WordItem,
    count_narrations,
    read_word_items,
    word_figures,
    word_group,
)
from actiseg_noise.noisy_split import carried_lexicon, source_root
from actiseg_noise.stage import Stage, silent
from actiseg_noise.text.assignment import rates
from actiseg_noise.text.mentions import MentionFinder

AUDIT_SCHEMA = "actiseg/audit/1"

_NEGLIGIBLE = 0.005
"""A share of items below this is no noise of its own, but a slip here and there."""

_KERNEL_TOLERANCE = 0.25
"""How far, as a share, a median shift may be from a kernel's radius, which overlaps cut."""


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
    stage: Stage = silent,
) -> Audit:
    """Measure a noisy split, whoever made it, and say where it is not what it claims to be.

    noisy: a dataset with noisy lists or masks; or a folder of noisy lists alone, or of masks alone,
    as ActiSeg-NL publishes them. clean: the clean dataset; without it, clean words are those of the
    ``*_org`` keys, and clean masks those of the dataset that a split of this toolkit names, or the
    clean copies among the noisy masks. split: name of the list, where the folder has several.
    lexicon: for classes, names and similarities, by default the split's own or the installed one.

    Raises `Refused` where there is nothing to audit or nothing to hold it against.

    ::

        audit(Path("ImageSets_noise20_classid_prompt")).findings
    """
    recipe = _recipe_of(noisy)
    lists = next((folder for folder in (noisy / IMAGE_SETS, noisy) if _splits(folder)), None)
    name = split or (recipe.split if recipe is not None else None) or _only_split(lists, clean)
    known = lexicon or carried_lexicon(noisy) or load_lexicon()
    left_out: dict[str, str] = {}
    against: list[str] = []

    items: list[WordItem] = []
    narrations = None
    may_be_noisy = recipe is None or recipe.text_noise is not None or clean is not None
    if lists is not None and name is not None and may_be_noisy:
        items = _word_items(lists, name, clean, left_out)
        if items:
            against.append("*_org keys" if clean is None else str(clean))
        if (lists / f"{name}.json").is_file():
            narrations = count_narrations(lists / f"{name}.json")
    words = word_figures(items, known, _finder(known, left_out)) if items else None
    masks = None
    root = mask_root(noisy)
    if root is not None:
        with_masks = _clean_split(noisy, clean, recipe, name)
        try:
            masks = audit_masks(root, with_masks, workers, stage)
            against.append("clean copies" if with_masks is None else str(with_masks.root))
        except Refused as refused:
            if clean is not None:
                raise
            left_out["masks"] = refused.problems[0].what
    if words is None and masks is None:
        raise refuse(
            "; ".join(
                left_out.get(of, f"has no noisy {of} of a split") for of in ("text", "masks")
            ),
            noisy,
            "give a folder with *_objects_category.json and prompts, or with train/ or val/ masks, "
            "and the clean dataset as --clean where the files do not tell the clean words",
        )
    claims = claims_of(noisy)
    judged = [
        *_recipe_judged(recipe, items, words, narrations, known),
        *_name_judged(claims, words, masks),
    ]
    return Audit(
        noisy=noisy,
        split=name,
        clean=", ".join(dict.fromkeys(against)),
        recipe=recipe,
        claims=claims,
        text=words,
        narrations=narrations,
        masks=masks,
        agreements=tuple(text for fine, text in judged if fine),
        findings=tuple(text for fine, text in judged if not fine),
        left_out=left_out,
    )


def _recipe_of(noisy: Path) -> Recipe | None:
    path = noisy / RECIPE_FILE
    return read_recipe(path) if path.is_file() else None


def _splits(folder: Path) -> list[str]:
    ending = objects_file("")
    return sorted(path.name[: -len(ending)] for path in folder.glob(f"*{ending}"))


def _only_split(lists: Path | None, clean: Path | None) -> str | None:
    """The split that is meant where none is named: the only one of a folder of lists."""
    names = _splits(lists) if lists is not None else []
    if len(names) > 1:
        raise refuse(f"has the splits {', '.join(names)}", lists, "say which as --split")
    if not names and clean is not None:
        return "train"
    return names[0] if names else None


def _word_items(
    lists: Path, split: str, clean: Path | None, left_out: dict[str, str]
) -> list[WordItem]:
    """The words of a split; none where it has none or nothing tells the clean ones."""
    if not (lists / objects_file(split)).is_file():
        return []
    try:
        return read_word_items(lists, split, None if clean is None else clean / IMAGE_SETS)
    except Refused as refused:
        if clean is None and all("*_org" in problem.what for problem in refused.problems):
            left_out["text"] = refused.problems[0].what
            return []
        raise


def _finder(lexicon: Lexicon, left_out: dict[str, str]) -> MentionFinder | None:
    """Finds nouns in narrations; None without spaCy."""
    try:
        return MentionFinder(lexicon)
    except Refused as refused:
        left_out["contradictions"] = refused.problems[0].what
        return None


def _clean_split(
    noisy: Path, clean: Path | None, recipe: Recipe | None, name: str | None
) -> Split | None:
    """The split that masks are held against; None where there is none to be reached."""
    if name is None:
        return None
    if clean is not None:
        return open_split(clean, name)
    if recipe is not None and (noisy / SUMMARY_FILE).is_file():
        root = source_root(noisy, None)
        if (root / IMAGE_SETS / f"{name}.json").is_file():
            return open_split(root, name)
    return None


Judgement: TypeAlias = tuple[bool, str]
"""Whether something agrees with what is claimed, as a sentence."""


def _recipe_judged(
    recipe: Recipe | None,
    items: list[WordItem],
    words: WordFigures | None,
    narrations: Share | None,
    lexicon: Lexicon,
) -> Iterator[Judgement]:
    """The words of a split of this toolkit against its recipe."""
    noise = None if recipe is None else recipe.text_noise
    if noise is None or words is None:
        if words is not None and words.renamed_one_name:
            count = words.renamed_one_name
            yield False, f"{count} objects were renamed though the lexicon has one name for them"
        return
    if noise.scope == "narration":
        if narrations is not None and narrations.interval_999 is not None:
            fine = narrations.interval_999[0] <= noise.rate
            asked = f"the recipe asks for {noise.rate:.1%} of those whose noun has another name"
            yield fine, f"narrations: {_shown(narrations)} changed; {asked}"
        return
    protected = set(noise.parameters["protect"])
    eligible = [
        item
        for item in items
        if (item.positive or noise.objects == "all") and item.clean.class_id not in protected
    ]
    group = word_group("eligible", eligible, lexicon, noise.parameters.get("names", "class"))
    for what, share, wanted in (
        ("flips", group.flips, rates(noise)[0]),
        ("renames within their class", group.substitutions, rates(noise)[1]),
    ):
        fine = _holds(share, wanted)
        verb = "is what" if fine else "is not what"
        yield fine, f"{what}: {_shown(share)} {verb} the recipe asks for ({wanted:.1%})"
    collisions = words.name_collisions + words.class_collisions
    if collisions and not noise.parameters["allow_collisions"]:
        yield False, f"{collisions} collisions in a clip, which the recipe does not allow"


def _name_judged(
    claims: tuple[Claim, ...], words: WordFigures | None, masks: MaskAudit | None
) -> Iterator[Judgement]:
    """What a split holds against what its name claims."""
    if words is not None:
        for claim in claims:
            if claim.rate is not None and claim.medium in (WORDS, ANY):
                yield from _words_of_name(words, claim, claim.rate)
    if masks is not None and not masks.untouched:
        for claim in claims:
            if claim.size is not None:
                yield _kernel(masks, claim, claim.size)
            elif claim.rate is not None and (claim.medium == MASKS or words is None):
                yield _mask_rate(masks, claim, claim.rate)
    if masks is not None and masks.missing:
        yield False, f"{masks.missing} frames of the list have no noisy mask"


def _words_of_name(words: WordFigures, claim: Claim, rate: float) -> Iterator[Judgement]:
    """A name that says 20 % may mean flips, or all noise; whichever it is, nothing else may be
    noisy besides."""
    flips, renames = words.all.flips, words.all.substitutions
    if _holds(flips, rate):
        yield True, f"flips: {_shown(flips)} are the {rate:.0%} that the name says ({claim.said})"
        if (renames.rate or 0) > _NEGLIGIBLE:
            yield (
                False,
                f"the name says {rate:.0%} ({claim.said}), but {_shown(words.changed)} of all "
                f"prompts differ from the clean ones: beside the flips, {_shown(renames)} of the "
                "others that have another name were renamed within their class",
            )
        return
    both = _either(flips, renames)
    if both is not None and both[0] <= rate <= both[1]:
        yield (
            True,
            f"flips ({_shown(flips)}) and renames ({_shown(renames)} of the rest) together are the "
            f"{rate:.0%} that the name says ({claim.said})",
        )
        return
    yield (
        False,
        f"the name says {rate:.0%} ({claim.said}): {_shown(flips)} are flipped and "
        f"{_shown(renames)} of the rest renamed within their class",
    )


def _mask_rate(masks: MaskAudit, claim: Claim, rate: float) -> Judgement:
    """Of active objects, which all public generators mean, or of all where others changed alike."""
    group = masks.positive if masks.positive.items else masks.all
    share = Share(group.items or 0, group.touched)
    said = f"the {rate:.0%} that the name says ({claim.said})"
    if _holds(share, rate):
        return True, f"masks: {_shown(share)} of active objects changed, {said}"
    if rate >= 1 and (share.rate or 0) > 0.9:
        return True, f"masks: {_shown(share)} of active objects changed, nearly {said}"
    # An untouched object loses pixels to its neighbours, so that more change than were selected.
    more = (share.rate or 0) > rate
    reason = "; neighbours that lost pixels count, too" if more else ""
    return more, f"masks: {_shown(share)} of active objects changed, not {said}{reason}"


def _kernel(masks: MaskAudit, claim: Claim, size: int) -> Judgement:
    radius = (size - 1) / 2
    group = masks.positive if masks.positive.items else masks.all
    median = None if group.shift is None else group.shift["q50"]
    text = f"active boundaries moved by {median:+.2f} px (median), " if median is not None else ""
    said = f"a square of {size} px moves them by {radius:g} ({claim.said})"
    fine = median is not None and abs(median - radius) <= max(_KERNEL_TOLERANCE * radius, 0.5)
    return fine, f"masks: {text}{said}"


def _holds(share: Share, wanted: float) -> bool:
    interval = share.interval_999
    slack = 1e-9  # the interval of "all" ends a rounding error below 1
    return interval is None or interval[0] - slack <= wanted <= interval[1] + slack


def _either(flips: Share, renames: Share) -> tuple[float, float] | None:
    """The interval of the share that is flipped or, of the rest that can be, renamed."""
    one, other = flips.interval_999, renames.interval_999
    if one is None or other is None:
        return one
    return one[0] + other[0] * (1 - one[0]), one[1] + other[1] * (1 - one[1])


def _shown(share: Share) -> str:
    return "none" if share.rate is None else f"{share.rate:.1%}"
