"""The table that names the object and the action of each sequence of a folder of masks.

::

    # a comment
    sequence    object        action    object_id
    blackswan   black swan    swim
    two-cows    cow           walk      1
    two-cows    cow           walk      2
    two-cows    fence                   3

Columns are separated by tabs or by commas. The column ``object_id`` and others may be absent. A row
with an object id and no action names an object that takes no part in an action.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import read_text
from actiseg_data.core.names import check_name, check_text, format_name, parse_table_number

_COLUMNS = ("sequence", "object", "action")
_OBJECT_ID = "object_id"

_GIVE = "give a table with the columns sequence, object, action, and optionally object_id"
_WHOLE = "write it again, with as many cells as there are columns"


@dataclass(frozen=True)
class ActionRow:
    """One object and its action.

    Attributes
    ----------
    sequence : str
        The folder of the sequence.
    name : str
        The name of the object.
    action : str
        The action, which begins with its verb; empty for an object that is never active.
    object_id : int or None
        The object's id in the masks; None for the only object of the sequence.
    where : str
        The line of the table, for messages.
    """

    sequence: str
    name: str
    action: str
    object_id: int | None
    where: str

    @property
    def verb(self) -> str:
        """The first word of the action."""
        return self.action.partition(" ")[0]

    @property
    def noun(self) -> str:
        """The name of the object as part of the name of a folder.

        >>> ActionRow("cows", "brown  cow", "walk", None, "line 2").noun
        'brown-cow'
        """
        return "-".join(self.name.split())


@dataclass(frozen=True)
class ActionTable:
    """The rows of a table, by sequence.

    Attributes
    ----------
    path : Path
        The file.
    rows : mapping of str to tuple of ActionRow
        The rows of each sequence, in the order of the file.
    """

    path: Path
    rows: Mapping[str, tuple[ActionRow, ...]]

    def check_sequences(self, chosen: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
        """Check that all sequences have rows; return the names of rows that are of no sequence.

        Parameters
        ----------
        chosen : sequence of str
            The sequences that need rows.
        known : collection of str
            All sequences that may have rows.

        Raises
        ------
        InputError
            With every sequence without a row. Then a row of no sequence may be its misspelt one, so
            that all of these are listed, too.
        """
        unknown = tuple(name for name in self.rows if name not in known)
        lacking = [name for name in chosen if name not in self.rows]
        problems = ProblemCollector()
        for name in lacking:
            hint = "add a row for it, or choose other sequences with a list"
            problems.add(f"has no row of the sequence {format_name(name)!r}", str(self.path), hint)
        for name in unknown if lacking else ():
            what = f"there is no sequence {format_name(name)!r}{suggest(name, known)}"
            problems.add(what, self.rows[name][0].where, "correct the row, or take it out")
        problems.raise_if_any()
        return unknown


def read_action_table(path: Path) -> ActionTable:
    """Read a table of objects and actions.

    Raises
    ------
    InputError
        If columns are missing, or if there is no row; with every faulty row.
    """
    problems = ProblemCollector()
    rows: dict[str, tuple[ActionRow, ...]] = {}
    for cells, where in _iterate_rows(path, problems):
        with problems.collect():
            row = _parse_row(cells, where)
            rows[row.sequence] = (*rows.get(row.sequence, ()), row)
    for own in rows.values():
        _refuse_contradictions(own, problems)
    problems.raise_if_any()
    if not rows:
        raise refuse("has no rows", path, _GIVE)
    return ActionTable(path, rows)


def _iterate_rows(path: Path, problems: ProblemCollector) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the cells of each row by column, and its place; collect rows of another length."""
    lines = [
        (line, f"{path}: line {number}")
        for number, line in enumerate(read_text(path, "table of actions").splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        return
    separator = "\t" if "\t" in lines[0][0] else ","
    header = _parse_cells(*lines[0], separator)
    _check_header(header, path)
    for line, where in lines[1:]:
        cells: list[str] = []
        with problems.collect():
            cells = _parse_cells(line, where, separator)
            if len(cells) != len(header):
                what = f"has {len(cells)} cells where the table has {len(header)} columns"
                raise refuse(what, where, _WHOLE)
        if len(cells) == len(header):
            yield dict(zip(header, cells, strict=True)), where


def _parse_cells(line: str, where: str, separator: str) -> list[str]:
    try:
        (cells,) = csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError) as error:
        raise refuse(f"is not a row of a table ({error})", where, _WHOLE) from None
    return [cell.strip() for cell in cells]


def _check_header(header: Sequence[str], path: Path) -> None:
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise refuse(f"does not have the columns {', '.join(missing)}", path, _GIVE)
    used = (*_COLUMNS, _OBJECT_ID)
    twice = [name for name in used if header.count(name) > 1]
    if twice:
        raise refuse(f"has several columns {', '.join(twice)}", path, "keep one of each")


def _parse_row(cells: Mapping[str, str], where: str) -> ActionRow:
    """Parse one row; raise `InputError` with every fault."""
    problems = ProblemCollector()
    text = cells.get(_OBJECT_ID, "")
    for column in _COLUMNS:
        with problems.collect():
            if not check_text(cells[column], where) and (column != "action" or not text):
                problems.add(f"the {column} is empty", where, "write it into the row")
    object_id = parse_table_number(text) if text else None
    if text and (object_id is None or not 1 <= object_id <= 255):
        what = f"{format_name(text)!r} is not an object id"
        problems.add(what, where, "use whole numbers from 1 to 255")
    problems.raise_if_any()
    sequence, name, action = (cells[column] for column in _COLUMNS)
    row = ActionRow(sequence, name, action, object_id, where)
    for part, kind in ((row.verb or "none", "verb"), (row.noun, "object")):
        with problems.collect():
            check_name(part, kind, where)
    problems.raise_if_any()
    return row


def _refuse_contradictions(rows: Sequence[ActionRow], problems: ProblemCollector) -> None:
    """Collect rows of one sequence that do not go together."""
    if not any(row.action for row in rows):
        hint = "write the action of an object into its row"
        problems.add(f"no row of {rows[0].sequence!r} has an action", rows[0].where, hint)
    names: dict[int | None, str] = {}
    seen: set[tuple[int | None, str]] = set()
    for row in rows:
        object_id = row.object_id
        if names and (object_id is None) != (None in names):
            hint = f"give the {_OBJECT_ID} of each of its objects"
            problems.add(f"only some rows of {row.sequence!r} have one", row.where, hint)
        elif names.setdefault(object_id, row.name) != row.name:
            what = f"gives an object of {row.sequence!r} a second name"
            problems.add(what, row.where, f"keep one name, or give each object its {_OBJECT_ID}")
        elif (object_id, row.action) in seen:
            problems.add(f"repeats a row of {row.sequence!r}", row.where, "keep one")
        seen.add((object_id, row.action))
