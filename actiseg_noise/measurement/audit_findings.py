"""What a noisy split holds against what its recipe asks for and what its name claims."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from actiseg_data.annotations.lexicon import Lexicon, refuse_unknown_classes
from actiseg_data.records.split_records import Noise, Recipe
from actiseg_noise.mask_noise.sequence_masks import list_eligible_objects
from actiseg_noise.measurement.audit_claims import ANY, MASKS, WORDS, Claim
from actiseg_noise.measurement.audit_masks import Change, MaskAudit
from actiseg_noise.measurement.word_changes import Z_999, Share, WordFigures
from actiseg_noise.split.wordings import NoisyList, WordItem, fold
from actiseg_noise.text_noise.assignment import ReplacementOptions, split_rates
from actiseg_noise.text_noise.sequence_words import TextCorruptor, TextOptions

Judgement: TypeAlias = tuple[bool, str]
"""Whether something agrees with what is claimed, as a sentence."""

_NEGLIGIBLE = 0.005
"""A share of items below this is no noise of its own, but a slip here and there."""

_NEARLY_ALL = 0.95
"""Renames that a name such as ``released`` claims: of nearly all that are not flipped."""

_SEEN = 0.9
"""Least share of touched objects that look changed: some do not, because others cover them."""

_KERNEL_TOLERANCE = 0.25
"""How far, as a share, a median shift may be from a kernel's radius, which overlaps cut."""


@dataclass(frozen=True)
class Held:
    """What was measured of a split. items: its words. own: its own list, which tells what a recipe
    could touch; None where there is none.
    """

    items: Sequence[WordItem]
    words: WordFigures | None
    own: NoisyList | None
    masks: MaskAudit | None


def judge_by_recipe(recipe: Recipe, held: Held, lexicon: Lexicon) -> Iterator[Judgement]:
    """A split against its recipe.

    lexicon: the one that the split's words are of. Raises `InputError` where the recipe names another,
    where it lacks a class of the split, and, of noise on narrations, where spaCy is missing.
    """
    if held.own is None:
        yield False, "its action list is missing, without which nothing tells what could be touched"
        return
    if held.items:
        yield from _missing_objects(held.items, held.own)
    if recipe.text_noise is not None and held.words is None:
        yield False, "nothing tells its clean words, though the recipe asks for noise on words"
    elif recipe.text_noise is not None and held.words is not None:
        yield from _words_of_recipe(recipe, recipe.text_noise, held, held.own, lexicon)
    elif held.words is not None and held.words.changed.hits:
        yield False, f"{_shown(held.words.changed)} of all prompts differ, {_NOT_ASKED}"
    if held.masks is not None:
        yield from _masks_of_recipe(recipe, held.masks, held.own)


def _missing_objects(items: Iterable[WordItem], own: NoisyList) -> Iterator[Judgement]:
    """Objects of the list without words, and words of objects that the list does not have."""
    have = {(item.sequence, item.object_id) for item in items}
    listed = {(of.folder, label.object_id) for of in own.sequences for label in of.objects}
    for what, places in (
        ("objects of the action list have no prompt", listed - have),
        ("objects have prompts, but are not in the action list", have - listed),
    ):
        if places:
            yield False, f"{len(places)} {what}"


def _words_of_recipe(
    recipe: Recipe, noise: Noise, held: Held, own: NoisyList, lexicon: Lexicon
) -> Iterator[Judgement]:
    """Shares among the items that the recipe could touch, as `corrupt` counts them."""
    drawn = TextCorruptor(recipe, lexicon)
    used = {label.class_id: label.name for of in own.sequences for label in of.objects}
    refuse_unknown_classes(lexicon, used, "the noisy split's list")
    could = {sequence.folder: drawn.find_options(sequence) for sequence in own.sequences}
    if noise.scope == "narration":
        yield from _narrations_of_recipe(noise, held.items, own, could)
    else:
        yield from _objects_of_recipe(noise, held.items, could)
        if own.changed:
            yield False, f"{len(own.changed)} narrations of the list differ, {_NOT_ASKED}"
    words = held.words
    assert words is not None, "callers look first"
    collisions = words.name_collisions + words.class_collisions
    if collisions and not noise.parameters["allow_collisions"]:
        yield False, f"{collisions} collisions in a clip, which the recipe does not allow"


