"""The text noise of referring expressions, such as ``a person on the left riding a horse``.

The nouns of a lexicon are found as in narrations. A noun of an expression is an item; its key is
the folder of the sequence, the id of the expression, and its position among the nouns there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.errors import check_choice, refuse
from actiseg_data.core.names import is_plain_text, parse_whole_number
from actiseg_data.layouts.referring import ReferringExpression, ReferringSequence
from actiseg_data.records.ledger_record import TextRow
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.text_noise.agreement import has_plural_determiner, replace_noun
from actiseg_noise.text_noise.assignment import Replacement, ReplacementOptions, TakenNames
from actiseg_noise.text_noise.head_nouns import find_head
from actiseg_noise.text_noise.mentions import Mention, load_finder
from actiseg_noise.text_noise.naming import TextNames, get_name_index
from actiseg_noise.text_noise.sequence_words import (
    TextCorruptor,
    Thresholds,
    compute_exact_thresholds,
)
from actiseg_noise.text_noise.text_rows import ReplacedNoun, make_text_row

NOUNS = ("head", "all")
"""The nouns of an expression that noise may replace: the one that it refers to, or each."""


class ExpressionNoun(NamedTuple):
    """A noun of an expression that noise may replace.

    Attributes
    ----------
    expression : ReferringExpression
        The expression.
    position : int
        Position among the nouns of the expression.
    mention : Mention
        The noun.
    options : ReplacementOptions
        Its possible replacements.
    """

    expression: ReferringExpression
    position: int
    mention: Mention
    options: ReplacementOptions


@dataclass(frozen=True)
class ExpressionOptions:
    """The nouns of a sequence that noise may replace, and counts as in `ExpressionPlan`."""

    folder: str
    nouns: tuple[ExpressionNoun, ...]
    tally: Counter[str]


@dataclass(frozen=True)
class ExpressionPlan:
    """The text noise of the expressions of some sequences.

    Attributes
    ----------
    thresholds : Thresholds
        Thresholds of the draws.
    texts : mapping of (str, str) to str
        The changed expressions, by folder and id.
    rows : mapping of str to tuple of TextRow
        Ledger rows by folder. Their parameters have the id of the ``expression``, the position of
        the ``noun`` in it, and the ids of the ``objects`` if there are several.
    tally : Counter
        Counts as in `TextChanges`, where ``all_items`` are the expressions, or with all nouns the
        nouns. ``expression_empty``, ``expression_without_noun`` and ``expression_unprintable`` (it
        has control characters) count expressions without an item.
    """

    thresholds: Thresholds
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rows: Mapping[str, tuple[TextRow, ...]] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)


class ExpressionCorruptor:
    """Applies the text noise of a recipe to referring expressions.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe with text noise. Its scope and its objects do not count.
    lexicon : Lexicon, optional
        The lexicon that the recipe names, by default the installed one.
    nouns : str
        One of `NOUNS`.

    Raises
    ------
    InputError
        As for `TextCorruptor`, or if spaCy is missing.
    """

    def __init__(self, recipe: Recipe, lexicon: Lexicon | None = None, nouns: str = "head") -> None:
        check_choice(nouns, NOUNS, "nouns")
        self.corruptor = TextCorruptor(recipe, lexicon)
        self._nouns = nouns
        self._lexicon = self.corruptor.lexicon
        parameters = self.corruptor.noise.parameters
        self._finder = load_finder(self._lexicon, parameters["pipeline"])
        names = (name for noun in self._lexicon.classes.values() for name in noun.names)
        self._invariable = {name.text for name in names if name.counterpart == name.text}
        self._index = get_name_index(self._lexicon, sisters=parameters.get("flip") == "sister")

    def find_options(
        self, sequence: ReferringSequence, categories: Mapping[str, str]
    ) -> ExpressionOptions:
        """Return the options of the nouns of a sequence, whether they are selected or not.

        A flip avoids the classes of all objects, and those that any expression of the sequence
        mentions; so does a name that is in the same expression.

        Parameters
        ----------
        sequence : ReferringSequence
            The sequence with its clean expressions.
        categories : mapping of str to str
            Names of objects by id, as far as they are known.
        """
        classes = {object_id: self._find_classes(name) for object_id, name in categories.items()}
        known = frozenset[int]().union(*classes.values())
        mentioned = (self._index.find(item.text).classes for item in sequence.expressions)
        avoided = frozenset[int]().union(*mentioned)
        nouns: list[ExpressionNoun] = []
        tally: Counter[str] = Counter()
        for expression in sequence.expressions:
            referents = frozenset[int]().union(
                *(classes.get(object_id, ()) for object_id in expression.object_ids)
            )
            obstacle = _find_obstacle(expression.text)
            mentions = [] if obstacle else self._find_mentions(expression.text)
            chosen = self._choose_positions(expression.text, mentions, referents)
            tally["all_items"] += len(mentions) if self._nouns == "all" else 1
            tally[obstacle or "expression_without_noun"] += not chosen
            tally["expression_object_without_mask"] += bool(expression.ids_without_mask)
            taken = TakenNames(set(known), set(), self._list_names(expression.text, avoided))
            options = self._find_noun_options(sequence, expression, mentions, referents, taken)
            nouns += [noun for noun in options if noun.position in chosen]
        tally += self.corruptor.tally_items(noun.options for noun in nouns)
        return ExpressionOptions(sequence.folder, tuple(nouns), tally)

    def choose(self, options: ExpressionOptions, thresholds: Thresholds) -> ExpressionPlan:
        """Select nouns of a sequence and replace them."""
        tally = Counter(options.tally)
        chosen: dict[str, list[tuple[ExpressionNoun, Replacement]]] = {}
        for noun in options.nouns:
            replacement = self.corruptor.select(noun.options, thresholds, tally)
            if replacement is not None:
                chosen.setdefault(noun.expression.exp_id, []).append((noun, replacement))
        texts = {}
        rows: list[TextRow] = []
        for exp_id, pairs in chosen.items():
            text = pairs[0][0].expression.text
            for noun, replacement in reversed(pairs):  # the ranges of earlier nouns stay valid
                start, end, number = noun.mention.start, noun.mention.end, noun.mention.number
                text = replace_noun(text, start, end, number, replacement.name)
            texts[options.folder, exp_id] = text
            rows += [self._make_row(options.folder, *pair, text) for pair in pairs]
        return ExpressionPlan(thresholds, texts, {options.folder: tuple(rows)}, tally)

    def _find_classes(self, name: str) -> frozenset[int]:
        return frozenset(self._lexicon.find_classes(name)) or self._index.find(name).classes

    def _find_mentions(self, text: str) -> list[Mention]:
        mentions = self._finder.find(text, begins_with_verb=False)
        return [
            replace(mention, number="plural")
            if mention.name in self._invariable and has_plural_determiner(text[: mention.start])
            else mention
            for mention in mentions
        ]

    def _choose_positions(
        self, text: str, mentions: Sequence[Mention], referents: AbstractSet[int]
    ) -> AbstractSet[int]:
        """Return the positions of the nouns that may be replaced."""
        if self._nouns == "all":
            return set(range(len(mentions)))
        head = find_head(text, mentions, referents)
        return set() if head is None else {head}

    def _list_names(self, text: str, classes: AbstractSet[int]) -> TextNames:
        return TextNames(frozenset(classes), self._index.find(text).names)

    def _find_noun_options(
        self,
        sequence: ReferringSequence,
        expression: ReferringExpression,
        mentions: Sequence[Mention],
        referents: AbstractSet[int],
        taken: TakenNames,
    ) -> list[ExpressionNoun]:
        """Return the options of all nouns that are not protected, each avoiding earlier ones.

        All nouns get options, so that the head has the same ones whether or not others count. Keys
        decide which nouns are earlier.
        """
        assigner = self.corruptor.assigner

        def compute_rank(position: int) -> tuple[float, int]:
            return assigner.draw_rank((sequence.folder, expression.exp_id, position)), position

        nouns = []
        for position in sorted(range(len(mentions)), key=compute_rank):
            mention = mentions[position]
            fitting = [class_id for class_id in mention.classes if class_id in referents]
            class_id = (fitting or mention.classes)[0]
            if assigner.is_protected(class_id):
                continue
            identity = (sequence.folder, expression.exp_id, position)
            options = assigner.find_mention_options(identity, class_id, mention.name, taken)
            taken.add(options)
            nouns.append(ExpressionNoun(expression, position, mention, options))
        return sorted(nouns, key=lambda noun: noun.position)

    def _make_row(
        self, folder: str, noun: ExpressionNoun, replacement: Replacement, text: str
    ) -> TextRow:
        ids = noun.expression.object_ids
        return make_text_row(
            self.corruptor,
            folder,
            ReplacedNoun(
                parse_whole_number(ids[0]) if len(ids) == 1 else None,
                noun.mention.name,
                noun.options.class_id,
                replacement,
            ),
            noun.expression.text,
            text,
            {
                "expression": noun.expression.exp_id,
                "noun": noun.position,
                **({"objects": list(map(parse_whole_number, ids))} if len(ids) > 1 else {}),
            },
        )


def plan_expressions(
    sequences: Sequence[ReferringSequence],
    recipe: Recipe,
    lexicon: Lexicon | None = None,
    *,
    nouns: str = "head",
    categories: Mapping[str, Mapping[str, str]] | None = None,
    only: AbstractSet[str] | None = None,
    known: Thresholds | None = None,
) -> ExpressionPlan:
    """Draw the text noise of referring expressions.

    Parameters
    ----------
    sequences : sequence of ReferringSequence
        All sequences of the split, clean. Thresholds of an exact recipe come from all of them.
    recipe : Recipe
        A checked recipe with text noise.
    lexicon : Lexicon, optional
        The lexicon that the recipe names, by default the installed one.
    nouns : str
        ``head``: the noun that an expression refers to. ``all``: each noun.
    categories : mapping of str to mapping of str to str, optional
        Names of objects by folder and object id, as far as they are known.
    only : set of str, optional
        Folders of the sequences to which noise is added.
    known : Thresholds, optional
        The thresholds of an exact recipe. By default, they are computed from all sequences.

    Raises
    ------
    InputError
        If spaCy is missing, if the recipe names another lexicon, or if no expression has a noun of
        the lexicon.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> cup = ReferringExpression("0", "a cup on the left")
    >>> recipe = make_recipe("category", 1.0)
    >>> plan = plan_expressions([ReferringSequence("kitchen", (cup,))], recipe)
    >>> plan.rows["kitchen"][0].object, plan.texts["kitchen", "0"].endswith(" on the left")
    ('cup', True)
    """
    corruptor = ExpressionCorruptor(recipe, lexicon, nouns)
    exact = corruptor.corruptor.noise.exact and known is None
    wanted = {sequence.folder for sequence in sequences} if only is None else only
    surveyed = [
        corruptor.find_options(sequence, (categories or {}).get(sequence.folder, {}))
        for sequence in sequences
        if exact or sequence.folder in wanted
    ]
    if not any(options.nouns for options in surveyed):
        complete = [
            corruptor.find_options(sequence, (categories or {}).get(sequence.folder, {}))
            for sequence in sequences
        ]
        _refuse_foreign(complete, corruptor.corruptor.lexicon)
    thresholds = known or corruptor.corruptor.thresholds
    if exact:
        items = (noun.options for options in surveyed for noun in options.nouns)
        thresholds = compute_exact_thresholds(items, thresholds)
    plans = [
        corruptor.choose(options, thresholds) for options in surveyed if options.folder in wanted
    ]
    return ExpressionPlan(
        thresholds,
        {item: text for plan in plans for item, text in plan.texts.items()},
        {folder: rows for plan in plans for folder, rows in plan.rows.items()},
        sum((plan.tally for plan in plans), Counter()),
    )


def _find_obstacle(text: str) -> str:
    """Return the count of expressions in which no noun can be replaced, or nothing."""
    if not text.strip():
        return "expression_empty"
    return "" if is_plain_text(text) else "expression_unprintable"  # which no ledger takes


def _refuse_foreign(surveyed: Sequence[ExpressionOptions], lexicon: Lexicon) -> None:
    """Refuse a lexicon that has no noun of any expression: it is of another dataset."""
    lacking = sum(options.tally["expression_without_noun"] for options in surveyed)
    if lacking and not any(options.nouns for options in surveyed):
        raise refuse(
            f"none of {lacking} expressions refers to an object by a noun of {lexicon.title!r}",
            "`lexicon`",
            "make one of the dataset's nouns: actiseg-noise lexicon build --names FILE",
        )
