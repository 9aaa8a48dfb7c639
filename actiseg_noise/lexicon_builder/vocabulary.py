"""The classes that a lexicon is built of: EPIC's table, or a list of nouns of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import NUMBERS
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.validation import check_text, parse_table_number, read_csv, read_text
from actiseg_data.make.prepare.noun_classes import read_noun_table
from actiseg_noise.lexicon_builder.decisions import Decision, fold_name, make_name_key

_PLAIN = re.compile(r"[A-Za-z][A-Za-z' -]*")


@dataclass(frozen=True)
class Term:
    """A class before WordNet was asked. names: all it is called, the plain name first where it is
    one of them. decision: a sense that the list itself names.
    """

    class_id: int
    name: str
    supercategory: str | None
    names: tuple[str, ...]
    decision: Decision | None = None


@dataclass(frozen=True)
class Judgement:
    """What readers said of a name: may noise write it, and its number."""

    written: bool
    number: str


def read_noun_class_table(path: Path) -> list[Term]:
    """EPIC's ``EPIC_100_noun_classes_v2.csv``; raises `InputError` with every faulty row.

    Entries such as ``board:cutting`` become plain names; spaces are single, doubles stand once.
    """
    terms = []
    for row in read_noun_table(path):
        names = _drop_repeats(map(collapse_spaces, row.entries))
        terms.append(Term(row.class_id, names[0], row.category, names))
    return terms


def read_noun_list(path: Path) -> list[Term]:
    """A list of nouns, one class a line: ``[id:] name[, other name ...] [@ synset]``. Or a CSV
    table with the column ``name`` and any of ``id`` (or ``class_id``), ``supercategory``,
    ``synset``.

    Ids stand before all lines or before none; without, lines are numbered from 0. Empty lines and
    what follows a ``#`` count for nothing. Names are read by `fold_name`: in lower case, with
    spaces for underscores. Raises `InputError` with every faulty line.
    """
    problems = ProblemCollector()
    terms: list[Term] = []
    given = set()
    for where, row in _read_noun_rows(path, problems):
        with problems.collect():
            terms.append(_parse_row(row, len(terms), where))
            given.add(bool(row.class_id))
    if len(given) > 1:
        problems.add("some lines have an id and some have none", path, "give all of them one")
    if not terms and not problems.collected:
        problems.add("lists no noun", path, "write one a line")
    _refuse_repeated_ids(terms, path, problems)
    _refuse_shared_names(terms, path, problems)
    problems.raise_if_any()
    return terms


@dataclass(frozen=True)
class _NounRow:
    """The cells of one class, as they are written; empty without one."""

    class_id: str
    names: str
    supercategory: str
    synset: str


def _read_noun_rows(path: Path, problems: ProblemCollector) -> Iterator[tuple[str, _NounRow]]:
    """(place, cells) of each class of a list or table."""
    text = read_text(path, "list of nouns")
    header = [cell.strip() for cell in text.partition("\n")[0].split(",")]
    if "name" in header:
        for number, row in enumerate(read_csv(path, ("name",)), 2):
            cells = {column: (value or "").strip() for column, value in row.items() if column}
            own_id = cells.get("class_id") or cells.get("id", "")
            more = (cells.get("supercategory", ""), cells.get("synset", ""))
            yield f"{path}: row {number}", _NounRow(own_id, cells["name"], *more)
        return
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}: line {number}"
        noun, at, synset = (part.strip() for part in line.partition("#")[0].partition("@"))
        head, colon, rest = (part.strip() for part in noun.partition(":"))
        if at and not synset:
            problems.add("has an @ and no synset", where, "name one such as tap.n.01")
        elif colon and not head:
            problems.add("has no id before its colon", where, "write id: name, other name")
        elif noun or at:
            yield where, _NounRow(head if colon else "", rest if colon else noun, "", synset)


def _parse_row(row: _NounRow, position: int, where: str) -> Term:
    class_id = parse_table_number(row.class_id) if row.class_id else position
    if class_id is None:
        raise refuse(f"{row.class_id[:60]!r} is no class id", where, "write id: name, other name")
    names = _drop_repeats(fold_name(name) for name in row.names.split(","))
    bad = [name for name in names if not _PLAIN.fullmatch(name)]
    if bad:
        raise refuse(
            f"{bad[0][:60]!r} is no plain name", where, "use letters a to z, spaces and hyphens"
        )
    decision = None
    if row.synset:
        decision = Decision(check_text(row.synset, where), "exact", "named in the list")
    supercategory = fold_name(check_text(row.supercategory, where)) or None
    return Term(class_id, names[0], supercategory, names, decision)


def _refuse_repeated_ids(terms: list[Term], path: Path, problems: ProblemCollector) -> None:
    seen: set[int] = set()
    for term in terms:
        if term.class_id in seen:
            problems.add(f"class {term.class_id} is listed twice", path, "give each id once")
        seen.add(term.class_id)


def _refuse_shared_names(terms: list[Term], path: Path, problems: ProblemCollector) -> None:
    """No name stands for two classes: whoever reads it could not tell which is meant."""
    owners: dict[str, int] = {}
    for term in terms:
        for name in term.names:
            owner = owners.setdefault(make_name_key(name), term.class_id)
            if owner != term.class_id:
                problems.add(
                    f"{name!r} is a name of the classes {owner} and {term.class_id}",
                    path,
                    "leave it to one of them",
                )


def read_judgements(path: Path) -> dict[tuple[int, str], Judgement]:
    """A table of what readers said of names: columns ``class_id, name, use, number``."""
    judgements = {}
    problems = ProblemCollector()
    for line, row in enumerate(read_csv(path, ("class_id", "name", "use", "number")), 2):
        where = f"{path}: row {line}"
        with problems.collect():
            if row["use"] not in ("write", "recognise") or row["number"] not in NUMBERS:
                raise refuse("has an unknown use or number", where, "correct it")
            class_id = parse_table_number(row["class_id"])
            if class_id is None:
                raise refuse(f"{row['class_id'][:60]!r} is no class id", where, "correct it")
            judgements[class_id, row["name"]] = Judgement(row["use"] == "write", row["number"])
    problems.raise_if_any()
    return judgements


def map_numbers(judgements: Mapping[tuple[int, str], Judgement]) -> dict[str, str]:
    """The number of each judged name, whatever its class, for vocabularies that were not judged."""
    return {name: found.number for (_, name), found in judgements.items() if found.written}


def collapse_spaces(name: str) -> str:
    """A name with single spaces.

    >>> plain("  butter  container ")
    'butter container'
    """
    return " ".join(name.split())


def _drop_repeats(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name)) or ("",)
