"""Which words change, and into what: nested, apart, the same whatever stands beside."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.errors import InputError
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.text_noise.assignment import CATEGORY, WITHIN, split_rates
from actiseg_noise.text_noise.sequence_words import (
    TextCorruptor,
    Thresholds,
    compute_exact_thresholds,
)
from tests.helpers.kitchens import kitchen_clip, label

LEXICON = load_lexicon()
KNIFE = LEXICON.find_classes("knife")[0]
CLIPS = [kitchen_clip(number) for number in range(1, 61)]


def words_of(noise, clip):
    return noise.choose(noise.find_options(clip), noise.thresholds, clip.narration)


def changed(kind, rate, clips=CLIPS, **more):
    """(clip's folder, name) -> replacement, of all that a recipe changes."""
    noise = TextCorruptor(make_recipe(kind, rate, **more))
    found = {}
    for clip in clips:
        names = {each.object_id: each.name for each in clip.objects}
        for object_id, new in words_of(noise, clip).objects.items():
            found[clip.folder, names[object_id]] = new
    return found


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_two_rates_of_text_make_its_rate_and_mix(rate, mix):
    noise = make_recipe("text", rate, parameters={"mix": mix}).text_noise
    flip, substitute = split_rates(noise)
    assert flip == pytest.approx(rate * mix)
    assert flip + (1 - flip) * substitute == pytest.approx(rate if flip < 1 else 1)
    assert 0 <= substitute <= 1 + 1e-12


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("category", {}), ("within-category", {}), ("text", {}), ("text", {"flip": "sister"})],
)
def test_levels_nest_and_no_level_changes_anothers_words(kind, parameters):
    levels = [changed(kind, rate, parameters=parameters) for rate in (0.2, 0.4, 0.6, 1.0)]
    for less, more in itertools.pairwise(levels):
        assert len(less) < len(more)
        assert less.keys() <= more.keys()
        for item, new in less.items():
            if more[item].kind == new.kind:
                assert more[item] == new
            else:  # of text: what is substituted at one level may be flipped at a higher one
                assert (new.kind, more[item].kind) == (WITHIN, CATEGORY)


def test_flips_and_substitutions_of_text_are_those_of_the_single_kinds():
    both = changed("text", 0.6, parameters={"mix": 0.5})
    flips = {item: new for item, new in both.items() if new.kind == CATEGORY}
    alone = changed("category", 0.3)
    assert flips.keys() == alone.keys()


def test_nothing_becomes_what_another_of_its_clip_is():
    noise = TextCorruptor(make_recipe("text", 1.0))
    for clip in CLIPS:
        options = noise.find_options(clip)
        names = [each.name for each in clip.objects]
        classes = [each.class_id for each in clip.objects]
        for option in options.objects.values():
            names.append(option.flip[1].text)
            names += [] if option.substitute is None else [option.substitute.text]
            classes.append(option.flip[0])
        assert len(set(classes) - {each.class_id for each in clip.objects}) == len(clip.objects)
        assert len(set(names)) == len(names)


def test_with_collisions_allowed_only_the_own_class_and_name_are_avoided():
    parameters = {"allow_collisions": True, "pool": [13, 4, 41]}
    clip = replace(CLIPS[0], objects=(label(1, "cup"), label(2, "knife"), label(3, "carrot")))
    found = {}
    for seed in range(60):
        noise = TextCorruptor(make_recipe("category", 1.0, seed=seed, parameters=parameters))
        for at, new in words_of(noise, clip).objects.items():
            found.setdefault(at, set()).add(new.class_id)
    assert found == {1: {4, 41}, 2: {13, 41}, 3: {13, 4}}
    parameters["allow_collisions"] = False
    crowded = TextCorruptor(make_recipe("category", 1.0, parameters=parameters))
    none = words_of(crowded, clip)
    assert not none.objects
    assert none.tally["no_flip_target"] == 3


def test_a_class_with_one_name_is_not_eligible_for_another():
    noise = TextCorruptor(make_recipe("within-category", 1.0))
    clip = replace(CLIPS[0], objects=(label(1, "left hand"), label(2, "celery"), label(3, "knife")))
    words = words_of(noise, clip)
    assert set(words.objects) == {3}
    assert (words.tally["one_name"], words.tally["items"], words.tally["rest_items"]) == (2, 3, 1)


def test_names_that_all_collide_are_counted():
    written = [
        name.text for name in LEXICON.find_classes("dust pan") and LEXICON.classes[232].written
    ]
    assert len(written) == 2
    clip = replace(CLIPS[0], objects=tuple(label(at, name) for at, name in enumerate(written, 1)))
    words = words_of(TextCorruptor(make_recipe("within-category", 1.0)), clip)
    assert not words.objects
    assert words.tally["names_collide"] == 2


def test_substitutes_are_other_names_of_the_class_that_may_be_written():
    for (_, old), new in changed("within-category", 1.0).items():
        (class_id,) = LEXICON.find_classes(old)
        assert (new.class_id, new.kind) == (class_id, WITHIN)
        assert new.name.text != old
        assert new.name in LEXICON.classes[class_id].written


