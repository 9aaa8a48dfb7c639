"""Number, article and case of a noun that takes the place of another."""

from __future__ import annotations

import pytest

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_noise.text_noise.agreement import match_case, replace_noun
from actiseg_noise.text_noise.word_diff import compare_words, mark_changes

LEXICON = load_lexicon()


def name(text):
    (class_id,) = LEXICON.find_classes(text)
    return next(each for each in LEXICON.classes[class_id].names if each.text == text)


@pytest.mark.parametrize(
    ("text", "noun", "number", "new", "expected"),
    [
        ("cut two carrots", "carrots", "plural", "potato", "cut two potatoes"),
        ("cut two carrots", "carrots", "plural", "rice", "cut some rice"),
        ("cut carrots", "carrots", "plural", "rice", "cut rice"),
        ("take a carrot", "carrot", "singular", "onion", "take an onion"),
        ("take an onion", "onion", "singular", "carrot", "take a carrot"),
        ("take a carrot", "carrot", "singular", "scissors", "take some scissors"),
        ("take a carrot", "carrot", "singular", "rice", "take some rice"),
        ("take one carrot", "carrot", "singular", "rice", "take some rice"),
        ("take another carrot", "carrot", "singular", "rice", "take more rice"),
        ("take another carrot", "carrot", "singular", "onion", "take another onion"),
        ("wash both hands", "hands", "plural", "rice", "wash some rice"),
        ("wash these carrots", "carrots", "plural", "rice", "wash this rice"),
        ("take this carrot", "carrot", "singular", "tongs", "take these tongs"),
        ("pour some water", "water", "mass", "carrot", "pour some carrots"),
        ("pour more water", "water", "mass", "milk", "pour more milk"),
        ("pour water", "water", "mass", "carrot", "pour carrot"),
        ("take scissors", "scissors", "plural", "knife", "take knives"),
        ("take onion pieces", "onion pieces", "plural", "carrot slices", "take carrot slices"),
        ("take a carrot", "carrot", "singular", "carrot slices", "take a carrot slice"),
        ("Take A Carrot", "Carrot", "singular", "onion", "Take An Onion"),
        ("TAKE A CARROT", "CARROT", "singular", "bread knife", "TAKE A BREAD KNIFE"),
        ("put knife on a  carrot", "carrot", "singular", "egg", "put knife on an  egg"),
        ("cut two big carrots", "carrots", "plural", "leek", "cut two big leeks"),
        ("cut two big carrots", "carrots", "plural", "rice", "cut some big rice"),
        ("take a big carrot", "carrot", "singular", "scissors", "take some big scissors"),
        ("take a big carrot", "carrot", "singular", "onion", "take a big onion"),
        ("take an old onion", "onion", "singular", "carrot", "take an old carrot"),
        ("cut a few carrots", "carrots", "plural", "rice", "cut some rice"),
        ("cut a few carrots", "carrots", "plural", "leek", "cut a few leeks"),
        ("cut a few big carrots", "carrots", "plural", "rice", "cut some big rice"),
        ("wash the two carrots", "carrots", "plural", "rice", "wash the rice"),
        ("put these two carrots", "carrots", "plural", "rice", "put this rice"),
        ("put these two carrots", "carrots", "plural", "onion", "put these two onions"),
        ("take a used cup", "cup", "singular", "knife", "take a used knife"),
        ("take half a dozen carrots", "carrots", "plural", "onion", "take half a dozen onions"),
        ("cut half a carrot", "carrot", "singular", "onion", "cut half an onion"),
        ("cut half an onion", "onion", "singular", "rice", "cut some rice"),
        ("take a plate with carrot", "carrot", "singular", "rice", "take a plate with rice"),
        ("take a couple of carrots", "carrots", "plural", "rice", "take some rice"),
        ("take a couple of carrots", "carrots", "plural", "onion", "take a couple of onions"),
        ("Take A Couple Of Carrots", "Carrots", "plural", "rice", "Take Some Rice"),
        ("take couple of big carrots", "carrots", "plural", "rice", "take some big rice"),
        ("take the couple of carrots", "carrots", "plural", "rice", "take the rice"),
        ("take a dozen carrots", "carrots", "plural", "rice", "take some rice"),
        ("take half a dozen carrots", "carrots", "plural", "rice", "take some rice"),
        ("take a pair of scissors", "scissors", "plural", "rice", "take some rice"),
        ("take a pair of scissors", "scissors", "plural", "knife", "take a pair of knives"),
        ("wash 2 carrots", "carrots", "plural", "rice", "wash some rice"),
        ("wash 12 carrots", "carrots", "plural", "onion", "wash 12 onions"),
        ("wash 1 carrot", "carrot", "singular", "rice", "wash some rice"),
        ("use less water", "water", "mass", "carrot", "use fewer carrots"),
        ("use less water", "water", "mass", "rice", "use less rice"),
        ("use fewer carrots", "carrots", "plural", "rice", "use less rice"),
        ("use much water", "water", "mass", "carrot", "use many carrots"),
        ("use too much water", "water", "mass", "scissors", "use too many scissors"),
        ("use too many carrots", "carrots", "plural", "rice", "use too much rice"),
        ("add a little water", "water", "mass", "onion", "add an onion"),
        ("add a little water", "water", "mass", "tongs", "add a few tongs"),
        ("add a little water", "water", "mass", "rice", "add a little rice"),
        ("take a little spoon", "spoon", "singular", "knife", "take a little knife"),
        ("take a little spoon", "spoon", "singular", "rice", "take some little rice"),
        ("add a bit of water", "water", "mass", "carrot", "add a carrot"),
        ("add a little bit of water", "water", "mass", "tongs", "add a few tongs"),
        ("take two more carrots", "carrots", "plural", "rice", "take some more rice"),
        ("add a little more water", "water", "mass", "carrot", "add another carrot"),
        ("add much more water", "water", "mass", "carrot", "add many more carrots"),
        ("add a lot of water", "water", "mass", "carrot", "add a lot of carrots"),
        ("take one of the carrots", "carrots", "plural", "rice", "take some of the rice"),
        ("add a little water", "water", "mass", "onion pieces", "add a few onion pieces"),
        ("take a carrot", "carrot", "singular", "onion pieces", "take an onion piece"),
    ],
)
def test_a_person_could_have_written_it(text, noun, number, new, expected):
    start = text.index(noun)
    assert replace_noun(text, start, start + len(noun), number, name(new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("knife", "bread knife", "bread knife"),
        ("Knife", "bread knife", "Bread knife"),
        ("Bread Knife", "cutting board", "Cutting Board"),
        ("Bread Knife", "fork", "Fork"),
        ("KNIFE", "fork", "FORK"),
        ("A", "some", "Some"),
        ("bread Knife", "fork", "fork"),
        ("Bread knife", "cutting board", "Cutting board"),
        ("7 up", "fork", "fork"),
    ],
)
def test_case_is_kept(old, new, expected):
    assert match_case(old, new) == expected


def test_changed_words_are_told():
    assert compare_words("cut two carrots", "cut some rice") == [
        ("cut", False),
        ("some rice", True),
    ]
    assert mark_changes("a b c", "a b c") == "a b c"
    assert mark_changes("a b c", "a x c", "<{}>") == "a <x> c"
    # What was only taken away leaves nothing to mark.
    assert mark_changes("a b c", "a c") == "a c"
