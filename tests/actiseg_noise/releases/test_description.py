"""What a maintainer says about a release: what is refused, and how names are cited."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from actiseg_data.core.errors import InputError
from actiseg_noise.releases.contents.description import make_description, parse_author
from actiseg_noise.releases.contents.privacy import find_private_traces
from actiseg_noise.releases.metadata.citation import _make_key

GIVEN = {"title": "Cups", "author": "Ada Lace", "date": "2026-01-01"}

UNPLAIN = ["a\udc80b", "a\u2028b\x85c", "\u202eevil\u202c x", "a\x07b", "a\nb", "a\u2066b"]


@pytest.mark.parametrize("text", UNPLAIN)
@pytest.mark.parametrize("name", ["title", "author", "maintenance", "version", "url", "doi"])
def test_text_that_forges_or_breaks_output_is_refused_in_every_field(name, text):
    with pytest.raises(InputError) as error:
        make_description(**GIVEN | {name: text})
    (problem,) = error.value.problems
    assert problem.where == f"`{name}`"
    assert "control characters" in problem.what
    assert problem.what.isascii()


@pytest.mark.parametrize("name", ["title", "author", "maintenance"])
@pytest.mark.parametrize("text", ["\u200b", " \u200b\u2060 ", "\u00a0"])
def test_text_that_shows_nothing_is_refused(name, text):
    with pytest.raises(InputError) as error:
        make_description(**GIVEN | {name: text})
    assert error.value.problems[0].where == f"`{name}`"


@pytest.mark.parametrize("name", ["title", "author", "maintenance"])
@pytest.mark.parametrize("path", [r"\input{/etc/passwd}", "/home/ada/noisy", r"C:\data\noisy"])
def test_path_that_the_check_would_find_is_refused(name, path):
    assert list(find_private_traces(path))
    with pytest.raises(InputError, match="names the path"):
        make_description(**GIVEN | {name: path})


def test_address_that_is_given_is_accepted():
    assert make_description(**GIVEN, maintenance="Write to ada@example.org").maintenance


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Jo Doe and Al Poe", "several authors"),
        ("Jo Doe; Al Poe", "several authors"),
        ("Doe, Jo, Jr", "several authors"),
        ("Josiah Carberry 0000-0002-1825-0097", "outside brackets"),
        ("---", "is not the name"),
        ("'", "is not the name"),
        (", Jo", "is not the name"),
        ("Doe,", "is not the name"),
        ("2026", "is not the name"),
    ],
)
def test_author_that_citations_would_misread_is_refused(text, fault):
    with pytest.raises(InputError, match=fault):
        parse_author(text)


@pytest.mark.parametrize(
    ("text", "given", "family"),
    [
        ("Jo Doe", "Jo", "Doe"),
        ("Doe, Jo", "Jo", "Doe"),
        ("van der Berg, Anna M. (0000-0002-1825-0097)", "Anna M.", "van der Berg"),
        ("Plato", "", "Plato"),
        ("Alexander Sandoz", "Alexander", "Sandoz"),
    ],
)
def test_names_are_taken_apart(text, given, family):
    author = parse_author(text)
    assert (author.given_names, author.family_name) == (given, family)


@pytest.mark.parametrize("twice", [("Jo Doe", "Doe, Jo"), ("Jo Doe", "jo doe")])
def test_author_who_is_given_twice_is_refused(twice):
    with pytest.raises(InputError, match="twice"):
        make_description(**GIVEN | {"author": twice})
    identifier = "(0000-0002-1825-0097)"
    with pytest.raises(InputError, match="twice"):
        make_description(**GIVEN | {"author": [f"J. Doe {identifier}", f"Jo Doe {identifier}"]})


@pytest.mark.parametrize(
    ("author", "title", "key"),
    [
        ("Jo Doe", "Noisy cups", "doe2026noisy"),
        ("أحمد", "Noisy cups", "noisy2026"),
        ("أحمد", "😀 --- 2 cups", "release2026"),
        ("أحمد", "😀", "release2026"),
        ("Jo Doe", "x" * 20000, "doe2026" + 33 * "x"),
    ],
)
def test_keys_of_citations_begin_with_a_letter_and_are_short(author, title, key):
    says = make_description(author=author, title=title, date="2026-01-01")
    made = _make_key(SimpleNamespace(description=says))
    assert made == key
    assert re.fullmatch(r"[a-z][a-z0-9]{0,39}", made)
