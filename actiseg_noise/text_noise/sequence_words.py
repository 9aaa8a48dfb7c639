"""Which words of a clip change, and into what: a pure function of the clip and a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.records.split_records import Recipe
from actiseg_noise.recipes.rates import exact_threshold
from actiseg_noise.text_noise.assignment import (
    CATEGORY,
    WITHIN,
    Assigner,
    Options,
    Replacement,
    rates,
)
from actiseg_noise.text_noise.mentions import MentionFinder, load_finder


@dataclass(frozen=True)
class Thresholds:
    """Draws below these are flipped, and of the rest, substituted."""

    flip: float
    substitute: float


@dataclass(frozen=True)
class NarrationOptions:
    """What the noun of a narration can become. mention: the lexicon's plain name of what stands
    there.
    """

    mention: str
    options: Options


@dataclass(frozen=True)
class ClipOptions:
    """What the words of a clip can become, selected or not.

    objects: by object id. narration: under the scope ``narration`` only. tally: what was met on the
    way, see `ClipWords`.
    """

    objects: Mapping[int, Options]
    narration: NarrationOptions | None
    tally: Counter[str]

    @property
    def items(self) -> list[Options]:
        """All that can be selected, each on its own."""
        own = [] if self.narration is None else [self.narration.options]
        return [*self.objects.values(), *own]


@dataclass(frozen=True)
class NarrationChange:
    """A narration with another noun. mention: what was replaced; text: the whole, after it."""

    class_id: int
    mention: str
    replacement: Replacement
    text: str


@dataclass(frozen=True)
class ClipWords:
    """What becomes of the words of one clip.

    objects: the replacements of selected objects, by object id. narration: its change, if any.
    tally: counts of items: ``all_items`` (prompts, or narrations under that scope), ``items`` (what
    the scope and the recipe let be touched), ``changeable`` (those with something else to become),
    ``flip_items`` (those that can be flipped), ``flipped``, ``rest_items`` (those not flipped that
    can be substituted), ``substituted``; ``one_name`` (no other name of the class to write),
    ``no_flip_target`` and ``names_collide`` (everything that it could become is in the clip),
    ``narration_empty``, ``narration_without_noun``.
    """

    objects: Mapping[int, Replacement]
    narration: NarrationChange | None
    tally: Counter[str]


class WordNoise:
    """The text noise of a recipe, ready to be applied to clips.

    recipe: checked, with a text noise. lexicon: the one that the recipe names, by default the
    installed one. Raises `InputError` where it is another one than the recipe names, and, for the
    scopes ``both`` and ``narration``, where spaCy is missing.

    >>> from actiseg_data.annotations.sequences import ObjectLabel
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> clip = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take", 0,
    ...                 "cup", 13, ("frame_0000000001",), (cup,))
    >>> noise = WordNoise(make_recipe("category", 1.0))
    >>> noise.choose(noise.options(clip), noise.thresholds).objects[1].kind
    'category'
    """

    def __init__(self, recipe: Recipe, lexicon: Lexicon | None = None) -> None:
        lexicon = load_lexicon() if lexicon is None else lexicon
        self.assigner = Assigner(recipe, lexicon)
        self.noise, self.lexicon = self.assigner.noise, lexicon
        if self.noise.parameters["lexicon"] != lexicon.digest:
            raise refuse(
                f"the recipe was made with another lexicon than {lexicon.title!r}",
                "recipe",
                "give corrupt that one as --lexicon; that of another release of actiseg comes with "
                "that release (see 'toolkit' in its summary.json)",
            )
        _refuse_foreign(self.noise.parameters, lexicon)
        self.finder: MentionFinder | None = None
        if self.noise.scope != "prompt":
            self.finder = load_finder(lexicon, self.noise.parameters["pipeline"])
        self.thresholds = Thresholds(*rates(self.noise))

    def options(self, sequence: VideoSequence) -> ClipOptions:
        """What the words of a clip can become."""
        if self.noise.scope != "narration":
            objects = self.assigner.objects(sequence)
            tally = Counter(all_items=len(sequence.objects)) + self._tally(objects.values())
            return ClipOptions(objects, None, tally)
        found, tally = self._narration(sequence)
        tally = tally + Counter(all_items=1)
        return ClipOptions(
            {}, found, tally + self._tally([found.options] if found is not None else [])
        )

    def choose(
        self, options: ClipOptions, thresholds: Thresholds, narration: str = ""
    ) -> ClipWords:
        """Which of the options come true. narration: the clip's, for the scope ``narration``."""
        tally = Counter(options.tally)
        chosen = {
            object_id: replacement
            for object_id, option in options.objects.items()
            if (replacement := self._select(option, thresholds, tally)) is not None
        }
        change = None
        if options.narration is not None:
            replacement = self._select(options.narration.options, thresholds, tally)
            if replacement is not None:
                change = self._changed(narration, options.narration, replacement)
        return ClipWords(chosen, change, tally)

    def _select(
        self, option: Options, thresholds: Thresholds, tally: Counter[str]
    ) -> Replacement | None:
        if option.flip is not None:
            tally["flip_items"] += 1
            if option.flip_draw < thresholds.flip:
                tally["flipped"] += 1
                return self.assigner.flipped(option)
        if option.substitute is not None:
            tally["rest_items"] += 1
            if option.substitute_draw < thresholds.substitute:
                tally["substituted"] += 1
                return self.assigner.substituted(option)
        return None

    def _tally(self, items: Iterable[Options]) -> Counter[str]:
        tally: Counter[str] = Counter()
        for option in items:
            tally["items"] += 1
            tally["changeable"] += option.flip is not None or option.substitute is not None
            if self.noise.kind != WITHIN and option.flip is None:
                tally["no_flip_target"] += 1
            if self.noise.kind != CATEGORY and option.substitute is None:
                tally["one_name" if option.one_name else "names_collide"] += 1
        return tally

    def _narration(self, sequence: VideoSequence) -> tuple[NarrationOptions | None, Counter[str]]:
        assert self.finder is not None
        if not sequence.narration.strip():
            return None, Counter(narration_empty=1)
        class_id = sequence.noun_class
        mention = next(
            (each for each in self.finder.find(sequence.narration) if class_id in each.classes),
            None,
        )
        if mention is None:
            return None, Counter(narration_without_noun=1)
        if self.assigner.is_protected(class_id):
            return None, Counter()
        options = self.assigner.narration(sequence, class_id, mention.name)
        return NarrationOptions(mention.name, options), Counter()

    def _changed(
        self, narration: str, found: NarrationOptions, replacement: Replacement
    ) -> NarrationChange:
        assert self.finder is not None
        class_id = found.options.class_id
        text = self.finder.replace(narration, class_id, replacement.name)
        assert text is not None, "the noun was found when the options were looked for"
        return NarrationChange(class_id, found.mention, replacement, text)


