"""Find the nouns of a lexicon in free text, such as narrations, with spaCy."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, LexiconName
from actiseg_data.core.errors import refuse
from actiseg_noise.text_noise.agreement import replace_noun
from actiseg_noise.text_noise.language_packages import load_language_package
from actiseg_noise.text_noise.naming import list_spellings

BLANK = "blank"
"""spaCy's English tokeniser alone: it needs no model, and finds the same nouns in every release."""

_USE = "finding nouns in narrations and expressions"

_HYPHENS = ("-", "\u2010", "\u2011")
_DASH = re.compile(r"\s[-\u2010\u2011]|[-\u2010\u2011]\s")


@dataclass(frozen=True)
class Mention:
    """A noun in a text.

    Attributes
    ----------
    start, end : int
        Range in characters.
    classes : tuple of int
        Ids of the classes that the noun may belong to.
    name : str
        The lexicon's name for the noun.
    number : str
        ``singular``, ``plural`` or ``mass``.
    """

    start: int
    end: int
    classes: tuple[int, ...]
    name: str
    number: str


class MentionFinder:
    """Finds the nouns of a lexicon in texts.

    These are names, their plurals, ``slice of cheese`` for ``cheese slice``, and EPIC's
    ``board:cutting`` for ``cutting board``. If several nouns overlap, the longest counts. A part of
    a hyphenated compound does not count: ``hand-soap`` does not mention a hand.

    Parameters
    ----------
    lexicon : Lexicon
        The nouns.
    pipeline : str
        `BLANK`, or an installed spaCy pipeline with a tagger (``en_core_web_sm``), by its name or
        by `identify_pipeline`. Without a tagger, the first word of a longer text counts as its
        verb, as in narrations: ``peel`` in ``peel potato`` is not a noun.

    Raises
    ------
    InputError
        If spaCy or the pipeline is missing, or the pipeline has another version than the one named.

    Examples
    --------
    >>> from actiseg_data.annotations.lexicon import load_lexicon
    >>> mentions = MentionFinder(load_lexicon()).find("peel two potatoes")
    >>> [(mention.name, mention.number) for mention in mentions]
    [('potato', 'plural')]
    """

    def __init__(self, lexicon: Lexicon, pipeline: str = BLANK) -> None:
        self._nlp = _load_pipeline(pipeline)
        self._tags = pipeline != BLANK
        matcher = load_language_package("spacy.matcher", _USE).PhraseMatcher
        self._longest = load_language_package("spacy.util", _USE).filter_spans
        self._matcher = matcher(self._nlp.vocab, attr="LOWER")
        by_text = _collect_meanings(lexicon)
        docs = [self._nlp.make_doc(text) for text in by_text]
        self._matcher.add("noun", docs)
        self._meanings = {
            _list_words(doc): meanings for doc, meanings in zip(docs, by_text.values(), strict=True)
        }

    def find(self, text: str, *, begins_with_verb: bool = True) -> list[Mention]:
        """Return the nouns of a text, in order.

        Parameters
        ----------
        text : str
            The text.
        begins_with_verb : bool
            Whether the first word of a longer text is its verb, as in narrations, and unlike in
            expressions such as ``person on the left``. With a tagger, this has no effect.
        """
        doc = self._nlp(text) if self._tags else self._nlp.make_doc(text)
        nouns = [
            span
            for span in self._matcher(doc, as_spans=True)
            if self._is_noun(span, doc, begins_with_verb)
        ]
        return [self._make_mention(span) for span in self._longest(nouns)]

    def replace(self, text: str, class_id: int, name: LexiconName) -> str | None:
        """Replace every noun of a class in a text by a name; None if the text has no such noun."""
        mentions = [mention for mention in self.find(text) if class_id in mention.classes]
        for mention in reversed(mentions):
            text = replace_noun(text, mention.start, mention.end, mention.number, name)
        return text if mentions else None

    def _is_noun(self, span: Any, doc: Any, begins_with_verb: bool) -> bool:
        if _is_in_compound(doc.text, span.start_char, span.end_char) or _DASH.search(span.text):
            return False
        if self._tags:
            return span[-1].pos_ in ("NOUN", "PROPN", "X", "")
        return bool(span.start > 0 or span.end == len(doc) or not begins_with_verb)

    def _make_mention(self, span: Any) -> Mention:
        meanings = self._meanings[_list_words(span)]
        classes = tuple(dict.fromkeys(meaning.class_id for meaning in meanings))
        first = meanings[0]
        return Mention(span.start_char, span.end_char, classes, first.name, first.number)


_SHARED: dict[str, tuple[Lexicon, MentionFinder]] = {}


