from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.core.keys import (
    draw_bernoullis,
    draw_integer,
    draw_normals,
    draw_uniform,
    draw_uniforms,
    make_key,
)

GOLDEN = [
    (
        (0, 1, "select"),
        "fda789fad3c3f9ab1d82a0bf59a60616ae15e75a2d43677401ff74fbda294d26",
        0.6717798607374221,
        149,
    ),
    (
        (0, 1, "boundary.select", "P01_01_take_cup", "frame_0000000101", "cup"),
        "aa8f355efc6939c7d8932ba0f88b0a9edc18e3b9998a12e2e35193184981edb0",
        0.7782198182232688,
        691,
    ),
    (
        (7, 2, "text.flip", "café", 3),
        "1a847bcc0274a99a434aeebf067e5c8051d9dc3b312af854b21b4a92cf515a97",
        0.6041481501419934,
        591,
    ),
    (
        (-1, 1, "x", 'a"b'),
        "27fcca95b94f598f1089690c04ccc9eb038753cd1be291e15f7ca08dc7d231ed",
        0.5599565342034046,
        926,
    ),
]
identities = st.lists(st.text(max_size=4) | st.integers(-9, 9), max_size=4)


def many(count, purpose="test"):
    return [make_key(0, 1, purpose, number) for number in range(count)]


@pytest.mark.parametrize(("arguments", "digits", "number", "below_1000"), GOLDEN)
def test_published_draws_never_change(arguments, digits, number, below_1000):
    draw = make_key(*arguments)
    assert draw.hex() == digits
    assert draw_uniform(draw) == number
    assert draw_integer(draw, 1000) == below_1000


def test_published_series_never_change():
    draw = make_key(0, 1, "select")
    assert draw_uniforms(draw, 2).tolist() == [0.41482980608030307, 0.7104196777258802]
    assert draw_normals(draw, 2).tolist() == [1.6061841788575046, -1.6515362613610822]
    assert draw_bernoullis(draw, 8, 0.5).tolist() == [
        True,
        False,
        True,
        True,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("arguments", [row[0] for row in GOLDEN])
def test_draws_follow_the_documented_formula(arguments):
    text = json.dumps(list(arguments), separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.blake2b(text.encode(), digest_size=32).digest()
    assert make_key(*arguments) == digest
    assert draw_uniform(digest) == (int.from_bytes(digest[:8], "little") >> 11) / 2**53
    stream = hashlib.shake_256(digest).digest(8 * 12)
    words = [int.from_bytes(stream[at : at + 8], "little") >> 11 for at in range(0, 96, 8)]
    assert draw_uniforms(digest, 12).tolist() == [word / 2**53 for word in words]
    assert draw_normals(digest, 1)[0] == pytest.approx(sum(words) / 2**53 - 6, abs=1e-12)
    words = [int.from_bytes(stream[at : at + 2], "little") for at in range(0, 96, 2)]
    for probability in (0.05, 0.2, 0.5, 0.8):
        expected = [word < round(probability * 65536) for word in words]
        assert draw_bernoullis(digest, 48, probability).tolist() == expected
    assert draw_integer(digest, 37) == int.from_bytes(digest, "little") * 37 // 2**256


@settings(max_examples=200, deadline=None)
@given(identities, identities)
def test_keys_are_equal_only_for_equal_identities(one, other):
    # 1 and "1" are different; so are ["ab", "c"] and ["a", "bc"].
    same = list(map(repr, one)) == list(map(repr, other))
    assert (make_key(0, 1, "test", *one) == make_key(0, 1, "test", *other)) == same


@pytest.mark.parametrize(
    "other",
    [(1, 1, "p", "ab", "c"), (0, 2, "p", "ab", "c"), (0, 1, "q", "ab", "c")]
    + [(0, 1, "p", *rest) for rest in (("a", "bc"), ("abc",), ("c", "ab"), ("ab", "c", ""))]
    + [(0, 1, "p,ab", "c"), (0, 1, "p", 'ab","c')],
)
def test_every_part_of_a_key_counts(other):
    assert make_key(0, 1, "p", "ab", "c") != make_key(*other)


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_keys_do_not_depend_on_the_hash_seed_of_the_process(hash_seed):
    code = "from actiseg_data.core.keys import make_key; print(make_key(0, 1, 'select').hex())"
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == GOLDEN[0][1]


@pytest.mark.parametrize("draw", [bytes(32), b"\xff" * 32], ids=["lowest", "highest"])
def test_uniforms_and_integers_stay_below_their_end(draw):
    assert 0 <= draw_uniform(draw) < 1
    assert [draw_integer(draw, below) for below in (1, 2, 7)] == [
        (below - 1) * (draw[0] > 0) for below in (1, 2, 7)
    ]


@pytest.mark.parametrize(
    "numbers",
    [
        np.array([draw_uniform(draw) for draw in many(20_000)]),
        draw_uniforms(make_key(0, 1, "test"), 20_000),
        np.array([draw_integer(draw, 40) for draw in many(20_000, "other")]) / 40,
    ],
    ids=["uniform", "uniforms", "integer"],
)
def test_numbers_are_spread_evenly(numbers):
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.bincount((numbers * 40 + 1e-9).astype(int), minlength=40)
    chi_square = ((counts - 500) ** 2 / 500).sum()
    assert 10 < chi_square < 85  # 39 degrees of freedom: both ends are beyond one in 10,000


def test_neighbouring_keys_are_independent():
    numbers = np.array([draw_uniform(draw) for draw in many(20_000)])
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.03


def test_what_a_lower_rate_selects_a_higher_one_selects_too():
    draws = many(500)
    chosen = [{i for i, draw in enumerate(draws) if draw_uniform(draw) < n / 10} for n in range(11)]
    assert all(lower < higher for lower, higher in pairwise(chosen))
    assert (len(chosen[0]), len(chosen[10])) == (0, 500)


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 40), st.integers(0, 40))
def test_short_series_begin_long_ones(draw, short, extra):
    for series in (draw_uniforms, draw_normals):
        longer = series(draw, short + extra)
        assert longer.shape == (short + extra,)
        assert (series(draw, short) == longer[:short]).all()


