"""Replace a noun in a text so that number, article and case agree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from actiseg_data.annotations.lexicon import LexiconName

_NUMERALS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("a dozen", "half a dozen", "dozen"),
)
_SEVERAL = ("both", "several", "few", "many", "a few", "too many", "so many")
_GROUPS = (
    f"{article}{group} of"
    for article in ("a ", "")
    for group in ("couple", "dozen", "pair", "number", "bunch")
)

# The form of a determiner before a noun of another number; it stays the same if it is not listed.
# {a} is the article of the new noun.
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
        for word in (*_NUMERALS, *_SEVERAL, *_GROUPS, "a couple", "dozens of")
    },
    **{
        f"{word} more": {"singular": "another", "mass": "some more"}
        for word in (*_NUMERALS, *_SEVERAL, "a couple")
    },
    **{
        f"{word} of the": {"singular": "the", "mass": "some of the"}
        for word in ("one", *_NUMERALS, *_SEVERAL)
    },
    "both the": {"singular": "the", "mass": "the"},
    "one more": {"plural": "some more", "mass": "some more"},
    "many more": {"singular": "another", "mass": "much more"},
    "much more": {"singular": "another", "plural": "many more"},
    "fewer": {"singular": "{a}", "mass": "less"},
    "less": {"singular": "{a}", "plural": "fewer"},
    "much": {"singular": "{a}", "plural": "many"},
    "too much": {"singular": "{a}", "plural": "too many"},
    "so much": {"singular": "{a}", "plural": "so many"},
    "too many": {"singular": "{a}", "mass": "too much"},
    "so many": {"singular": "{a}", "mass": "so much"},
    "a little": {"singular": "{a}", "plural": "a few"},
    "a bit of": {"singular": "{a}", "plural": "a few"},
    "a little bit of": {"singular": "{a}", "plural": "a few"},
    "a little more": {"singular": "another", "plural": "a few more"},
    "a bit more": {"singular": "another", "plural": "a few more"},
    "half a": {"singular": "half {a}", "plural": "some", "mass": "some"},
    "half an": {"singular": "half {a}", "plural": "some", "mass": "some"},
}
_LONGEST = max(len(words.split()) for words in _DETERMINERS)

_NO_ADJECTIVES = (
    *("and", "or", "of", "in", "on", "into", "onto", "to", "from", "with", "for", "the", "dozen"),
)
"""Words that are not adjectives: a determiner before them does not belong to the noun."""

_DEFINITE = ("the", "these", "those", "my", "your", "his", "her", "its", "our", "their", "other")
"""Words before a number that are determiners themselves: they remain when the number is dropped."""

_AMOUNTS = (
    *("some", "more", "any", "all", "enough", "most", "a lot of", "lots of", "loads of"),
    *("plenty of", "a lot more", "some more", "any more"),
)
"""Determiners of plurals and of mass nouns, but not of singulars."""

_MASSES = ("less", "much", "too much", "so much", "much more")
"""Determiners of mass nouns. A count noun becomes a plural after them."""

_ADJECTIVES = ("a little",)
"""Determiners that are an article and an adjective before a singular: ``a little spoon``."""


def replace_noun(text: str, start: int, end: int, number: str, name: LexiconName) -> str:
    """Replace the noun at [start, end) of a text by a name in the right form.

    A plural stays a plural if the name has one. The article or determiner before the noun agrees
    with the new noun, and letter case is kept.

    Parameters
    ----------
    text : str
        The text.
    start, end : int
        Range of the noun in characters.
    number : str
        Number of the noun in the text: ``singular``, ``plural`` or ``mass``.
    name : Name
        The new noun.

    Returns
    -------
    str
        The new text.

    Examples
    --------
    >>> carrot = LexiconName("carrot", "carrot", "singular", "carrots", "a", True)
    >>> rice = LexiconName("rice", "rice", "mass", "rices", None, True)
    >>> onion = LexiconName("onion", "onion", "singular", "onions", "an", True)
    >>> replace_noun("cut two potatoes", 8, 16, "plural", carrot)
    'cut two carrots'
    >>> replace_noun("take a carrot", 7, 13, "singular", onion)
    'take an onion'
    >>> replace_noun("Take Two Carrots", 9, 16, "plural", rice)
    'Take Some Rice'
    """
    before, noun, after = text[:start], text[start:end], text[end:]
    determiner = _find_determiner(before, number)
    counted = determiner.word in _AMOUNTS or determiner.word in _MASSES
    form, new_number = _choose_form(name, number, counted=counted)
    agreed = _DETERMINERS.get(determiner.word, {})
    if new_number in agreed and _get_last_word(before[: determiner.start]) in _DEFINITE:
        before = before[: determiner.start] + before[determiner.end :].lstrip()
        return replace_noun(before + noun + after, len(before), len(before + noun), number, name)
    if new_number in agreed:
        old = before[determiner.start : determiner.end]
        article = name.article or _choose_article(form)
        if determiner.adjective:
            own = old.casefold() in ("a", "an")
            article = old.casefold() if own else _choose_article(determiner.adjective)
        new = agreed[new_number].format(a=article)
        before = before[: determiner.start] + match_case(old, new) + before[determiner.end :]
    return before + match_case(noun, form) + after


def has_plural_determiner(before: str) -> bool:
    """Return whether the text before a noun ends in a determiner of plurals.

    It decides about a noun with one form for both numbers, such as ``sheep``.

    >>> has_plural_determiner("two big "), has_plural_determiner("the ")
    (True, False)
    """
    word = _find_determiner(before, "plural").word
    forms = _DETERMINERS.get(word, {})
    return word in _AMOUNTS or ("singular" in forms and "plural" not in forms)


def _get_last_word(text: str) -> str:
    return (text.split() or [""])[-1].casefold()


def _choose_article(words: str) -> str:
    return "an" if words[0].casefold() in "aeiou" else "a"


class _Determiner(NamedTuple):
    """A determiner at [start, end) of a text, in lower case, and the adjective after it."""

    word: str
    start: int = 0
    end: int = 0
    adjective: str = ""


def _find_determiner(before: str, number: str) -> _Determiner:
    """Find the longest determiner before a noun; an empty one if there is none.

    `before` is the text before the noun, which may end in an adjective. `number` is the number of
    the noun.

    >>> _find_determiner("cut a few ", "plural").word
    'a few'
    >>> _find_determiner("cut 2 big ", "plural")
    _Determiner(word='two', start=4, end=5, adjective='big')
    """
    words = list(re.finditer(r"\S+", before)) if before[-1:].isspace() else []
    folded = [_spell_number(word[0].casefold()) for word in words]
    for adjectives in (0, 1):
        adjective = folded[-1] if adjectives and words else ""
        if adjective in _NO_ADJECTIVES:
            break
        end = len(words) - adjectives
        for start in range(max(end - _LONGEST, 0), end):
            word = " ".join(folded[start:end])
            if word in _ADJECTIVES and number == "singular":
                continue
            if word in _DETERMINERS or word in _AMOUNTS:
                return _Determiner(word, words[start].start(), words[end - 1].end(), adjective)
    return _Determiner("")


def _spell_number(word: str) -> str:
    """Spell a number in digits as ``one`` or ``two``, the words with the same agreement.

    >>> _spell_number("1"), _spell_number("12"), _spell_number("big")
    ('one', 'two', 'big')
    """
    if not (word.isascii() and word.isdigit()):
        return word
    return "one" if word.lstrip("0") == "1" else "two"


def _choose_form(name: LexiconName, number: str, *, counted: bool) -> tuple[str, str]:
    """Return the form of a name that replaces a noun of some number, and the form's number.

    `counted` says whether a determiner before it requires the plural of a count noun.
    """
    if (number == "plural" or counted) and name.plural is not None:
        return name.plural, "plural"
    if number == "singular" and name.singular is not None:
        return name.singular, "singular"
    return name.text, name.number


def match_case(old: str, new: str) -> str:
    """Return new words in the letter case of the words that they replace.

    Examples
    --------
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
        return " ".join(_capitalise(word) for word in new.split(" "))
    return _capitalise(new) if words and words[0][0].isupper() else new


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
