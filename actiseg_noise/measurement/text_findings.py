"""Comparison of measured text noise with a recipe and with a name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from actiseg_data.annotations.lexicon import Lexicon, refuse_unknown_classes
from actiseg_data.core.plurals import count_nouns
from actiseg_data.records.recipe_record import EXCHANGE, Noise, Recipe
from actiseg_noise.measurement.audit_claims import NameClaim
from actiseg_noise.measurement.expression_audit import compare_expressions
from actiseg_noise.measurement.findings import NOT_REQUESTED, Finding, compare_rate
from actiseg_noise.measurement.proportions import Z_999, Proportion
from actiseg_noise.measurement.text_audit import TextAudit
from actiseg_noise.measurement.text_changes import TextStatistics, is_flip
from actiseg_noise.recipes.kind_specs import IMPORTED
from actiseg_noise.split.text_items import NoisyList, TextItem, fold
from actiseg_noise.text_noise.assignment import ReplacementOptions, split_rates
from actiseg_noise.text_noise.sequence_words import TextCorruptor, TextOptions

_NEGLIGIBLE = 0.005
"""A share of renamed objects below this may come from single mistakes."""

_NEARLY_ALL = 0.95
"""The share of renamed objects that a name such as ``released`` claims, of those not flipped."""


def compare_text_with_recipe(
    recipe: Recipe, text: TextAudit | None, action_list: NoisyList, lexicon: Lexicon
) -> Iterator[Finding]:
    """Compare the text of a split with its recipe.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    text : TextAudit or None
        What was measured; None if no clean text is known.
    action_list : NoisyList
        The split's own list, which shows what the recipe could change.
    lexicon : Lexicon
        The lexicon that the split was made with.

    Yields
    ------
    Finding

    Raises
    ------
    InputError
        If the recipe names another lexicon, if the lexicon lacks a class of the split, or if spaCy
        is missing and narrations have noise.
    """
    noise = recipe.text_noise
    if text is None:
        if noise is not None:
            yield Finding(False, "the recipe asks for text noise, but no clean text is known")
        return
    if noise is None:
        changed = text.statistics.changed
        if changed.hits:
            yield Finding(False, f"{changed.percentage} of all prompts differ, {NOT_REQUESTED}")
        return
    if noise.kind == IMPORTED:
        yield _compare_imported(noise, text)
        return
    if text.expressions is not None:
        yield from compare_expressions(noise, text.expressions)
        yield from _find_collisions(noise, text.statistics)
        return
    used = {
        label.class_id: label.name
        for sequence in action_list.sequences
        for label in sequence.objects
    }
    drawn = TextCorruptor(recipe, lexicon)
    refuse_unknown_classes(lexicon, used, "the noisy split's list")
    options = {sequence.folder: drawn.find_options(sequence) for sequence in action_list.sequences}
    if noise.scope == "narration":
        yield from _compare_narrations(noise, text.items, action_list, options)
    else:
        yield from _compare_objects(noise, text.items, options)
        if action_list.changed:
            count = count_nouns(len(action_list.changed), "changed narration")
            yield Finding(False, f"the list has {count}, {NOT_REQUESTED}")
    yield from _find_collisions(noise, text.statistics)


def _find_collisions(noise: Noise, statistics: TextStatistics) -> Iterator[Finding]:
    """Report collisions, unless the recipe allows them."""
    collisions = statistics.name_collisions + statistics.class_collisions
    allowed = noise.kind == EXCHANGE or noise.parameters["allow_collisions"]
    if collisions and not allowed:
        what = f"{count_nouns(collisions, 'collision')} within a sequence"
        yield Finding(False, f"{what}, which the recipe does not allow")


def _compare_imported(noise: Noise, text: TextAudit) -> Finding:
    """Compare the share of changed prompts with that of the split that was imported."""
    changed = text.statistics.changed
    agrees = changed.is_consistent_with(noise.rate)
    verdict = "as" if agrees else "not as"
    what = f"text: {changed.percentage} of all {changed.items} {text.statistics.terms.texts} differ"
    return Finding(agrees, f"{what}, {verdict} in the imported split ({noise.rate:.1%})")


def compare_objects_with_list(text: TextAudit | None, action_list: NoisyList) -> Iterator[Finding]:
    """Report listed objects without a prompt, and prompts of objects that are not listed."""
    if text is None or text.expressions is not None:
        return
    prompted = {(item.sequence, item.object_id) for item in text.items}
    listed = {
        (sequence.folder, label.object_id)
        for sequence in action_list.sequences
        for label in sequence.objects
    }
    for what, places in (
        ("objects of the action list have no prompt", listed - prompted),
        ("objects have prompts, but are not in the action list", prompted - listed),
    ):
        if places:
            yield Finding(False, f"{len(places)} {what}")


def _compare_objects(
    noise: Noise, items: Iterable[TextItem], options: Mapping[str, TextOptions]
) -> Iterator[Finding]:
    """Compare the rates of flips and renames, and every changed object, with the recipe."""
    pairs = [(item, _find_options(item, options)) for item in items]
    exchanges = noise.kind == EXCHANGE
    flips = [
        is_flip(item, option)
        for item, option in pairs
        if _can_flip(option) and not (exchanges and _is_second(item, option))
    ]
    renames = [
        item.renamed for item, option in pairs if _can_rename(option) and not is_flip(item, option)
    ]
    flip_rate, rename_rate = split_rates(noise)
    for what, hits, wanted, prompts in (
        # One draw decides for both objects of an exchange.
        ("exchanges" if exchanges else "flips", flips, flip_rate, 2 if exchanges else 1),
        ("renames within their class", renames, rename_rate, 1),
    ):
        if hits or wanted:
            proportion = Proportion(len(hits), sum(hits))
            total = Proportion(len(pairs), prompts * proportion.hits)
            yield compare_rate(what, proportion, wanted, (total, "prompts"))
    unexpected = sum(
        (item.flipped and not _can_flip(option))
        or (item.renamed and not _can_rename(option) and not is_flip(item, option))
        for item, option in pairs
    )
    if unexpected:
        yield Finding(
            False,
            f"{count_nouns(unexpected, 'object has', 'objects have')} other words, but the recipe "
            "cannot change them",
        )
    different = sum(option is not None and not _is_as_drawn(item, option) for item, option in pairs)
    if different:
        what = (
            f"{count_nouns(different, 'object has', 'objects have')} other words than the recipe "
            "draws for them"
        )
        yield Finding(False, what)
    tails = sum(
        item.clean.tail != item.noisy.tail and not (is_flip(item, option) and noise.scope == "both")
        for item, option in pairs
    )
    if tails:
        yield Finding(
            False,
            f"{count_nouns(tails, 'prompt differs', 'prompts differ')} after the object's name, "
            f"{NOT_REQUESTED}",
        )


def _find_options(item: TextItem, options: Mapping[str, TextOptions]) -> ReplacementOptions | None:
    sequence = options.get(item.sequence)
    return None if sequence is None else sequence.objects.get(item.object_id)


def _is_second(item: TextItem, option: ReplacementOptions | None) -> bool:
    """Return whether an object is the second of two that trade names, which one draw decides."""
    if option is None or option.flip is None:
        return False
    return item.clean.name.casefold() > option.flip[1].text.casefold()


def _can_flip(option: ReplacementOptions | None) -> bool:
    return option is not None and option.flip is not None


def _can_rename(option: ReplacementOptions | None) -> bool:
    return option is not None and option.substitute is not None


def _is_as_drawn(item: TextItem, option: ReplacementOptions) -> bool:
    """Return whether a changed object has the class and the name that the recipe draws for it."""
    if is_flip(item, option):
        if option.flip is None:
            return True  # counted as unexpected
        class_id, name = option.flip
        return item.noisy.class_id == class_id and fold(item.noisy.name) == fold(name.text)
    if item.renamed and option.substitute is not None:
        return fold(item.noisy.name) == fold(option.substitute.text)
    return True


def _compare_narrations(
    noise: Noise,
    items: Iterable[TextItem],
    action_list: NoisyList,
    options: Mapping[str, TextOptions],
) -> Iterator[Finding]:
    """Compare the share of changed narrations with the recipe.

    Flips and renames of narrations have one share together. It depends on which of the two each
    narration can have.
    """
    items = list(items)
    probabilities = {
        folder: _compute_probability(noise, sequence) for folder, sequence in options.items()
    }
    possible = {
        folder: probability
        for folder, probability in probabilities.items()
        if probability is not None
    }
    proportion = Proportion(len(possible), len(action_list.changed.intersection(possible)))
    mean = sum(possible.values())
    spread = Z_999 * math.sqrt(sum(chance * (1 - chance) for chance in possible.values()))
    yield compare_rate(
        "narrations",
        proportion,
        mean / max(1, proportion.items),
        (Proportion(len(action_list.sequences), len(action_list.changed)), "narrations"),
        agrees=abs(proportion.hits - mean) <= spread + 1,
    )
    unexpected = len(action_list.changed.difference(possible))
    if unexpected:
        yield Finding(
            False,
            f"{count_nouns(unexpected, 'narration differs', 'narrations differ')}, but the recipe "
            "cannot change them",
        )
    changed = sum(item.flipped or item.renamed for item in items)
    if changed:
        yield Finding(
            False,
            f"{count_nouns(changed, 'object has', 'objects have')} other words, {NOT_REQUESTED}",
        )
    narrations = action_list.narrations
    unequal = sum(not _has_narration(item, narrations.get(item.sequence)) for item in items)
    if unequal:
        yield Finding(
            False,
            f"{count_nouns(unequal, 'prompt does', 'prompts do')} not have the narration of the "
            "list",
        )


def _has_narration(item: TextItem, narrations: tuple[str, str] | None) -> bool:
    """Return whether a prompt changed as its narration did; a prompt without it must be equal."""
    old, new = narrations or ("", "")
    clean = item.clean.prompt
    wanted = clean[: len(clean) - len(old)] + new if old and clean.endswith(old) else clean
    return item.noisy.prompt == wanted


def _compute_probability(noise: Noise, sequence: TextOptions) -> float | None:
    """Compute the probability that a sequence's narration changes; None if it cannot change."""
    if sequence.narration is None:
        return None
    flip_rate, rename_rate = split_rates(noise)
    options = sequence.narration.options
    flipped = flip_rate if options.flip is not None else 0.0
    return flipped + (1 - flipped) * (rename_rate if options.substitute is not None else 0.0)


