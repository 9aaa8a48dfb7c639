"""Measure the text noise of referring expressions: which of their nouns changed, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.names import parse_whole_number
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.expression_documents import find_expressions, read_expressions
from actiseg_data.layouts.referring import (
    EXPRESSIONS_FILE,
    ReferringDocument,
    ReferringSequence,
)
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.measurement.findings import Finding, compare_rate
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.measurement.text_changes import (
    EXPRESSION_TERMS,
    TextStatistics,
    is_flip,
    measure_text,
)
from actiseg_noise.split.text_items import ObjectText, TextItem
from actiseg_noise.text_noise.assignment import ReplacementOptions, split_rates
from actiseg_noise.text_noise.expression_plan import choose_nouns, list_categories
from actiseg_noise.text_noise.expression_reading import NounChange, explain_expression
from actiseg_noise.text_noise.expression_words import ExpressionCorruptor, ExpressionNoun


class MeasuredNoun(NamedTuple):
    """A noun that noise may replace, and what the recipe can make of it.

    Attributes
    ----------
    item : TextItem
        The noun before and after noise.
    options : ReplacementOptions
        Its possible replacements.
    """

    item: TextItem
    options: ReplacementOptions


NO_NOUN = "no expression has a noun that the noise may replace"
"""Why the text of a split with expressions cannot be measured."""


@dataclass(frozen=True)
class ExpressionAudit:
    """The text noise of the expressions of a split.

    Attributes
    ----------
    nouns : tuple of MeasuredNoun
        The nouns that the recipe may replace. Those of `unexplained` expressions are left out.
    total : Proportion
        Expressions that differ from the clean ones, of all.
    unexplained : tuple of str
        The expressions with words that the recipe cannot give.
    """

    nouns: tuple[MeasuredNoun, ...]
    total: Proportion
    unexplained: tuple[str, ...]

    @property
    def items(self) -> tuple[TextItem, ...]:
        """The nouns, without their options."""
        return tuple(noun.item for noun in self.nouns)

    def summarise(self, lexicon: Lexicon) -> TextStatistics | None:
        """Summarise the noise; None if there is no noun that noise may replace."""
        if not self.nouns:
            return None
        statistics = measure_text(list(self.items), lexicon, None)
        return replace(statistics, changed=self.total, terms=EXPRESSION_TERMS)


def measure_expressions(
    noisy: Split,
    recipe: Recipe,
    lexicon: Lexicon,
    sequences: Iterable[VideoSequence],
    clean: Split | None = None,
) -> ExpressionAudit:
    """Find which nouns of the expressions of some sequences changed.

    Parameters
    ----------
    noisy : Split
        The noisy split.
    recipe : Recipe
        Its checked recipe, with text noise.
    lexicon : Lexicon
        The lexicon that the recipe names.
    sequences : iterable of VideoSequence
        Sequences of the noisy split.
    clean : Split, optional
        The clean split. By default, the clean expressions come from ``exp_org``.

    Raises
    ------
    InputError
        If a document is damaged, if the clean expressions are not known or are not those of the
        noisy split, or if spaCy is missing.
    """
    sequences = list(sequences)
    document = _read(noisy, sequences)
    texts = _find_clean_texts(document, None if clean is None else _read(clean, sequences))
    corruptor = ExpressionCorruptor(recipe, lexicon, choose_nouns(recipe))
    categories = list_categories(sequences)
    nouns: list[MeasuredNoun] = []
    unexplained: list[str] = []
    for entry in document.sequences:
        original = _restore_clean(entry, texts)
        by_id: dict[str, list[ExpressionNoun]] = {}
        for noun in corruptor.find_options(original, categories[entry.folder]).nouns:
            by_id.setdefault(noun.expression.exp_id, []).append(noun)
        for old, new in zip(original.expressions, entry.expressions, strict=True):
            candidates = by_id.get(old.exp_id, [])
            changes = explain_expression(
                corruptor.corruptor.assigner, candidates, old.text, new.text
            )
            if changes is None:
                unexplained.append(f"{entry.folder}, expression {old.exp_id}")
                continue
            nouns += [
                MeasuredNoun(_make_item(entry.folder, noun, change, new.text), noun.options)
                for noun, change in zip(candidates, changes, strict=True)
            ]
    changed = sum(
        item.text != texts[entry.folder, item.exp_id]
        for entry in document.sequences
        for item in entry.expressions
    )
    return ExpressionAudit(tuple(nouns), Proportion(len(texts), changed), tuple(unexplained))


def compare_expressions(noise: Noise, expressions: ExpressionAudit) -> Iterator[Finding]:
    """Compare the rates of flips and renames, and every changed expression, with the recipe."""
    nouns = expressions.nouns
    flips = [is_flip(noun.item, noun.options) for noun in nouns if noun.options.flip is not None]
    renames = [
        noun.item.renamed
        for noun in nouns
        if noun.options.substitute is not None and not is_flip(noun.item, noun.options)
    ]
    flip_rate, rename_rate = split_rates(noise)
    for what, hits, wanted in (
        ("flips", flips, flip_rate),
        ("renames within their class", renames, rename_rate),
    ):
        if hits or wanted:
            proportion = Proportion(len(hits), sum(hits))
            total = Proportion(len(nouns), proportion.hits)
            yield compare_rate(what, proportion, wanted, (total, "nouns"))
    if expressions.unexplained:
        count, first = len(expressions.unexplained), expressions.unexplained[0]
        what = (
            f"{count_nouns(count, 'expression has', 'expressions have')} words that the recipe "
            f"does not give, such as {first}"
        )
        yield Finding(False, what)


def _read(split: Split, sequences: list[VideoSequence]) -> ReferringDocument:
    name = find_expressions(split)
    if name is None:
        hint = "give the dataset that the noisy split was made from"
        raise refuse(f"has no {EXPRESSIONS_FILE}", split.root, hint)
    return read_expressions(split, name, sequences)


def _find_clean_texts(
    noisy: ReferringDocument, clean: ReferringDocument | None
) -> dict[tuple[str, str], str]:
    """Find the clean text of each noisy expression, by sequence folder and id."""
    known = {
        (sequence.folder, item.exp_id): item.text_org if clean is None else item.text
        for sequence in (clean or noisy).sequences
        for item in sequence.expressions
    }
    texts: dict[tuple[str, str], str] = {}
    lacking = []
    for sequence in noisy.sequences:
        for item in sequence.expressions:
            text = known.get((sequence.folder, item.exp_id))
            if text is None:
                lacking.append(f"{sequence.folder}, expression {item.exp_id}")
            else:
                texts[sequence.folder, item.exp_id] = text
    if lacking:
        where, hint = noisy.where, "give the clean dataset as `clean`"
        what = f"lacks the clean text (exp_org) of {count_nouns(len(lacking), 'expression')}"
        if clean is not None:
            what, where = (
                f"lacks {count_nouns(len(lacking), 'expression')} of the noisy split",
                clean.where,
            )
            hint = "give the dataset that the noisy split was made from"
        raise refuse(f"{what}, such as {lacking[0]}", where, hint)
    return texts


def _restore_clean(
    entry: ReferringSequence, texts: Mapping[tuple[str, str], str]
) -> ReferringSequence:
    """Return a sequence with the clean texts of its expressions."""
    expressions = (
        replace(item, text=texts[entry.folder, item.exp_id]) for item in entry.expressions
    )
    return replace(entry, expressions=tuple(expressions))


def _make_item(folder: str, noun: ExpressionNoun, change: NounChange, noisy: str) -> TextItem:
    """Describe a noun before and after noise."""
    expression = noun.expression
    clean = ObjectText(noun.options.class_id, noun.mention.name, expression.text)
    text = (
        replace(clean, prompt=noisy)
        if change is None
        else ObjectText(change.class_id, change.name.text, noisy)
    )
    ids = expression.object_ids
    object_id = parse_whole_number(ids[0]) if len(ids) == 1 else None
    return TextItem(folder, object_id or 0, True, clean, text, expression.exp_id)