def _refuse_foreign(parameters: Mapping[str, Any], lexicon: Lexicon) -> None:
    """Refuse what the parameters ask for and the lexicon lacks, all at once."""
    matrix = parameters.get("matrix") or {}
    named = {
        "pool": set(parameters.get("pool") or ()),
        "protect": set(parameters["protect"]),
        "matrix": {int(class_id) for row in matrix.values() for class_id in row},
    }
    named["matrix"] |= set(map(int, matrix))
    problems = ProblemCollector()
    grouped = any(noun.supercategory is not None for noun in lexicon.classes.values())
    if parameters.get("flip") == "supercategory" and not grouped:
        problems.add(
            f"the lexicon {lexicon.title!r} has no supercategories to flip within",
            "recipe",
            "choose another --flip",
        )
    for name, classes in named.items():
        unknown = sorted(classes - set(lexicon.classes))
        if unknown:
            problems.add(
                f"{name} names classes that {lexicon.title!r} lacks: "
                + ", ".join(map(str, unknown[:20])),
                "recipe",
                "leave them out, or give a lexicon that has them as --lexicon",
            )
    problems.raise_if_any()


def exact_thresholds(items: Iterable[Options], wanted: Thresholds) -> Thresholds:
    """Thresholds that give exactly the wanted shares: flips of all that can be flipped, then
    substitutions of the rest that can be substituted, by rank of their draws.

    >>> exact_thresholds([], Thresholds(0.5, 0.5))
    Thresholds(flip=1.0, substitute=1.0)
    """
    items = list(items)
    flip = exact_threshold([item.flip_draw for item in items if item.flip is not None], wanted.flip)
    rest = (item for item in items if item.flip is None or item.flip_draw >= flip)
    draws = [item.substitute_draw for item in rest if item.substitute is not None]
    return Thresholds(flip, exact_threshold(draws, wanted.substitute))
