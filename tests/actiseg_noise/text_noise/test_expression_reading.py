"""Which nouns of a noisy expression changed: found from the text alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.layouts.referring import ReferringExpression, ReferringSequence
from actiseg_noise.recipes.building import make_recipe

pytest.importorskip("spacy", reason="spaCy is in the extra [text]")

from actiseg_noise.text_noise.agreement import replace_noun
from actiseg_noise.text_noise.expression_reading import explain_expression
from actiseg_noise.text_noise.expression_words import ExpressionCorruptor
from tests.helpers.farm_lexicon import farm_lexicon

LEXICON = farm_lexicon()
CORRUPTOR = ExpressionCorruptor(make_recipe("text", 0.5, lexicon=LEXICON), LEXICON, "all")
ASSIGNER = CORRUPTOR.corruptor.assigner
WORDS = ("a dog", "two horses", "the man", "An elephant", "some grass", "near", "and", "hounds")


def find_nouns(text):
    sequence = ReferringSequence("clip", (ReferringExpression("0", text),))
    return CORRUPTOR.find_options(sequence, {}).nouns


def list_possible(nouns, text):
    """Every text that the recipe can give, with the changes that give it."""
    choices = []
    for noun in nouns:
        own = [None]
        own += [ASSIGNER.make_flip(noun.options)] if noun.options.flip else []
        own += [ASSIGNER.make_substitution(noun.options)] if noun.options.substitute else []
        choices.append(own)
    for changes in itertools.product(*choices):
        noisy = text
        for noun, change in reversed(list(zip(nouns, changes, strict=True))):
            if change is not None:
                mention = noun.mention
                noisy = replace_noun(noisy, mention.start, mention.end, mention.number, change.name)
        yield noisy, changes


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join))
@settings(max_examples=40, deadline=None)
def test_each_possible_text_is_explained(text):
    nouns = find_nouns(text)
    for noisy, changes in list_possible(nouns, text):
        explained = explain_expression(ASSIGNER, nouns, text, noisy)
        assert explained is not None
        assert (noisy, explained) in list(list_possible(nouns, text))
        if noisy != text:
            assert [c and c.class_id for c in explained] == [c and c.class_id for c in changes]


def test_other_words_are_not_explained():
    text = "a dog near two horses"
    nouns = find_nouns(text)
    assert explain_expression(ASSIGNER, nouns, text, text) == (None, None)
    for noisy in ("", "a dog by two horses", "a penguin near two horses", f"{text} ", text[2:]):
        assert explain_expression(ASSIGNER, nouns, text, noisy) is None
    assert explain_expression(ASSIGNER, (), "left", "right") is None
