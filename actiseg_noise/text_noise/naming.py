"""Find the classes and names of a lexicon that occur in a text, word for word.

No language package is involved, so prompts need no spaCy and do not depend on its release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from actiseg_data.annotations.lexicon import Lexicon, LexiconName

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class TextNames:
    """The classes and names that a text mentions.

    Attributes
    ----------
    classes : frozenset of int
        Ids of the classes.
    names : frozenset of str
        Names in the lexicon's form, in lower case.
    """

    classes: frozenset[int]
    names: frozenset[str]


class NameIndex:
    """Finds the names of a lexicon in texts, in all their spellings, as whole words.

    A name counts if its words occur in sequence, even as a verb or within a longer name. The
    purpose is to avoid names, so false positives do no harm.

    Parameters
    ----------
    lexicon : Lexicon
        The names.
    sisters : bool
        Whether to find sister terms as well.

    Examples
    --------
    >>> from actiseg_data.annotations.lexicon import load_lexicon
    >>> lexicon = load_lexicon()
    >>> names = NameIndex(lexicon).find("pick up forks and the butter-dish")
    >>> sorted(lexicon.classes[class_id].name for class_id in names.classes)
    ['butter', 'fork', 'plate']
    >>> sorted(names.names)
    ['butter', 'dish', 'fork']
    """

    def __init__(self, lexicon: Lexicon, *, sisters: bool = False) -> None:
        self._entries: dict[str, list[tuple[tuple[str, ...], int | None, str]]] = {}
        self._known_texts: dict[str, TextNames] = {}
        for class_id, noun in lexicon.classes.items():
            for name in (*noun.names, *(synonym.name for synonym in noun.synonyms)):
                self._add(name, lexicon, class_id)
            for sister in noun.sisters if sisters else ():
                self._add(sister.name, lexicon, None)

    def _add(self, name: LexiconName, lexicon: Lexicon, class_id: int | None) -> None:
        known = {_split_words(text) for text, _ in list_spellings(name, lexicon)}
        for words in filter(None, known):
            entry = words, class_id, name.text.casefold()
            self._entries.setdefault(words[0], []).append(entry)

    def find(self, text: str) -> TextNames:
        """Return the classes and names that a text mentions; results are cached by text."""
        if text not in self._known_texts:
            self._known_texts[text] = self._look_through(_split_words(text))
        return self._known_texts[text]

    def _look_through(self, words: tuple[str, ...]) -> TextNames:
        classes, names = set(), set()
        for start, word in enumerate(words):
            for entry, class_id, name in self._entries.get(word, ()):
                if words[start : start + len(entry)] == entry:
                    names.add(name)
                    if class_id is not None:
                        classes.add(class_id)
        return TextNames(frozenset(classes), frozenset(names))


_INDEXES: dict[tuple[str, bool], NameIndex] = {}


def get_name_index(lexicon: Lexicon, *, sisters: bool = False) -> NameIndex:
    """Return the `NameIndex` of a lexicon, which is cached."""
    key = lexicon.digest, sisters
    if key not in _INDEXES:
        _INDEXES[key] = NameIndex(lexicon, sisters=sisters)
    return _INDEXES[key]


def list_spellings(name: LexiconName, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Yield the spellings of a name, each with its number.

    These are its singular and plural, each also in EPIC's form (``board:cutting``) and with ``of``
    (``slice of cheese``).
    """
    forms = [(name.text, name.number)]
    if name.counterpart is not None:
        forms.append((name.counterpart, "singular" if name.number == "plural" else "plural"))
    for text, number in forms:
        yield text, number
        *modifiers, head = text.split()
        if modifiers:
            yield ":".join([head, *modifiers]), number
            phrase = " ".join(modifiers)
            for modifier in (phrase, *lexicon.find_other_forms(phrase)):
                yield f"{head} of {modifier}", number


def _split_words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))
