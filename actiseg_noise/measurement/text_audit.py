"""Audit of noisy text: the measured statistics, and the objects that they were measured on."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.dataset_opening import is_recorded, open_recorded
from actiseg_data.layouts.image_sets import name_objects_file
from actiseg_data.layouts.opening import open_source
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_noise.measurement.audit_input import AuditInput
from actiseg_noise.measurement.expression_audit import NO_NOUN, ExpressionAudit, measure_expressions
from actiseg_noise.measurement.medium_result import MediumResult
from actiseg_noise.measurement.text_changes import TextStatistics, measure_text
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.noisy_split import read_carried_lexicon
from actiseg_noise.split.text_items import TextItem, read_text_items
from actiseg_noise.text_noise.mentions import MentionFinder, load_finder


@dataclass(frozen=True)
class TextAudit:
    """The text of a noisy split.

    Attributes
    ----------
    items : tuple of TextItem
        Every object, with its clean and its noisy text.
    statistics : TextStatistics
        What was measured on them.
    expressions : ExpressionAudit or None
        Of a dataset with referring expressions. Then the items are their nouns.
    """

    items: tuple[TextItem, ...]
    statistics: TextStatistics
    expressions: ExpressionAudit | None = None


def audit_text(task: AuditInput) -> MediumResult[TextAudit]:
    """Measure the text of a split; without a value if it has none or no clean text is known."""
    if is_recorded(task.noisy):
        return _audit_expressions(task)
    left_out: dict[str, str] = {}
    items = _read_items(task, left_out)
    if not items:
        if task.recipe is not None and task.recipe.text_noise is None:
            left_out.clear()  # the text is clean
        return MediumResult(left_out=left_out)
    statistics = measure_text(items, task.lexicon, _make_finder(task.lexicon, left_out))
    compared_with = "*_org keys" if task.clean is None else str(task.clean)
    return MediumResult(TextAudit(tuple(items), statistics), left_out, compared_with)


def _audit_expressions(task: AuditInput) -> MediumResult[TextAudit]:
    """Measure the expressions of a noisy copy of a dataset without action lists."""
    if task.recipe is None or task.recipe.text_noise is None:
        return MediumResult()
    recipe = check_recipe(task.recipe, RECIPE_FILE)
    noisy, clean = open_recorded(task.noisy), None
    if task.clean is not None:
        clean = open_source(task.clean, task.noisy, recipe.split)
    own = read_carried_lexicon(task.noisy) or load_lexicon()
    measured = measure_expressions(noisy, recipe, own, noisy.sequences, clean)
    statistics = measured.summarise(task.lexicon)
    if statistics is None:
        return MediumResult(left_out={"text": NO_NOUN})
    audit = TextAudit(measured.items, statistics, measured)
    compared_with = "exp_org keys" if task.clean is None else str(task.clean)
    return MediumResult(audit, {}, compared_with)


def _read_items(task: AuditInput, left_out: dict[str, str]) -> list[TextItem]:
    if task.lists is None or task.split is None:
        return []
    if not (task.lists / name_objects_file(task.split)).is_file():
        return []
    clean = None if task.clean is None else task.clean / IMAGE_SETS
    try:
        return read_text_items(task.lists, task.split, clean)
    except InputError as error:
        if clean is None and all("*_org" in problem.what for problem in error.problems):
            left_out["text"] = error.problems[0].what
            return []
        raise


def _make_finder(lexicon: Lexicon, left_out: dict[str, str]) -> MentionFinder | None:
    """Make a finder of nouns in narrations; return None without spaCy."""
    try:
        return load_finder(lexicon)
    except InputError as error:
        left_out["contradictions"] = error.problems[0].what
        return None