_NOT_ASKED = "which no recipe asks for"


def _objects_of_recipe(
    noise: Noise, items: Iterable[WordItem], could: Mapping[str, TextOptions]
) -> Iterator[Judgement]:
    flips: list[bool] = []
    renames: list[bool] = []
    strange = other = tails = total = 0
    for item in items:
        total += 1
        of = could.get(item.sequence)
        option = of.objects.get(item.object_id) if of is not None else None
        flippable = option is not None and option.flip is not None
        renamable = option is not None and option.substitute is not None
        strange += (item.flipped and not flippable) or (item.renamed and not renamable)
        other += option is not None and not _as_drawn(item, option)
        tails += item.clean.tail != item.noisy.tail and not (item.flipped and noise.scope == "both")
        if flippable:
            flips.append(item.flipped)
        if renamable and not item.flipped:
            renames.append(item.renamed)
    flip_rate, rename_rate = split_rates(noise)
    for what, hits, wanted in (
        ("flips", flips, flip_rate),
        ("renames within their class", renames, rename_rate),
    ):
        if hits or wanted:
            share = Share(len(hits), sum(hits))
            yield _rate_judged(what, share, wanted, of_all=(Share(total, share.hits), "prompts"))
    if strange:
        yield False, f"{strange} objects have other words, which the recipe cannot touch"
    if other:
        yield False, f"{other} objects have other words than the recipe draws for them"
    if tails:
        yield False, f"{tails} prompts differ behind the object's name, {_NOT_ASKED}"


def _as_drawn(item: WordItem, option: ReplacementOptions) -> bool:
    """Whether a changed object is called what it was to become."""
    if item.flipped:
        if option.flip is None:
            return True  # counted as strange
        class_id, name = option.flip
        return item.noisy.class_id == class_id and fold(item.noisy.name) == fold(name.text)
    if item.renamed and option.substitute is not None:
        return fold(item.noisy.name) == fold(option.substitute.text)
    return True


def _narrations_of_recipe(
    noise: Noise, items: Iterable[WordItem], own: NoisyList, could: Mapping[str, TextOptions]
) -> Iterator[Judgement]:
    """Narrations have one share of flips and renames together; it depends on which of the two each
    can have.
    """
    chances = {folder: _chance(noise, of) for folder, of in could.items()}
    touchable = [folder for folder, chance in chances.items() if chance is not None]
    share = Share(len(touchable), len(own.changed.intersection(touchable)))
    expected = [chances[folder] or 0.0 for folder in touchable]
    spread = Z_999 * math.sqrt(sum(chance * (1 - chance) for chance in expected))
    mean = sum(expected)
    yield _rate_judged(
        "narrations",
        share,
        mean / max(1, share.items),
        abs(share.hits - mean) <= spread + 1,
        (Share(len(own.sequences), len(own.changed)), "narrations"),
    )
    strange = len(own.changed.difference(touchable))
    if strange:
        yield False, f"{strange} narrations differ, which the recipe cannot touch"
    other = sum(item.flipped or item.renamed for item in items)
    if other:
        yield False, f"{other} objects have other words, {_NOT_ASKED}"
    apart = sum(not _follows(item, own.narrations.get(item.sequence)) for item in items)
    if apart:
        yield False, f"{apart} prompts do not go with the list's narration"


def _follows(item: WordItem, narrations: tuple[str, str] | None) -> bool:
    """Whether a prompt changed as its narration did. One that never had it stays."""
    old, new = narrations or ("", "")
    clean = item.clean.prompt
    wanted = clean[: len(clean) - len(old)] + new if old and clean.endswith(old) else clean
    return item.noisy.prompt == wanted


def _chance(noise: Noise, of: TextOptions) -> float | None:
    """The probability that a clip's narration changes; None where it cannot."""
    if of.narration is None:
        return None
    flip, rename = split_rates(noise)
    options = of.narration.options
    flipped = flip if options.flip is not None else 0.0
    return flipped + (1 - flipped) * (rename if options.substitute is not None else 0.0)


