"""Build a lexicon: classes, senses, paths, names, sister terms and synonyms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.hypernyms import Paths, measure_similarity, trace_ancestry
from actiseg_data.annotations.lexicon import SCHEMA, LexiconName
from actiseg_data.core.documents import read_csv
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.manifests import find_installed
from actiseg_noise.lexicon_builder.decisions import (
    Decision,
    make_name_key,
    read_decisions,
    read_senses,
)
from actiseg_noise.lexicon_builder.grammar import inflect_name, is_probably_plural, singularise
from actiseg_noise.lexicon_builder.senses import (
    Sense,
    SenseChooser,
    choose_by_group,
    choose_concrete,
    determine_sense,
)
from actiseg_noise.lexicon_builder.vocabulary import (
    Judgement,
    Term,
    map_numbers,
    read_judgements,
    read_noun_class_table,
    read_noun_list,
)
from actiseg_noise.lexicon_builder.wordnet import WordNet, open_wordnet

EPIC = "EPIC-KITCHENS-100 noun classes"

_EPIC_LICENCE = (
    "Derived from the noun classes of EPIC-KITCHENS-100 (University of Bristol), CC BY-NC 4.0, and "
    "from WordNet 3.0 (Princeton University), WordNet licence. See LICENSE-CC-BY-NC-4.0 and "
    "LICENSE-WORDNET beside the shipped document."
)
_LIST_LICENCE = "Derived from WordNet 3.0 (Princeton University), WordNet licence."

_SISTER_NAME = re.compile(r"[a-z][a-z' -]*")

_UNREVIEWED = Judgement(False, "singular")


@dataclass(frozen=True)
class Review:
    """The reviewers' decisions for EPIC's classes, which are installed with the package.

    Attributes
    ----------
    senses : dict of int to Decision
        By class id.
    names : mapping of (int, str) to Judgement
        By class id and name.
    sisters : mapping of str to Judgement
        By synset, for the sister terms that were reviewed.
    synonyms : mapping of (int, str) to Judgement
        By class id and name, for the synonyms and hyponyms that were reviewed.
    """

    senses: dict[int, Decision]
    names: Mapping[tuple[int, str], Judgement]
    sisters: Mapping[str, Judgement]
    synonyms: Mapping[tuple[int, str], Judgement]


@dataclass(frozen=True)
class BuiltLexicon:
    """A lexicon document and the sense of each class."""

    document: dict[str, Any]
    senses: dict[int, Sense]


def load_review() -> Review:
    """Load the review of EPIC's classes."""
    return Review(
        read_decisions(find_installed("lexicon/senses.csv")),
        read_judgements(find_installed("lexicon/names.csv")),
        _read_sisters(find_installed("lexicon/sisters.csv")),
        read_judgements(find_installed("lexicon/synonyms.csv")),
    )


def build_from_table(table: Path, wordnet: Path | None, senses: Path | None = None) -> BuiltLexicon:
    """Build the lexicon of EPIC's table of noun classes with the installed review.

    Parameters
    ----------
    table : Path
        EPIC's table.
    wordnet : Path or None
        Folder of the WordNet database; None for NLTK's data.
    senses : Path, optional
        File of `read_senses`, which overrides the reviewed senses.

    Raises
    ------
    InputError
        If the table is invalid, or with all unknown names and synsets.
    """
    return _build(read_noun_class_table(table), EPIC, _EPIC_LICENCE, wordnet, senses, load_review())


def build_from_list(nouns: Path, wordnet: Path | None, senses: Path | None = None) -> BuiltLexicon:
    """Build the lexicon of a user's list of nouns without a review; noise may write all names.

    Parameters as in `build_from_table`. A synset in the list overrides one in `senses`.
    """
    return _build(read_noun_list(nouns), nouns.stem, _LIST_LICENCE, wordnet, senses, None)


def _build(
    terms: list[Term],
    title: str,
    licence: str,
    wordnet: Path | None,
    senses: Path | None,
    review: Review | None,
) -> BuiltLexicon:
    problems = ProblemCollector()
    decisions = dict(review.senses) if review is not None else {}
    if senses is not None:
        classes = {make_name_key(name): term.class_id for term in terms for name in term.names}
        classes |= {make_name_key(term.name): term.class_id for term in terms}
        decisions |= read_senses(senses, classes, problems)
    with open_wordnet(wordnet) as reader:
        chosen = _choose_senses(terms, decisions, reader, review is not None, problems)
        problems.raise_if_any()
        document = _make_document(terms, chosen, title, licence, reader, review)
    return BuiltLexicon(document, chosen)


