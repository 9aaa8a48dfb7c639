"""Checks of what comes from outside: names, JSON documents, CSV tables.

A name that comes from a file becomes a path only after `check_name`. A document is bounded in size
and depth, and `Cursor` reads it with the type that each value must have, naming the place of every
value that has not.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import re
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.gc_pause import pause_gc

MAX_JSON_BYTES = 1 << 30
"""Largest JSON or CSV document that is read, unpacked. The largest real one has 17 MB."""

MAX_JSON_DEPTH = 100
"""Deepest nesting of a JSON document. The deepest real one has 8 levels."""

MAX_NAME_BYTES = 200
"""Longest sequence, frame or object name; file systems stop at 255 with the ending."""

_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)
# And what some take for a new line, and what has text shown in another order than it stands in.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# No name that is refused looks like this: reserved ones have no underline.
_ORDINARY = re.compile(r"[A-Za-z0-9:-]*_[A-Za-z0-9_:-]*")
_FRAMES = "JPEGImages"
"""How the names of folders of frames begin, the only ones that `corrupt` fills with links."""

_SEPARATORS = re.compile(r"[/\\]")

T = TypeVar("T")


def check_name(name: object, kind: str, where: object) -> str:
    """Return a name that is safe as one component of a path, or raise `InputError`.

    name: untrusted value. kind: what it names ("sequence", "frame"). where: where it was read.
    Refused: what is no string or is empty; separators, ``.``, ``..``, control characters, NUL;
    names reserved on Windows; a leading or trailing space, a trailing dot; more than 200 bytes.
    Colons are allowed: published folder names contain them.

    >>> check_name("00000009_P01_01_take_board:cutting", "sequence", "train.json")
    '00000009_P01_01_take_board:cutting'
    """
    if isinstance(name, str) and len(name) <= MAX_NAME_BYTES and _ORDINARY.fullmatch(name):
        return name
    if not isinstance(name, str) or not name:
        raise refuse(f"the {kind} name must be a non-empty text, got {name!r}", where, "correct it")
    reason = None
    if _CONTROL.search(name):
        reason = "contains a control character"
    elif _SEPARATORS.search(name):
        reason = "contains a path separator"
    elif name in (".", ".."):
        reason = "would lead outside the folder"
    elif _RESERVED.match(name):
        reason = "is reserved on Windows"
    elif name != name.strip() or name.endswith("."):
        reason = "begins or ends with a space, or ends with a dot"
    elif not _encodable(name):
        reason = "is not valid Unicode"
    elif len(name.encode()) > MAX_NAME_BYTES:
        reason = f"is longer than {MAX_NAME_BYTES} bytes"
    if reason:
        raise refuse(f"the {kind} name {name[:80]!r} {reason}", where, "rename it at the source")
    return name


def check_text(text: str, where: object) -> str:
    """Return a text that can be shown and written as one line, or raise `InputError`.

    Refused: control characters, which can forge output at a terminal; what UTF-8 cannot hold.
    """
    if _CONTROL.search(text):
        raise _must_be("a text without control characters", text, where)
    if not _encodable(text):
        raise _must_be("valid Unicode", text, where)
    return text


def escape_unprintable(text: str) -> str:
    """Text that every stream and document takes: a byte of a path that is no text, as its number.

    >>> escape_unprintable("run-\\udcff")
    'run-\\\\udcff'
    """
    return text.encode(errors="backslashreplace").decode()


def is_plain_text(text: str) -> bool:
    """Whether `check_text` would let a text pass.

    >>> is_plain_text("cut apple"), is_plain_text("cut\\napple")
    (True, False)
    """
    return not _CONTROL.search(text) and _encodable(text)


def parse_whole_number(text: str) -> int | None:
    """The number below 10**9 that decimal digits spell; None for any other text.

    >>> parse_whole_number("305"), parse_whole_number("-1"), parse_whole_number("²"), parse_whole_number("9" * 5000)
    (305, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def parse_table_number(text: str) -> int | None:
    """The number below 10**9 in a cell of a table; None for any other text.

    Tables that went through a data frame or a spreadsheet have whole numbers with a fraction of
    zeros.

    >>> parse_table_number(" 305 "), parse_table_number("305.0"), parse_table_number("305.5")
    (305, 305, None)
    """
    whole, _, fraction = text.strip().partition(".")
    return None if fraction.strip("0") else parse_whole_number(whole)


def _must_be(wanted: str, value: object, where: object) -> InputError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return refuse(f"must be {wanted}, is {shown}", where, "correct the file")


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def format_name(name: str) -> str:
    """An unchecked name as a message can show it: short and printable."""
    name = name if len(name) <= 80 else f"{name[:77]}..."
    return name if name.isprintable() else ascii(name)


def format_names(names: Sequence[str], most: int = 3) -> str:
    """The first of some unchecked names as a message can show them, and how many more there are.

    >>> format_names(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(format_name, names[:most])) + more


def read_bytes(path: Path, kind: str = "file", limit: int = MAX_JSON_BYTES) -> bytes:
    """The bytes of a file, unpacked if its name ends in ``.gz``, never more than `limit`.

    Raises `InputError` where the file is absent, unreadable, damaged or larger.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise refuse("cannot be read (it is no regular file)", path, "check the path")
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as stream:
                data = stream.read(limit + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(limit + 1)
    except FileNotFoundError:
        raise refuse_missing(path, f"the {kind} is missing", "check the path") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise refuse("the gzip stream is damaged or cut short", path, "fetch it again") from None
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror})", path, "check the path") from None
    if len(data) > limit:
        raise refuse(f"is larger than {limit} bytes", path, "check that it is the right file")
    return data


