"""Checks of untrusted names and texts, and their form in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from actiseg_data.core.errors import InputError, refuse

MAX_NAME_BYTES = 200
"""Longest sequence, frame or object name; file systems stop at 255 with the ending."""

_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)
# Also separators that some software takes for a new line, and marks that reorder shown text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Names of this form are always valid: reserved names have no underscore.
_ORDINARY = re.compile(r"[A-Za-z0-9:-]*_[A-Za-z0-9_:-]*")

_SEPARATORS = re.compile(r"[/\\]")


def check_name(name: object, kind: str, where: Path | str) -> str:
    """Check that a name is safe as one component of a path, and return it.

    Colons are allowed, because the names of published folders contain them.

    Parameters
    ----------
    name : object
        The untrusted value.
    kind : str
        What it names, such as ``sequence`` or ``frame``.
    where : str or Path
        The file that it was read from.

    Raises
    ------
    InputError
        If the value is not a text or is empty; if it has separators, is ``.`` or ``..``, or has
        control characters; if Windows reserves the name; if it begins or ends with a space or ends
        with a dot; if it has more than 200 bytes.

    Examples
    --------
    >>> check_name("00000009_P01_01_take_board:cutting", "sequence", "train.json")
    '00000009_P01_01_take_board:cutting'
    """
    if isinstance(name, str) and len(name) <= MAX_NAME_BYTES and _ORDINARY.fullmatch(name):
        return name
    if not isinstance(name, str) or not name:
        raise refuse(f"the {kind} name must be non-empty text, not {name!r}", where, "correct it")
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


def check_text(text: str, where: Path | str) -> str:
    """Check that a text can be shown and written as one line, and return it.

    Control characters, which can forge output on a terminal, and text that UTF-8 cannot encode
    raise an `InputError`.
    """
    if _CONTROL.search(text):
        raise refuse_value("text without control characters", text, where)
    if not _is_encodable(text):
        raise refuse_value("valid Unicode", text, where)
    return text


def escape_unprintable(text: str) -> str:
    r"""Escape bytes of a path that are not text, so that every stream takes them.

    >>> escape_unprintable("run-\udcff")
    'run-\\udcff'
    """
    return text.encode(errors="backslashreplace").decode()


def is_plain_text(text: str) -> bool:
    r"""Return whether `check_text` accepts a text.

    >>> is_plain_text("cut apple"), is_plain_text("cut\napple")
    (True, False)
    """
    return not _CONTROL.search(text) and _is_encodable(text)


def parse_whole_number(text: str) -> int | None:
    """Parse decimal digits as a number below 10**9; return None for any other text.

    >>> [parse_whole_number(text) for text in ("305", "-1", "²", "9" * 5000)]
    [305, None, None, None]
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def parse_table_number(text: str) -> int | None:
    """Parse the cell of a table as a number below 10**9; return None for any other text.

    Data frames and spreadsheets write whole numbers with a fraction of zeros, which is accepted.

    >>> parse_table_number(" 305 "), parse_table_number("305.0"), parse_table_number("305.5")
    (305, 305, None)
    """
    whole, _, fraction = text.strip().partition(".")
    return None if fraction.strip("0") else parse_whole_number(whole)


def refuse_value(wanted: str, value: object, where: Path | str) -> InputError:
    """Build the `InputError` for a value that is not what a file must have."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return refuse(f"must be {wanted}, not {shown}", where, "correct the file")


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Convert one name or several to a tuple.

    >>> as_names("val"), as_names(["val", "val_human"])
    (('val',), ('val', 'val_human'))
    """
    return (names,) if isinstance(names, str) else tuple(names)


def format_name(name: str) -> str:
    """Format an unchecked name for a message: short and printable."""
    name = name if len(name) <= 80 else f"{name[:77]}..."
    return name if name.isprintable() else ascii(name)


def format_names(names: Sequence[str], most: int = 3) -> str:
    """Format the first of some unchecked names for a message, and count the rest.

    >>> format_names(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(format_name, names[:most])) + more
