"""Which WordNet sense a class is: a stated procedure, and the decisions that readers took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.errors import Problems, refuse
from actiseg_data.lexicon import MATCHES
from actiseg_data.untrusted import check_text, read_csv, whole_number
from actiseg_noise.lexicon.wordnet import WordNet

_FOOD = ("food.n.02", "food.n.01")
_TOOL = ("container.n.01", "implement.n.01", "device.n.01", "instrumentality.n.03")
_THING = ("artifact.n.01", "matter.n.03", "physical_entity.n.01")

ANCHORS: Mapping[str | None, tuple[str, ...]] = {
    "appliances": ("kitchen_appliance.n.01", "home_appliance.n.01", *_TOOL[2:]),
    "baked goods and grains": ("baked_goods.n.01", *_FOOD),
    "cleaning equipment and material": ("cleaning_implement.n.01", "implement.n.01"),
    "containers": ("container.n.01", "covering.n.02", "instrumentality.n.03"),
    "cookware": ("cooking_utensil.n.01", "kitchen_utensil.n.01", "container.n.01"),
    "crockery": ("crockery.n.01", "tableware.n.01", "container.n.01"),
    "cutlery": ("cutlery.n.02", "tableware.n.01", "edge_tool.n.01", "container.n.01"),
    "dairy and eggs": ("dairy_product.n.01", "foodstuff.n.02", *_FOOD),
    "drinks": ("beverage.n.01", "liquid.n.01", "food.n.01"),
    "foot": ("body_part.n.01",),
    "fruits and nuts": ("edible_fruit.n.01", "edible_nut.n.01", *_FOOD, "fruit.n.01"),
    "furniture": ("furniture.n.01", "instrumentality.n.03"),
    "hand": ("body_part.n.01",),
    "materials": ("fabric.n.01", "paper.n.01", "covering.n.02", "artifact.n.01", "material.n.01"),
    "meat and substitute": ("meat.n.01", *_FOOD),
    "other": ("food.n.02", "artifact.n.01", "substance.n.01"),
    "prepared food": ("dish.n.02", *_FOOD),
    "rubbish": ("waste.n.01", "plant_part.n.01", "container.n.01", "natural_object.n.01"),
    "spices and herbs and sauces": ("flavorer.n.01", "condiment.n.01", "ingredient.n.03", *_FOOD),
    "storage": ("storage_space.n.01", "support.n.10"),
    "utensils": ("kitchen_utensil.n.01", "tableware.n.01", *_TOOL),
    "vegetables": ("vegetable.n.01", "produce.n.01", *_FOOD, "plant_part.n.01"),
    None: ("kitchen_utensil.n.01", "tableware.n.01", "home_appliance.n.01", *_FOOD, *_TOOL),
}
"""Where senses of a supercategory are looked for in WordNet, the best first; `None`: of classes
without one. All end in things that can be seen at all."""


@dataclass(frozen=True)
class Sense:
    """The sense of a class. synset: NLTK's object. match: see `NounClass`. candidates: names of the
    synsets that it was chosen among. by: ``procedure`` or ``review``. why: the reviewers' reason.
    """

    synset: Any
    match: str
    candidates: tuple[str, ...]
    by: str
    why: str


@dataclass(frozen=True)
class Decision:
    """A sense that readers chose against the procedure, or beside it."""

    synset: str
    match: str
    why: str


def candidates(wordnet: WordNet, name: str) -> list[Any]:
    """The noun synsets of a name, in WordNet's order, which is that of their frequency; of its head
    where WordNet lacks the whole, also written as one word."""
    for form in (name.replace(" ", "_"), name.replace(" ", ""), name.split()[-1]):
        found = wordnet.synsets(form, "n")
        if found:
            return list(found)
    return []


def choose(wordnet: WordNet, name: str, supercategory: str | None) -> Any:
    """The procedure: the first candidate that lies under the first anchor under which any lies, and
    the first of all where none does. None where WordNet has no such noun."""
    found = candidates(wordnet, name)
    above = {synset: _above(synset) for synset in found}
    for anchor in (*ANCHORS.get(supercategory, ANCHORS[None]), *_THING):
        for synset in found:
            if anchor in above[synset]:
                return synset
    return found[0] if found else None


def sense_of(
    wordnet: WordNet, name: str, supercategory: str | None, decision: Decision | None, where: str
) -> Sense:
    """The sense of a class: the readers' decision, else the procedure's.

    Raises `Refused` where WordNet has no such synset or noun.
    """
    names = tuple(synset.name() for synset in candidates(wordnet, name))
    if decision is None:
        synset = choose(wordnet, name, supercategory)
        if synset is None:
            raise refuse(
                f"WordNet has no noun {name!r}",
                where,
                "name the synset that comes nearest: in the table --senses, or after @ in the list",
            )
        return Sense(synset, "exact", names, "procedure", "")
    try:
        synset = wordnet.synset(decision.synset)
    except Exception:  # NLTK has errors of three kinds for a name that is none
        synset = None
    if synset is None or synset.pos() != "n":
        raise refuse(
            f"WordNet has no synset {decision.synset[:60]!r} of a noun",
            where,
            "name one such as tap.n.01",
        )
    return Sense(synset, decision.match, names, "review", decision.why)


def read_decisions(path: Path) -> dict[int, Decision]:
    """A table of decisions: columns ``class_id, synset, match, why``; `Refused` with all faults."""
    problems = Problems()
    decisions: dict[int, Decision] = {}
    for line, row in enumerate(read_csv(path, ("class_id", "synset", "match", "why")), 2):
        where = f"{path}: row {line}"
        with problems.caught():
            class_id = whole_number(row["class_id"])
            if class_id is None:
                raise refuse(f"{row['class_id'][:60]!r} is no class id", where, "correct it")
            if class_id in decisions:
                raise refuse(f"class {class_id} is decided twice", where, "decide it once")
            if row["match"] not in MATCHES:
                known = " or ".join(MATCHES)
                raise refuse(f"match {row['match'][:60]!r} is unknown", where, f"give {known}")
            texts = [check_text(row[column], where) for column in ("synset", "match", "why")]
            decisions[class_id] = Decision(*texts)
    problems.raise_if_any()
    return decisions


def _above(synset: Any) -> set[str]:
    return {ancestor.name() for path in synset.hypernym_paths() for ancestor in path}
