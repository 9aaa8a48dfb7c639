"""The text noise of a sequence: pure functions of the sequence and a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.records.recipe_record import EXCHANGE, Recipe
from actiseg_noise.recipes.kind_parameters import FREQUENCY
from actiseg_noise.recipes.rates import find_exact_threshold
from actiseg_noise.text_noise.assignment import (
    WITHIN,
    Replacement,
    ReplacementAssigner,
    ReplacementOptions,
    split_rates,
)
from actiseg_noise.text_noise.mentions import MentionFinder, load_finder


@dataclass(frozen=True)
class Thresholds:
    """Items with a draw below `flip` are flipped, others below `substitute` are substituted."""

    flip: float
    substitute: float


@dataclass(frozen=True)
class NarrationOptions:
    """The options of the noun of a narration; `mention` is the lexicon's name for the noun."""

    mention: str
    options: ReplacementOptions


@dataclass(frozen=True)
class TextOptions:
    """The options of the text of a sequence, whether items are selected or not.

    Attributes
    ----------
    objects : mapping of int to ReplacementOptions
        By object id.
    narration : NarrationOptions or None
        Under the scope ``narration`` only.
    tally : Counter
        Counts; see `TextChanges`.
    """

    objects: Mapping[int, ReplacementOptions]
    narration: NarrationOptions | None
    tally: Counter[str]

    @property
    def items(self) -> list[ReplacementOptions]:
        """The options of all items that noise can select."""
        narration = [] if self.narration is None else [self.narration.options]
        return [*self.objects.values(), *narration]


@dataclass(frozen=True)
class NarrationChange:
    """A narration with another noun.

    Attributes
    ----------
    class_id : int
        Class of the replaced noun.
    mention : str
        The lexicon's name for the replaced noun.
    replacement : Replacement
        The new noun.
    text : str
        The whole new narration.
    """

    class_id: int
    mention: str
    replacement: Replacement
    text: str


@dataclass(frozen=True)
class TextChanges:
    """The changes to the text of one sequence.

    Attributes
    ----------
    objects : mapping of int to Replacement
        Replacements of the selected objects, by object id.
    narration : NarrationChange or None
        Change of the narration, if any.
    tally : Counter
        Counts of items: ``all_items`` (prompts, or narrations under that scope), ``items`` (those
        that scope and recipe admit), ``changeable`` (items with a possible replacement),
        ``flip_items`` (items that can be flipped), ``flipped``, ``rest_items`` (items that are not
        flipped and can be substituted), ``substituted``, ``one_name`` (the class has no other name
        to write), ``no_flip_target`` and ``names_collide`` (all possible replacements occur in the
        sequence), ``exchange_without_change`` and ``exchange_without_partner`` (see
        `actiseg_noise.text_noise.exchanges.Pairing`), ``narration_empty``,
        ``narration_without_noun``.
    """

    objects: Mapping[int, Replacement]
    narration: NarrationChange | None
    tally: Counter[str]