def load_finder(lexicon: Lexicon, pipeline: str = BLANK) -> MentionFinder:
    """Return the finder of a lexicon and a pipeline; build it only if the last one differs.

    Parameters
    ----------
    lexicon
        The lexicon whose nouns are found. Lexica are compared by identity.
    pipeline
        As for `MentionFinder`.

    Raises
    ------
    InputError
        If spaCy or the pipeline is missing, or has another version than the one named.

    Examples
    --------
    >>> from actiseg_data.annotations.lexicon import load_lexicon
    >>> load_finder(load_lexicon()) is load_finder(load_lexicon())
    True
    """
    load_language_package("spacy", _USE)
    if pipeline not in _SHARED or _SHARED[pipeline][0] is not lexicon:
        _SHARED[pipeline] = (lexicon, MentionFinder(lexicon, pipeline))
    return _SHARED[pipeline][1]


def _is_in_compound(text: str, start: int, end: int) -> bool:
    """Whether hyphens join the words at [start, end) with other words.

    >>> _is_in_compound("take hand-soap", 5, 9), _is_in_compound("take hand - soap", 5, 9)
    (True, False)
    """
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return (before.endswith(_HYPHENS) and before[:1].isalnum()) or (
        after.startswith(_HYPHENS) and after[-1:].isalnum()
    )


def _list_words(doc: Any) -> tuple[str, ...]:
    """Return the words of a document or span as the matcher compares them."""
    return tuple(token.lower_ for token in doc)


def identify_pipeline(name: str) -> str:
    """Return the name and version of a pipeline, as a recipe names it; results depend on both."""
    if name == BLANK:
        return name
    meta = _load_pipeline(name).meta
    return f"{name.partition(' ')[0]} {meta['version']}"


def _load_pipeline(pipeline: str) -> Any:
    spacy = load_language_package("spacy", _USE)
    if pipeline == BLANK:
        return spacy.blank("en")
    name, _, version = pipeline.partition(" ")
    try:
        nlp = spacy.load(name)
    except OSError:
        raise refuse(
            f"the spaCy pipeline {name!r} is not installed",
            "`pipeline`",
            f"run python -m spacy download {name}, or omit it",
        ) from None
    if version and nlp.meta["version"] != version:
        raise refuse(
            f"the spaCy pipeline {name} has version {nlp.meta['version']}, not {version}",
            "`pipeline`",
            f"install version {version}, which the recipe names",
        )
    if not {"tagger", "morphologizer", "attribute_ruler"} & set(nlp.pipe_names):
        raise refuse(
            f"the spaCy pipeline {name!r} does not tag parts of speech",
            "`pipeline`",
            "give a pipeline with a tagger, such as en_core_web_sm, or omit it",
        )
    return nlp


@dataclass(frozen=True)
class _Meaning:
    """A meaning of a spelling.

    A lower rank is more certain: names come before inflected forms, and names that noise may write
    before misspelt ones.
    """

    rank: tuple[bool, bool]
    class_id: int
    name: str
    number: str


def _collect_meanings(lexicon: Lexicon) -> dict[str, list[_Meaning]]:
    """Return the most certain meanings of every spelling, in lower case."""
    by_text: dict[str, list[_Meaning]] = {}
    for class_id, noun in lexicon.classes.items():
        written = {name.text.lower() for name in noun.written}
        for name in noun.names:
            alone = lexicon.find_classes(name.text) == (class_id,)
            if alone and not name.written and _has_ending(name.text.lower(), written):
                continue  # the nouns of "wash spoon" and "more soap" are spoon and soap
            for text, number in list_spellings(name, lexicon):
                rank = (text != name.text, not name.written)
                meaning = _Meaning(rank, class_id, name.text, number)
                for form in _hyphenate(text.lower()):
                    by_text.setdefault(form, []).append(meaning)
    return {
        text: [meaning for meaning in meanings if meaning.rank == min(m.rank for m in meanings)]
        for text, meanings in by_text.items()
    }


def _hyphenate(text: str) -> Iterator[str]:
    """Yield a text with each of its spaces kept or replaced by a hyphen.

    >>> list(_hyphenate("washing up liquid"))
    ['washing up liquid', 'washing up-liquid', 'washing-up liquid', 'washing-up-liquid']
    """
    first, *words = text.split()
    for marks in itertools.product(" -", repeat=len(words)):
        yield first + "".join(mark + word for mark, word in zip(marks, words, strict=True))


def _has_ending(text: str, names: AbstractSet[str]) -> bool:
    """Whether the last words of a text, but not the whole text, are one of the names."""
    words = text.split()
    return any(" ".join(words[start:]) in names for start in range(1, len(words)))