def compare_text_with_claim(
    text: TextStatistics, claim: NameClaim, rate: float
) -> Iterator[Finding]:
    """Compare the text of a split with the rate that its name claims.

    A name that claims 20 % may mean flips, or all noise, of all prompts. In both cases there must
    be no other noise, unless the name claims that as well.
    """
    if text.all.flips.is_consistent_with(rate):
        yield from _compare_flips_with_claim(text, claim, rate)
        return
    flips, renames, changed = text.all.flips, text.all.substitutions, text.changed
    agrees = changed.is_consistent_with(rate)
    if claim.by_recipe and not agrees:  # a recipe's rate is over what could change
        bounds = _bound_either(flips, renames)
        agrees = bounds is not None and bounds[0] <= rate <= bounds[1]
    yield Finding(
        agrees,
        f"{changed.percentage} of all {changed.items} {text.terms.texts} changed "
        f"({flips.percentage} by flips; {renames.percentage} of the {renames.items} others that "
        "have another name by renames), which is "
        f"{'' if agrees else 'not '}{_quote_claim(claim, rate)}",
    )


def _compare_flips_with_claim(
    text: TextStatistics, claim: NameClaim, rate: float
) -> Iterator[Finding]:
    """Compare text with a claimed rate that its flips have: renames need a claim of their own."""
    flips, renames = text.all.flips, text.all.substitutions
    yield Finding(True, f"flips: {flips.percentage} are {_quote_claim(claim, rate)}")
    if claim.renames:
        agrees = (text.renames_seen.rate or renames.rate or 0) >= _NEARLY_ALL
        verdict = "as" if agrees else "not as"
        yield Finding(
            agrees,
            f"renames within their class: {renames.percentage} of the others, "
            f"{verdict} the name says",
        )
    elif (renames.rate or 0) > _NEGLIGIBLE:
        most = max((renames, text.renames_seen), key=lambda proportion: proportion.rate or 0)
        yield Finding(
            False,
            f"the name says {rate:.0%} ({claim.said}), but {text.changed.percentage} of all "
            f"{text.terms.texts} differ from the clean ones: besides the flips, {most.percentage} "
            "of the others that have another name were renamed within their class",
        )


def _quote_claim(claim: NameClaim, rate: float) -> str:
    return f"the {rate:.0%} that the name says ({claim.said})"


def _bound_either(flips: Proportion, renames: Proportion) -> tuple[float, float] | None:
    """Bound the share that is flipped or, of the rest that can be, renamed."""
    bounds, rest = flips.interval_999, renames.interval_999
    if bounds is None or rest is None:
        return bounds
    return bounds[0] + rest[0] * (1 - bounds[0]), bounds[1] + rest[1] * (1 - bounds[1])
