"""What each object of a clip becomes, should it be selected: settled as if every rate were 1.

The choice of one object depends on the clip alone, not on which others are selected. So levels
nest, and no level changes another's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Listing
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from actiseg_data.keys import Key, integer, key, uniform
from actiseg_data.lexicon import Lexicon, Name, Sister
from actiseg_data.records import Noise, Recipe
from actiseg_data.sequences import ObjectLabel, Sequence
from actiseg_noise.text.flips import FlipTargets

CATEGORY, WITHIN = "category", "within-category"

_Draw: TypeAlias = Callable[[str], Key]
"""Gives the key of one draw for a purpose."""

_SELECTION = 1
"""Algorithm of the selection. Its own, so that a kind that gets better words touches the same."""


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


@dataclass(frozen=True)
class Options:
    """What an object, or a narration's noun, can become. None: not eligible.

    flip, substitute: the replacements. flip_draw, substitute_draw: uniform numbers in [0, 1): it is
    flipped iff the first is below the flip rate, else substituted iff the second is below the
    substitution rate. one_name: its class has no other name to write.
    """

    flip: Replacement | None
    flip_draw: float
    substitute: Replacement | None
    substitute_draw: float
    one_name: bool


def rates(noise: Noise) -> tuple[float, float]:
    """The flip rate, and the substitution rate among the rest, of a noise on words.

    For ``text``, with rate r and mix m: r m and r (1 - m) / (1 - r m), so that r is the share of
    all that is touched, and m the share of flips in it.

    >>> from actiseg_noise.recipe import make_recipe
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


class Assigner:
    """Assigns replacements by keys, as a recipe's noise on words says.

    recipe: checked, with a noise on words. lexicon: the one that the recipe names.
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

    def eligible(self, sequence: Sequence) -> list[ObjectLabel]:
        """The objects of a clip that the noise may touch, by name, which is their identity."""
        labels = (
            label
            for label in sequence.objects
            if (label.positive or self.noise.objects == "all")
            and label.class_id not in self._protected
        )
        return sorted(labels, key=lambda label: label.name)

    def objects(self, sequence: Sequence) -> dict[int, Options]:
        """The options of each eligible object of a clip, by object id."""
        taken = _Taken.of(sequence)
        options = {}
        for label in self.eligible(sequence):
            identity = (*sequence.identity, label.name)
            found = self._options(identity, label.class_id, label.name, taken)
            options[label.object_id] = found
            if not self._free:
                taken.add(found)
        return options

    def narration(self, sequence: Sequence, class_id: int, mention: str) -> Options:
        """The options of the noun of a clip's narration.

        class_id: its class. mention: the words that stand there.
        """
        return self._options(sequence.identity, class_id, mention, _Taken.of(sequence))

    def is_protected(self, class_id: int) -> bool:
        return class_id in self._protected

    def _options(
        self, identity: Iterable[str | int], class_id: int, name: str, taken: _Taken
    ) -> Options:
        identity = tuple(identity)

        def draw(purpose: str, algorithm: int = self.noise.algorithm) -> Key:
            return key(self._seed, algorithm, f"text.{purpose}", *identity)

        flip = substitute = None
        flip_draw = substitute_draw = 1.0
        one_name = False
        if self._flips is not None:
            flip = self._flip(draw, class_id, taken)
            flip_draw = uniform(draw("flip", _SELECTION))
        if self._substitutes:
            substitute, one_name = self._substitute(draw, class_id, name, taken)
            substitute_draw = uniform(draw("substitute", _SELECTION))
        return Options(flip, flip_draw, substitute, substitute_draw, one_name)

    def _flip(self, draw: _Draw, class_id: int, taken: _Taken) -> Replacement | None:
        assert self._flips is not None
        excluded = {class_id} if self._free else taken.classes
        # A class all of whose names are taken is as good as taken; there is hardly ever one.
        while (other := self._flips.draw(draw("flip.class"), class_id, excluded)) is not None:
            noun = self.lexicon.classes[other]
            names = frozenset() if self._free else taken.names
            name = _pick(draw, "flip.name", noun.written, names)
            if name is not None:
                near = self.lexicon.similarity(class_id, other)
                return Replacement(CATEGORY, other, name, noun.synset, round(near, 6))
            excluded = excluded | {other}
        return None

    def _substitute(
        self, draw: _Draw, class_id: int, own: str, taken: _Taken
    ) -> tuple[Replacement | None, bool]:
        """The replacement, and whether there is none because the class has no other name."""
        noun, own = self.lexicon.classes[class_id], own.casefold()
        avoided = frozenset((own,)) if self._free else taken.names | {own}
        if self._sisters:
            of = {sister.name.text: sister for sister in noun.sisters}
            names = tuple(sister.name for sister in noun.sisters)
        else:
            of, names = {}, noun.written
        name = _pick(draw, "substitute.name", names, avoided)
        if name is None:
            return None, all(other.text.casefold() == own for other in names)
        sister: Sister | None = of.get(name.text)
        synset, near = (sister.synset, sister.similarity) if sister else (noun.synset, 1.0)
        return Replacement(WITHIN, class_id, name, synset, near), False


class _Taken:
    """Classes and names, in lower case, that nothing else in the clip may become."""

    def __init__(self, classes: frozenset[int], names: frozenset[str]) -> None:
        self.classes, self.names = classes, names

    @classmethod
    def of(cls, sequence: Sequence) -> _Taken:
        """What the clean clip has."""
        return cls(
            frozenset(label.class_id for label in sequence.objects),
            frozenset(label.name.casefold() for label in sequence.objects),
        )

    def add(self, options: Options) -> None:
        if options.flip is not None:
            self.classes |= {options.flip.class_id}
        for replacement in (options.flip, options.substitute):
            if replacement is not None:
                self.names |= {replacement.name.text.casefold()}


def _pick(
    draw: _Draw, purpose: str, names: Listing[Name], avoided: AbstractSet[str]
) -> Name | None:
    """One of the names that are not avoided (in lower case), each as likely; None without any."""
    if not names:
        return None
    name = names[integer(draw(purpose), len(names))]
    if name.text.casefold() not in avoided:
        return name
    left = [name for name in names if name.text.casefold() not in avoided]
    return left[integer(draw(f"{purpose}.again"), len(left))] if left else None