def _rate_judged(
    what: str,
    share: Share,
    wanted: float,
    holds: bool | None = None,
    of_all: tuple[Share, str] | None = None,
) -> Judgement:
    """holds: whether it agrees, if the interval of the share does not decide. of_all: the share of
    everything, and what that is, which a recipe's rate does not speak of.
    """
    fine = _holds(share, wanted) if holds is None else holds
    verb = "is what" if fine else "is not what"
    of = f"of the {share.items} that could be"
    line = f"{what}: {_shown(share)} {of} {verb} the recipe asks for ({wanted:.1%})"
    if of_all is not None and of_all[0].items != share.items:
        line += f"; {_shown(of_all[0])} of all {of_all[0].items} {of_all[1]}"
    return fine, line


def _masks_of_recipe(recipe: Recipe, masks: MaskAudit, own: NoisyList) -> Iterator[Judgement]:
    noise = recipe.mask_noise
    if noise is None:
        if masks.all.touched:
            yield False, f"{masks.all.touched} objects have other masks, {_NOT_ASKED}"
        return
    could = {
        (sequence.folder, frame, label.object_id)
        for sequence in own.sequences
        for frame in sequence.frames
        for label in list_eligible_objects(sequence, frame, noise)
    }
    # Only then does an untouched object lose pixels to nothing.
    background = noise.overlap == "background"
    changes = [change for change in masks.changes if change.place in could]
    asked = f"the recipe asks for {noise.rate:.1%}"
    # Closing and opening leave most compact objects as they are.
    seen = 0.0 if noise.parameters.get("operation") in ("close", "open") else _SEEN
    yield _share_of_masks(changes, noise.rate, asked, seen=seen, background=background)
    strange = sum(
        _touched(change, background=background)
        for change in masks.changes
        if change.place not in could
    )
    if strange:
        yield False, f"{strange} objects have other masks, which the recipe cannot touch"


def _touched(change: Change, *, background: bool = False) -> bool:
    """Whether an object was certainly touched, and did not only lose pixels to neighbours.
    background: untouched ones may lose pixels to the background, too.
    """
    return change.gained or (change.freed and not background)


def _share_of_masks(
    changes: Sequence[Change],
    rate: float,
    asked: str,
    *,
    seen: float = _SEEN,
    background: bool = False,
) -> Judgement:
    """Whether some objects may be touched at a rate: no fewer changed, and no more certainly.

    seen: least share of touched objects that look changed.
    """
    changed = Share(len(changes), sum(change.item.kind is not None for change in changes))
    certain = Share(len(changes), sum(_touched(of, background=background) for of in changes))
    most, least = changed.interval_999, certain.interval_999
    fine = most is None or least is None or (most[1] >= seen * rate and least[0] <= rate + 1e-9)
    verb = "may be" if fine else "are not"
    return fine, (
        f"masks: {_shown(changed)} of {len(changes)} objects in sight changed, {_shown(certain)} "
        f"beyond losing pixels to neighbours, which {verb} what was touched: {asked}"
    )


def judge_by_name(
    claims: Iterable[Claim], recipe: Recipe | None, held: Held
) -> Iterator[Judgement]:
    """A split against what its name claims.

    Names that this toolkit gives, and claims on masks, are compared with the recipe, which is
    compared with the files separately; all others, or without a recipe, with the files.
    """
    for claim in claims:
        if claim.size is not None:
            masks = _usable_masks(held)
            if masks is not None:
                yield _kernel(masks, claim, claim.size)
        elif claim.rate is not None and recipe is not None and _is_of_recipe(claim, recipe, held):
            yield _rate_of_recipe(claim, claim.rate, recipe)
        elif claim.rate is not None:
            yield from _rate_of_files(claim, claim.rate, held)
    if held.masks is not None and held.masks.missing:
        yield False, f"{held.masks.missing} frames of the list have no noisy mask"


def _usable_masks(held: Held) -> MaskAudit | None:
    """The masks that claims are compared with; None for clean masks in a split with noisy words."""
    masks = held.masks
    if masks is None or masks.positive is None or (masks.untouched and held.words is not None):
        return None
    return masks


