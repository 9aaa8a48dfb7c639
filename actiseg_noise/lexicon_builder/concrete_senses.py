"""Choose the visible sense of a noun, for vocabularies without a review.

WordNet lists the senses of a noun by how often texts use them, so the first concrete one is nearly
always right. A few rules put another sense first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_VISIBLE = frozenset(
    f"noun.{file}"
    for file in ("Tops", "animal", "artifact", "body", "food", "object", "person", "plant")
) | {"noun.substance"}
"""The lexicographer files of WordNet that hold things, plants, animals, persons and materials."""

_PHYSICAL = "physical_entity.n.01"
_PLACES = frozenset({"room.n.01", "building_complex.n.01"})
_INSTRUMENT = "instrumentality.n.03"


@dataclass(frozen=True)
class _ConcreteSense:
    """A concrete sense of a noun. file: its lexicographer file. above: names of its hypernyms.
    uses: how often texts use the noun in this sense. own: whether WordNet names the synset by the
    noun, and not by a synonym.
    """

    synset: Any
    file: str
    above: frozenset[str]
    uses: int
    own: bool


def rank_concrete_senses(found: Iterable[Any], form: str) -> list[Any]:
    """The visible synsets of a noun, the best first.

    found: NLTK's synsets in WordNet's order. form: the noun in WordNet's spelling (``hot_dog``).
    These senses come after all others:

    * a place, if an object in it has the same name: a toilet is the fixture, not the room;
    * a person, if texts use the noun as often for something else: a toaster is not a speaker;
    * a plant, if its food has the same name: a banana is the fruit;
    * a material, if an instrument or an animal has the same name: a glass is a vessel;
    * a person, or an unused sense, that WordNet names by a synonym, if an animal has this name: a
      whale is not a giant, a turtle not a turtleneck.
    """
    senses = [sense for synset in found if (sense := _describe_sense(synset, form)) is not None]
    return [
        sense.synset for sense in sorted(senses, key=lambda sense: _is_secondary(sense, senses))
    ]


def _describe_sense(synset: Any, form: str) -> _ConcreteSense | None:
    above = frozenset(other.name() for path in synset.hypernym_paths() for other in path)
    if synset.lexname() not in _VISIBLE or _PHYSICAL not in above:
        return None
    uses = [lemma.count() for lemma in synset.lemmas() if lemma.name().lower() == form]
    own = synset.name().rsplit(".", 2)[0] == form
    return _ConcreteSense(synset, synset.lexname(), above, max(uses, default=0), own)


def _is_secondary(sense: _ConcreteSense, senses: list[_ConcreteSense]) -> bool:
    """Whether a sense comes after those that do not yield."""
    others = [other for other in senses if other is not sense]
    is_person = sense.file == "noun.person"
    an_animal_has_it = any(other.file == "noun.animal" and other.own for other in others)
    if not sense.own and an_animal_has_it and (is_person or not sense.uses):
        return True
    if is_person:
        return any(other.uses >= sense.uses and other.file != sense.file for other in others)
    if sense.file == "noun.plant":
        return any(other.file == "noun.food" and other.own for other in others)
    if sense.file == "noun.substance":
        return any(other.file == "noun.animal" or _INSTRUMENT in other.above for other in others)
    return not _PLACES.isdisjoint(sense.above)