@settings(max_examples=50, deadline=None)
@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 60),
    st.integers(0, 60),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_short_series_of_coins_begin_long_ones_and_lower_odds_nest(draw, short, extra, one, other):
    longer = draw_bernoullis(draw, short + extra, one)
    assert longer.shape == (short + extra,)
    assert longer.dtype == bool
    assert (draw_bernoullis(draw, short, one) == longer[:short]).all()
    rarer, likelier = (draw_bernoullis(draw, short, p) for p in sorted((one, other)))
    assert not (rarer & ~likelier).any()


@pytest.mark.parametrize("draw", [bytes(32), b"\xff" * 32, make_key(0, 1, "test")])
def test_coins_of_probability_0_are_never_and_of_1_always_true(draw):
    assert not draw_bernoullis(draw, 70_000, 0).any()
    assert draw_bernoullis(draw, 70_000, 1).all()


@pytest.mark.parametrize("probability", [0.001, 0.05, 0.2, 0.5, 0.8, 0.999])
def test_coins_are_as_likely_as_asked(probability):
    found = draw_bernoullis(make_key(0, 1, "test"), 400_000, probability)
    spread = (probability * (1 - probability) / 400_000) ** 0.5
    assert abs(found.mean() - probability) < 4 * spread
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.01


def test_bells_are_close_to_normal():
    numbers = draw_normals(make_key(0, 1, "test"), 50_000)
    assert abs(numbers).max() < 6
    assert numbers.mean() == pytest.approx(0, abs=0.02)
    assert numbers.var() == pytest.approx(1, abs=0.03)
    assert (numbers**3).mean() == pytest.approx(0, abs=0.05)
    assert (numbers**4).mean() == pytest.approx(2.9, abs=0.12)  # 3 - 6/(5 * 12)
    assert (abs(numbers) < 1.96).mean() == pytest.approx(0.95, abs=0.005)
