"""Which category an object gets: confusion matrices, nested and independent of one another."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import InputError
from actiseg_noise import make_recipe
from actiseg_noise.corruption.recipe_choice import choose_recipe
from actiseg_noise.label_noise.category_choice import freeze_categories
from actiseg_noise.label_noise.class_draws import iterate_class_draws, plan_class_noise
from actiseg_noise.recipes.published import digest_noises

NAMES = ("cat", "dog", "horse", "car", "bus", "spoon")
GROUPS = ("animal", "animal", "animal", "vehicle", "vehicle", None)
CATEGORIES = tuple(Category(10 + n, NAMES[n], GROUPS[n]) for n in range(6))
GROUP_OF = {category.id: category.supercategory for category in CATEGORIES}


def picture(number, count=6):
    objects = tuple(
        ObjectLabel(at + 1, f"object {at}", 10 + (number + at) % 6, True, False, False, f"{at}")
        for at in range(count)
    )
    texts = {"narration": "", "verb": "", "noun": "", "video": f"{number:06d}"}
    return VideoSequence(
        folder=f"{number:06d}",
        seq_id=number,
        start=0,
        end=0,
        verb_class=-1,
        noun_class=-1,
        frames=("0",),
        objects=objects,
        is_action=False,
        **texts,
    )


PICTURES = [picture(number) for number in range(200)]


def make_noise(rate, **settings):
    (noise,) = freeze_categories(make_recipe("class", rate, **settings), CATEGORIES).noises
    return noise


def draw(rate, pictures=PICTURES, seed=0, **settings):
    """The old and the new id by picture and object."""
    plan = plan_class_noise(pictures, seed, make_noise(rate, **settings))
    return {
        (row.sequence, row.object_id): (row.value_org["id"], row.value["id"])
        for rows in plan.rows.values()
        for row in rows
    }


def hash_by_hand(*words):
    text = json.dumps(words, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


@pytest.mark.parametrize("own", [True, False])
def test_categories_are_those_of_draws_by_hand(own):
    expected = {}
    for picture_ in PICTURES:
        for label in picture_.objects:
            key = (picture_.folder, label.source_id)
            head = hash_by_hand(2, 1, "class.select", *key)[:8]
            if (int.from_bytes(head, "little") >> 11) / 2**53 < 0.3:
                pool = [c.id for c in CATEGORIES if own or c.id != label.class_id]
                number = int.from_bytes(hash_by_hand(2, 1, "class.choose", *key), "little")
                new = pool[number * len(pool) >> 256]
                expected[picture_.folder, label.object_id] = (label.class_id, new)
    assert draw(0.3, seed=2, own=own) == expected


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["uniform", "supercategory"]))
def test_higher_rates_draw_the_same_categories_and_more(one, other, change):
    low, high = sorted((one, other))
    part = PICTURES[:8]
    assert draw(low, part, change=change).items() <= draw(high, part, change=change).items()


WHOLE = draw(0.4)


@given(st.sets(st.sampled_from(range(200)), min_size=1, max_size=10), st.randoms())
def test_a_part_in_any_order_has_the_categories_of_the_whole(chosen, random):
    part = [PICTURES[number] for number in chosen]
    random.shuffle(part)
    folders = {picture_.folder for picture_ in part}
    expected = {key: value for key, value in WHOLE.items() if key[0] in folders}
    assert draw(0.4, part) == expected


def test_the_realised_share_is_that_of_the_confusion_matrix():
    """C = rate / K + (1 - rate) I: a share of rate (K - 1) / K changes, evenly."""
    pictures = [picture(number) for number in range(700)]
    rate, count = 0.5, 700 * 6
    plan = plan_class_noise(pictures, 1, make_noise(rate, own=True))
    expected = rate * 5 / 6
    assert abs(plan.tally["changed"] - count * expected) <= 4 * math.sqrt(
        count * expected * (1 - expected)
    )
    pairs = Counter(draw(rate, pictures, seed=1, own=True).values())
    share = rate / 36
    for pair in ((old.id, new.id) for old in CATEGORIES for new in CATEGORIES):
        assert abs(pairs[pair] - count * share) <= 4.5 * math.sqrt(count * share)
    assert all(old != new for old, new in draw(1.0, pictures).values())


def test_a_supercategory_is_never_left():
    drawn = draw(1.0, change="supercategory")
    assert {GROUP_OF[old] for old, _ in drawn.values()} == {"animal", "vehicle"}
    assert all(old != new and GROUP_OF[old] == GROUP_OF[new] for old, new in drawn.values())
    plan = plan_class_noise(PICTURES, 0, make_noise(1.0, change="supercategory"))
    assert plan.tally["alone"] == 200  # every picture has one spoon, which has no group
    own = draw(1.0, change="supercategory", own=True)
    assert any(old == new for old, new in own.values())


def test_a_matrix_decides_where_objects_go(tmp_path):
    table = tmp_path / "confusions.csv"
    rows = ["was,dog,15,cat", "cat,3,1,", "11,0,0,1", "horse,1,,", "car,1,0,0", "bus,0,0,2"]
    table.write_text("\n".join([*rows, "spoon,0,0,1"]))
    recipe = choose_recipe("class", rate=1.0, change="matrix", matrix=table, categories=CATEGORIES)
    (noise,) = recipe.noises
    assert noise.parameters["matrix"]["10"] == {"11": 3.0, "15": 1.0}
    pictures = [picture(number) for number in range(400)]
    plan = plan_class_noise(pictures, 0, noise)
    counts = Counter(
        (row.value_org["name"], row.value["name"]) for rows in plan.rows.values() for row in rows
    )
    assert counts.keys() == {
        *(("cat", "dog"), ("cat", "spoon"), ("dog", "cat"), ("horse", "dog")),
        *(("car", "dog"), ("bus", "cat"), ("spoon", "cat")),
    }
    assert abs(counts["cat", "dog"] - 300) <= 4 * math.sqrt(400 * 0.75 * 0.25)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"change": "matrix"}, "matrix: a matrix and the change 'matrix' go together"),
        ({"matrix": {"10": {"11": 1}}}, "go together"),
        ({"change": "matrix", "matrix": {"10": {"11": 1}}, "own": True}, "own: has no effect"),
        ({"change": "forget"}, "change: 'forget' is unknown"),
        ({"own": 1}, "own is 1"),
        ({"categories": [{"id": 1, "name": "cat"}]}, "categories is"),
        ({"categories": []}, "categories is []"),
        ({"flip": "near"}, "'class' has no parameter 'flip'"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, said):
    with pytest.raises(InputError) as refused:
        make_recipe("class", 0.2, **settings)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("x,cat\nfrog,1\n", "'frog' is not a category of the dataset, did you mean 'dog'?"),
        ("x,cat\ncat,1\n", "diagonal"),
        ("x,cat,10\ndog,1,1\n", "class 10 has two columns"),
    ],
)
def test_a_faulty_matrix_is_refused(tmp_path, table, said):
    path = tmp_path / "m.csv"
    path.write_text(table)
    with pytest.raises(InputError) as refused:
        choose_recipe("class", rate=0.2, change="matrix", matrix=path, categories=CATEGORIES)
    assert said.removesuffix(", did you mean 'dog'?") in str(refused.value)


def test_a_row_that_objects_need_must_be_there():
    noise = make_noise(0.2, change="matrix", matrix={"10": {"11": 1}})
    with pytest.raises(InputError, match=r"no row for 5 categories of the dataset: 11 \(dog\)"):
        plan_class_noise(PICTURES, 0, noise)


def test_without_categories_nothing_is_drawn():
    with pytest.raises(InputError, match="no list of categories"):
        plan_class_noise(PICTURES, 0, make_recipe("class", 0.2).noises[0])
    with pytest.raises(InputError, match="names categories, and the dataset has none"):
        choose_recipe("class", rate=0.2, change="matrix", matrix="m.csv")


def test_objects_of_unknown_categories_are_left_alone():
    pictures = [picture(0), picture(1)]
    (noise,) = freeze_categories(make_recipe("class", 1.0), CATEGORIES[:3]).noises
    plan = plan_class_noise(pictures, 0, noise)
    assert plan.tally == {"items": 6, "changed": 6, "unknown": 6}
    assert len(list(iterate_class_draws(pictures, 0, noise))) == 6


def test_the_order_of_categories_has_no_effect():
    there, back = (
        freeze_categories(make_recipe("class", 0.2), order)
        for order in (CATEGORIES, CATEGORIES[::-1])
    )
    assert there.digest == back.digest
    assert freeze_categories(there, CATEGORIES[::-1]) == there
    with pytest.raises(InputError, match="has 4 categories that the dataset lacks"):
        freeze_categories(there, CATEGORIES[:2])


def test_a_preset_has_its_name_whatever_the_categories():
    recipe = make_recipe("class", 0.2)
    assert digest_noises(freeze_categories(recipe, CATEGORIES).noises) == digest_noises(
        recipe.noises
    )