def _choose_senses(
    terms: list[Term],
    decisions: Mapping[int, Decision],
    wordnet: WordNet,
    is_epic: bool,
    problems: ProblemCollector,
) -> dict[int, Sense]:
    """Return the sense of each class; `problems` collects the classes without a sense."""
    senses = {}
    for term in terms:
        choose: SenseChooser = choose_by_group(term.supercategory) if is_epic else choose_concrete
        decision = term.decision or decisions.get(term.class_id)
        with problems.collect():
            where = f"class {term.class_id} ({term.name})"
            senses[term.class_id] = determine_sense(wordnet, term.name, decision, choose, where)
    return senses


def _make_document(
    terms: list[Term],
    senses: Mapping[int, Sense],
    title: str,
    licence: str,
    wordnet: WordNet,
    review: Review | None,
) -> dict[str, Any]:
    names = _NameMaker(wordnet, review)
    judged = {term.class_id: [names.make_name(term, name) for name in term.names] for term in terms}
    known = {name.text.casefold() for class_names in judged.values() for name in class_names}
    known |= {
        name.counterpart.casefold()
        for class_names in judged.values()
        for name in class_names
        if name.counterpart
    }
    lemmas = {
        _normalise_lemma(lemma) for sense in senses.values() for lemma in sense.synset.lemma_names()
    }
    synonyms = {
        term.class_id: names.find_synonyms(term, senses[term.class_id], known) for term in terms
    }
    known |= {name.text.casefold() for pairs in synonyms.values() for _, name in pairs}
    taken = {sense.synset.name() for sense in senses.values()}
    classes = []
    for term in sorted(terms, key=lambda term: term.class_id):
        sense = senses[term.class_id]
        own = judged[term.class_id]
        classes.append(
            {
                "class_id": term.class_id,
                "name": term.name,
                "supercategory": term.supercategory,
                "synset": sense.synset.name(),
                "match": sense.match,
                "candidates": list(sense.candidates),
                "paths": [list(path) for path in _list_paths(sense.synset)],
                "names": [_make_entry(name) for name in own],
                "sisters": [
                    _make_related_entry(name, synset, wordnet, sense)
                    for synset, name in names.find_sisters(
                        sense.synset, own[0].number, known | lemmas, taken
                    )
                ],
                "synonyms": [
                    _make_related_entry(name, synset, wordnet, sense)
                    for synset, name in synonyms[term.class_id]
                ],
            }
        )
    return {
        "schema": SCHEMA,
        "title": title,
        "wordnet": wordnet.get_version(),
        "licence": licence,
        "classes": classes,
    }