class TextCorruptor:
    """Applies the text noise of a recipe to sequences.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe with text noise.
    lexicon : Lexicon, optional
        The lexicon that the recipe names, by default the installed one.

    Raises
    ------
    InputError
        If the recipe names another lexicon, if the lexicon lacks a class that the recipe names, or
        if spaCy is missing for the scopes ``both`` and ``narration``.

    Examples
    --------
    >>> from actiseg_data.annotations.sequences import ObjectLabel
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> sequence = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take",
    ...                          0, "cup", 13, ("frame_0000000001",), (cup,))
    >>> corruptor = TextCorruptor(make_recipe("category", 1.0))
    >>> options = corruptor.find_options(sequence)
    >>> corruptor.choose(options, corruptor.thresholds).objects[1].kind
    'category'
    """

    def __init__(self, recipe: Recipe, lexicon: Lexicon | None = None) -> None:
        lexicon = load_lexicon() if lexicon is None else lexicon
        if recipe.text_noise is not None and recipe.text_noise.parameters.get("pool") == FREQUENCY:
            raise refuse(
                "has no frequencies yet: they are those of a dataset",
                "`pool`",
                "make the recipe with the dataset: actiseg-noise corrupt DATASET --pool frequency",
            )
        self.assigner = ReplacementAssigner(recipe, lexicon)
        self.noise, self.lexicon = self.assigner.noise, lexicon
        if self.noise.parameters["lexicon"] != lexicon.digest:
            raise refuse(
                f"was made with another lexicon than {lexicon.title!r}",
                "`recipe`",
                "give that lexicon as `lexicon`; every release of actiseg has its own (see "
                "'toolkit' in the split's summary.json)",
            )
        _refuse_foreign(self.noise.parameters, lexicon)
        self.finder: MentionFinder | None = None
        if self.noise.scope != "prompt":
            self.finder = load_finder(lexicon, self.noise.parameters["pipeline"])
        self.thresholds = Thresholds(*split_rates(self.noise))

    def find_options(self, sequence: VideoSequence) -> TextOptions:
        """Return the options of the text of a sequence."""
        if self.noise.kind == EXCHANGE:
            objects, tally = self.assigner.find_exchanges(sequence)
            tally += Counter(all_items=len(sequence.objects)) + self.tally_items(objects.values())
            return TextOptions(objects, None, tally)
        if self.noise.scope != "narration":
            objects = self.assigner.find_object_options(sequence)
            tally = Counter(all_items=len(sequence.objects)) + self.tally_items(objects.values())
            return TextOptions(objects, None, tally)
        narration, tally = self._find_narration_options(sequence)
        tally = tally + Counter(all_items=1)
        items = [narration.options] if narration is not None else []
        return TextOptions({}, narration, tally + self.tally_items(items))

    def choose(
        self, options: TextOptions, thresholds: Thresholds, narration: str = ""
    ) -> TextChanges:
        """Select items and return their changes.

        Parameters
        ----------
        options : TextOptions
            Options of the sequence.
        thresholds : Thresholds
            Thresholds of the draws.
        narration : str
            Narration of the sequence, for the scope ``narration``.
        """
        tally = Counter(options.tally)
        chosen = {
            object_id: replacement
            for object_id, option in options.objects.items()
            if (replacement := self.select(option, thresholds, tally)) is not None
        }
        change = None
        if options.narration is not None:
            replacement = self.select(options.narration.options, thresholds, tally)
            if replacement is not None:
                change = self._make_change(narration, options.narration, replacement)
        return TextChanges(chosen, change, tally)

    def select(
        self, option: ReplacementOptions, thresholds: Thresholds, tally: Counter[str]
    ) -> Replacement | None:
        """Return the replacement of an item if it is selected, and count it."""
        if option.flip is not None:
            tally["flip_items"] += 1
            if option.flip_draw < thresholds.flip:
                tally["flipped"] += 1
                return self.assigner.make_flip(option)
        if option.substitute is not None:
            tally["rest_items"] += 1
            if option.substitute_draw < thresholds.substitute:
                tally["substituted"] += 1
                return self.assigner.make_substitution(option)
        return None

    def tally_items(self, items: Iterable[ReplacementOptions]) -> Counter[str]:
        """Count items by what can replace them; see `TextChanges`."""
        tally: Counter[str] = Counter()
        for option in items:
            tally["items"] += 1
            tally["changeable"] += option.flip is not None or option.substitute is not None
            if self.noise.kind not in (WITHIN, EXCHANGE) and option.flip is None:
                tally["no_flip_target"] += 1
            if self.assigner.substitutes and option.substitute is None:
                tally["one_name" if option.one_name else "names_collide"] += 1
        return tally

    def _find_narration_options(
        self, sequence: VideoSequence
    ) -> tuple[NarrationOptions | None, Counter[str]]:
        assert self.finder is not None
        if not sequence.narration.strip():
            return None, Counter(narration_empty=1)
        class_id = sequence.noun_class
        mentions = self.finder.find(sequence.narration)
        nouns = [mention for mention in mentions if class_id in mention.classes]
        if not nouns:
            return None, Counter(narration_without_noun=1)
        if self.assigner.is_protected(class_id):
            return None, Counter()
        options = self.assigner.find_narration_options(sequence, class_id, nouns[0].name)
        return NarrationOptions(nouns[0].name, options), Counter()

    def _make_change(
        self, narration: str, noun: NarrationOptions, replacement: Replacement
    ) -> NarrationChange:
        assert self.finder is not None
        class_id = noun.options.class_id
        text = self.finder.replace(narration, class_id, replacement.name)
        assert text is not None, "the narration has the noun of its options"
        return NarrationChange(class_id, noun.mention, replacement, text)


def _refuse_foreign(parameters: Mapping[str, Any], lexicon: Lexicon) -> None:
    """Refuse classes and groups that the parameters name and the lexicon lacks, all at once."""
    matrix = parameters.get("matrix") or {}
    named = {
        "pool": set(map(int, parameters.get("pool") or ())),
        "protect": set(parameters["protect"]),
        "matrix": {int(class_id) for row in matrix.values() for class_id in row},
    }
    named["matrix"] |= set(map(int, matrix))
    problems = ProblemCollector()
    has = {
        "supercategory": any(noun.supercategory for noun in lexicon.classes.values()),
        "sister": any(noun.sisters for noun in lexicon.classes.values()),
    }
    rule = str(parameters.get("flip"))
    if not has.get(rule, True):
        words = {"supercategory": "supercategories", "sister": "sister terms"}[rule]
        what = f"the lexicon {lexicon.title!r} has no {words} for flips"
        problems.add(what, "`flip`", "choose another rule")
    for name, classes in named.items():
        unknown = sorted(classes - set(lexicon.classes))
        if unknown:
            problems.add(
                f"names classes that the lexicon {lexicon.title!r} lacks: "
                + ", ".join(map(str, unknown[:20])),
                f"`{name}`",
                "omit them, or give a lexicon that has them as `lexicon`",
            )
    problems.raise_if_any()


def compute_exact_thresholds(items: Iterable[ReplacementOptions], wanted: Thresholds) -> Thresholds:
    """Return the thresholds that give exactly the desired shares, by rank of the draws.

    The flip share is of all items that can be flipped, the substitution share of the remaining
    items that can be substituted.

    Examples
    --------
    >>> compute_exact_thresholds([], Thresholds(0.5, 0.5))
    Thresholds(flip=1.0, substitute=1.0)
    """
    items = list(items)
    flip = find_exact_threshold(
        [item.flip_draw for item in items if item.flip is not None], wanted.flip
    )
    rest = (item for item in items if item.flip is None or item.flip_draw >= flip)
    draws = [item.substitute_draw for item in rest if item.substitute is not None]
    return Thresholds(flip, find_exact_threshold(draws, wanted.substitute))
