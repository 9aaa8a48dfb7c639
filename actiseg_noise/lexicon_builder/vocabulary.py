"""Read the classes of a lexicon from EPIC's table, or from a user's list of nouns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import NUMBERS
from actiseg_data.core.documents import read_csv
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_text
from actiseg_data.core.names import check_text, parse_table_number
from actiseg_data.make.prepare.noun_classes import read_noun_table
from actiseg_noise.lexicon_builder.decisions import Decision, fold_name, make_name_key

_PLAIN = re.compile(r"[A-Za-z][A-Za-z' -]*")


@dataclass(frozen=True)
class Term:
    """A class before it is looked up in WordNet.

    Attributes
    ----------
    class_id : int
        Id of the class.
    name : str
        Main name.
    supercategory : str or None
        Group of the class.
    names : tuple of str
        All names; the main name, if it is one of them, comes first.
    decision : Decision or None
        Sense that the list itself gives.
    """

    class_id: int
    name: str
    supercategory: str | None
    names: tuple[str, ...]
    decision: Decision | None = None


@dataclass(frozen=True)
class Judgement:
    """The reviewers' judgement of a name: whether noise may write it, and its number."""

    written: bool
    number: str


def read_noun_class_table(path: Path) -> list[Term]:
    """Read EPIC's ``EPIC_100_noun_classes_v2.csv``.

    Entries such as ``board:cutting`` become names in natural word order with single spaces, and
    repeated names are dropped.

    Raises
    ------
    InputError
        With every invalid row.
    """
    terms = []
    for row in read_noun_table(path):
        names = _drop_repeats(map(collapse_spaces, row.entries))
        terms.append(Term(row.class_id, names[0], row.category, names))
    return terms


def read_noun_list(path: Path) -> list[Term]:
    """Read a list of nouns.

    The list has one class a line: ``[id:] name[, other name ...] [@ synset]``. It may also be a CSV
    table with the column ``name`` and any of ``id`` (or ``class_id``), ``supercategory`` and
    ``synset``. Either all lines have an id or none has; without ids, lines are numbered from 0.
    Empty lines and comments after ``#`` are ignored. Names are converted by `fold_name`: lower
    case, and spaces instead of underscores.

    Raises
    ------
    InputError
        With every invalid line.
    """
    problems = ProblemCollector()
    terms: list[Term] = []
    has_id = set()
    for where, row in _read_noun_rows(path, problems):
        with problems.collect():
            terms.append(_parse_row(row, len(terms), where))
            has_id.add(bool(row.class_id))
    if len(has_id) > 1:
        problems.add("only some lines have an id", path, "give every line an id")
    if not terms and not problems.collected:
        problems.add("lists no noun", path, "write one noun a line")
    _refuse_repeated_ids(terms, path, problems)
    _refuse_shared_names(terms, path, problems)
    problems.raise_if_any()
    return terms


@dataclass(frozen=True)
class _NounRow:
    """The cells of one class as written; empty if the file has none."""

    class_id: str
    names: str
    supercategory: str
    synset: str


def _read_noun_rows(path: Path, problems: ProblemCollector) -> Iterator[tuple[str, _NounRow]]:
    """Yield (location, cells) of each class of a list or table."""
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
        noun, sign, synset = (part.strip() for part in line.partition("#")[0].partition("@"))
        head, colon, rest = (part.strip() for part in noun.partition(":"))
        if sign and not synset:
            problems.add("has an @ but no synset", where, "give a synset such as tap.n.01")
        elif colon and not head:
            problems.add("has no id before its colon", where, "write id: name, other name")
        elif noun or sign:
            yield where, _NounRow(head if colon else "", rest if colon else noun, "", synset)


def _parse_row(row: _NounRow, position: int, where: str) -> Term:
    class_id = parse_table_number(row.class_id) if row.class_id else position
    if class_id is None:
        raise refuse(
            f"{row.class_id[:60]!r} is not a class id", where, "write id: name, other name"
        )
    names = _drop_repeats(fold_name(name) for name in row.names.split(","))
    bad = [name for name in names if not _PLAIN.fullmatch(name)]
    if bad:
        raise refuse(
            f"{bad[0][:60]!r} is not a plain name", where, "use letters a to z, spaces and hyphens"
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
    """Refuse a name of two classes, because its meaning is ambiguous."""
    owners: dict[str, int] = {}
    for term in terms:
        for name in term.names:
            owner = owners.setdefault(make_name_key(name), term.class_id)
            if owner != term.class_id:
                problems.add(
                    f"{name!r} is a name of the classes {owner} and {term.class_id}",
                    path,
                    "give the name to one of them",
                )


def read_judgements(path: Path) -> dict[tuple[int, str], Judgement]:
    """Read a table of judgements with the columns ``class_id, name, use, number``."""
    judgements = {}
    problems = ProblemCollector()
    for line, row in enumerate(read_csv(path, ("class_id", "name", "use", "number")), 2):
        where = f"{path}: row {line}"
        with problems.collect():
            if row["use"] not in ("write", "recognise") or row["number"] not in NUMBERS:
                raise refuse("has an unknown use or number", where, "correct the row")
            class_id = parse_table_number(row["class_id"])
            if class_id is None:
                raise refuse(f"{row['class_id'][:60]!r} is not a class id", where, "correct the id")
            judgements[class_id, row["name"]] = Judgement(row["use"] == "write", row["number"])
    problems.raise_if_any()
    return judgements


def map_numbers(judgements: Mapping[tuple[int, str], Judgement]) -> dict[str, str]:
    """Return the number of each judged name of any class, for vocabularies without judgements."""
    return {
        name: judgement.number for (_, name), judgement in judgements.items() if judgement.written
    }


def collapse_spaces(name: str) -> str:
    """Return a name with single spaces.

    Examples
    --------
    >>> collapse_spaces("  butter  container ")
    'butter container'
    """
    return " ".join(name.split())


def _drop_repeats(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name)) or ("",)
