"""Two objects of a clip trade their names, and nothing else changes."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.errors import InputError
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.corruption.recipe_choice import choose_recipe
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.text_noise.assignment import CATEGORY
from actiseg_noise.text_noise.exchanges import pair_objects
from actiseg_noise.text_noise.expression_plan import choose_nouns
from actiseg_noise.text_noise.sequence_words import TextCorruptor
from actiseg_noise.verification.verification import verify
from tests.helpers.kitchens import kitchen_clip, label, make_kitchen

LEXICON = load_lexicon()
CLIPS = [kitchen_clip(number) for number in range(1, 61)]
NAMES = ["left hand", "right hand", "hand", "knife", "fork", "cup", "mug", "pan", "carrot"]


def exchange(clip, rate=1.0, **more):
    """The names of a clip's objects afterwards, by clean name, and the counts."""
    corruptor = TextCorruptor(make_recipe("exchange", rate, **more))
    words = corruptor.choose(corruptor.find_options(clip), corruptor.thresholds)
    names = {each.object_id: each.name for each in clip.objects}
    return {names[at]: new for at, new in words.objects.items()}, words.tally


def clip_of(*names, **more):
    things = tuple(label(at, name) for at, name in enumerate(names, 1))
    return replace(CLIPS[0], objects=things, **more)


@given(st.lists(st.sampled_from(NAMES), unique=True, max_size=9), st.integers(0, 10**6))
def test_an_exchange_is_an_exchange(names, seed):
    clip = clip_of(*names)
    new, tally = exchange(clip, seed=seed)
    classes = {each.name: each.class_id for each in clip.objects}
    for name, replacement in new.items():
        partner = replacement.name.text
        assert new[partner].name.text == name
        assert (replacement.kind, replacement.class_id) == (CATEGORY, classes[partner])
        assert replacement.class_id != classes[name]
        assert {name, partner} not in ({"hand", "left hand"}, {"hand", "right hand"})
    alone = tally["exchange_without_change"] + tally["exchange_without_partner"]
    assert len(new) + alone == len(names) == tally["items"]
    rest = [each for each in clip.objects if each.name not in new]
    again = pair_objects(seed, clip, rest, LEXICON)
    assert not again.partners  # nobody is left who could have traded


def test_exchanges_that_would_be_no_change_are_counted():
    assert exchange(clip_of("cup", "mug"))[1]["exchange_without_change"] == 2
    assert exchange(clip_of("left hand", "hand"))[1]["exchange_without_change"] == 2
    assert exchange(clip_of("left hand"))[1]["exchange_without_partner"] == 1
    tally = exchange(clip_of("left hand", "knife", "fork"))[1]
    assert (tally["flipped"], tally["exchange_without_partner"]) == (2, 1)
    new, tally = exchange(clip_of("left hand", "knife"), parameters={"protect": [4]})
    assert (new, tally["items"], tally["exchange_without_partner"]) == ({}, 1, 1)


def test_every_pair_of_a_clip_is_equally_likely():
    clip = clip_of("left hand", "right hand", "knife", "pan")
    found = Counter()
    for seed in range(600):
        new, _ = exchange(clip, seed=seed)
        found.update(frozenset((name, other.name.text)) for name, other in new.items())
    assert len(found) == 6
    assert chisquare([count / 2 for count in found.values()]).pvalue > 1e-3


def test_levels_nest_and_order_and_ids_do_not_matter():
    for clip in CLIPS:
        levels = [exchange(clip, rate)[0] for rate in (0.2, 0.4, 0.6, 1.0)]
        for less, more in itertools.pairwise(levels):
            assert less.items() <= more.items()
        turned = replace(
            clip,
            objects=tuple(
                replace(each, object_id=99 - each.object_id) for each in clip.objects[::-1]
            ),
        )
        assert exchange(turned, 0.4)[0] == levels[1]


@pytest.mark.parametrize("more", [{}, {"objects": "positive"}, {"exact": True}])
def test_exchanged_splits_are_verified_and_audited(tmp_path, more):
    root = make_kitchen(tmp_path / "clean", 60)
    done = corrupt(root, make_recipe("exchange", 0.4, **more), out=tmp_path / "noisy")
    assert verify(done.out, root).ok
    found = audit(done.out)
    assert found.ok, found.findings
    text = done.summary["text"]
    assert text["interval_95"] is None
    assert text["flips"]["selected"] % 2 == 0
    share = text["flips"]["selected"] / text["of_all"]["items"]
    (line,) = (text for text in found.agreements if "exchanges: " in text)
    assert f"{share:.1%} of all" in line  # both objects of each pair count
    if more.get("exact"):
        assert abs(text["flips"]["selected"] - 0.4 * text["flips"]["items"]) <= 1.5


def test_the_narration_follows_under_the_scope_both(tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    root = make_kitchen(tmp_path / "clean", 20)
    done = corrupt(root, make_recipe("exchange", 1.0, scope="both"), out=tmp_path / "noisy")
    assert verify(done.out, root).ok
    assert audit(done.out).ok


@pytest.mark.parametrize("scope", ["narration", "nouns"])
def test_scopes_without_two_names_are_refused(scope):
    with pytest.raises(InputError, match="prompt, both"):
        make_recipe("exchange", 0.4, scope=scope)
    with pytest.raises(InputError, match="for datasets with action lists"):
        choose_nouns(make_recipe("exchange", 0.4))


def test_a_pool_is_refused_by_its_own_name():
    with pytest.raises(InputError, match=r"^pool: 'exchange' has no parameter 'pool'"):
        choose_recipe("exchange", rate=0.4, pool="frequency")