def read_text(path: Path, kind: str = "file") -> str:
    """The text of a UTF-8 file, with or without a byte order mark; raises `InputError` for others."""
    try:
        return read_bytes(path, kind).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refuse("is no UTF-8 text", path, "save it as UTF-8") from None


def refuse_missing(path: Path, what: str, hint: str, instead: str | None = None) -> InputError:
    """Build the `InputError` for a file or folder that is not there.

    what: the problem, such as ``the mask is missing``. If a link in the path dangles, the problem
    names the link and its target instead. instead: what helps if the target cannot be restored.
    """
    link = find_dangling_link(path)
    if link is None:
        return refuse(what, path, hint)
    if instead is None:
        are_frames = any(part.startswith(_FRAMES) for part in link.parts)
        instead = "copy the frames: corrupt --images copy" if are_frames else "put a copy there"
    return refuse(
        f"is a link to {os.readlink(link)}, which is not there",
        link,
        f"restore the target, or {instead}",
    )


def find_dangling_link(path: Path) -> Path | None:
    """The dangling link in a path, or at its end; None if there is none.

    >>> find_dangling_link(Path("setup.cfg")) is None
    True
    """
    return next((p for p in (path, *path.parents) if p.is_symlink() and not p.exists()), None)


def read_json(path: Path, kind: str = "file") -> Any:
    """Parse a JSON document (or ``.json.gz``); see `parse_json` for what is refused."""
    return parse_json(read_bytes(path, kind), path)


def parse_json(data: bytes, where: object) -> Any:
    """Parse JSON; refused: NaN, infinities, absurd nesting, a key that an object has twice."""
    try:
        with pause_gc():
            document = json.loads(
                data, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_unrepeated
            )
    except RecursionError:
        raise _too_deep(where) from None
    except UnicodeDecodeError:
        raise refuse("is no UTF-8 text", where, "fetch it again") from None
    except json.JSONDecodeError as error:
        raise refuse(
            f"is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})",
            where,
            "it may be cut short; fetch it again",
        ) from None
    except ValueError as error:
        raise refuse(
            f"is not valid JSON ({error})", where, "correct it where it was made"
        ) from None
    if not _nests_at_most(MAX_JSON_DEPTH, document):
        raise _too_deep(where)
    return document


