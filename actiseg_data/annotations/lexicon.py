"""The lexicon: noun classes, their names, and their WordNet synsets.

The document lists every class with its id, the names that people write for it, its supercategory,
its WordNet 3.0 synset in the intended sense, and the paths from the root to that synset. It has
relations only, no glosses. The lexicon of EPIC-KITCHENS-100 is installed in
``data_manifests/lexicon`` under its own licences; `actiseg-noise lexicon build` makes others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from actiseg_data.annotations.hypernyms import Ancestor, Paths, measure_similarity, trace_ancestry
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import (
    Cursor,
    check_schema,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.manifests import load_installed

SCHEMA = "actiseg/lexicon/1"

SHIPPED = "epic-100.json"
"""The lexicon of EPIC-KITCHENS-100, in the folder ``data_manifests/lexicon``."""

NUMBERS = ("singular", "plural", "mass")
MATCHES = ("exact", "nearest")


@dataclass(frozen=True)
class LexiconName:
    """A name of a class.

    Attributes
    ----------
    text : str
        Such as ``cutting board``.
    head : str
        Its last word, which carries the number.
    number : str
        One of `NUMBERS`.
    counterpart : str or None
        The plural of a singular, and of a ``mass`` noun that people count; the singular of a
        plural.
    article : str or None
        ``a`` or ``an`` before a singular.
    written : bool
        Whether noise may write the name. Misspelt names and fragments of sentences are only
        recognised.
    """

    text: str
    head: str
    number: str
    counterpart: str | None
    article: str | None
    written: bool

    @property
    def plural(self) -> str | None:
        """The plural form; None for uncountable names."""
        return {"plural": self.text, "singular": self.counterpart}.get(self.number)

    @property
    def singular(self) -> str | None:
        """The singular form; None for uncountable names and plural-only names."""
        return {"singular": self.text, "plural": self.counterpart}.get(self.number)


@dataclass(frozen=True)
class RelatedName:
    """A name from WordNet that is related to a class.

    Attributes
    ----------
    name : LexiconName
        Its name.
    synset : str
        Its synset.
    similarity : float
        To the class's own synset, see `actiseg_data.annotations.hypernyms.measure_similarity`.
    """

    name: LexiconName
    synset: str
    similarity: float


@dataclass(frozen=True)
class NounClass:
    """A class of nouns.

    Attributes
    ----------
    class_id : int
        Its id.
    name : str
        The usual name.
    supercategory : str or None
        Its group, such as ``cutlery``.
    synset : str
        Its WordNet 3.0 synset.
    match : str
        ``exact``, or ``nearest`` if WordNet does not have the sense.
    candidates : tuple of str
        The senses that the synset was chosen from.
    paths : tuple of tuple of str
        From the root to the synset.
    names : tuple of LexiconName
        All names that people use.
    sisters : tuple of RelatedName
        Sister terms: synsets that have a direct hypernym in common with that of the class. None of
        them is a name of any class.
    synonyms : tuple of RelatedName
        WordNet's names for the class: other words of its synset, and words of kinds of it. Empty in
        lexica of early releases.
    """

    class_id: int
    name: str
    supercategory: str | None
    synset: str
    match: str
    candidates: tuple[str, ...]
    paths: Paths
    names: tuple[LexiconName, ...]
    sisters: tuple[RelatedName, ...]
    synonyms: tuple[RelatedName, ...]

    @cached_property
    def written(self) -> tuple[LexiconName, ...]:
        """The names that noise may write."""
        return tuple(name for name in self.names if name.written)

    @cached_property
    def ancestry(self) -> dict[str, Ancestor]:
        """Every synset on the paths, with its position relative to the class."""
        return trace_ancestry(self.paths)


@dataclass(frozen=True)
class Lexicon:
    """Noun classes by id, ascending.

    Attributes
    ----------
    title : str
        The dataset that the classes are from.
    licence : str
        What the lexicon is derived from, and the terms.
    classes : mapping of int to NounClass
        The classes.
    document : mapping
        The JSON document that was read.
    digest : str
        Of the document.
    """

    title: str
    licence: str
    classes: Mapping[int, NounClass]
    document: Mapping[str, Any]
    digest: str

    def measure_similarity(self, first: int, second: int) -> float:
        """Measure the similarity of two classes, see `measure_similarity`."""
        return measure_similarity(self.classes[first].ancestry, self.classes[second].ancestry)

    def is_subclass(self, general: int, special: int) -> bool:
        """Return whether every object of one class also belongs to another class.

        The answer is from hypernyms: a right hand is a hand. It is False if the synset of the
        general class is only the nearest one.

        >>> lexicon = load_lexicon()
        >>> lexicon.is_subclass(11, 301), lexicon.is_subclass(301, 11)
        (True, False)
        """
        noun = self.classes[general]
        return noun.match == "exact" and noun.synset in self.classes[special].ancestry

    def find_classes(self, name: str) -> tuple[int, ...]:
        """Return the ids of the classes that have a name, in any letter case.

        >>> load_lexicon().find_classes("Cutting board")
        (18,)
        """
        return self._by_name.get(name.casefold(), ())

    def find_other_forms(self, name: str) -> tuple[str, ...]:
        """Return the plurals of a singular name, and the like.

        >>> load_lexicon().find_other_forms("carrot")
        ('carrots',)
        """
        return self._paired_forms.get(name.casefold(), ())

    @cached_property
    def _paired_forms(self) -> dict[str, tuple[str, ...]]:
        classes_by_name: dict[str, tuple[str, ...]] = {}
        for noun in self.classes.values():
            for name in noun.names:
                known = classes_by_name.get(name.text.casefold(), ())
                if name.counterpart is not None and name.counterpart not in known:
                    classes_by_name[name.text.casefold()] = (*known, name.counterpart)
        return classes_by_name

    @cached_property
    def _by_name(self) -> dict[str, tuple[int, ...]]:
        classes_by_name: dict[str, tuple[int, ...]] = {}
        for class_id, noun in self.classes.items():
            for text in dict.fromkeys(name.text.casefold() for name in noun.names):
                classes_by_name[text] = (*classes_by_name.get(text, ()), class_id)
        return classes_by_name


_loaded: list[Lexicon] = []


def load_lexicon() -> Lexicon:
    """Load the installed lexicon, once.

    >>> load_lexicon().classes[4].synset
    'knife.n.01'
    """
    if not _loaded:
        document = load_installed(f"lexicon/{SHIPPED}", SCHEMA)
        _loaded.append(parse_lexicon(document.value, document.where))
    return _loaded[0]


def read_lexicon(path: Path) -> Lexicon:
    """Read a lexicon file; a missing, damaged or foreign one raises an `InputError`."""
    return parse_lexicon(read_json(path, "lexicon"), str(path))


def parse_lexicon(document: Any, where: str) -> Lexicon:
    """Parse the JSON document of a lexicon; an `InputError` lists all problems."""
    top = Cursor(document, where)
    hint = "build it again with this release: actiseg-noise lexicon build"
    check_schema(top, SCHEMA, hint)
    problems = ProblemCollector()
    classes: list[NounClass] = collect_valid(
        list(top["classes"].iterate_elements()), _parse_noun_class, problems
    )
    seen: set[int] = set()
    for noun in classes:
        if noun.class_id in seen:
            problems.add(f"class {noun.class_id} is listed twice", where, "build it again")
        seen.add(noun.class_id)
    if not classes and not problems.collected:
        problems.add("lists no class", where, "build it again")
    problems.raise_if_any()
    by_id = {noun.class_id: noun for noun in sorted(classes, key=lambda noun: noun.class_id)}
    title, licence = top["title"].as_text(), top["licence"].as_text()
    return Lexicon(title, licence, by_id, document, digest_json(document))


def refuse_unknown_classes(lexicon: Lexicon, used: Mapping[int, str], where: Path | str) -> None:
    """Raise an `InputError` with every class of a dataset that the lexicon does not have.

    `used` maps class ids to the name of an object that has the class.
    """
    problems = ProblemCollector()
    for class_id, name in sorted(used.items()):
        if class_id not in lexicon.classes:
            problems.add(
                f"the class {class_id} (of {name!r}, for example) is not in the lexicon "
                f"{lexicon.title!r}",
                where,
                "give one that has it as `lexicon`; actiseg-noise lexicon build --names makes "
                "one from a list of nouns",
            )
    problems.raise_if_any()


def _parse_noun_class(cursor: Cursor) -> NounClass:
    supercategory = cursor["supercategory"]
    noun = NounClass(
        class_id=cursor["class_id"].as_integer(),
        name=_parse_words(cursor["name"]),
        supercategory=None if supercategory.value is None else supercategory.as_text(),
        synset=cursor["synset"].as_text(),
        match=_parse_choice(cursor["match"], MATCHES),
        candidates=_parse_texts(cursor["candidates"]),
        paths=tuple(_parse_texts(path) for path in cursor["paths"].iterate_elements()),
        names=tuple(_name(name) for name in cursor["names"].iterate_elements()),
        sisters=_parse_related(cursor["sisters"]),
        synonyms=_parse_related(cursor["synonyms"]) if "synonyms" in cursor else (),
    )
    if not 0 <= noun.class_id < 1 << 31:
        raise refuse(f"the class id {noun.class_id} is out of range", cursor.where, "build again")
    if not noun.paths or any(path[-1:] != (noun.synset,) for path in noun.paths):
        raise refuse("its paths do not end at its synset", cursor.where, "build it again")
    if not noun.names:
        raise refuse("the class has no name", cursor.where, "build it again")
    return noun


def _parse_related(cursor: Cursor) -> tuple[RelatedName, ...]:
    return tuple(_parse_related_name(entry) for entry in cursor.iterate_elements())


def _parse_related_name(cursor: Cursor) -> RelatedName:
    similar = cursor["similarity"].as_number()
    if not 0 <= similar <= 1:
        raise refuse(f"{similar} is not a similarity from 0 to 1", cursor.where, "build it again")
    return RelatedName(_name(cursor), cursor["synset"].as_text(), similar)


def _name(cursor: Cursor) -> LexiconName:
    counterpart, article = cursor["other"], cursor["article"]
    return LexiconName(
        text=_parse_words(cursor["name"]),
        head=_parse_words(cursor["head"]),
        number=_parse_choice(cursor["number"], NUMBERS),
        counterpart=None if counterpart.value is None else _parse_words(counterpart),
        article=None if article.value is None else _parse_choice(article, ("a", "an")),
        written=_parse_choice(cursor["use"], ("write", "recognise")) == "write",
    )


def _parse_words(cursor: Cursor) -> str:
    text = cursor.as_text()
    if text != " ".join(text.split()) or not text:
        raise refuse(f"{text[:60]!r} is not a plain name", cursor.where, "build it again")
    return text


def _parse_texts(cursor: Cursor) -> tuple[str, ...]:
    return tuple(element.as_text() for element in cursor.iterate_elements())


def _parse_choice(cursor: Cursor, known: Iterable[str]) -> str:
    text = cursor.as_text()
    if text not in known:
        raise refuse(
            f"{text[:60]!r} is not one of {', '.join(known)}", cursor.where, "build it again"
        )
    return text