def _is_of_recipe(claim: Claim, recipe: Recipe, held: Held) -> bool:
    """Whether a claimed rate is to be the recipe's; if not, it is a share of all prompts."""
    on_masks = claim.medium == MASKS or (claim.medium == ANY and recipe.mask_noise is not None)
    return claim.by_recipe or on_masks or held.words is None


def _rate_of_files(claim: Claim, rate: float, held: Held) -> Iterator[Judgement]:
    masks, words = _usable_masks(held), held.words
    on_words = words is not None and (
        claim.medium == WORDS or (claim.medium == ANY and (masks is None or words.changed.hits > 0))
    )
    if words is not None and on_words:
        yield from _words_of_name(words, claim, rate)
    elif masks is not None and (claim.medium != WORDS or words is None):
        said = f"the name says {rate:.0%} ({claim.said})"
        yield _share_of_masks(_active(masks), rate, said)


def _rate_of_recipe(claim: Claim, claimed: float, recipe: Recipe) -> Judgement:
    asked: set[float] = set()
    if recipe.text_noise is not None and claim.medium != MASKS:
        flip, rename = split_rates(recipe.text_noise)
        asked.add(recipe.text_noise.rate)
        if rename == 0 or claim.renames:
            asked.add(flip)
    if recipe.mask_noise is not None and claim.medium != WORDS:
        asked.add(recipe.mask_noise.rate)
    fine = any(abs(rate - claimed) < 1e-6 for rate in asked)
    told = " or ".join(f"{rate:.0%}" for rate in sorted(asked)) or "no such noise"
    verb = "is" if fine else "is not"
    return fine, f"the {claimed:.0%} of the name ({claim.said}) {verb} the recipe's: {told}"


def _words_of_name(words: WordFigures, claim: Claim, rate: float) -> Iterator[Judgement]:
    """A name that says 20 % may mean flips, or all noise, of all prompts; whichever it is, nothing
    else may be noisy, unless the name says that as well.
    """
    flips, renames = words.all.flips, words.all.substitutions
    said = f"the {rate:.0%} that the name says ({claim.said})"
    if _holds(flips, rate):
        yield True, f"flips: {_shown(flips)} are {said}"
        many = (words.renames_seen.rate or renames.rate or 0) >= _NEARLY_ALL
        if claim.renames:
            verb = "as" if many else "not as"
            yield many, f"renames within their class: {_shown(renames)} of the others, {verb} named"
        elif (renames.rate or 0) > _NEGLIGIBLE:
            more = max((renames, words.renames_seen), key=lambda share: share.rate or 0)
            yield (
                False,
                f"the name says {rate:.0%} ({claim.said}), but {_shown(words.changed)} of all "
                f"prompts differ from the clean ones: beside the flips, {_shown(more)} of the "
                "others that have another name were renamed within their class",
            )
        return
    changed = words.changed
    fine = _holds(changed, rate)
    if claim.by_recipe and not fine:  # its rate is over what could change
        both = _either(flips, renames)
        fine = both is not None and both[0] <= rate <= both[1]
    yield (
        fine,
        f"{_shown(changed)} of all {changed.items} prompts changed ({_shown(flips)} by flips; "
        f"{_shown(renames)} of the {renames.items} others that have another name by renames), "
        f"which is {'' if fine else 'not '}{said}",
    )


def _active(masks: MaskAudit) -> list[Change]:
    """Active objects, which all public generators mean, or all where none is active."""
    active = [change for change in masks.changes if change.item.positive]
    return active or list(masks.changes)


def _kernel(masks: MaskAudit, claim: Claim, size: int) -> Judgement:
    """Of objects that grew, since others may have lost pixels to them."""
    radius = (size - 1) / 2
    shifts = [of.item.shift for of in _active(masks) if of.gained]
    moved = [shift.signed for shift in shifts if shift is not None]
    said = f"a square of {size} px moves them by {radius:g} ({claim.said})"
    if not moved:
        return False, f"masks: no active object grew; {said}"
    middle = median(moved)
    fine = abs(middle - radius) <= max(_KERNEL_TOLERANCE * radius, 0.5)
    return fine, f"masks: boundaries that grew moved by {middle:+.2f} px (median); {said}"


def _holds(share: Share, wanted: float) -> bool:
    """Whether a rate is plausible; of no item, every one is."""
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
