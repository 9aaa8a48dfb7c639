"""Plan the text noise of a split with referring expressions: select nouns, rewrite the document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import refuse
from actiseg_data.core.files import encode_json
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.layouts.expression_documents import read_expressions
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import EXCHANGE, Recipe
from actiseg_noise.text_noise.expression_words import plan_expressions
from actiseg_noise.text_noise.sequence_words import Thresholds
from actiseg_noise.text_noise.text_plan import TextPlan

_NOUNS: Mapping[str | None, str] = {"prompt": "head", "nouns": "all"}
"""The nouns of an expression that each scope of a recipe changes."""


def plan_expression_text(
    split: Split,
    name: str,
    recipe: Recipe,
    sequences: Sequence[VideoSequence],
    lexicon: Lexicon | None = None,
    known: Thresholds | None = None,
) -> TextPlan:
    """Draw the text noise of expressions, and rewrite their document in memory.

    Parameters
    ----------
    split : Split
        The clean split.
    name : str
        The document of its expressions.
    recipe, sequences, lexicon, known
        As for `actiseg_noise.text_noise.text_plan.plan_text`.

    Raises
    ------
    InputError
        If the document is damaged or already noisy, if the recipe's scope is not of expressions, or
        if spaCy is missing.
    """
    assert recipe.text_noise is not None, "callers check"
    with pause_gc():
        clean = read_expressions(split, name, sequences)
        whole = clean
        if recipe.text_noise.exact and known is None and len(sequences) < len(split):
            whole = read_expressions(split, name, split.sequences)
        plan = plan_expressions(
            whole.sequences,
            recipe,
            lexicon,
            nouns=choose_nouns(recipe),
            categories=list_categories(split),
            only={sequence.folder for sequence in sequences},
            known=known,
        )
        document = clean.rewrite(plan.texts)
        return TextPlan(
            plan.thresholds,
            {name: encode_json(document)},
            {name: digest_json(document)},
            plan.rows,
            plan.tally,
            {entry.folder: len(entry.expressions) for entry in clean.sequences},
        )


def choose_nouns(recipe: Recipe) -> str:
    """Return which nouns of an expression a recipe changes, as `plan_expressions` names it.

    Raises
    ------
    InputError
        If its scope is not of expressions.
    """
    noise = recipe.text_noise
    scope = None if noise is None else noise.scope
    if noise is not None and noise.kind == EXCHANGE:
        raise refuse(
            "'exchange' is for datasets with action lists, and this one has expressions",
            "`kind`",
            "give category, within-category or text",
        )
    if scope not in _NOUNS:
        raise refuse(
            f"{scope!r} is for datasets with action lists, and this one has expressions",
            "`scope`",
            "give prompt (the noun that an expression refers to) or nouns (each of its nouns)",
        )
    return _NOUNS[scope]


def list_categories(sequences: Iterable[VideoSequence]) -> dict[str, dict[str, str]]:
    """List the names of objects with a category, by sequence folder and object id."""
    return {
        sequence.folder: {
            str(label.object_id): label.name for label in sequence.objects if label.class_id != -1
        }
        for sequence in sequences
    }
