"""The forms of a name: its other number, its article. Kept in the lexicon, so that no library
decides words when noise is made.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from actiseg_data.annotations.lexicon import Name
from actiseg_noise.text_noise.language_packages import load_language_package

_OWN_PLURALS = {"chilli": "chillies", "cutlery": "cutlery"}
"""Where inflect, or one of its releases, differs from what English, and EPIC's narrators, write."""


@lru_cache(maxsize=1)
def _load_inflect() -> Any:
    engine = load_language_package("inflect", "building a lexicon").engine()
    for singular, plural in _OWN_PLURALS.items():
        engine.defnoun(singular, plural)
    return engine


def pluralise(name: str) -> str:
    """The plural of a name: of its last word.

    >>> pluralise("bread knife")
    'bread knives'
    """
    *modifiers, head = name.split()
    return " ".join([*modifiers, str(_load_inflect().plural_noun(head))])


def singularise(name: str) -> str | None:
    """The singular of a plural name; None where its last word has none.

    >>> singularise("onion pieces")
    'onion piece'
    """
    *modifiers, head = name.split()
    found = _load_inflect().singular_noun(head)
    return " ".join([*modifiers, str(found)]) if found and found != head else None


def is_probably_plural(name: str) -> bool:
    """Whether a name of unknown number ends in a plural, as far as its spelling tells.

    >>> is_probably_plural("brussels sprouts"), is_probably_plural("hummus"), is_probably_plural("grass")
    (True, False, False)
    """
    head = name.split()[-1]
    singular = singularise(head)
    return (
        singular is not None
        and not head.endswith(("ss", "us", "is", "gas", "lens"))
        and pluralise(singular) == head
    )


def inflect_name(name: str, number: str, written: bool, plurals_only: bool = False) -> Name:
    """A name with all its forms.

    number: of the name as it stands. plurals_only: a plural without a singular, such as scissors.
    What cannot be counted has a plural here, too, by which it is recognised where people count it
    all the same; `Name.plural` does not give it.
    """
    if number == "plural":
        other = None if plurals_only else singularise(name)
        return Name(name, name.split()[-1], number, other, None, written)
    article = str(_load_inflect().a(name)).partition(" ")[0] if number == "singular" else None
    return Name(name, name.split()[-1], number, pluralise(name), article, written)
