"""Audit of the labels of active objects, and their comparison with a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.label_noise.activity_flips import draw_flip, is_eligible
from actiseg_noise.measurement.activity_changes import ActivityStatistics, measure_activity
from actiseg_noise.measurement.audit_claims import NameClaim
from actiseg_noise.measurement.audit_input import AuditInput
from actiseg_noise.measurement.findings import NOT_REQUESTED, Finding, compare_rate
from actiseg_noise.measurement.medium_result import MediumResult
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.split.activity_items import (
    ActivityItem,
    ObjectKey,
    find_companions,
    list_activity,
    read_companion_flags,
)
from actiseg_noise.split.text_items import NoisyList, read_noisy_list


@dataclass(frozen=True)
class ActivityAudit:
    """The labels of active objects of a noisy split.

    Attributes
    ----------
    items : tuple of ActivityItem
        Every object with a known clean label.
    statistics : ActivityStatistics
        What was measured on them.
    unequal : int
        Prompts and entries of the objects file with another label than the list.
    kept_wrong : int
        Clean labels that the list keeps and that are not those of the clean dataset.
    """

    items: tuple[ActivityItem, ...]
    statistics: ActivityStatistics
    unequal: int
    kept_wrong: int


def audit_activity(task: AuditInput) -> MediumResult[ActivityAudit]:
    """Measure the labels of a split.

    The result has no value if no clean labels are known, or if no label differs and neither the
    list nor the recipe says that some might.
    """
    listed = task.action_list
    if listed is None or task.split is None:
        return MediumResult()
    clean = _read_clean(task)
    items = list_activity(listed, clean)
    requested = task.recipe is not None and task.recipe.activity_noise is not None
    if not items or not (requested or listed.activity or any(item.flipped for item in items)):
        return MediumResult()
    kept = {key: flags[0] for key, flags in listed.activity.items()}
    wrong = sum(kept[key] != value for key, value in (clean or {}).items() if key in kept)
    unequal = _count_unequal(task, listed)
    audit = ActivityAudit(tuple(items), measure_activity(items, task.lexicon), unequal, wrong)
    compared_with = "*_org keys" if clean is None else str(task.clean)
    return MediumResult(audit, compared_with=compared_with)


def _read_clean(task: AuditInput) -> dict[ObjectKey, bool] | None:
    """Read the clean labels from the clean dataset; None if it has no such list."""
    path = None if task.clean is None else task.clean / IMAGE_SETS / f"{task.split}.json"
    if path is None or not path.is_file():
        return None
    return {
        (sequence.folder, label.object_id): label.positive
        for sequence in read_noisy_list(path).sequences
        for label in sequence.objects
    }


def _count_unequal(task: AuditInput, listed: NoisyList) -> int:
    """Count the entries of the companion files that have another label than the list."""
    if task.lists is None or task.split is None:
        return 0
    labels = {
        (sequence.folder, label.object_id): listed.activity.get(
            (sequence.folder, label.object_id), (None, label.positive)
        )[1]
        for sequence in listed.sequences
        for label in sequence.objects
    }
    return sum(
        flags[1] is not None and labels.get(key, flags[1]) != flags[1]
        for path in find_companions(task.lists, task.split)
        for key, flags in read_companion_flags(path, task.split).items()
    )


def compare_activity_with_recipe(
    recipe: Recipe, labels: ActivityAudit | None, action_list: NoisyList
) -> Iterator[Finding]:
    """Compare the labels of active objects of a split with its recipe.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    labels : ActivityAudit or None
        What was measured; None if no clean labels are known, or if there is nothing to compare.
    action_list : NoisyList
        The split's own list, which identifies its objects.

    Yields
    ------
    Finding
    """
    noise = recipe.activity_noise
    if labels is None:
        if noise is not None:
            what = "the recipe asks for noise in labels, but no clean labels are known"
            yield Finding(False, what)
        return
    if labels.unequal:
        what = f"{labels.unequal} prompts or objects have another label than the list"
        yield Finding(False, what)
    if labels.kept_wrong:
        what = f"{labels.kept_wrong} labels in positive_org are not those of the clean dataset"
        yield Finding(False, what)
    flipped = labels.statistics.all.flipped
    if noise is None:
        if flipped.hits:
            yield Finding(False, f"{flipped.percentage} of all labels differ, {NOT_REQUESTED}")
        return
    known = {
        (sequence.folder, label.object_id): (sequence, label)
        for sequence in action_list.sequences
        for label in sequence.objects
    }
    pairs = [(item, *known[item.sequence, item.object_id]) for item in labels.items]
    possible = [
        (item, draw_flip(recipe.seed, sequence, label))
        for item, sequence, label in pairs
        if is_eligible(label, noise)
    ]
    hits = sum(item.flipped for item, _ in possible)
    proportion = Proportion(len(possible), hits)
    yield compare_rate("labels", proportion, noise.rate, (flipped, "objects"))
    if flipped.hits > hits:
        what = f"{flipped.hits - hits} labels differ, but the recipe cannot change them"
        yield Finding(False, what)
    different = sum(item.flipped != (draw < noise.rate) for item, draw in possible)
    if different and not noise.exact:
        what = f"{different} objects have other labels than the recipe draws for them"
        yield Finding(False, what)


def compare_activity_with_claim(
    labels: ActivityStatistics, claim: NameClaim, rate: float
) -> Finding:
    """Compare the labels of active objects with the rate that a name claims."""
    flipped = labels.all.flipped
    agrees = flipped.is_consistent_with(rate)
    verdict = "is" if agrees else "is not"
    return Finding(
        agrees,
        f"{flipped.percentage} of all {flipped.items} labels of active objects differ, which "
        f"{verdict} the {rate:.0%} that the name says ({claim.said})",
    )
