"""Nouns of the lexicon in free text, such as narrations, found by spaCy."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, Name
from actiseg_data.core.errors import refuse
from actiseg_noise.text_noise.agreement import replace_noun
from actiseg_noise.text_noise.language_packages import load_language_package
from actiseg_noise.text_noise.naming import spellings

BLANK = "blank"
"""spaCy's English tokeniser alone: needs no model, and finds the same under every release."""

_USE = "finding nouns in narrations"

_HYPHENS = ("-", "\u2010", "\u2011")
_DASH = re.compile(r"\s[-\u2010\u2011]|[-\u2010\u2011]\s")


@dataclass(frozen=True)
class Mention:
    """A noun in a text: characters [start, end). classes: ids of the classes that it may be of.
    name: the lexicon's plain name for it. number: ``singular``, ``plural`` or ``mass``.
    """

    start: int
    end: int
    classes: tuple[int, ...]
    name: str
    number: str


class MentionFinder:
    """Finds the nouns of a lexicon in texts: names, their plurals, ``slice of cheese`` for ``cheese
    slice``, and EPIC's ``board:cutting`` for ``cutting board``; the longest where several fit. A
    part of a hyphenated compound does not count: ``hand-soap`` names no hand.

    pipeline: `BLANK`, or an installed spaCy pipeline with a tagger (``en_core_web_sm``), by its
    name or by `pipeline_identity`. Without a tagger, the first word of a longer text is taken for
    its verb, as narrations have it: the peel of ``peel potato`` is no noun. Raises `InputError` where
    spaCy or the pipeline is missing, or is of another version than the one named.

    >>> from actiseg_data.annotations.lexicon import load_lexicon
    >>> found = MentionFinder(load_lexicon()).find("peel two potatoes")
    >>> [(mention.name, mention.number) for mention in found]
    [('potato', 'plural')]
    """

    def __init__(self, lexicon: Lexicon, pipeline: str = BLANK) -> None:
        self._nlp = _load_pipeline(pipeline)
        self._tags = pipeline != BLANK
        matcher = load_language_package("spacy.matcher", _USE).PhraseMatcher
        self._longest = load_language_package("spacy.util", _USE).filter_spans
        self._matcher = matcher(self._nlp.vocab, attr="LOWER")
        found = _meanings(lexicon)
        docs = [self._nlp.make_doc(text) for text in found]
        self._matcher.add("noun", docs)
        self._meanings = {
            _words(doc): meanings for doc, meanings in zip(docs, found.values(), strict=True)
        }

    def find(self, text: str) -> list[Mention]:
        """The nouns of a text, in order."""
        doc = self._nlp(text) if self._tags else self._nlp.make_doc(text)
        nouns = [span for span in self._matcher(doc, as_spans=True) if self._is_noun(span, doc)]
        return [self._mention(span) for span in self._longest(nouns)]

    def replace(self, text: str, class_id: int, name: Name) -> str | None:
        """The text with every noun of a class replaced by a name; None where it has none."""
        found = [mention for mention in self.find(text) if class_id in mention.classes]
        for mention in reversed(found):
            text = replace_noun(text, mention.start, mention.end, mention.number, name)
        return text if found else None

    def _is_noun(self, span: Any, doc: Any) -> bool:
        if _in_compound(doc.text, span.start_char, span.end_char) or _DASH.search(span.text):
            return False
        if self._tags:
            return span[-1].pos_ in ("NOUN", "PROPN", "X", "")
        return bool(span.start > 0 or span.end == len(doc))

    def _mention(self, span: Any) -> Mention:
        meanings = self._meanings[_words(span)]
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


def _in_compound(text: str, start: int, end: int) -> bool:
    """Whether hyphens join the words at [start, end) with others.

    >>> _in_compound("take hand-soap", 5, 9), _in_compound("take hand - soap", 5, 9)
    (True, False)
    """
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return (before.endswith(_HYPHENS) and before[:1].isalnum()) or (
        after.startswith(_HYPHENS) and after[-1:].isalnum()
    )


def _words(doc: Any) -> tuple[str, ...]:
    """The words of a document or span as the matcher compares them."""
    return tuple(token.lower_ for token in doc)


def pipeline_identity(name: str) -> str:
    """A pipeline as a recipe names it: with its version, which decides what it finds."""
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
            f"there is no spaCy pipeline {name!r}",
            "--pipeline",
            f"python -m spacy download {name}, or leave it out",
        ) from None
    if version and nlp.meta["version"] != version:
        raise refuse(
            f"the spaCy pipeline {name} is of version {nlp.meta['version']}, not {version}",
            "--pipeline",
            f"install the version {version} that the recipe names",
        )
    if not {"tagger", "morphologizer", "attribute_ruler"} & set(nlp.pipe_names):
        raise refuse(
            f"the spaCy pipeline {name!r} tags no parts of speech",
            "--pipeline",
            "give one with a tagger, such as en_core_web_sm, or leave it out",
        )
    return nlp


@dataclass(frozen=True)
class _Meaning:
    """What a spelling stands for. rank: the lower, the surer: names as they are before their
    inflected forms, names that people write before misspelt ones.
    """

    rank: tuple[bool, bool]
    class_id: int
    name: str
    number: str


def _meanings(lexicon: Lexicon) -> dict[str, list[_Meaning]]:
    """The surest meanings of every spelling, in lower case."""
    found: dict[str, list[_Meaning]] = {}
    for class_id, noun in lexicon.classes.items():
        written = {name.text.lower() for name in noun.written}
        for name in noun.names:
            alone = lexicon.classes_of(name.text) == (class_id,)
            if alone and not name.written and _ends_in(name.text.lower(), written):
                continue  # of "wash spoon" and "more soap", spoon and soap are the nouns
            for text, number in spellings(name, lexicon):
                rank = (text != name.text, not name.written)
                meaning = _Meaning(rank, class_id, name.text, number)
                for form in _hyphenated(text.lower()):
                    found.setdefault(form, []).append(meaning)
    return {
        text: [meaning for meaning in meanings if meaning.rank == min(m.rank for m in meanings)]
        for text, meanings in found.items()
    }


def _hyphenated(text: str) -> Iterator[str]:
    """A text with each of its spaces kept or made a hyphen.

    >>> list(_hyphenated("washing up liquid"))
    ['washing up liquid', 'washing up-liquid', 'washing-up liquid', 'washing-up-liquid']
    """
    first, *others = text.split()
    for marks in itertools.product(" -", repeat=len(others)):
        yield first + "".join(mark + word for mark, word in zip(marks, others, strict=True))


def _ends_in(text: str, names: AbstractSet[str]) -> bool:
    """Whether the last words of a text, but not all of them, are one of some names."""
    words = text.split()
    return any(" ".join(words[at:]) in names for at in range(1, len(words)))
