"""Nouns of referring expressions: which one is meant, and what it becomes."""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.lexicon import read_lexicon
from actiseg_data.core.errors import InputError
from actiseg_data.core.keys import draw_uniform, make_key
from actiseg_data.layouts.referring import ReferringExpression, ReferringSequence
from actiseg_data.records.ledger_record import parse_ledger_row
from actiseg_noise.recipes.building import make_recipe

pytest.importorskip("spacy", reason="spaCy is in the extra [text]")

from actiseg_noise.text_noise.expression_words import plan_expressions
from actiseg_noise.text_noise.head_nouns import find_head
from actiseg_noise.text_noise.mentions import load_finder
from tests.helpers.command import run
from tests.helpers.farm_lexicon import farm_lexicon

LEXICON = farm_lexicon()
FINDER = load_finder(LEXICON)
CLASSES = {noun.name: class_id for class_id, noun in LEXICON.classes.items()}
OF_NAME = {
    text: noun.class_id
    for noun in LEXICON.classes.values()
    for name in noun.names
    for text in (name.text, name.counterpart)
}

PHRASES = (
    ("a person on the left riding a brown horse", "person"),
    ("person on the left", "person"),
    ("the black and white dog next to a car", "dog"),
    ("a running dog", "dog"),
    ("the second horse from the right", "horse"),
    ("two people and a dog", "people"),
    ("one of the two dogs", "dogs"),
    ("a pair of dogs on the grass", "dogs"),
    ("the man's dog", "dog"),
    ("a man's umbrella on the grass", "umbrella"),
    ("Elephant walking behind the other elephants", "Elephant"),
    ("a dog is running after a ball", "dog"),
    ("a famous horse", "horse"),
    ("horse", "horse"),
    # Of the other nouns, the lexicon has none for what is meant.
    ("a lady riding a brown horse", None),
    ("lady rides horse", None),
    ("the lady and a dog", None),
    ("a penguin on the grass", None),
    ("on the left, a dog", None),
    ("there is a dog", None),
    ("a hot-dog", None),
    ("left most", None),
)


@pytest.mark.parametrize(("text", "expected"), PHRASES)
def test_the_noun_of_the_first_phrase_is_the_head(text, expected):
    mentions = FINDER.find(text, begins_with_verb=False)
    head = find_head(text, mentions, frozenset())
    shown = None if head is None else text[mentions[head].start : mentions[head].end]
    assert shown == expected


def test_a_known_class_decides_which_noun_is_the_head():
    text = "on the left of the dog, a man"
    mentions = FINDER.find(text, begins_with_verb=False)
    assert [mention.name for mention in mentions] == ["dog", "man"]
    assert find_head(text, mentions, frozenset()) is None
    assert find_head(text, mentions, {CLASSES["person"]}) == 1
    assert find_head(text, mentions, {CLASSES["cat"]}) is None


@given(st.text(max_size=60))
def test_any_text_has_a_head_or_none(text):
    mentions = FINDER.find(text, begins_with_verb=False)
    head = find_head(text, mentions, frozenset())
    assert head is None or 0 <= head < len(mentions)


def make_sequences(count=40):
    """Sequences with a few expressions each."""
    texts = [text for text, head in PHRASES if head]
    return [
        ReferringSequence(
            f"clip{number:03d}",
            tuple(
                ReferringExpression(str(at), texts[(3 * number + 5 * at) % len(texts)], (str(at),))
                for at in range(4)
            ),
        )
        for number in range(count)
    ]


SEQUENCES = make_sequences()


def make_plan(kind, rate, sequences=SEQUENCES, nouns="head", **more):
    recipe = make_recipe(kind, rate, lexicon=LEXICON, **more)
    return plan_expressions(sequences, recipe, LEXICON, nouns=nouns)


def list_changes(plan):
    """(folder, expression, noun) -> kind and new name."""
    return {
        (row.sequence, row.parameters["expression"], row.parameters["noun"]): (row.kind, row.name)
        for rows in plan.rows.values()
        for row in rows
    }


@pytest.mark.parametrize("kind", ["category", "within-category", "text"])
@pytest.mark.parametrize("nouns", ["head", "all"])
def test_levels_nest(kind, nouns):
    levels = [list_changes(make_plan(kind, rate, nouns=nouns)) for rate in (0.2, 0.5, 1.0)]
    for less, more in itertools.pairwise(levels):
        assert 0 < len(less) < len(more)
        for item, (how, name) in less.items():
            if more[item][0] == how:
                assert more[item] == (how, name)
            else:
                assert (how, more[item][0]) == ("within-category", "category")


