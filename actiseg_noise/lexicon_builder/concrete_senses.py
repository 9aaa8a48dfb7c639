"""Choose the visible sense of a noun, for vocabularies without a review.

WordNet sorts the senses of a noun by their frequency in texts, so the first concrete sense is
nearly always right. A few rules put another sense first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_VISIBLE = frozenset(
    f"noun.{file}"
    for file in ("Tops", "animal", "artifact", "body", "food", "object", "person", "plant")
) | {"noun.substance"}
"""WordNet's lexicographer files of objects, plants, animals, persons and materials."""

_PHYSICAL = "physical_entity.n.01"
_PLACES = frozenset({"room.n.01", "building_complex.n.01"})
_INSTRUMENT = "instrumentality.n.03"


@dataclass(frozen=True)
class _ConcreteSense:
    """A concrete sense of a noun.

    Attributes
    ----------
    synset : Any
        NLTK's object.
    file : str
        Lexicographer file of the synset.
    ancestors : frozenset of str
        Names of its hypernyms.
    uses : int
        How often texts use the noun in this sense.
    is_eponym : bool
        Whether WordNet names the synset by the noun, and not by a synonym.
    """

    synset: Any
    file: str
    ancestors: frozenset[str]
    uses: int
    is_eponym: bool


def rank_concrete_senses(synsets: Iterable[Any], form: str) -> list[Any]:
    """Return the visible synsets of a noun, the best first.

    These senses come after all others:

    * a place, if an object in it has the same name: a toilet is the fixture, not the room;
    * a person, if texts use the noun as often for something else: a toaster is not a speaker;
    * a plant, if its food has the same name: a banana is the fruit;
    * a material, if an instrument or an animal has the same name: a glass is a vessel;
    * a person, or an unused sense, that WordNet names by a synonym, if an animal has this name: a
      whale is not a giant, a turtle not a turtleneck.

    Parameters
    ----------
    synsets : iterable
        NLTK's synsets in WordNet's order.
    form : str
        The noun in WordNet's spelling (``hot_dog``).
    """
    senses = [sense for synset in synsets if (sense := _describe_sense(synset, form)) is not None]
    return [
        sense.synset for sense in sorted(senses, key=lambda sense: _is_secondary(sense, senses))
    ]


def _describe_sense(synset: Any, form: str) -> _ConcreteSense | None:
    paths = synset.hypernym_paths()
    ancestors = frozenset(ancestor.name() for path in paths for ancestor in path)
    if synset.lexname() not in _VISIBLE or _PHYSICAL not in ancestors:
        return None
    uses = [lemma.count() for lemma in synset.lemmas() if lemma.name().lower() == form]
    is_eponym = synset.name().rsplit(".", 2)[0] == form
    return _ConcreteSense(synset, synset.lexname(), ancestors, max(uses, default=0), is_eponym)


def _is_secondary(sense: _ConcreteSense, senses: list[_ConcreteSense]) -> bool:
    """Whether a sense comes after the primary senses."""
    rivals = [rival for rival in senses if rival is not sense]
    is_person = sense.file == "noun.person"
    names_animal = any(rival.file == "noun.animal" and rival.is_eponym for rival in rivals)
    if not sense.is_eponym and names_animal and (is_person or not sense.uses):
        return True
    if is_person:
        return any(rival.uses >= sense.uses and rival.file != sense.file for rival in rivals)
    if sense.file == "noun.plant":
        return any(rival.file == "noun.food" and rival.is_eponym for rival in rivals)
    if sense.file == "noun.substance":
        return any(
            rival.file == "noun.animal" or _INSTRUMENT in rival.ancestors for rival in rivals
        )
    return not _PLACES.isdisjoint(sense.ancestors)
