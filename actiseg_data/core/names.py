"""Checks of untrusted names and texts, and their form in messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from actiseg_data.core.errors import InputError, refuse

MAX_NAME_BYTES = 200
"""Longest sequence, frame or object name; file systems stop at 255 with the ending."""

_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)
# And what some take for a new line, and what has text shown in another order than it stands in.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# No name that is refused looks like this: reserved ones have no underline.
_ORDINARY = re.compile(r"[A-Za-z0-9:-]*_[A-Za-z0-9_:-]*")

_SEPARATORS = re.compile(r"[/\\]")


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
    elif not _is_encodable(name):
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
        raise refuse_value("a text without control characters", text, where)
    if not _is_encodable(text):
        raise refuse_value("valid Unicode", text, where)
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
    return not _CONTROL.search(text) and _is_encodable(text)


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


def refuse_value(wanted: str, value: object, where: object) -> InputError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return refuse(f"must be {wanted}, is {shown}", where, "correct the file")


def _is_encodable(text: str) -> bool:
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