class _NameMaker:
    """Makes names with their forms: as reviewers judged them, or guessed without a judgement."""

    def __init__(self, wordnet: WordNet, review: Review | None) -> None:
        self._wordnet = wordnet
        self._review = review
        self._numbers = map_numbers((review or load_review()).names)

    def make_name(self, term: Term, name: str) -> LexiconName:
        """Return a name of a class.

        In a reviewed vocabulary, noise may write a name without a judgement only if it is the main
        name of the class.
        """
        if self._review is None:
            return self._inflect(name, self._guess_number(name), written=True)
        judgement = self._review.names.get((term.class_id, name))
        if judgement is None:
            return self._inflect(name, self._guess_number(name), written=name == term.name)
        return self._inflect(name, judgement.number, judgement.written)

    def find_sisters(
        self, synset: Any, number: str, known: set[str], taken: set[str]
    ) -> list[tuple[str, LexiconName]]:
        """Return the sister terms of a synset, sorted by the name of their synset.

        A sister term is the first word of a synset that shares a direct hypernym. The synset must
        not be the sense of a class, and the word must not be a name of a class.

        Parameters
        ----------
        synset : Any
            Sense of the class.
        number : str
            Number of the class's name, which sisters without a judgement get as well.
        known : set of str
            Names of the classes in all forms, in lower case.
        taken : set of str
            Names of the synsets of the classes.
        """
        sisters: dict[str, LexiconName] = {}
        for sister in (s for parent in synset.hypernyms() for s in parent.hyponyms()):
            name = sister.lemma_names()[0].replace("_", " ")
            if sister.name() in taken or name.casefold() in known:
                continue
            if not _SISTER_NAME.fullmatch(name):
                continue
            if self._review is None:
                guess = "plural" if is_probably_plural(name) else number
                sisters[sister.name()] = self._inflect(name, guess, written=True)
            else:
                judged = self._review.sisters.get(sister.name())
                if judged is not None and judged.written:
                    sisters[sister.name()] = self._inflect(name, judged.number, written=True)
        # Two synsets with the same word count as one name, with the first synset by name.
        by_name = {name.text: (key, name) for key, name in sorted(sisters.items(), reverse=True)}
        return sorted(by_name.values(), key=lambda pair: pair[0])

    def find_synonyms(
        self, term: Term, sense: Sense, known: AbstractSet[str]
    ) -> list[tuple[str, LexiconName]]:
        """Return WordNet's names for a class, each with its synset, sorted by name.

        They are other words of the synset of the class and, if they were reviewed, words of its
        direct hyponyms. A class has none if its synset is only the nearest one.

        Parameters
        ----------
        term : Term
            The class.
        sense : Sense
            Its sense.
        known : set of str
            Names of the classes in all forms, in lower case.
        """
        if sense.match != "exact":
            return []
        number = self.make_name(term, term.name).number
        kinds = [] if self._review is None else sorted(sense.synset.hyponyms())
        synonyms: dict[str, tuple[str, LexiconName]] = {}
        for synset in (sense.synset, *kinds):
            for name in (lemma.replace("_", " ") for lemma in synset.lemma_names()):
                if name.casefold() in known or name in synonyms or not _SISTER_NAME.fullmatch(name):
                    continue
                judged = Judgement(True, "plural" if is_probably_plural(name) else number)
                if self._review is not None:
                    judged = self._review.synonyms.get((term.class_id, name), _UNREVIEWED)
                if judged.written:
                    synonyms[name] = synset.name(), self._inflect(name, judged.number, written=True)
        return [synonyms[name] for name in sorted(synonyms)]

    def _guess_number(self, name: str) -> str:
        return self._numbers.get(name) or ("plural" if is_probably_plural(name) else "singular")

    def _inflect(self, name: str, number: str, written: bool) -> LexiconName:
        plurals_only = number == "plural" and not self._has_singular(name)
        return inflect_name(name, number, written, plurals_only)

    def _has_singular(self, plural: str) -> bool:
        """Whether a plural has a singular: pieces has piece, but scissors has none."""
        singular = singularise(plural.split()[-1])
        head = plural.split()[-1]
        own = {lemma for s in self._wordnet.synsets(head, "n") for lemma in s.lemma_names()}
        return singular is not None and head not in own and bool(self._wordnet.synsets(singular))


def _list_paths(synset: Any) -> Paths:
    return tuple(sorted(tuple(s.name() for s in path) for path in synset.hypernym_paths()))


def _compute_similarity(wordnet: WordNet, sense: Sense, sister: str) -> float:
    paths, sister_paths = _list_paths(sense.synset), _list_paths(wordnet.synset(sister))
    return round(measure_similarity(trace_ancestry(paths), trace_ancestry(sister_paths)), 6)


def _make_related_entry(
    name: LexiconName, synset: str, wordnet: WordNet, sense: Sense
) -> dict[str, Any]:
    is_own = synset == sense.synset.name()
    similarity = 1.0 if is_own else _compute_similarity(wordnet, sense, synset)
    return _make_entry(name) | {"synset": synset, "similarity": similarity}


def _make_entry(name: LexiconName) -> dict[str, Any]:
    return {
        "name": name.text,
        "head": name.head,
        "number": name.number,
        "other": name.counterpart,
        "article": name.article,
        "use": "write" if name.written else "recognise",
    }


def _normalise_lemma(lemma: str) -> str:
    return lemma.replace("_", " ").casefold()


def _read_sisters(path: Path) -> dict[str, Judgement]:
    rows = read_csv(path, ("synset", "use", "number"))
    return {row["synset"]: Judgement(row["use"] == "write", row["number"]) for row in rows}


def to_lines(document: Mapping[str, Any]) -> Iterable[str]:
    """Yield the document as JSON with one class a line, so that diffs are short."""

    def dump(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    head = ((name, value) for name, value in document.items() if name != "classes")
    yield "{\n"
    yield from (f" {dump(name)}: {dump(value)},\n" for name, value in head)
    yield ' "classes": [\n'
    last = len(document["classes"]) - 1
    for position, noun in enumerate(document["classes"]):
        yield f"  {dump(noun)}{',' if position < last else ''}\n"
    yield " ]\n}\n"
