"""The replacement of each object of a sequence, assigned as if every rate were 1.

The choice for an object depends on the sequence alone, not on which other objects are selected.
Noise levels therefore nest, and no level changes the replacements of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from actiseg_data.annotations.lexicon import Lexicon, LexiconName
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import (
    Key,
    draw_integer,
    draw_uniform,
    make_key,
    make_key_factory,
    split_key,
)
from actiseg_data.records.recipe_record import EXCHANGE, Noise, Recipe
from actiseg_noise.text_noise.exchanges import find_lexicon_name, pair_objects
from actiseg_noise.text_noise.flips import FlipTargets
from actiseg_noise.text_noise.naming import TextNames, get_name_index

CATEGORY, WITHIN = "category", "within-category"

_Keys: TypeAlias = Callable[[int, str], Key]
"""Makes the key of one draw for an item, from an algorithm and a purpose."""

_SELECTION, _CHOICE = 1, 1
"""Algorithms of the draws that select items and choose their names. They are not the kind's: if a
rule improves, a kind still selects the same items, and only the names that the rule changes differ.
"""


@dataclass(frozen=True)
class Replacement:
    """A name that replaces another name.

    Attributes
    ----------
    kind : str
        `CATEGORY` or `WITHIN`. An exchange makes two of kind `CATEGORY`.
    class_id : int
        Class of the new name.
    name : Name
        The new name.
    synset : str
        Synset of the new name.
    similarity : float
        Similarity of that synset to the synset of the clean class, in [0, 1].
    """

    kind: str
    class_id: int
    name: LexiconName
    synset: str
    similarity: float


class ReplacementOptions(NamedTuple):
    """The possible replacements of an object, or of the noun of a narration.

    A tuple, because there is one for every object of a dataset.

    Attributes
    ----------
    class_id : int
        Clean class.
    flip : (int, Name) or None
        Class that the item would be flipped to, and the name to write. The class is its own if the
        name is a sister term. None if it cannot be flipped.
    flip_draw : float
        Uniform number in [0, 1). The item is flipped if it is below the flip rate.
    substitute : Name or None
        Other name of the clean class. None if there is no name to substitute.
    substitute_draw : float
        Uniform number in [0, 1). An item that is not flipped is substituted if it is below the
        substitution rate.
    one_name : bool
        Whether the class has no other name to write.
    """

    class_id: int
    flip: tuple[int, LexiconName] | None
    flip_draw: float
    substitute: LexiconName | None
    substitute_draw: float
    one_name: bool


def split_rates(noise: Noise) -> tuple[float, float]:
    """Return the flip rate of a text noise, and the substitution rate among the remaining items.

    For ``text`` with rate r and mix m they are r m and r (1 - m) / (1 - r m). Then r is the share
    of all items that change, and m the share of flips among them.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> split_rates(make_recipe("text", 0.4).text_noise)
    (0.2, 0.25)
    """
    if noise.kind in (CATEGORY, EXCHANGE):
        return noise.rate, 0.0
    if noise.kind == WITHIN:
        return 0.0, noise.rate
    flip = noise.rate * noise.parameters["mix"]
    rest = noise.rate - flip
    return flip, rest / (1 - flip) if flip < 1 else 0.0


class _Item(NamedTuple):
    """An object or a noun that may be replaced: its keys, its class, its name in lower case."""

    keys: _Keys
    class_id: int
    name: str


@dataclass(frozen=True)
class TakenNames:
    """Classes and names, in lower case, that replacements in a sequence must avoid.

    Attributes
    ----------
    classes, names : set
        Those of the objects and of earlier replacements.
    mentioned : TextNames
        Those in the narration or in expressions.
    """

    classes: set[int]
    names: set[str]
    mentioned: TextNames

    def add(self, options: ReplacementOptions) -> None:
        """Add the possible replacements of an object."""
        if options.flip is not None:
            class_id, name = options.flip
            self.classes.add(class_id)
            self.names.add(name.text.casefold())
        if options.substitute is not None:
            self.names.add(options.substitute.text.casefold())


class ReplacementAssigner:
    """Assigns replacements to the objects of sequences as the text noise of a recipe demands.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe with text noise.
    lexicon : Lexicon
        The lexicon that the recipe names.
    """

    def __init__(self, recipe: Recipe, lexicon: Lexicon) -> None:
        noise = recipe.text_noise
        assert noise is not None, "callers check"
        self.noise, self.lexicon = noise, lexicon
        self._seed = recipe.seed
        self._protected = frozenset(noise.parameters["protect"])
        self._allows_collisions = bool(noise.parameters.get("allow_collisions"))
        self._sisters = noise.parameters.get("flip") == "sister"
        draws_classes = noise.kind not in (WITHIN, EXCHANGE) and not self._sisters
        self._flips = FlipTargets(noise.parameters, lexicon) if draws_classes else None
        self._wordnet = noise.parameters.get("names") == "wordnet"
        self.substitutes = noise.kind not in (CATEGORY, EXCHANGE)
        self._index = get_name_index(lexicon, sisters=self._sisters)
        self._substitute_names: dict[int, tuple[LexiconName, ...]] = {}

    def is_protected(self, class_id: int) -> bool:
        return class_id in self._protected

    def is_eligible(self, label: ObjectLabel) -> bool:
        """Whether the noise may change the name of an object."""
        return (label.positive or self.noise.objects == "all") and not self.is_protected(
            label.class_id
        )

    def find_object_options(self, sequence: VideoSequence) -> dict[int, ReplacementOptions]:
        """Return the options of each eligible object of a sequence, by object id.

        Replacements avoid the names of the objects and the names in the narration. They are
        assigned to all objects, in an order that their keys decide: an object gets the same
        replacement whether or not other objects are eligible, and no name is always first.
        """
        taken = self._collect_taken(sequence)
        options = {}
        for label in self._order_objects(sequence):
            keys = make_key_factory(self._seed, *sequence.identity, label.name)
            item = _Item(keys, label.class_id, label.name.casefold())
            item_options = self._find_options(item, taken)
            if self.is_eligible(label):
                options[label.object_id] = item_options
            taken.add(item_options)
        return options

    def find_exchanges(
        self, sequence: VideoSequence
    ) -> tuple[dict[int, ReplacementOptions], Counter[str]]:
        """Return the options of the eligible objects, each the name of its partner, and counts."""
        labels = [label for label in sequence.objects if self.is_eligible(label)]
        pairing = pair_objects(self._seed, sequence, labels, self.lexicon)
        options = {}
        for label in labels:
            partner = pairing.partners.get(label.object_id)
            flip, draw = None, 1.0
            if partner is not None:
                draw = partner.draw
                flip = partner.label.class_id, find_lexicon_name(partner.label, self.lexicon)
            options[label.object_id] = ReplacementOptions(
                label.class_id, flip, draw, None, 1.0, False
            )
        return options, pairing.tally

    def _order_objects(self, sequence: VideoSequence) -> list[ObjectLabel]:
        """Return the objects to which replacements are assigned, in the order of their ranks."""
        assigned = [
            label
            for label in sequence.objects
            if self.is_eligible(label)
            or (label.class_id in self.lexicon.classes and not self.is_protected(label.class_id))
        ]

        def compute_rank(label: ObjectLabel) -> tuple[float, str]:
            return self.draw_rank((*sequence.identity, label.name)), label.name

        return sorted(assigned, key=compute_rank)

    def draw_rank(self, identity: Iterable[str | int]) -> float:
        """Draw the place of an item among those that must not get the same replacement."""
        return draw_uniform(make_key(self._seed, _CHOICE, "text.order", *identity))

    def find_narration_options(
        self, sequence: VideoSequence, class_id: int, mention: str
    ) -> ReplacementOptions:
        """Return the options of the noun of a narration.

        Parameters
        ----------
        sequence : VideoSequence
            The sequence.
        class_id : int
            Class of the noun.
        mention : str
            The noun as the narration has it.
        """
        taken = self._collect_taken(sequence)
        return self.find_mention_options(sequence.identity, class_id, mention, taken)

    def find_mention_options(
        self, identity: Iterable[str | int], class_id: int, mention: str, taken: TakenNames
    ) -> ReplacementOptions:
        """Return the options of a noun in a text.

        Parameters
        ----------
        identity : iterable of str or int
            The key material of the noun.
        class_id : int
            Its class.
        mention : str
            The noun as the text has it.
        taken : TakenNames
            What replacements avoid.
        """
        keys = make_key_factory(self._seed, *identity)
        return self._find_options(_Item(keys, class_id, mention.casefold()), taken)

    def make_flip(self, options: ReplacementOptions) -> Replacement:
        """Return the replacement of an item that is flipped."""
        assert options.flip is not None, "callers check"
        class_id, name = options.flip
        if class_id == options.class_id:
            sisters = self.lexicon.classes[class_id].sisters
            sister = next(sister for sister in sisters if sister.name is name)
            return Replacement(CATEGORY, class_id, name, sister.synset, sister.similarity)
        similarity = round(self.lexicon.measure_similarity(options.class_id, class_id), 6)
        synset = self.lexicon.classes[class_id].synset
        return Replacement(CATEGORY, class_id, name, synset, similarity)

    def make_substitution(self, options: ReplacementOptions) -> Replacement:
        """Return the replacement of an item that is substituted."""
        name, noun = options.substitute, self.lexicon.classes[options.class_id]
        assert name is not None, "callers check"
        synset, similarity = noun.synset, 1.0
        for synonym in noun.synonyms:
            if synonym.name is name:
                synset, similarity = synonym.synset, synonym.similarity
        return Replacement(WITHIN, options.class_id, name, synset, similarity)

    def _collect_taken(self, sequence: VideoSequence) -> TakenNames:
        """Collect the classes and names of a sequence's objects, and those in its narration."""
        classes = {label.class_id for label in sequence.objects}
        names = {label.name.casefold() for label in sequence.objects}
        mentioned = self._index.find(sequence.narration)
        mentioned = TextNames(mentioned.classes | {sequence.noun_class}, mentioned.names)
        return TakenNames(classes, names, mentioned)

    def _find_options(self, item: _Item, taken: TakenNames) -> ReplacementOptions:
        """Return the options of one item; it avoids what is taken unless collisions are allowed."""
        if self._allows_collisions:
            taken = TakenNames({item.class_id}, set(), TextNames(frozenset(), frozenset()))
        flip = substitute = None
        flip_draw = substitute_draw = 1.0
        one_name = False
        class_key, flip_key, substitute_key = split_key(item.keys(_CHOICE, "text.words"), 3)
        if self.noise.kind != WITHIN:
            flip = self._find_flip(item, class_key, flip_key, taken)
            flip_draw = draw_uniform(item.keys(_SELECTION, "text.flip"))
        if self.substitutes:
            names = self._list_substitutes(item.class_id)
            avoided = {item.name, *taken.names}
            # A narration with another name of the class means this item, unless it has both names.
            if item.name in taken.mentioned.names:
                avoided |= taken.mentioned.names
            purpose = "text.substitute.name"
            substitute = _pick_name(item.keys, purpose, substitute_key, names, avoided)
            substitute_draw = draw_uniform(item.keys(_SELECTION, "text.substitute"))
            if substitute is None:
                one_name = all(name.text.casefold() == item.name for name in names)
        return ReplacementOptions(
            item.class_id, flip, flip_draw, substitute, substitute_draw, one_name
        )

    def _find_flip(
        self, item: _Item, class_key: Key, name_key: Key, taken: TakenNames
    ) -> tuple[int, LexiconName] | None:
        """Return the class that an item is flipped to and the name to write, if there is any."""
        if self._flips is None:
            return self._find_sister(item, name_key, taken)

        def make_second_key() -> Key:
            return item.keys(_CHOICE, "text.flip.class.again")

        avoided = taken.classes | taken.mentioned.classes
        while True:
            target = self._flips.draw(class_key, make_second_key, item.class_id, avoided)
            if target is None:
                return None
            names = self.lexicon.classes[target].written
            name = _pick_name(item.keys, "text.flip.name", name_key, names, taken.names)
            if name is not None:
                return target, name
            # All names of this class are taken, which is rare: try another class.
            avoided = avoided | {target}

    def _find_sister(
        self, item: _Item, key: Key, taken: TakenNames
    ) -> tuple[int, LexiconName] | None:
        """Return the class of an item and the sister term to write, if there is any."""
        names = [sister.name for sister in self.lexicon.classes[item.class_id].sisters]
        avoided = taken.names | taken.mentioned.names
        name = _pick_name(item.keys, "text.flip.name", key, names, avoided)
        return None if name is None else (item.class_id, name)

    def _list_substitutes(self, class_id: int) -> tuple[LexiconName, ...]:
        """Return the names that can replace the name of a class."""
        if class_id not in self._substitute_names:
            noun = self.lexicon.classes[class_id]
            synonyms = tuple(synonym.name for synonym in noun.synonyms)
            self._substitute_names[class_id] = noun.written + (synonyms if self._wordnet else ())
        return self._substitute_names[class_id]


def _pick_name(
    keys: _Keys, purpose: str, key: Key, names: Sequence[LexiconName], avoided: AbstractSet[str]
) -> LexiconName | None:
    """Pick one of the names that are not avoided, with equal probability; None if there is none.

    `key` decides among all names. If it picks an avoided name, a second key of the same purpose
    decides among the others.
    """
    if not names:
        return None
    name = names[draw_integer(key, len(names))]
    if name.text.casefold() not in avoided:
        return name
    free = [name for name in names if name.text.casefold() not in avoided]
    second_key = keys(_CHOICE, f"{purpose}.again")
    return free[draw_integer(second_key, len(free))] if free else None
