"""JSON documents and CSV tables from outside: bounded, and read with the expected types."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from actiseg_data.core.errors import InputError, ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import read_bytes, read_text
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.core.names import check_text, format_name, refuse_value

MAX_JSON_DEPTH = 100
"""Deepest nesting of a JSON document. The deepest real one has 8 levels."""

T = TypeVar("T")


def read_json(path: Path, kind: str = "file") -> Any:
    """Read a JSON document (or ``.json.gz``) as `parse_json` does."""
    return parse_json(read_bytes(path, kind), path)


def parse_json(data: bytes, where: Path | str) -> Any:
    """Parse a JSON document.

    Raises
    ------
    InputError
        If it is not JSON, has NaN or an infinity, nests too deeply, or repeats a key in one object.
    """
    try:
        with pause_gc():
            document = json.loads(
                data,
                parse_constant=_parse_finite,
                parse_float=_parse_finite,
                object_pairs_hook=_build_object,
            )
    except RecursionError:
        raise _refuse_depth(where) from None
    except UnicodeDecodeError:
        raise refuse("is not UTF-8 text", where, "fetch it again") from None
    except json.JSONDecodeError as error:
        raise refuse(
            f"is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})",
            where,
            "it may be truncated; fetch it again",
        ) from None
    except ValueError as error:
        raise refuse(f"is not valid JSON ({error})", where, "correct the file") from None
    if not _is_nested_within(MAX_JSON_DEPTH, document):
        raise _refuse_depth(where)
    return document


def _refuse_depth(where: Path | str) -> InputError:
    return refuse("nests too deeply", where, "this is not an annotation file; fetch it again")


def _is_nested_within(depth: int, document: Any) -> bool:
    """Return whether lists and objects nest at most to a depth.

    A document that the parser accepts may still be too deep for code that compares or writes it.
    """
    level: list[list[Any] | dict[str, Any]] = [[document]]
    for _ in range(depth + 1):
        level = [
            value
            for container in level
            for value in (container.values() if isinstance(container, dict) else container)
            if type(value) is list or type(value) is dict  # twice as fast as isinstance
        ]
        if not level:
            return True
    return False


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not finite")
    return number


def _build_object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(members)
    if len(mapping) < len(members):
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                raise ValueError(f"the key {name[:80]!r} occurs twice in one object")
            seen.add(name)
    return mapping


def read_csv(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read the rows of a CSV file as dictionaries; a missing column raises an `InputError`."""
    text = read_text(path, "table")
    table = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        missing = [name for name in columns if name not in (table.fieldnames or ())]
        if missing:
            raise refuse(
                f"does not have the columns {', '.join(missing)}", path, "give the right table"
            )
        rows = list(table)
    except csv.Error as error:
        raise refuse(f"is not a CSV table ({error})", path, "fetch it again") from None
    short = [str(n) for n, row in enumerate(rows, 2) if any(row[c] is None for c in columns)]
    if short:
        raise refuse(f"has incomplete rows: line {', '.join(short[:9])}", path, "fetch it again")
    return rows


class Cursor:
    """A place in a JSON document, which checks the type of the value there.

    Attributes
    ----------
    value : Any
        The value, of any type.
    where : str
        The file and the keys that lead to the value, for messages.

    Examples
    --------
    >>> Cursor({"start": 3}, "train.json")["start"].as_integer()
    3
    """

    def __init__(self, value: Any, where: str) -> None:
        self.value = value
        self.where = where

    def __getitem__(self, name: str) -> Cursor:
        members = self.as_mapping()
        if name not in members:
            raise refuse(
                f"the key {name!r} is missing", self.where, "add it, or fetch the file again"
            )
        return Cursor(members[name], f"{self.where}: {name}")

    def __contains__(self, name: str) -> bool:
        return name in self.as_mapping()

    def as_mapping(self) -> dict[str, Any]:
        """Return the value as an object."""
        return self._check_type(dict, "an object")

    def iterate_elements(self) -> Iterator[Cursor]:
        """Iterate over the elements of a list, each with its place."""
        for position, value in enumerate(self._check_type(list, "a list")):
            yield Cursor(value, f"{self.where}[{position}]")

    def get_member(self, name: str) -> Cursor:
        """Return an existing member. Its name need not be safe to show."""
        return Cursor(self.as_mapping()[name], f"{self.where}: {format_name(name)}")

    def iterate_members(self) -> Iterator[tuple[str, Cursor]]:
        """Iterate over the members of an object, each with its place."""
        for name in self.as_mapping():
            yield name, self.get_member(name)

    def as_text(self) -> str:
        """Return the value as a text without control characters, see `check_text`."""
        return check_text(self._check_type(str, "text"), self.where)

    def as_integer(self) -> int:
        """Return the value as a whole number; a float such as ``300.0`` counts as one.

        >>> Cursor(300.0, "train.json").as_integer()
        300
        """
        value = self.value
        # From 2**53 on, floats cannot represent every whole number.
        if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
            return int(value)
        if isinstance(value, bool):
            raise self._refuse_value("a whole number")
        return self._check_type(int, "a whole number")

    def as_number(self) -> float:
        """Return the value as a float."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self._refuse_value("a number")
        try:
            return float(self.value)
        except OverflowError:
            raise self._refuse_value("a number of ordinary size") from None

    def as_flag(self) -> bool:
        """Return the value as a bool; 0 and 1 are accepted."""
        if self.value not in (0, 1) or isinstance(self.value, float):
            raise self._refuse_value("0 or 1")
        return bool(self.value)

    def _check_type(self, kind: type[T], name: str) -> T:
        if not isinstance(self.value, kind):
            raise self._refuse_value(name)
        return self.value

    def _refuse_value(self, wanted: str) -> InputError:
        return refuse_value(wanted, self.value, self.where)


def collect_valid(
    items: Iterator[Cursor] | list[Cursor], read: Any, problems: ProblemCollector
) -> list[Any]:
    """Apply `read` to every item, and collect the problems of those that raise an `InputError`."""
    results = []
    for item in items:
        with problems.collect():
            results.append(read(item))
    return results


RELEASE_HINT = "use the release of actiseg that wrote it, or a newer one"
"""The hint for a document of an unknown schema."""


def check_schema(document: Cursor, schema: str, hint: str = "reinstall actiseg") -> None:
    """Raise an `InputError` if a document does not have the expected schema.

    The hint is for another version of the schema; a schema of another kind has its own.
    """
    actual = document["schema"].as_text()
    if actual != schema:
        what = f"has the schema {actual!r}, but this release reads {schema!r}"
        if actual.rpartition("/")[0] != schema.rpartition("/")[0]:
            hint = f"this is another kind of file; give one with the schema {schema!r}"
        raise refuse(what, document.where, hint)


def check_keys(document: Cursor, known: tuple[str, ...], problems: ProblemCollector) -> None:
    """Add a problem for every key of an object that is not known."""
    for name in document.as_mapping():
        if name not in known:
            what = f"the key {name!r} is unknown{suggest(name, known)}"
            problems.add(what, document.where, f"keys: {', '.join(known)}")