def test_draws_are_keyed_by_sequence_expression_and_noun():
    changes = list_changes(make_plan("category", 0.4, seed=5, nouns="all"))
    everything = list_changes(make_plan("category", 1.0, seed=5, nouns="all"))
    assert len(everything) > 200
    for item in everything:
        uniform = draw_uniform(make_key(5, 1, "text.flip", *item))
        assert (item in changes) == (uniform < 0.4)


def test_no_other_sequence_and_no_order_changes_anything():
    whole = list_changes(make_plan("text", 0.6))
    part = list_changes(make_plan("text", 0.6, list(reversed(SEQUENCES[10:20]))))
    folders = {sequence.folder for sequence in SEQUENCES[10:20]}
    assert part == {item: new for item, new in whole.items() if item[0] in folders}


def test_heads_become_the_same_whether_or_not_other_nouns_count():
    heads = list_changes(make_plan("category", 1.0))
    nouns = list_changes(make_plan("category", 1.0, nouns="all"))
    assert len(heads) == 4 * len(SEQUENCES) < len(nouns)
    assert heads.items() <= nouns.items()


def test_only_the_noun_and_its_determiner_change():
    plan = make_plan("category", 1.0)
    clean = {(s.folder, e.exp_id): e.text for s in SEQUENCES for e in s.expressions}
    for row in itertools.chain.from_iterable(plan.rows.values()):
        old, new = clean[row.sequence, row.parameters["expression"]], row.prompt
        assert row.prompt_org == old
        assert plan.texts[row.sequence, row.parameters["expression"]] == new
        assert OF_NAME[row.object] == row.class_id_org != row.class_id == OF_NAME[row.name]
        gone = Counter(old.lower().split()) - Counter(new.lower().split())
        assert sum(gone.values()) <= 3
        assert len(old.split()) - 2 <= len(new.split()) <= len(old.split()) + 1


def test_articles_and_numbers_agree():
    texts = ("a dog on the grass", "two dogs", "A Dog")
    found = Counter()
    for number in range(60):
        expressions = tuple(ReferringExpression(str(n), text) for n, text in enumerate(texts))
        plan = make_plan("category", 1.0, [ReferringSequence(f"clip{number}", expressions)])
        one, two, capital = (plan.texts[f"clip{number}", str(n)] for n in range(3))
        name = plan.rows[f"clip{number}"][0].name
        article = "an" if name[0] in "aeiou" else "a"
        assert one == f"{article} {name} on the grass"
        assert two.split()[0] == ("some" if two.endswith("grass") else "two")
        assert two.split()[1] in OF_NAME
        assert capital.split()[1][0].isupper()
        found[article] += 1
    assert min(found["a"], found["an"]) > 3


@pytest.mark.parametrize("text", ["two sheep", "some white sheep", "the sheep", "a sheep"])
def test_nouns_with_one_form_have_the_number_of_their_determiner(text):
    names = set()
    for number in range(30):
        folder = f"clip{number}"
        plan = make_plan(
            "category", 1.0, [ReferringSequence(folder, (ReferringExpression("0", text),))]
        )
        changed, name = plan.texts[folder, "0"], plan.rows[folder][0].name
        if name != "grass":
            assert changed.endswith(name) == (text in ("the sheep", "a sheep"))
            names.add(changed.split()[0])
    assert names == {"a sheep": {"a", "an"}}.get(text, {text.split()[0]})


@pytest.mark.slow
def test_the_lexicon_of_a_user_is_enough(wordnet, tmp_path):
    """Reading WordNet takes seconds; the other tests have a lexicon made by hand."""
    (tmp_path / "nouns.txt").write_text("0: person, lady\n1: sheep\n2: motorbike\n")
    done = run(
        *("lexicon", "build", "--names", tmp_path / "nouns.txt", "--wordnet", wordnet),
        *("--out", tmp_path / "own.json"),
    )
    assert done.returncode == 0, done.stderr
    lexicon = read_lexicon(tmp_path / "own.json")
    texts = ("two sheep on the road", "a lady on a motorbike")
    expressions = tuple(ReferringExpression(str(n), text) for n, text in enumerate(texts))
    plan = plan_expressions(
        [ReferringSequence("x", expressions[:1]), ReferringSequence("y", expressions[1:])],
        # With this seed the motorbike, which stays, does not take the only other class.
        make_recipe("category", 1.0, seed=2, lexicon=lexicon),
        lexicon,
    )
    assert plan.texts["x", "0"] in (
        *("two people on the road", "two ladies on the road", "two motorbikes on the road"),
    )
    assert plan.texts["y", "1"] == "a sheep on a motorbike"


