"""What each object of a clip becomes, should it be selected: settled as if every rate were 1.

The choice of one object depends on the clip alone, not on which others are selected. So levels
nest, and no level changes another's words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from actiseg_data.annotations.lexicon import Lexicon, Name
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key_factory, split_key
from actiseg_data.records.split_records import Noise, Recipe
from actiseg_noise.text_noise.flips import FlipTargets
from actiseg_noise.text_noise.naming import TextNames, get_name_index

CATEGORY, WITHIN = "category", "within-category"

_Keys: TypeAlias = Callable[[int, str], Key]
"""Gives the key of one draw about a thing, for an algorithm and a purpose."""

_SELECTION, _CHOICE = 1, 1
"""Algorithms of the draws that select things and choose their words. They are not the kind's: under
a better rule a kind touches the same things, and changes only those words that the rule changes."""


@dataclass(frozen=True)
class Replacement:
    """A name in the place of another.

    kind: `CATEGORY` or `WITHIN`. class_id: of the new name. similarity: of its synset to the clean
    class's.
    """

    kind: str
    class_id: int
    name: Name
    synset: str
    similarity: float


_NOTHING = TextNames(frozenset(), frozenset())


class ReplacementOptions(NamedTuple):
    """What an object, or a narration's noun, can become. None: not eligible.

    class_id: its clean class. flip: the class that it would be flipped to, and that one's name.
    substitute: the other name of its own class. flip_draw, substitute_draw: uniform numbers in
    [0, 1): it is flipped iff the first is below the flip rate, else substituted iff the second is
    below the substitution rate. one_name: its class has no other name to write.

    A tuple, because there is one for every object of a dataset.
    """

    class_id: int
    flip: tuple[int, Name] | None
    flip_draw: float
    substitute: Name | None
    substitute_draw: float
    one_name: bool


def split_rates(noise: Noise) -> tuple[float, float]:
    """The flip rate, and the substitution rate among the rest, of a text noise.

    For ``text``, with rate r and mix m: r m and r (1 - m) / (1 - r m), so that r is the share of
    all that is touched, and m the share of flips in it.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> rates(make_recipe("text", 0.4).text_noise)
    (0.2, 0.25)
    """
    if noise.kind == CATEGORY:
        return noise.rate, 0.0
    if noise.kind == WITHIN:
        return 0.0, noise.rate
    flip = noise.rate * noise.parameters["mix"]
    rest = noise.rate - flip
    return flip, rest / (1 - flip) if flip < 1 else 0.0


class ReplacementAssigner:
    """Assigns replacements by keys, as a recipe's text noise says.

    recipe: checked, with a text noise. lexicon: the one that the recipe names.
    """

    def __init__(self, recipe: Recipe, lexicon: Lexicon) -> None:
        noise = recipe.text_noise
        assert noise is not None, "callers look first"
        self.noise, self.lexicon = noise, lexicon
        self._seed = recipe.seed
        self._protected = frozenset(noise.parameters["protect"])
        self._free = bool(noise.parameters["allow_collisions"])
        self._flips = FlipTargets(noise.parameters, lexicon) if noise.kind != WITHIN else None
        self._sisters = noise.parameters.get("names") == "sister"
        self._substitutes = noise.kind != CATEGORY
        self._index = get_name_index(lexicon, sisters=self._sisters)
        self._others: dict[int, tuple[Name, ...]] = {}

    def is_eligible(self, label: ObjectLabel) -> bool:
        """Whether the noise may touch an object."""
        return (label.positive or self.noise.objects == "all") and not self.is_protected(
            label.class_id
        )

    def objects(self, sequence: VideoSequence) -> dict[int, ReplacementOptions]:
        """The options of each eligible object of a clip, by object id. What the clip's narration
        names is avoided as its objects are.

        Those of all objects are settled, in the order of their names, which are their identity: so
        an object becomes the same whether others are eligible or not.
        """
        classes, names = _collect_taken(sequence)
        named = self._named(sequence)
        options = {}
        for label in sorted(sequence.objects, key=lambda label: label.name):
            eligible = self.is_eligible(label)
            if self.is_protected(label.class_id) or not (
                eligible or label.class_id in self.lexicon.classes
            ):
                continue
            keys = make_key_factory(self._seed, *sequence.identity, label.name)
            found = self._options(keys, label.class_id, label.name, classes, names, named)
            if eligible:
                options[label.object_id] = found
            if found.flip is not None:
                classes.add(found.flip[0])
                names.add(found.flip[1].text.casefold())
            if found.substitute is not None:
                names.add(found.substitute.text.casefold())
        return options

    def narration(self, sequence: VideoSequence, class_id: int, mention: str) -> ReplacementOptions:
        """The options of the noun of a clip's narration.

        class_id: its class. mention: the words that stand there.
        """
        keys = make_key_factory(self._seed, *sequence.identity)
        named = self._named(sequence)
        return self._options(keys, class_id, mention, *_collect_taken(sequence), named)

    def _named(self, sequence: VideoSequence) -> TextNames:
        """What a clip's narration names, its labelled noun included."""
        named = self._index.find(sequence.narration)
        return TextNames(named.classes | {sequence.noun_class}, named.names)

    def is_protected(self, class_id: int) -> bool:
        return class_id in self._protected

    def flipped(self, options: ReplacementOptions) -> Replacement:
        """What an object becomes that is flipped."""
        assert options.flip is not None, "callers look first"
        class_id, name = options.flip
        near = round(self.lexicon.similarity(options.class_id, class_id), 6)
        synset = self.lexicon.classes[class_id].synset
        return Replacement(CATEGORY, class_id, name, synset, near)

    def substituted(self, options: ReplacementOptions) -> Replacement:
        """What an object becomes that is substituted."""
        name, noun = options.substitute, self.lexicon.classes[options.class_id]
        assert name is not None, "callers look first"
        synset, near = noun.synset, 1.0
        if self._sisters:
            sister = next(sister for sister in noun.sisters if sister.name is name)
            synset, near = sister.synset, sister.similarity
        return Replacement(WITHIN, options.class_id, name, synset, near)

    def _options(
        self,
        keys: _Keys,
        class_id: int,
        own: str,
        classes: set[int],
        names: set[str],
        named: TextNames,
    ) -> ReplacementOptions:
        """The options of one thing. own: what it is called. classes, names: those, in lower case,
        that the clip has; named: what its narration names. The thing becomes neither, unless
        collisions are allowed.
        """
        own = own.casefold()
        if self._free:
            classes, names, named = {class_id}, set(), _NOTHING
        flip = substitute = None
        flip_draw = substitute_draw = 1.0
        one_name = False
        which = split_key(keys(_CHOICE, "text.words"), 3)
        if self._flips is not None:
            avoided = classes | named.classes
            flip = self._flip(keys, which[0], which[1], class_id, avoided, names)
            flip_draw = draw_uniform(keys(_SELECTION, "text.flip"))
        if self._substitutes:
            others = self._names_of(class_id)
            avoid = {own, *names}
            # A narration with another name of the class means this thing, unless it has both names.
            if self._sisters or own in named.names:
                avoid |= named.names
            substitute = self._pick(keys, "text.substitute.name", which[2], others, avoid)
            substitute_draw = draw_uniform(keys(_SELECTION, "text.substitute"))
            if substitute is None:
                one_name = all(other.text.casefold() == own for other in others)
        return ReplacementOptions(class_id, flip, flip_draw, substitute, substitute_draw, one_name)

    def _flip(
        self,
        keys: _Keys,
        which_class: Key,
        which_name: Key,
        class_id: int,
        classes: set[int],
        names: set[str],
    ) -> tuple[int, Name] | None:
        assert self._flips is not None

        def again() -> Key:
            return keys(_CHOICE, "text.flip.class.again")

        while (other := self._flips.draw(which_class, again, class_id, classes)) is not None:
            written = self.lexicon.classes[other].written
            name = self._pick(keys, "text.flip.name", which_name, written, names)
            if name is not None:
                return other, name
            # A class all of whose names are taken is as good as taken; there is hardly ever one.
            classes = classes | {other}
        return None

    def _names_of(self, class_id: int) -> tuple[Name, ...]:
        """The names that can stand for a class's own."""
        if class_id not in self._others:
            noun = self.lexicon.classes[class_id]
            sisters = tuple(sister.name for sister in noun.sisters)
            self._others[class_id] = sisters if self._sisters else noun.written
        return self._others[class_id]

    def _pick(
        self,
        keys: _Keys,
        purpose: str,
        which: Key,
        names: Sequence[Name],
        avoided: AbstractSet[str],
    ) -> Name | None:
        """One of the names that are not avoided, each as likely; None without any."""
        if not names:
            return None
        name = names[draw_integer(which, len(names))]
        if name.text.casefold() not in avoided:
            return name
        left = [name for name in names if name.text.casefold() not in avoided]
        again = keys(_CHOICE, f"{purpose}.again")
        return left[draw_integer(again, len(left))] if left else None


def _collect_taken(sequence: VideoSequence) -> tuple[set[int], set[str]]:
    """The classes of a clip's objects, and their names in lower case."""
    classes = {label.class_id for label in sequence.objects}
    return classes, {label.name.casefold() for label in sequence.objects}
