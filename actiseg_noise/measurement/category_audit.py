"""Audit of the categories of objects, and their comparison with a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.dataset_opening import is_recorded, open_recorded
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.label_noise.class_draws import CategoryDraws, is_without_effect, plan_class_noise
from actiseg_noise.measurement.audit_input import AuditInput
from actiseg_noise.measurement.category_changes import (
    CategoryItem,
    CategoryStatistics,
    list_category_items,
    measure_categories,
)
from actiseg_noise.measurement.findings import NOT_REQUESTED, Finding, compare_rate
from actiseg_noise.measurement.medium_result import MediumResult
from actiseg_noise.measurement.proportions import Proportion


@dataclass(frozen=True)
class CategoryAudit:
    """The categories of a noisy split.

    Attributes
    ----------
    items : tuple of CategoryItem
        Every object whose category the files have.
    statistics : CategoryStatistics
        What was measured on them.
    """

    items: tuple[CategoryItem, ...]
    statistics: CategoryStatistics


def audit_categories(task: AuditInput) -> MediumResult[CategoryAudit]:
    """Measure the categories of a split, against the list of sequences that it carries.

    The result has no value without such a list, and if no category differs and the recipe does not
    ask for such noise.
    """
    if not is_recorded(task.noisy):
        return MediumResult()
    split = open_recorded(task.noisy)
    items = list_category_items(split, task.recipe, split.sequences)
    requested = task.recipe is not None and task.recipe.class_noise is not None
    if not items or not (requested or any(item.has_changed for item in items)):
        return MediumResult()
    audit = CategoryAudit(tuple(items), measure_categories(items))
    return MediumResult(audit, compared_with=SEQUENCES_FILE)


def compare_categories_with_recipe(
    recipe: Recipe, categories: CategoryAudit | None
) -> Iterator[Finding]:
    """Compare the categories of a split with its recipe.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    categories : CategoryAudit or None
        What was measured; None if there is nothing to compare.

    Yields
    ------
    Finding
    """
    noise = recipe.class_noise
    if categories is None:
        if noise is not None and not is_without_effect(noise):
            yield Finding(False, "the recipe asks for noise in categories, but there are none")
        return
    changed = categories.statistics.all.changed
    if noise is None:
        if changed.hits:
            yield Finding(False, f"{changed.percentage} of all categories differ, {NOT_REQUESTED}")
        return
    if is_without_effect(noise):
        return
    yield _compare_share(noise, categories, changed)
    if noise.exact:
        return
    sequences = list({item.sequence.folder: item.sequence for item in categories.items}.values())
    rows = plan_class_noise([seq.drop_ghosts() for seq in sequences], recipe.seed, noise).rows
    drawn = {(row.sequence, row.object_id): row.category_id for own in rows.values() for row in own}
    different = 0
    for item in categories.items:
        expected = drawn.get((item.sequence.folder, item.label.object_id), item.label.class_id)
        different += item.noisy is None or item.noisy.id != expected
    if different:
        what = (
            f"{count_nouns(different, 'object has', 'objects have')} other categories than the "
            "recipe draws for them"
        )
        yield Finding(False, what)


def _compare_share(noise: Noise, categories: CategoryAudit, changed: Proportion) -> Finding:
    """Compare the share of objects in another category with what the recipe gives on average."""
    draws = CategoryDraws(noise)
    shares = [
        draws.compute_change_share(item.clean)
        for item in categories.items
        if item.clean is not None and draws.has_choice(item.clean)
        if item.label.positive or noise.objects == "all"
    ]
    wanted = noise.rate * sum(shares) / len(shares) if shares else 0.0
    proportion = Proportion(len(shares), changed.hits)
    return compare_rate("categories", proportion, wanted, (changed, "objects"))
