"""Comparison of a measured split with its recipe and with its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.plurals import count_nouns
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.selection_draws import list_file_noises
from actiseg_noise.measurement.activity_audit import (
    ActivityAudit,
    compare_activity_with_claim,
    compare_activity_with_recipe,
)
from actiseg_noise.measurement.audit_claims import ANY, LABELS, MASKS, WORDS, NameClaim
from actiseg_noise.measurement.category_audit import (
    CategoryAudit,
    compare_categories_with_recipe,
)
from actiseg_noise.measurement.findings import Finding
from actiseg_noise.measurement.mask_audit import MaskAudit
from actiseg_noise.measurement.mask_findings import (
    compare_kernel,
    compare_ledger_with_recipe,
    compare_masks_with_claim,
    compare_masks_with_recipe,
)
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.measurement.text_audit import TextAudit
from actiseg_noise.measurement.text_changes import TextStatistics
from actiseg_noise.measurement.text_findings import (
    compare_objects_with_list,
    compare_text_with_claim,
    compare_text_with_recipe,
)
from actiseg_noise.recipes.building import is_imported
from actiseg_noise.split.text_items import NoisyList
from actiseg_noise.text_noise.assignment import split_rates


@dataclass(frozen=True)
class Evidence:
    """What an audit measured of a split.

    Attributes
    ----------
    text : TextAudit or None
        None if the split has no text or no clean text is known.
    masks : MaskAudit or None
        None if the split has no masks or no clean masks are known.
    action_list : NoisyList or None
        The split's own list, which shows what a recipe could change.
    ledger : mapping of str to Proportion
        Where no clean masks are known: the share of items that each noise changes, by the split's
        ledger and by `actiseg_data.records.recipe_record.Noise.place`.
    activity : ActivityAudit or None
        None if no clean labels of active objects are known, or if none could differ.
    categories : CategoryAudit or None
        None if no clean categories are known, or if none could differ.
    """

    text: TextAudit | None
    masks: MaskAudit | None
    action_list: NoisyList | None
    ledger: Mapping[str, Proportion] = field(default_factory=dict)
    activity: ActivityAudit | None = None
    categories: CategoryAudit | None = None

    @property
    def statistics(self) -> TextStatistics | None:
        """The statistics of the text."""
        return None if self.text is None else self.text.statistics

    @property
    def comparable_masks(self) -> MaskAudit | None:
        """The masks that claims are compared with.

        None if active objects are unknown, and for clean masks in a split with other noise.
        """
        masks = self.masks
        if masks is None or masks.positive is None:
            return None
        has_other = self.text is not None or self.activity is not None
        return None if masks.untouched and has_other else masks


def compare_with_recipe(recipe: Recipe, evidence: Evidence, lexicon: Lexicon) -> Iterator[Finding]:
    """Compare a split with its recipe.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    evidence : Evidence
        What was measured.
    lexicon : Lexicon
        The lexicon that the split was made with.

    Yields
    ------
    Finding

    Raises
    ------
    InputError
        See `compare_text_with_recipe`.
    """
    action_list = evidence.action_list
    if action_list is None:
        yield Finding(
            False, "the action list is missing, so it is not known what the recipe could change"
        )
        return
    yield from compare_objects_with_list(evidence.text, action_list)
    yield from compare_text_with_recipe(recipe, evidence.text, action_list, lexicon)
    yield from compare_masks_with_recipe(recipe, evidence.masks, action_list)
    yield from compare_activity_with_recipe(recipe, evidence.activity, action_list)
    yield from compare_categories_with_recipe(recipe, evidence.categories)
    for noise in recipe.noises:
        if noise.place in evidence.ledger:
            yield compare_ledger_with_recipe(noise, evidence.ledger[noise.place])


def compare_with_name(
    claims: Iterable[NameClaim], recipe: Recipe | None, evidence: Evidence
) -> Iterator[Finding]:
    """Compare a split with what its name claims.

    Names that this toolkit gives, and claims about masks, are compared with the recipe, which
    `compare_with_recipe` compares with the files. All other claims are compared with the files.
    """
    for claim in claims:
        if claim.size is not None:
            if evidence.comparable_masks is not None:
                yield compare_kernel(evidence.comparable_masks, claim, claim.size)
        elif (
            claim.rate is not None
            and recipe is not None
            and not is_imported(recipe)
            and _is_about_recipe(claim, recipe, evidence)
        ):
            yield _compare_rate_with_recipe(claim, claim.rate, recipe)
        elif claim.rate is not None:
            yield from _compare_rate_with_files(claim, claim.rate, evidence)
    if evidence.masks is not None and evidence.masks.missing:
        frames = count_nouns(evidence.masks.missing, "frame")
        yield Finding(False, f"{frames} of the list without a noisy mask")


def _is_about_recipe(claim: NameClaim, recipe: Recipe, evidence: Evidence) -> bool:
    """Return whether a claimed rate means the recipe's rate, and not a share of all prompts."""
    of_masks = claim.medium == MASKS or (claim.medium == ANY and recipe.changes_masks)
    no_share = of_masks or claim.medium == LABELS
    return claim.by_recipe or no_share or evidence.text is None


def _compare_rate_with_recipe(claim: NameClaim, claimed: float, recipe: Recipe) -> Finding:
    known: set[float] = set()
    if recipe.text_noise is not None and claim.medium in (WORDS, ANY):
        flip_rate, rename_rate = split_rates(recipe.text_noise)
        known.add(recipe.text_noise.rate)
        if rename_rate == 0 or claim.renames:
            known.add(flip_rate)
    if claim.medium in (MASKS, ANY):
        known |= {noise.rate for noise in list_file_noises(recipe)}
    if claim.medium in (LABELS, ANY):
        known |= {noise.rate for noise in recipe.label_noises}
    agrees = any(abs(rate - claimed) < 1e-6 for rate in known)
    requested = " or ".join(f"{rate:.0%}" for rate in sorted(known)) or "no such noise"
    verb = "is" if agrees else "is not"
    text = f"the {claimed:.0%} of the name ({claim.said}) {verb} the recipe's: {requested}"
    return Finding(agrees, text)


def _compare_rate_with_files(
    claim: NameClaim, rate: float, evidence: Evidence
) -> Iterator[Finding]:
    masks, text = evidence.comparable_masks, evidence.statistics
    if claim.medium == LABELS or (masks is None and text is None):
        if evidence.activity is not None:
            yield compare_activity_with_claim(evidence.activity.statistics, claim, rate)
        return
    means_text = text is not None and (
        claim.medium == WORDS or (claim.medium == ANY and (masks is None or text.changed.hits > 0))
    )
    if text is not None and means_text:
        yield from compare_text_with_claim(text, claim, rate)
    elif masks is not None and (claim.medium != WORDS or text is None):
        yield compare_masks_with_claim(masks, claim, rate)