def test_names_of_wordnet_come_with_their_synset():
    noise = make_recipe("within-category", 1.0, parameters={"names": "wordnet"})
    counts = Counter()
    for seed in range(20):
        corruptor = TextCorruptor(replace(noise, seed=seed))
        for clip in CLIPS[:20]:
            names = {each.object_id: each for each in clip.objects}
            for object_id, new in words_of(corruptor, clip).objects.items():
                noun = LEXICON.classes[names[object_id].class_id]
                synonyms = {synonym.name.text: synonym for synonym in noun.synonyms}
                counts[new.name.text in synonyms] += 1
                if new.name.text in synonyms:
                    found = synonyms[new.name.text]
                    assert (new.synset, new.similarity) == (found.synset, found.similarity)
                else:
                    assert new.name in noun.written
                    assert (new.synset, new.similarity) == (noun.synset, 1)
                assert (new.kind, new.class_id) == (WITHIN, noun.class_id)
    assert min(counts.values()) > 20


def test_sister_terms_come_from_wordnet_with_their_synset():
    found = changed("category", 1.0, parameters={"flip": "sister"})
    assert found
    for (_, old), new in found.items():
        (class_id,) = LEXICON.find_classes(old)
        assert (new.kind, new.class_id) == (CATEGORY, class_id)
        sisters = {sister.name.text: sister for sister in LEXICON.classes[class_id].sisters}
        assert new.synset == sisters[new.name.text].synset
        assert new.similarity == sisters[new.name.text].similarity < 1


def test_flips_go_to_another_class_with_its_synset_and_similarity():
    for (_, old), new in changed("category", 1.0).items():
        (class_id,) = LEXICON.find_classes(old)
        assert new.class_id != class_id
        noun = LEXICON.classes[new.class_id]
        assert (new.synset, new.name.written) == (noun.synset, True)
        assert new.name in noun.names
        assert new.similarity == pytest.approx(
            LEXICON.measure_similarity(class_id, new.class_id), abs=1e-6
        )


def test_order_and_number_of_objects_do_not_matter():
    noise = TextCorruptor(make_recipe("text", 0.5))
    for clip in CLIPS[:20]:
        turned = replace(
            clip,
            seq_id=clip.seq_id + 500,
            folder=f"{clip.seq_id + 500:08d}{clip.folder[8:]}",
            objects=tuple(
                replace(each, object_id=len(clip.objects) + 1 - each.object_id)
                for each in reversed(clip.objects)
            ),
        )
        by_name = {each.object_id: each.name for each in clip.objects}
        turned_name = {each.object_id: each.name for each in turned.objects}
        one = {by_name[at]: new for at, new in words_of(noise, clip).objects.items()}
        other = {turned_name[at]: new for at, new in words_of(noise, turned).objects.items()}
        assert one == other


def test_another_seed_is_another_draw_and_scope_objects_and_protection_hold():
    assert changed("category", 0.4) != changed("category", 0.4, seed=1)
    positive = changed("category", 1.0, objects="positive")
    active = {(c.folder, each.name) for c in CLIPS for each in c.objects if each.positive}
    assert positive.keys() == active
    protect = [300, 301]
    kept = changed("text", 1.0, parameters={"protect": protect})
    assert not {name for _, name in kept} & {"left hand", "right hand"}
    assert not {new.class_id for new in kept.values()} & set(protect)


@pytest.mark.parametrize(("kind", "rate"), [("category", 0.3), ("within-category", 0.4)])
def test_realised_rates_are_those_asked_for(kind, rate):
    noise = TextCorruptor(make_recipe(kind, rate))
    tallies = [words_of(noise, kitchen_clip(number)).tally for number in range(1, 400)]
    hit, of = ("flipped", "flip_items") if kind == "category" else ("substituted", "rest_items")
    hits, items = sum(t[hit] for t in tallies), sum(t[of] for t in tallies)
    low, high = binomtest(hits, items).proportion_ci(0.999)
    assert low <= rate <= high


@pytest.mark.parametrize("rate", [0.0, 0.123, 0.5, 1.0])
def test_exact_thresholds_take_exactly_their_share(rate):
    noise = TextCorruptor(make_recipe("text", rate, exact=True))
    options = [noise.find_options(clip) for clip in CLIPS]
    items = [item for of in options for item in of.items]
    thresholds = compute_exact_thresholds(items, noise.thresholds)
    tally = sum(
        (noise.choose(of, thresholds).tally for of in options[1:]),
        noise.choose(options[0], thresholds).tally,
    )
    flips = round(noise.thresholds.flip * sum(item.flip is not None for item in items) + 1e-9)
    assert abs(tally["flipped"] - flips) <= 0.5
    rest = tally["rest_items"]
    assert abs(tally["substituted"] - noise.thresholds.substitute * rest) <= 0.5


