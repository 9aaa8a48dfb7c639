"""Find which nouns of a noisy expression changed, by what a recipe draws for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from actiseg_noise.text_noise.agreement import replace_noun
from actiseg_noise.text_noise.assignment import Replacement, ReplacementAssigner
from actiseg_noise.text_noise.expression_words import ExpressionNoun

NounChange: TypeAlias = "Replacement | None"
"""The replacement of a noun; None if it is clean."""


def explain_expression(
    assigner: ReplacementAssigner, nouns: Sequence[ExpressionNoun], clean: str, noisy: str
) -> tuple[NounChange, ...] | None:
    """Find the replacement of each noun of an expression.

    Parameters
    ----------
    assigner : ReplacementAssigner
        Makes the replacements of the recipe.
    nouns : sequence of ExpressionNoun
        The nouns that noise may replace, in order.
    clean, noisy : str
        The text before and after noise.

    Returns
    -------
    tuple or None
        The change of each noun; None if the recipe cannot give the noisy text.
    """
    # From the last noun, so that the ranges of earlier ones stay valid. Then the text after a noun
    # is final, and few of the possible texts are left.
    texts: list[tuple[str, tuple[NounChange, ...]]] = [(clean, ())]
    for noun in reversed(nouns):
        start, end, number = noun.mention.start, noun.mention.end, noun.mention.number
        possible = [(text, done) for text, done in texts if noisy.endswith(text[end:])]
        texts = [(text, (None, *done)) for text, done in possible]
        texts += [
            (replace_noun(text, start, end, number, change.name), (change, *done))
            for text, done in possible
            for change in _list_replacements(assigner, noun)
        ]
    return next((done for text, done in texts if text == noisy), None)


def _list_replacements(assigner: ReplacementAssigner, noun: ExpressionNoun) -> list[Replacement]:
    """List the replacements that the recipe draws for a noun, whether it is selected or not."""
    options = noun.options
    flips = [assigner.make_flip(options)] if options.flip is not None else []
    return flips + ([assigner.make_substitution(options)] if options.substitute is not None else [])
