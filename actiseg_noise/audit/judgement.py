"""What a noisy split holds against what its recipe asks for and what its name claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from typing import TypeAlias

from actiseg_data.lexicon import Lexicon, refuse_unknown_classes
from actiseg_data.records import Recipe
from actiseg_data.sequences import Sequence
from actiseg_noise.audit.claims import MASKS, WORDS, Claim
from actiseg_noise.audit.masks import MaskAudit
from actiseg_noise.audit.words import Share, WordFigures, WordItem
from actiseg_noise.text.assignment import rates
from actiseg_noise.text.words import WordNoise

Judgement: TypeAlias = tuple[bool, str]
"""Whether something agrees with what is claimed, as a sentence."""

_NEGLIGIBLE = 0.005
"""A share of items below this is no noise of its own, but a slip here and there."""

_NEARLY_ALL = 0.95
"""Renames that a name such as ``released`` claims: of nearly all that are not flipped."""

_HIDDEN = 0.9
"""A share of the asked one: some touched objects look as before, because others cover them."""

_KERNEL_TOLERANCE = 0.25
"""How far, as a share, a median shift may be from a kernel's radius, which overlaps cut."""


@dataclass(frozen=True)
class Held:
    """What was measured of a split. items: its words; sequences: of its own list, with the clean
    narrations, which tell which words the recipe could touch; none where there is no list."""

    items: Listing[WordItem]
    words: WordFigures | None
    narrations: Share | None
    masks: MaskAudit | None
    sequences: Listing[Sequence]


def judge_by_recipe(recipe: Recipe, held: Held, lexicon: Lexicon) -> Iterator[Judgement]:
    """A split against its recipe.

    lexicon: the one that the split's words are of. Raises `Refused` where the recipe names another,
    where it lacks a class of the split, and, of noise on narrations, where spaCy is missing.
    """
    if recipe.text_noise is not None and held.words is not None and held.sequences:
        yield from _words_of_recipe(recipe, held, lexicon)
    elif recipe.text_noise is None and held.words is not None and held.words.changed.hits:
        yield False, f"{_shown(held.words.changed)} of all prompts differ, which no recipe asks for"
    if held.masks is not None:
        yield from _masks_of_recipe(recipe, held.masks)


def _words_of_recipe(recipe: Recipe, held: Held, lexicon: Lexicon) -> Iterator[Judgement]:
    """Shares among the items that the recipe could touch, as `corrupt` counts them."""
    noise = recipe.text_noise
    assert noise is not None, "callers look first"
    drawn = WordNoise(recipe, lexicon)
    used = {label.class_id: label.name for of in held.sequences for label in of.objects}
    refuse_unknown_classes(lexicon, used, "the noisy split's list")
    could = {sequence.folder: drawn.options(sequence) for sequence in held.sequences}
    if noise.scope == "narration":
        if held.narrations is not None:
            eligible = sum(of.narration is not None for of in could.values())
            share = Share(eligible, held.narrations.hits)
            yield _rate_judged("narrations", share, noise.rate)
        return
    flips: list[bool] = []
    renames: list[bool] = []
    strange = 0
    for item in held.items:
        of = could.get(item.sequence)
        option = of.objects.get(item.object_id) if of is not None else None
        flippable = option is not None and option.flip is not None
        renamable = option is not None and option.substitute is not None
        strange += (item.flipped and not flippable) or (item.renamed and not renamable)
        if flippable:
            flips.append(item.flipped)
        if renamable and not item.flipped:
            renames.append(item.renamed)
    flip_rate, rename_rate = rates(noise)
    for what, hits, wanted in (
        ("flips", flips, flip_rate),
        ("renames within their class", renames, rename_rate),
    ):
        if hits or wanted:
            yield _rate_judged(what, Share(len(hits), sum(hits)), wanted)
    if strange:
        yield False, f"{strange} objects have other words, which the recipe cannot touch"
    words = held.words
    assert words is not None, "callers look first"
    collisions = words.name_collisions + words.class_collisions
    if collisions and not noise.parameters["allow_collisions"]:
        yield False, f"{collisions} collisions in a clip, which the recipe does not allow"


def _rate_judged(what: str, share: Share, wanted: float) -> Judgement:
    fine = _holds(share, wanted)
    verb = "is what" if fine else "is not what"
    of = f"of the {share.items} that could be"
    return fine, f"{what}: {_shown(share)} {of} {verb} the recipe asks for ({wanted:.1%})"


def _masks_of_recipe(recipe: Recipe, masks: MaskAudit) -> Iterator[Judgement]:
    noise = recipe.mask_noise
    if noise is None:
        if masks.all.touched:
            yield False, f"{masks.all.touched} objects have other masks, which no recipe asks for"
        return
    group = masks.positive if noise.objects == "positive" else masks.all
    if group is None or not group.items:
        return
    share = Share(group.items, group.touched)
    fine = not masks.untouched and _may_be(share, noise.rate)
    kind = "active objects" if noise.objects == "positive" else "objects"
    asked = f"the recipe asks for {noise.rate:.1%}, and neighbours that lose pixels change, too"
    yield fine, f"masks: {_shown(share)} of the {share.items} {kind} in sight changed; {asked}"