def _too_deep(where: object) -> InputError:
    return refuse("nests too deeply", where, "this is no annotation file; fetch it again")


def _nests_at_most(depth: int, document: Any) -> bool:
    """Whether lists and objects stand at most so deep in one another.

    What the parser can follow may still be too deep for those who compare, show or write it.
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


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no finite number")
    return number


def _unrepeated(members: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(members)
    if len(mapping) < len(members):
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                raise ValueError(f"the key {name[:80]!r} stands twice in one object")
            seen.add(name)
    return mapping


def read_csv(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV file as dictionaries; `InputError` where one of `columns` is missing."""
    text = read_text(path, "table")
    table = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        missing = [name for name in columns if name not in (table.fieldnames or ())]
        if missing:
            raise refuse(f"lacks the columns {', '.join(missing)}", path, "give the right table")
        rows = list(table)
    except csv.Error as error:
        raise refuse(f"is no CSV table ({error})", path, "fetch it again") from None
    short = [str(n) for n, row in enumerate(rows, 2) if any(row[c] is None for c in columns)]
    if short:
        raise refuse(f"has incomplete rows: line {', '.join(short[:9])}", path, "fetch it again")
    return rows


class Cursor:
    """A place in a JSON document, read with the type that it must have.

    >>> Cursor({"start": 3}, "train.json")["start"].integer()
    3
    """

    def __init__(self, value: Any, where: str) -> None:
        self.value = value
        self.where = where

    def __getitem__(self, name: str) -> Cursor:
        members = self.mapping()
        if name not in members:
            raise refuse(
                f"the key {name!r} is missing", self.where, "add it, or fetch the file again"
            )
        return Cursor(members[name], f"{self.where}: {name}")

    def __contains__(self, name: str) -> bool:
        return name in self.mapping()

    def mapping(self) -> dict[str, Any]:
        return self._typed(dict, "an object")

    def elements(self) -> Iterator[Cursor]:
        """The elements of a list, each with its place."""
        for position, value in enumerate(self._typed(list, "a list")):
            yield Cursor(value, f"{self.where}[{position}]")

    def member(self, name: str) -> Cursor:
        """A member that is there, whose name need not be safe to show."""
        return Cursor(self.mapping()[name], f"{self.where}: {format_name(name)}")

    def members(self) -> Iterator[tuple[str, Cursor]]:
        """The members of an object, each with its place."""
        for name in self.mapping():
            yield name, self.member(name)

    def text(self) -> str:
        """A text; refused where it has control characters, see `check_text`."""
        return check_text(self._typed(str, "a text"), self.where)

    def integer(self) -> int:
        """A whole number, also one that was written as a float, such as ``300.0``.

        >>> Cursor(300.0, "train.json").integer()
        300
        """
        value = self.value
        # From 2**53 on a float does not tell its neighbours apart.
        if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
            return int(value)
        if isinstance(value, bool):
            raise self._wrong("a whole number")
        return self._typed(int, "a whole number")

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self._wrong("a number")
        try:
            return float(self.value)
        except OverflowError:
            raise self._wrong("a number of ordinary size") from None

    def flag(self) -> bool:
        """A truth value, as true/false or 0/1."""
        if self.value not in (0, 1) or isinstance(self.value, float):
            raise self._wrong("0 or 1")
        return bool(self.value)

    def _typed(self, kind: type[T], name: str) -> T:
        if not isinstance(self.value, kind):
            raise self._wrong(name)
        return self.value

    def _wrong(self, wanted: str) -> InputError:
        return _must_be(wanted, self.value, self.where)


def collect_valid(
    items: Iterator[Cursor] | list[Cursor], read: Any, problems: ProblemCollector
) -> list[Any]:
    """Apply `read` to every item and keep going past the refused ones, whose problems are kept."""
    results = []
    for item in items:
        with problems.collect():
            results.append(read(item))
    return results
