"""Names that other systems spell otherwise: taken where one fits one, else refused with both."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.listing import list_folder
from actiseg_data.layouts.spelling import find_path, find_paths, match_names

NAME = "00000003_P01_01_take_café:big"


@pytest.mark.parametrize(
    "spelling",
    [
        NAME.replace(":", "%3A"),
        NAME.replace(":", "%3a"),
        NAME.replace(":", "_"),
        NAME.replace(":", "\uf03a"),
        NAME.replace(":", "\uff1a"),
        unicodedata.normalize("NFD", NAME),
        unicodedata.normalize("NFD", NAME).replace(":", "_"),
        f"{NAME}.png",
        f"{NAME}.jpg.PNG",
    ],
)
def test_a_name_is_found_under_each_spelling_and_counted(spelling):
    matches = match_names([NAME, "other"], {spelling, "other", "another"})
    assert matches.names == {NAME: spelling, "other": "other"}
    assert matches.respelled == 1
    assert matches.clashes == ()


@pytest.mark.parametrize("name", ["take_cup", "TAKE_CUP:BIG", "take_cup:bigger", "take-cup:big"])
def test_a_name_that_differs_in_more_is_another_one(name):
    assert match_names(["take_cup:big"], {name}).names == {}


def test_the_name_itself_stands_above_its_other_spellings():
    assert match_names(["a:b"], {"a:b", "a_b", "a%3Ab"}).names == {"a:b": "a:b"}


def test_a_folder_that_is_wanted_itself_is_not_taken_for_another_spelling():
    assert match_names(["a:b", "a_b"], {"a_b"}).names == {"a_b": "a_b"}


def test_an_escape_that_can_be_undone_stands_above_one_that_cannot():
    assert match_names(["a:b"], {"a%3Ab", "a_b"}).names == {"a:b": "a%3Ab"}


def test_what_is_ambiguous_is_named_on_both_sides():
    problems = ProblemCollector()
    match_names(["a:b"], {"a%3Ab", "a\uf03ab"}).add_clashes("preds", problems)
    (problem,) = problems.collected
    assert "a%3Ab" in problem.what
    assert "\\uf03a" in problem.what
    assert "which is a:b" in problem.what


_names = st.text(st.sampled_from("ab:_.") | st.sampled_from(["\uf03a"]), min_size=1, max_size=4)
_names |= st.builds("{}{}".format, _names, st.sampled_from([".png", ".PNG", ".jpg"]))


@given(st.lists(_names, unique=True, max_size=6), st.sets(_names, max_size=6), st.randoms())
def test_no_file_is_taken_twice_and_order_does_not_matter(wanted, found, chance: random.Random):
    matches = match_names(wanted, found)
    taken = list(matches.names.values())
    assert len(set(taken)) == len(taken)
    assert set(taken) <= found
    assert all(matches.names[name] == name for name in set(wanted) & found)
    for clash in matches.clashes:
        assert len(clash.wanted) > 1 or len(clash.present) > 1
        assert not set(clash.present) & set(taken)
        assert not set(clash.wanted) & matches.names.keys()
    shuffled = chance.sample(wanted, len(wanted))
    again = match_names(shuffled, found)
    assert again.names == matches.names
    assert {frozenset(clash.present) for clash in again.clashes} == {
        frozenset(clash.present) for clash in matches.clashes
    }


def test_a_path_is_found_where_a_folder_and_a_file_are_spelled_otherwise(tmp_path):
    path = tmp_path / "a%3Ab" / "frame_1.PNG"
    path.parent.mkdir()
    path.touch()
    assert find_path(find_path(tmp_path, "a:b"), "frame_1.png") == path


def test_names_are_matched_in_the_order_in_which_they_are_wanted():
    wanted = [f"{number}.png" for number in range(9)]
    matches = match_names(wanted, {f"{number}.jpg.png" for number in range(9)})
    assert list(matches.names) == wanted


def test_a_folder_is_listed_once_for_many_names(tmp_path, monkeypatch):
    names = [f"{number}.png" for number in range(9)]
    for name in names[1:]:
        (tmp_path / name.upper()).touch()
    listed = []
    monkeypatch.setattr(
        "actiseg_data.layouts.spelling.list_folder",
        lambda folder: listed.append(folder) or list_folder(folder),
    )
    assert [path.name for path in find_paths(tmp_path, names)] == [
        "0.png",
        *(name.upper() for name in names[1:]),
    ]
    assert listed == [tmp_path]


def test_a_path_is_not_found_under_a_name_that_another_may_have(tmp_path):
    (tmp_path / "a_b").mkdir()
    assert find_path(tmp_path, "a:b") == tmp_path / "a:b"
    assert find_path(tmp_path / "nowhere", "a:b") == tmp_path / "nowhere" / "a:b"


def test_a_folder_is_not_listed_for_a_name_that_every_system_takes(tmp_path, monkeypatch):
    monkeypatch.setattr("actiseg_data.layouts.spelling.list_folder", None)
    (tmp_path / "00000002_P01_01_open-door").mkdir()
    assert find_path(tmp_path, "00000001_P01_01_cut") == tmp_path / "00000001_P01_01_cut"
