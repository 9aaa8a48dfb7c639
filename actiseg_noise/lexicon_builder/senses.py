"""Determine the WordNet sense of a class: by a fixed procedure, or by decisions of people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from actiseg_data.core.errors import refuse
from actiseg_noise.lexicon_builder.concrete_senses import rank_concrete_senses
from actiseg_noise.lexicon_builder.decisions import Decision
from actiseg_noise.lexicon_builder.wordnet import WordNet

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
"""Synsets under which the senses of EPIC's supercategories are searched, the best first; `None` is
for classes without a supercategory. The last ones admit everything visible. The anchors are
specific
to kitchens, so no other vocabulary uses them."""


@dataclass(frozen=True)
class Noun:
    """A name as WordNet has it.

    Attributes
    ----------
    form : str
        Spelling in WordNet, such as ``wine_glass``.
    whole : bool
        Whether `form` is the whole name, and not its head alone.
    synsets : tuple
        NLTK's synsets in WordNet's order, by frequency; empty if WordNet lacks the noun.
    """

    form: str
    whole: bool
    synsets: tuple[Any, ...]


@dataclass(frozen=True)
class Sense:
    """The sense of a class.

    Attributes
    ----------
    synset : Any
        NLTK's object.
    match : str
        See `NounClass`.
    candidates : tuple of str
        Names of the synsets from which it was chosen.
    origin : str
        ``procedure`` or ``review``.
    why : str
        The reviewers' reason, or a remark of the procedure.
    rivals : tuple
        Synsets that are as concrete as the chosen one.
    """

    synset: Any
    match: str
    candidates: tuple[str, ...]
    origin: str
    why: str
    rivals: tuple[Any, ...] = ()

    @property
    def uncertain(self) -> bool:
        """Whether a person should check the sense: other senses fit as well, or none fits well."""
        return self.origin == "procedure" and bool(self.rivals or self.why)


SenseChooser: TypeAlias = Callable[[Noun], Sense]
"""A procedure that chooses a sense of a noun that WordNet has."""


def look_up(wordnet: WordNet, name: str) -> Noun:
    """Look up a name as it is, with spaces, or as one word; otherwise its last word."""
    spaced = name.replace("-", " ")
    for whole in (name, spaced, spaced.replace(" ", "")):
        form = whole.replace(" ", "_")
        synsets = wordnet.synsets(form, "n")
        if synsets:
            return Noun(_find_base_form(wordnet, form), True, tuple(synsets))
    form = spaced.split()[-1]
    return Noun(_find_base_form(wordnet, form), False, tuple(wordnet.synsets(form, "n")))


def choose_by_group(supercategory: str | None) -> SenseChooser:
    """Return the procedure for a supercategory of EPIC's classes.

    It chooses the first candidate under the first anchor of the supercategory that has any
    candidate, or the first candidate if no anchor has one.
    """
    anchors = (*ANCHORS.get(supercategory, ANCHORS[None]), *_THING)

    def choose(noun: Noun) -> Sense:
        ancestors = {synset: _collect_ancestors(synset) for synset in noun.synsets}
        ranked = (s for anchor in anchors for s in noun.synsets if anchor in ancestors[s])
        return Sense(next(ranked, noun.synsets[0]), "exact", _list_names(noun), "procedure", "")

    return choose


def choose_concrete(noun: Noun) -> Sense:
    """Choose a sense for any other vocabulary.

    It is the best of `rank_concrete_senses`, or the first sense if none is concrete. If WordNet has
    only the last word of the name, the match is `nearest`.
    """
    concrete = rank_concrete_senses(noun.synsets, noun.form)
    synset, *rivals = concrete or noun.synsets[:1]
    why = "" if concrete else "no sense of it can be seen"
    if not noun.whole:
        why = f"WordNet has its last word only, {noun.form!r}"
    match = "exact" if noun.whole else "nearest"
    return Sense(synset, match, _list_names(noun), "procedure", why, tuple(rivals))


def determine_sense(
    wordnet: WordNet, name: str, decision: Decision | None, choose: SenseChooser, where: str
) -> Sense:
    """Return the sense of a class: the one that people decided on, else the procedure's.

    Parameters
    ----------
    wordnet : WordNet
        NLTK's reader.
    name : str
        Name of the class.
    decision : Decision or None
        The sense that people decided on.
    choose : SenseChooser
        The procedure.
    where : str
        Location of the class, for the message.

    Raises
    ------
    InputError
        If WordNet lacks the synset or the noun.
    """
    noun = look_up(wordnet, name)
    if decision is None:
        if not noun.synsets:
            raise refuse(
                f"WordNet has no noun {name!r}",
                where,
                "give the closest synset: in the file `senses`, or after @ in the list",
            )
        return choose(noun)
    try:
        synset = wordnet.synset(decision.synset)
    except Exception:  # NLTK raises errors of three kinds for an invalid name
        synset = None
    if synset is None or synset.pos() != "n":
        raise refuse(
            f"WordNet has no synset {decision.synset[:60]!r} of a noun",
            where,
            "give a synset such as tap.n.01" + _suggest_senses(noun),
        )
    return Sense(synset, decision.match, _list_names(noun), "review", decision.why)


def _suggest_senses(noun: Noun) -> str:
    known = [name for name in _list_names(noun) if name.startswith(f"{noun.form}.")] or _list_names(
        noun
    )
    return f"; {noun.form} has {', '.join(known[:5])}" if known else ""


def _find_base_form(wordnet: WordNet, form: str) -> str:
    """Return the form that WordNet lists: ``ski`` for ``skis``."""
    return str(wordnet.morphy(form.lower(), "n") or form.lower())


def _list_names(noun: Noun) -> tuple[str, ...]:
    return tuple(synset.name() for synset in noun.synsets)


def _collect_ancestors(synset: Any) -> set[str]:
    return {ancestor.name() for path in synset.hypernym_paths() for ancestor in path}
