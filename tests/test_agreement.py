"""Number, article and case of a noun that takes the place of another."""

from __future__ import annotations

import pytest

from actiseg_data.lexicon import load_lexicon
from actiseg_noise.text.agreement import match_case, replace_noun
from actiseg_noise.text.changes import changed_words, marked

LEXICON = load_lexicon()


def name(text):
    (class_id,) = LEXICON.classes_of(text)
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
    assert changed_words("cut two carrots", "cut some rice") == [
        ("cut", False),
        ("some rice", True),
    ]
    assert marked("a b c", "a b c") == "a b c"
    assert marked("a b c", "a x c", "<{}>") == "a <x> c"
    # What was only taken away leaves nothing to mark.
    assert marked("a b c", "a c") == "a c"