def judge_by_name(
    claims: Iterable[Claim], recipe: Recipe | None, held: Held
) -> Iterator[Judgement]:
    """A split against what its name claims: by its recipe, which is held against the files on its
    own, or by the files themselves."""
    for claim in claims:
        if recipe is not None:
            yield from _name_and_recipe(claim, recipe, held)
            continue
        if held.words is not None and claim.rate is not None and claim.medium != MASKS:
            yield from _words_of_name(held.words, claim, claim.rate)
        masks = held.masks
        if masks is not None and masks.positive is not None and not masks.untouched:
            if claim.size is not None:
                yield _kernel(masks, claim, claim.size)
            elif claim.rate is not None and (claim.medium == MASKS or held.words is None):
                yield _mask_rate(masks, claim, claim.rate)
    if held.masks is not None and held.masks.missing:
        yield False, f"{held.masks.missing} frames of the list have no noisy mask"


def _name_and_recipe(claim: Claim, recipe: Recipe, held: Held) -> Iterator[Judgement]:
    if claim.size is not None:
        if held.masks is not None and held.masks.positive is not None and not held.masks.untouched:
            yield _kernel(held.masks, claim, claim.size)
        return
    asked: set[float] = set()
    if recipe.text_noise is not None and claim.medium != MASKS:
        flip, rename = rates(recipe.text_noise)
        asked.add(recipe.text_noise.rate)
        if rename == 0 or claim.renames:
            asked.add(flip)
    if recipe.mask_noise is not None and claim.medium != WORDS:
        asked.add(recipe.mask_noise.rate)
    assert claim.rate is not None, "a claim is of a size or of a rate"
    fine = any(abs(rate - claim.rate) < 1e-6 for rate in asked)
    told = " or ".join(f"{rate:.0%}" for rate in sorted(asked)) or "no such noise"
    verb = "is" if fine else "is not"
    yield fine, f"the {claim.rate:.0%} of the name ({claim.said}) {verb} the recipe's: {told}"


def _words_of_name(words: WordFigures, claim: Claim, rate: float) -> Iterator[Judgement]:
    """A name that says 20 % may mean flips, or all noise; whichever it is, nothing else may be
    noisy besides, unless the name says that, too."""
    flips, renames = words.all.flips, words.all.substitutions
    said = f"the {rate:.0%} that the name says ({claim.said})"
    if _holds(flips, rate):
        yield True, f"flips: {_shown(flips)} are {said}"
        many = (words.renames_seen.rate or renames.rate or 0) >= _NEARLY_ALL
        if claim.renames:
            verb = "as" if many else "not as"
            yield many, f"renames within their class: {_shown(renames)} of the others, {verb} named"
        elif (renames.rate or 0) > _NEGLIGIBLE:
            yield (
                False,
                f"the name says {rate:.0%} ({claim.said}), but {_shown(words.changed)} of all "
                f"prompts differ from the clean ones: beside the flips, {_shown(renames)} of the "
                "others that have another name were renamed within their class",
            )
        return
    both = _either(flips, renames)
    shown = f"flips ({_shown(flips)}) and renames ({_shown(renames)} of the rest)"
    fine = both is not None and both[0] <= rate <= both[1]
    yield fine, f"{shown} together are {'' if fine else 'not '}{said}"


def _mask_rate(masks: MaskAudit, claim: Claim, rate: float) -> Judgement:
    """Of active objects, which all public generators mean, or of all where none is active."""
    group = masks.positive if masks.positive is not None and masks.positive.items else masks.all
    share = Share(group.items or 0, group.touched)
    fine = _may_be(share, rate)
    told = "may be" if fine else "are not"
    said = f"the {rate:.0%} that the name says ({claim.said}); neighbours that lose pixels, too"
    return fine, f"masks: {_shown(share)} of active objects changed, which {told} {said}"


def _kernel(masks: MaskAudit, claim: Claim, size: int) -> Judgement:
    radius = (size - 1) / 2
    group = masks.positive if masks.positive is not None and masks.positive.items else masks.all
    median = None if group.shift is None else group.shift["q50"]
    text = f"active boundaries moved by {median:+.2f} px (median), " if median is not None else ""
    said = f"a square of {size} px moves them by {radius:g} ({claim.said})"
    fine = median is not None and abs(median - radius) <= max(_KERNEL_TOLERANCE * radius, 0.5)
    return fine, f"masks: {text}{said}"


def _holds(share: Share, wanted: float) -> bool:
    """Whether a rate is plausible; of no item, every one is."""
    interval = share.interval_999
    slack = 1e-9  # the interval of "all" ends a rounding error below 1
    return interval is None or interval[0] - slack <= wanted <= interval[1] + slack


def _may_be(share: Share, wanted: float) -> bool:
    """Whether that share could have been touched: more look changed, because neighbours lose
    pixels, and a few look unchanged."""
    interval = share.interval_999
    return interval is None or interval[1] >= _HIDDEN * wanted


def _either(flips: Share, renames: Share) -> tuple[float, float] | None:
    """The interval of the share that is flipped or, of the rest that can be, renamed."""
    one, other = flips.interval_999, renames.interval_999
    if one is None or other is None:
        return one
    return one[0] + other[0] * (1 - one[0]), one[1] + other[1] * (1 - one[1])


def _shown(share: Share) -> str:
    return "none" if share.rate is None else f"{share.rate:.1%}"