def test_a_flip_that_is_below_every_threshold_needs_no_noise():
    noise = TextCorruptor(make_recipe("text", 0.5))
    none = noise.choose(noise.find_options(CLIPS[0]), Thresholds(0.0, 0.0))
    assert not none.objects
    assert none.tally["flipped"] == none.tally["substituted"] == 0


def test_a_recipe_of_another_lexicon_is_refused():
    recipe = make_recipe("category", 0.2, parameters={"lexicon": "0" * 32})
    with pytest.raises(InputError, match="another lexicon"):
        TextCorruptor(recipe)


def test_classes_that_the_parameters_name_must_be_in_the_lexicon():
    recipe = make_recipe(
        "category", 0.2, parameters={"pool": [1, 900], "protect": [901], "flip": "uniform"}
    )
    with pytest.raises(InputError) as caught:
        TextCorruptor(recipe)
    assert "900" in str(caught.value)
    assert "901" in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "more", "says"),
    [
        ({"flip": "nearest"}, {}, "flip: 'nearest' is unknown; did you mean 'near'"),
        ({"flip": ["near"]}, {}, r"flip is \['near'\]"),
        ({"flip": "matrix"}, {}, "go together"),
        ({"matrix": {"4": {"1": 1}}}, {}, "go together"),
        ({"flip": "matrix", "matrix": {"4": {"4": 1}}}, {}, "none on the diagonal"),
        ({"flip": "matrix", "matrix": {"4": {"1": -1}}}, {}, "rows of non-negative weights"),
        ({"flip": "matrix", "matrix": {"04": {"1": 1}}}, {}, "by class id"),
        ({"flip": "matrix", "matrix": {"9" * 5000: {"1": 1}}}, {}, "by class id"),
        ({"flip": "matrix", "matrix": {"None": {"1": 1}}}, {}, "by class id"),
        ({"names": "classes"}, {}, "names: 'classes' is unknown; did you mean 'class'"),
        ({"names": "sister"}, {}, "^names: 'sister' is no longer a choice: .* set flip to sister"),
        ({"flip": "sister", "pool": [1, 2]}, {}, "a pool has no effect on the flip 'sister'"),
        ({"pool": []}, {}, "a list of class ids"),
        ({"pool": [1.5]}, {}, "a list of class ids"),
        ({"lexicon": "x"}, {}, "digest of a lexicon"),
        ({"allow_collisions": 1}, {}, "true or false"),
        ({"mix": 2}, {}, "a share"),
        ({"pipeline": "en_core_web_sm"}, {}, "no effect"),
        ({}, {"scope": "all"}, "'all' is unknown"),
        ({}, {"overlap": "contest"}, "no noise of masks"),
        ({}, {"boundary_rate": 0.2}, "boundary_rate: is for recipes with noise in several media"),
        ({"radius": 3}, {}, "no parameter 'radius'"),
    ],
)
def test_recipes_of_text_noise_with_faults_are_refused(parameters, more, says):
    with pytest.raises(InputError, match=says):
        make_recipe("text", 0.4, parameters=parameters, **more)


def test_equal_noise_has_an_equal_recipe():
    one = make_recipe("category", 0.4, parameters={"protect": [301, 300, 300], "pool": (4.0, 1)})
    other = make_recipe("category", 0.4, parameters={"protect": [300, 301], "pool": [1, 4]})
    assert one.digest == other.digest
    matrix = {"flip": "matrix", "matrix": {"4": {"14": 1, "1": 2.0, "2": 0}, "2": {"1": 1}}}
    turned = {"flip": "matrix", "matrix": {"2": {"1": 1.0}, "4": {"1": 2, "14": 1}}}
    digests = {make_recipe("category", 0.4, parameters=p).digest for p in (matrix, turned)}
    assert len(digests) == 1


def test_a_mixed_recipe_has_both_with_rates_of_their_own():
    text, masks = make_recipe("mixed", 0.4, boundary_rate=0.1, parameters={"radius": 3}).noises
    assert (text.kind, text.rate, text.objects) == ("text", 0.4, "all")
    assert (masks.kind, masks.rate, masks.objects) == ("boundary", 0.1, "positive")
    assert masks.parameters["radius"] == 3
    assert "radius" not in text.parameters
    assert make_recipe("mixed", 0.4).mask_noise == make_recipe("boundary", 0.4).mask_noise


def test_the_two_hands_are_touched_equally_often():
    """They can become one thing only: neither side may always be the first."""
    hands = (label(1, "left hand"), label(2, "right hand"))
    pool = [300, 301, KNIFE]
    touched = Counter()
    for number in range(400):
        recipe = make_recipe("category", 1.0, seed=number, parameters={"pool": pool})
        noise = TextCorruptor(recipe)
        words = words_of(noise, replace(CLIPS[0], objects=hands, narration="wait"))
        assert words.tally["flipped"] == words.tally["no_flip_target"] == 1
        touched.update(list(words.objects))
    assert binomtest(touched[1], 400).pvalue > 1e-3