def test_flips_avoid_what_the_sequence_mentions_and_what_its_objects_are():
    expressions = (
        ReferringExpression("0", "a dog behind a cat", ("1",)),
        ReferringExpression("1", "the man with an umbrella", ("2",)),
    )
    categories = {"3": "horse", "4": "brown elephants"}
    recipe = make_recipe("category", 1.0, lexicon=LEXICON)
    names = set()
    for number in range(40):
        folder = f"clip{number}"
        sequence = ReferringSequence(folder, expressions)
        plan = plan_expressions([sequence], recipe, LEXICON, categories={folder: categories})
        names |= {row.class_id for row in plan.rows[folder]}
    assert names == {CLASSES[name] for name in ("car", "ball", "grass", "sheep")}


def test_substitutes_are_other_names_of_the_class():
    plan = make_plan("within-category", 1.0)
    assert plan.tally["one_name"] == sum(
        text.split()[0] in ("Elephant", "umbrella") or "umbrella" in text[:16]
        for sequence in SEQUENCES
        for text in (expression.text for expression in sequence.expressions)
    )
    for row in itertools.chain.from_iterable(plan.rows.values()):
        assert row.class_id == row.class_id_org
        assert row.name != row.object
        assert row.similarity == 1.0


def test_exact_shares_are_those_of_all_sequences_also_for_some_of_them():
    plan = make_plan("category", 0.25, exact=True)
    items = plan.tally["flip_items"]
    assert plan.tally["flipped"] == round(0.25 * items)
    recipe = make_recipe("category", 0.25, lexicon=LEXICON, exact=True)
    only = frozenset(sequence.folder for sequence in SEQUENCES[:7])
    part = plan_expressions(SEQUENCES, recipe, LEXICON, only=only)
    assert part.rows == {folder: plan.rows[folder] for folder in plan.rows if folder in only}
    cut = plan_expressions(SEQUENCES[:7], recipe, LEXICON, known=plan.thresholds)
    assert cut == part


def test_rows_are_rows_of_a_ledger():
    plan = make_plan("text", 1.0, nouns="all")
    rows = [row for rows in plan.rows.values() for row in rows]
    for row in rows:
        assert parse_ledger_row(json.loads(row.to_json()), "ledger") == row
        assert row.object_id == int(row.parameters["expression"])
    several = replace(SEQUENCES[0].expressions[0], object_ids=("1", "2"))
    (row,) = make_plan("category", 1.0, [ReferringSequence("x", (several,))]).rows["x"]
    assert row.object_id is None


def test_expressions_without_a_noun_are_kept_and_counted():
    texts = ("", "  ", "a lady on a horse", "dog\nhere", "the dog", "\u202ea dog")
    expressions = tuple(ReferringExpression(str(n), text) for n, text in enumerate(texts))
    plan = make_plan("category", 1.0, [ReferringSequence("x", expressions)])
    assert list(plan.texts) == [("x", "4")]
    counted = {name: plan.tally[name] for name in plan.tally if name.startswith("expression_")}
    assert counted == {
        "expression_empty": 2,
        "expression_without_noun": 1,
        "expression_unprintable": 2,
    }
    assert (plan.tally["all_items"], plan.tally["items"]) == (6, 1)


def test_protected_classes_keep_their_names():
    parameters = {"protect": [CLASSES["dog"]]}
    plan = make_plan("category", 1.0, parameters=parameters)
    names = {(row.object, row.name) for rows in plan.rows.values() for row in rows}
    assert names
    assert not any("dog" in pair for pair in names)


def test_a_lexicon_of_another_dataset_is_refused():
    expressions = (ReferringExpression("0", "a penguin"), ReferringExpression("1", "a giraffe"))
    with pytest.raises(InputError, match="none of 2 expressions refers to an object") as refused:
        make_plan("category", 1.0, [ReferringSequence("x", expressions)])
    assert "lexicon build --names" in refused.value.problems[0].hint
    recipe = make_recipe("category", 1.0)
    with pytest.raises(InputError, match="was made with another lexicon"):
        plan_expressions(SEQUENCES, recipe, LEXICON)
    with pytest.raises(InputError, match="'first' is unknown"):
        make_plan("category", 1.0, nouns="first")


def test_without_spacy_the_extra_is_named(monkeypatch):
    for module in [name for name in sys.modules if name.partition(".")[0] == "spacy"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError, match="expressions needs the package spacy") as refused:
        make_plan("category", 1.0)
    assert 'pip install "actiseg[text]"' in refused.value.problems[0].hint
