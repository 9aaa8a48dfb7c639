"""To which class a class is flipped: uniform where it should be, near where it should be."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from actiseg_data.annotations.lexicon import load_lexicon, parse_lexicon
from actiseg_data.core.errors import InputError
from actiseg_data.core.keys import draw_integer, make_key
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.corruption.recipe_choice import choose_recipe
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.recipes.building import load_recipe
from actiseg_noise.text_noise.choices import find_protected_classes, read_matrix
from actiseg_noise.text_noise.flips import FAR_MOST, FAR_POWER, NEAR_LEAST, NEAR_POWER, FlipTargets
from actiseg_noise.text_noise.sequence_words import TextCorruptor
from actiseg_noise.verification.verification import verify
from tests.helpers.kitchens import make_kitchen

LEXICON = load_lexicon()
KNIFE, SPOON, PLATE, FORK, RIGHT_HAND, SCISSORS = 4, 1, 2, 14, 301, 79
OTHER_SIDES = {300: 301, 301: 300, 303: 304, 304: 303}
"""Left and right hand, left and right glove."""


def targets(flip="uniform", pool=None, protect=(), matrix=None):
    parameters = {"flip": flip, "pool": pool, "protect": list(protect), "matrix": matrix}
    return FlipTargets(parameters, LEXICON)


def drawn(flips, class_id, excluded=frozenset(), count=3000, name="draw"):
    excluded = {class_id, *excluded}
    return [
        flips.draw(
            make_key(seed, 1, name),
            lambda seed=seed: make_key(seed, 1, f"{name} again"),
            class_id,
            excluded,
        )
        for seed in range(count)
    ]


def test_uniform_flips_are_uniform_over_all_other_classes():
    found = Counter(drawn(targets(), KNIFE, count=40_000))
    assert KNIFE not in found
    counts = [found[class_id] for class_id in LEXICON.classes if class_id != KNIFE]
    assert chisquare(counts).pvalue > 1e-4


def test_what_is_excluded_leaves_the_others_uniform():
    """Most draws decide at once, the others by a key of their own: together they must be fair."""
    excluded = set(range(0, 300, 2)) | {KNIFE}
    found = Counter(drawn(targets(), KNIFE, excluded, count=30_000))
    assert not excluded & set(found)
    counts = [found[class_id] for class_id in LEXICON.classes if class_id not in excluded]
    assert chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize(("flip", "power"), [("near", NEAR_POWER), ("far", FAR_POWER)])
def test_near_and_far_flips_follow_their_weights(flip, power):
    excluded = {SPOON, 79}
    found = Counter(drawn(targets(flip), KNIFE, excluded, count=30_000))
    others = [c for c in LEXICON.classes if c not in {KNIFE, *excluded}]
    similar = np.array([LEXICON.measure_similarity(KNIFE, other) for other in others])
    weights = similar**power if flip == "near" else (1 - similar) ** power
    weights *= [not LEXICON.is_subclass(other, KNIFE) for other in others]
    weights *= similar >= NEAR_LEAST if flip == "near" else similar <= FAR_MOST
    expected = weights / weights.sum() * 30_000
    counts = np.array([found[other] for other in others], float)
    likely = expected >= 5
    assert counts[expected == 0].sum() == 0
    rare = ~likely & (expected > 0)
    pooled = [*counts[likely], counts[rare].sum()], [*expected[likely], expected[rare].sum()]
    if not rare.any():
        pooled = counts[likely], expected[likely]
    assert chisquare(*pooled).pvalue > 1e-4


@pytest.mark.parametrize(("flip", "low", "high"), [("near", NEAR_LEAST, 1), ("far", 0, FAR_MOST)])
def test_no_flip_passes_its_threshold(flip, low, high):
    """But the opposite hand, which `near` takes at once, is near as well."""
    flips = targets(flip)
    without = 0
    for class_id in LEXICON.classes:
        for other in drawn(flips, class_id, count=20, name=str(class_id)):
            without += other is None
            assert other is None or low <= LEXICON.measure_similarity(class_id, other) <= high
    assert without == {"near": 6 * 20, "far": 0}[flip]


def test_near_is_nearer_than_uniform_and_far_is_farther():
    def mean(flip):
        values = [
            LEXICON.measure_similarity(class_id, other)
            for class_id in range(0, 305, 5)
            for other in drawn(targets(flip), class_id, count=60, name=str(class_id))
            if other is not None
        ]
        return np.mean(values)

    near, uniform, far = mean("near"), mean("uniform"), mean("far")
    assert near > uniform + 0.2
    assert uniform > far + 0.05


def test_supercategory_flips_stay_in_the_group():
    found = Counter(drawn(targets("supercategory"), KNIFE))
    cutlery = {c for c, noun in LEXICON.classes.items() if noun.supercategory == "cutlery"}
    assert set(found) == cutlery - {KNIFE}
    assert chisquare(list(found.values())).pvalue > 1e-4
    (foot,) = LEXICON.find_classes("foot")  # the only one of its group
    assert drawn(targets("supercategory"), foot, count=1) == [None]


@pytest.mark.parametrize("flip", ["near", "far", "supercategory"])
def test_no_flip_is_to_a_class_that_holds_the_clean_one(flip):
    """A right hand that is called a hand, or a carrot a vegetable, is called rightly."""
    for name, general in (("right hand", "hand"), ("carrot", "vegetable"), ("spoon", "cutlery")):
        (class_id,), (above,) = LEXICON.find_classes(name), LEXICON.find_classes(general)
        assert LEXICON.is_subclass(above, class_id)
        assert not LEXICON.is_subclass(class_id, above)
        found = set(drawn(targets(flip), class_id, count=3000))
        assert above not in found
        assert not any(LEXICON.is_subclass(other, class_id) for other in found)


def test_a_pool_and_protected_classes_bound_the_targets():
    found = set(drawn(targets(pool=[1, 2, 4, 14, 301], protect=[301]), KNIFE))
    assert found == {SPOON, PLATE, FORK}
    assert drawn(targets(pool=[4]), KNIFE, count=1) == [None]
    assert drawn(targets(pool=[4], protect=[4]), KNIFE, count=1) == [None]
    assert drawn(targets(), KNIFE, set(LEXICON.classes), count=1) == [None]


def test_a_matrix_says_where_flips_go():
    matrix = {"4": {"1": 3.0, "14": 1.0}}
    found = Counter(drawn(targets("matrix", matrix=matrix), KNIFE, count=8000))
    assert set(found) == {SPOON, FORK}
    assert found[SPOON] / 8000 == pytest.approx(0.75, abs=0.02)
    assert set(drawn(targets("matrix", matrix=matrix), KNIFE, {SPOON}, count=50)) == {FORK}
    assert drawn(targets("matrix", matrix=matrix), PLATE, count=1) == [None]


@given(
    st.sets(st.integers(0, 304), max_size=20),
    st.sampled_from(["uniform", "near", "far", "supercategory"]),
    st.integers(0, 304),
    st.integers(0, 10**6),
)
def test_a_draw_is_what_stepping_through_the_weights_gives(excluded, flip, class_id, seed):
    excluded = excluded | {class_id}
    flips = targets(flip)
    first, again = make_key(seed, 1, "a"), make_key(seed, 1, "b")

    def stepped(draw, allowed):
        weights = {c: flips._get_row(class_id).weights[c] for c in allowed}
        place = draw_integer(draw, max(sum(weights.values()), 1))
        for c, weight in weights.items():
            if place < weight:
                return c
            place -= weight
        return None

    expected = stepped(first, list(LEXICON.classes))
    if flip == "near" and OTHER_SIDES.get(class_id, class_id) not in excluded:
        expected = OTHER_SIDES[class_id]
    elif expected in excluded:
        expected = stepped(again, [c for c in LEXICON.classes if c not in excluded])
    assert flips.draw(first, lambda: again, class_id, excluded) == expected


@pytest.mark.parametrize(("class_id", "other"), OTHER_SIDES.items())
def test_near_takes_a_hand_for_the_other_one(class_id, other):
    assert set(drawn(targets("near"), class_id, count=200)) == {other}
    assert other not in drawn(targets("near"), class_id, {other}, count=500)
    assert other not in drawn(targets("near", protect=[other]), class_id, count=500)
    assert len(set(drawn(targets("far"), class_id, count=500))) > 50


def test_near_knows_the_sides_of_any_vocabulary():
    document = {**LEXICON.document, "classes": LEXICON.document["classes"][:3]}
    renamed = [("left boot", 0), ("right boot", 1), ("left", 2)]
    classes = [
        {**noun, "name": name, "names": [{**noun["names"][0], "name": name}]}
        for noun, (name, _) in zip(document["classes"], renamed, strict=True)
    ]
    lexicon = parse_lexicon({**document, "classes": classes}, "boots")
    parameters = {"flip": "near", "pool": None, "protect": [], "matrix": None}
    flips = FlipTargets(parameters, lexicon)
    first, again = make_key(0, 1, "a"), make_key(0, 1, "b")
    assert [flips.draw(first, lambda: again, side, {side}) for side in (0, 1)] == [1, 0]
    assert flips.draw(first, lambda: again, 2, {2}) in {0, 1}


MATRIX = """\
clean,spoon,14,plate
knife,3,1,
2,0,1.5,0
"""


def test_a_matrix_is_read_by_names_and_ids(tmp_path):
    path = tmp_path / "matrix.csv"
    path.write_text(MATRIX)
    assert read_matrix(path, LEXICON) == {"4": {"1": 3.0, "14": 1.0}, "2": {"14": 1.5}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clean,spoon\n", "no row of weights"),
        ("clean,spoon\nknife,-1\n", "'-1' is not a weight"),
        ("clean,spoon\nknife,nan\n", "'nan' is not a weight"),
        ("clean,spoon\nknife,x\n", "'x' is not a weight"),
        ("clean,spoon\nknife,0\n", "no weight above 0"),
        ("clean,spoon,fork\nknife,1\n", "has 1 weights, but the header has 2"),
        ("clean,spoon\nspoon,1\n", "diagonal"),
        ("clean,spoon\nknif,1\n", "did you mean 'knife'"),
        ("clean,spon\nknife,1\n", "column 2"),
        ("clean,spoon\nknife,1\n4,1\n", "has two rows"),
        ("clean,spoon,1\nknife,1,1\n", "has two columns"),
        (f"clean,spoon\n{'9' * 5000},1\n", "not a class of the lexicon"),
        ("clean,spoon\n\x1b[2J,1\n", r"row 2 \('\\x1b\[2J'\)"),
    ],
)
def test_a_matrix_with_a_bad_row_is_refused(tmp_path, text, says):
    path = tmp_path / "matrix.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_matrix(path, LEXICON)


def test_all_bad_rows_of_a_matrix_are_told(tmp_path):
    path = tmp_path / "matrix.csv"
    path.write_text("clean,spoon\nknife,-1\nnothing,1\nplate,0\n")
    with pytest.raises(InputError) as caught:
        read_matrix(path, LEXICON)
    assert len(caught.value.problems) == 3


def test_protected_names_are_names_of_the_lexicon():
    assert find_protected_classes(["Left Hand", "bread knife"], LEXICON) == [4, 300]
    assert find_protected_classes(["301", "board:cutting"], LEXICON) == [18, 301]
    with pytest.raises(InputError) as caught:
        find_protected_classes(["lft hand", "right hand", "sporn"], LEXICON)
    assert len(caught.value.problems) == 2
    assert "left hand" in str(caught.value)


def test_frequencies_weigh_every_rule():
    counts = {str(SCISSORS): 30, str(SPOON): 10, str(KNIFE): 500, str(PLATE): 60}
    found = Counter(drawn(targets(pool=counts), KNIFE, count=20_000))
    assert set(found) == {SCISSORS, SPOON, PLATE}
    observed = [found[class_id] for class_id in (SCISSORS, SPOON, PLATE)]
    assert chisquare(observed, [6000, 2000, 12_000]).pvalue > 1e-4
    near = Counter(drawn(targets("near", pool=counts), KNIFE, count=20_000))
    weights = np.array(
        [
            count * LEXICON.measure_similarity(KNIFE, at) ** NEAR_POWER
            for at, count in ((SCISSORS, 30), (SPOON, 10))
        ]
    )
    expected = weights / weights.sum() * 20_000
    assert chisquare([near[SCISSORS], near[SPOON]], expected).pvalue > 1e-4


@given(st.integers(1, 1000))
def test_a_pool_of_equal_frequencies_is_a_pool(count):
    pool = [1, 2, 4, 14, 301]
    even = targets(pool={str(class_id): count for class_id in pool})
    assert drawn(even, KNIFE, count=40) == drawn(targets(pool=pool), KNIFE, count=40)


def test_the_dataset_gives_the_frequencies(tmp_path):
    root = make_kitchen(tmp_path / "clean", 12)
    recipe = choose_recipe("category", dataset=root, rate=1.0, pool="frequency")
    assert recipe.text_noise.parameters["pool"] == "frequency"
    with pytest.raises(InputError, match=r"no frequencies yet"):
        TextCorruptor(recipe)
    done = corrupt(root, "category", rate=1.0, pool="frequency", out=tmp_path / "noisy")
    made = load_recipe(done.out / "recipe.json").text_noise.parameters["pool"]
    objects = [
        entry["class_id"]
        for record in json.loads((root / "ImageSets" / "train.json").read_text())
        for entry in record["object_classes"].values()
    ]
    assert made == {str(class_id): objects.count(class_id) for class_id in sorted(set(objects))}
    assert verify(done.out, root).ok
    assert audit(done.out).ok
    rows = [json.loads(line) for line in (done.out / "ledger.jsonl").read_text().splitlines()]
    assert {row["class_id"] for row in rows} <= set(objects)
