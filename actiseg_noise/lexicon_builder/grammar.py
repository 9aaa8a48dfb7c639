"""The forms of a name: singular, plural and article.

They are stored in the lexicon, so that noise does not depend on a language library.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from actiseg_data.annotations.lexicon import LexiconName
from actiseg_noise.text_noise.language_packages import load_language_package

_OWN_PLURALS = {"chilli": "chillies", "cutlery": "cutlery"}
"""Plurals for which inflect, or one of its releases, differs from English or EPIC's narrators."""


@lru_cache(maxsize=1)
def _load_inflect() -> Any:
    engine = load_language_package("inflect", "building a lexicon").engine()
    for singular, plural in _OWN_PLURALS.items():
        engine.defnoun(singular, plural)
    return engine


def pluralise(name: str) -> str:
    """Return the plural of a name, which is that of its last word.

    Examples
    --------
    >>> pluralise("bread knife")
    'bread knives'
    """
    *modifiers, head = name.split()
    return " ".join([*modifiers, str(_load_inflect().plural_noun(head))])


def singularise(name: str) -> str | None:
    """Return the singular of a plural name; None if its last word has no singular.

    Examples
    --------
    >>> singularise("onion pieces")
    'onion piece'
    """
    *modifiers, head = name.split()
    singular = _load_inflect().singular_noun(head)
    return " ".join([*modifiers, str(singular)]) if singular and singular != head else None


def is_probably_plural(name: str) -> bool:
    """Whether a name of unknown number ends in a plural, judged by its spelling.

    >>> names = ("brussels sprouts", "hummus", "grass")
    >>> tuple(is_probably_plural(name) for name in names)
    (True, False, False)
    """
    head = name.split()[-1]
    singular = singularise(head)
    return (
        singular is not None
        and not head.endswith(("ss", "us", "is", "gas", "lens"))
        and pluralise(singular) == head
    )


def inflect_name(name: str, number: str, written: bool, plurals_only: bool = False) -> LexiconName:
    """Return a name with all its forms.

    A mass noun gets a plural as well, so that it is recognised in texts that count it.
    `Name.plural` does not return this form.

    Parameters
    ----------
    name : str
        The name.
    number : str
        Number of the name: ``singular``, ``plural`` or ``mass``.
    written : bool
        Whether noise may write the name.
    plurals_only : bool
        Whether the name is a plural without a singular, such as scissors.
    """
    if number == "plural":
        singular = None if plurals_only else singularise(name)
        return LexiconName(name, name.split()[-1], number, singular, None, written)
    article = str(_load_inflect().a(name)).partition(" ")[0] if number == "singular" else None
    return LexiconName(name, name.split()[-1], number, pluralise(name), article, written)
