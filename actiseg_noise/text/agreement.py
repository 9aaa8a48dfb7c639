"""Put one noun in the place of another so that a person could have written it: number, article,
case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from actiseg_data.lexicon import Name

_NUMERALS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

# What a determiner becomes before a noun of another number; itself where it is not listed. {a}
# stands for the article that the noun takes.
_DETERMINERS: Mapping[str, Mapping[str, str]] = {
    "a": {"singular": "{a}", "plural": "some", "mass": "some"},
    "an": {"singular": "{a}", "plural": "some", "mass": "some"},
    "one": {"plural": "some", "mass": "some"},
    "another": {"plural": "more", "mass": "more"},
    "each": {"plural": "all", "mass": "all"},
    "every": {"plural": "all", "mass": "all"},
    "this": {"plural": "these"},
    "that": {"plural": "those"},
    "these": {"singular": "this", "mass": "this"},
    "those": {"singular": "that", "mass": "that"},
    **{
        word: {"singular": "{a}", "mass": "some"}
        for word in (*_NUMERALS, "both", "several", "few", "many")
    },
    "much": {"singular": "{a}", "plural": "many"},
    "a few": {"singular": "{a}", "mass": "some"},
    "half a": {"singular": "half {a}", "plural": "some", "mass": "some"},
    "half an": {"singular": "half {a}", "plural": "some", "mass": "some"},
}

_NO_ADJECTIVES = (
    *("and", "or", "of", "in", "on", "into", "onto", "to", "from", "with", "for", "the", "dozen"),
)
"""Words that end what a determiner before them belongs to."""

_DEFINITE = ("the", "these", "those", "my", "your", "his", "her", "its", "our", "their", "other")
"""Words before a number that are determiners themselves: without the number they stay."""

_AMOUNTS = ("some", "more", "any", "all", "enough")
"""What stands before plurals and before what cannot be counted, but not before one thing."""


def replace_noun(text: str, start: int, end: int, number: str, name: Name) -> str:
    """The text with the noun at [start, end) replaced by a name in the fitting form.

    number: of the noun as it stands there. A plural stays one where the name has a plural; the
    article or determiner right before the noun agrees with the new one; case is kept.

    >>> carrot, rice = Name("carrot", "carrot", "singular", "carrots", "a", True), Name(
    ...     "rice", "rice", "mass", "rices", None, True)
    >>> onion = Name("onion", "onion", "singular", "onions", "an", True)
    >>> replace_noun("cut two potatoes", 8, 16, "plural", carrot)
    'cut two carrots'
    >>> replace_noun("take a carrot", 7, 13, "singular", onion)
    'take an onion'
    >>> replace_noun("Take Two Carrots", 9, 16, "plural", rice)
    'Take Some Rice'
    """
    before, noun, after = text[:start], text[start:end], text[end:]
    determiner = _find_determiner(before)
    form, now = _form(name, number, counted=determiner.word in _AMOUNTS)
    agreed = _DETERMINERS.get(determiner.word, {})
    if now in agreed and _last_word(before[: determiner.start]) in _DEFINITE:
        before = before[: determiner.start] + before[determiner.end :].lstrip()
        return replace_noun(before + noun + after, len(before), len(before + noun), number, name)
    if now in agreed:
        old = before[determiner.start : determiner.end]
        article = name.article or "a"
        if determiner.adjective:
            own = old.casefold() in ("a", "an")
            article = old.casefold() if own else _article_of(determiner.adjective)
        new = agreed[now].format(a=article)
        before = before[: determiner.start] + match_case(old, new) + before[determiner.end :]
    return before + match_case(noun, form) + after


def _last_word(text: str) -> str:
    return (text.split() or [""])[-1].casefold()


def _article_of(adjective: str) -> str:
    return "an" if adjective[0] in "aeiou" else "a"


class _Determiner(NamedTuple):
    """A determiner at [start, end) of a text, in lower case, and the adjective behind it."""

    word: str
    start: int = 0
    end: int = 0
    adjective: str = ""


def _find_determiner(before: str) -> _Determiner:
    """The determiner of the noun that follows a text; an empty one where there is none.

    >>> _find_determiner("cut a few ").word, _find_determiner("cut two big ").adjective
    ('a few', 'big')
    """
    words = list(re.finditer(r"\S+", before)) if before[-1:].isspace() else []
    folded = [word[0].casefold() for word in words]
    for first, last in ((-2, -1), (-1, -1), (-3, -2), (-2, -2)):
        if len(words) < -first:
            continue
        word = " ".join(folded[first:] if last == -1 else folded[first : last + 1])
        adjective = folded[-1] if last == -2 else ""
        if (word in _DETERMINERS or word in _AMOUNTS) and adjective not in _NO_ADJECTIVES:
            return _Determiner(word, words[first].start(), words[last].end(), adjective)
    return _Determiner("")


def _form(name: Name, number: str, *, counted: bool) -> tuple[str, str]:
    """The form of a name that stands for a noun of some number, and its own number.

    counted: whether an amount stands before it, which calls for a plural of what can be counted.
    """
    if (number == "plural" or counted) and name.plural is not None:
        return name.plural, "plural"
    if number == "singular" and name.singular is not None:
        return name.singular, "singular"
    return name.text, name.number


def match_case(old: str, new: str) -> str:
    """New words in the case of those whose place they take.

    >>> match_case("Carrot", "bread knife"), match_case("CARROT", "knife")
    ('Bread knife', 'KNIFE')
    >>> match_case("Cutting Board", "bread knife")
    'Bread Knife'
    """
    if old.islower():
        return new
    words = [word for word in re.split(r"[\s-]+", old) if word]
    if old.isupper() and len(old) > 1:
        return new.upper()
    if len(words) > 1 and all(word[0].isupper() for word in words):
        return " ".join(_capitalised(word) for word in new.split(" "))
    return _capitalised(new) if words and words[0][0].isupper() else new


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
