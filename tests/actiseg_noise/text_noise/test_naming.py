"""No object becomes what its clip's narration names, and nothing else changes by that."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.text_noise.assignment import CATEGORY
from actiseg_noise.text_noise.naming import NameIndex
from actiseg_noise.text_noise.sequence_words import TextCorruptor
from tests.helpers.kitchens import kitchen_clip, label

LEXICON = load_lexicon()
INDEX = NameIndex(LEXICON)
SEEDS = range(40)
FORK, HANDS = LEXICON.find_classes("fork")[0], LEXICON.find_classes("hand")[0]


def class_names(text):
    return {LEXICON.classes[class_id].name for class_id in INDEX.find(text).classes}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pick up knife and fork", {"knife", "fork"}),
        ("Pick Up FORKS!", {"fork"}),
        ("take board:cutting", {"chopping board"}),
        ("take chopping-board", {"chopping board"}),
        ("eat slices of cheese", {"cheese"}),
        ("salt the egg", {"salt", "egg"}),
        ("take teaspoon", {"spoon"}),
        ("take forklift", set()),
        ("", set()),
        ("prendre la fourchette", set()),
    ],
)
def test_names_are_found_as_whole_words_in_every_spelling(text, names):
    assert class_names(text) >= names
    assert bool(class_names(text)) == bool(names)


@given(st.sampled_from(sorted(LEXICON.classes)), st.data())
def test_every_name_in_either_number_names_its_class(class_id, data):
    name = data.draw(st.sampled_from(LEXICON.classes[class_id].names))
    for form in filter(None, (name.text, name.counterpart)):
        found = INDEX.find(f"put {form.upper()}, then wait")
        assert class_id in found.classes
        assert name.text.casefold() in found.names


@given(st.text(max_size=80))
def test_any_text_is_looked_through_and_every_name_stands_in_it(text):
    words = " ".join(re.findall(r"[^\W_]+", text.casefold()))
    for class_id in INDEX.find(text).classes:
        forms = {form.casefold() for name in LEXICON.classes[class_id].names
                 for form in (name.text, name.counterpart) if form}  # fmt: skip
        heads = {form.replace("'", " ").split()[-1] for form in forms}
        assert any(head in words for head in heads)


def flips(clip, **parameters):
    """The classes that objects of a clip are flipped to, over many seeds."""
    found = set()
    for seed in SEEDS:
        noise = TextCorruptor(make_recipe("category", 1.0, seed=seed, parameters=parameters))
        options = noise.find_options(clip).objects.values()
        found |= {option.flip[0] for option in options if option.flip is not None}
    return found


def cutlery_clip(narration, *names, noun_class=4):
    things = tuple(label(at, name) for at, name in enumerate(names or ("knife",), 1))
    return replace(kitchen_clip(1), objects=things, narration=narration, noun_class=noun_class)


@pytest.mark.parametrize("flip", ["supercategory", "uniform"])
def test_what_the_narration_names_is_avoided_as_the_objects_are(flip):
    parameters = {"flip": flip, "pool": [4, 1, FORK, 2]}
    if flip == "supercategory":
        parameters["pool"] = None
    clean = flips(cutlery_clip("pick up knife"), **parameters)
    assert FORK in clean
    found = flips(cutlery_clip("pick up knife and forks"), **parameters)
    assert found
    assert FORK not in found
    assert FORK in flips(
        cutlery_clip("pick up knife and forks"), **parameters, allow_collisions=True
    )


def test_the_labelled_noun_of_the_narration_is_avoided_though_no_word_names_it():
    parameters = {"pool": [1, FORK]}
    assert flips(cutlery_clip("pick it up", noun_class=FORK), **parameters) == {1}


def test_an_object_that_can_only_become_what_the_narration_names_stays_as_it_is():
    clip = cutlery_clip("pick up knife and fork")
    noise = TextCorruptor(make_recipe("category", 1.0, parameters={"pool": [4, FORK]}))
    words = noise.choose(noise.find_options(clip), noise.thresholds)
    assert not words.objects
    assert words.tally["no_flip_target"] == 1


@pytest.mark.parametrize("rate", [0.2, 0.6, 1.0])
def test_no_narration_names_a_flip_of_its_clip(rate):
    for flip in ("uniform", "near", "far", "supercategory"):
        noise = TextCorruptor(make_recipe("text", rate, parameters={"flip": flip}))
        for number in range(1, 60):
            clip = kitchen_clip(number, narration="wash knife, forks and the salt container")
            words = noise.choose(noise.find_options(clip), noise.thresholds)
            for new in words.objects.values():
                if new.kind == CATEGORY:
                    names = LEXICON.classes[new.class_id].names
                    text = clip.narration
                    stand = [name.text for name in names
                             if re.search(rf"\b{re.escape(name.text)}\b", text)]  # fmt: skip
                    assert stand == []


def test_what_a_narration_names_changes_few_other_choices():
    """So published words stay where they can: those that change had met an avoided class."""
    noise = TextCorruptor(make_recipe("category", 1.0))
    same = total = 0
    for number in range(1, 60):
        plain = kitchen_clip(number, narration="", noun_class=0)
        clip = replace(plain, narration="look at knife and fork")
        before = {at: o.flip[0] for at, o in noise.find_options(plain).objects.items()}
        after = {at: o.flip[0] for at, o in noise.find_options(clip).objects.items()}
        same += sum(before[at] == after[at] for at in before)
        total += len(before)
    assert 0.95 * total < same <= total


def substitutes(narration, name, **parameters):
    """What an object is renamed to, over many seeds."""
    found = set()
    for seed in SEEDS:
        noise = TextCorruptor(make_recipe("within-category", 1.0, seed=seed, parameters=parameters))
        (option,) = noise.find_options(cutlery_clip(narration, name)).objects.values()
        found.add(option.substitute and option.substitute.text)
    return found


def test_another_name_of_the_class_is_avoided_where_the_narration_has_both():
    """`take dustpan` means the dust pan that is labelled; `dust pan and dustpan` are two."""
    assert substitutes("take dustpan", "dust pan") == {"dustpan"}
    assert substitutes("take dust pan and dustpan", "dust pan") == {None}


def test_a_sister_term_in_the_narration_is_another_thing():
    def sisters(narration, name):
        found = set()
        for seed in SEEDS:
            recipe = make_recipe("category", 1.0, seed=seed, parameters={"flip": "sister"})
            options = TextCorruptor(recipe).find_options(cutlery_clip(narration, name))
            found |= {option.flip[1].text for option in options.objects.values()}
        return found

    sister, *others = sorted(sisters("open it", "knife"))
    assert others
    assert sisters(f"open {sister}", "knife") <= set(others)


def test_the_noun_of_a_narration_does_not_become_another_noun_of_it():
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    clip = cutlery_clip("pick up knife and fork")
    for seed in SEEDS:
        recipe = make_recipe("category", 1.0, seed=seed, scope="narration",
                             parameters={"flip": "supercategory"})  # fmt: skip
        noise = TextCorruptor(recipe)
        change = noise.choose(noise.find_options(clip), noise.thresholds, clip.narration).narration
        assert change.class_id == 4
        assert change.replacement.class_id != FORK
        assert change.text.count("fork") == 1
