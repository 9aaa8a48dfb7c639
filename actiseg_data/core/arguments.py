"""Check the types of arguments of the Python API. An error names the parameter."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from numbers import Real
from typing import TypeGuard

from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import as_names

_LONGEST = 60
"""Most characters of a wrong value that a message shows."""


def check_integer(value: object, parameter: str) -> int:
    """Return a whole number of any type, also NumPy's, as an integer.

    >>> check_integer(1e4, "resamples")
    10000
    """
    if not (_is_real(value) and float(value).is_integer()):
        raise refuse_type(value, "a whole number", parameter)
    return int(value)


def check_number(value: object, parameter: str) -> float:
    """Return a number of any real type, also NumPy's, as a float.

    >>> check_number(1, "drop")
    1.0
    """
    if not _is_real(value):
        raise refuse_type(value, "a number", parameter)
    return float(value)


def _is_real(value: object) -> TypeGuard[float]:
    """Return whether a value is a number that a float can represent."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    with suppress(OverflowError):
        float(value)
        return True
    return False


def check_string(value: object, parameter: str) -> str:
    """Return a text.

    >>> check_string("video", "cluster")
    'video'
    """
    if not isinstance(value, str):
        raise refuse_type(value, "text", parameter)
    return value


def check_selection(names: str | Iterable[str] | None, parameter: str) -> tuple[str, ...] | None:
    """Return the names of what was selected, or None for all.

    A selection of nothing is an error: it is the result of a mistake, and must not mean all.

    >>> check_selection("train", "only"), check_selection(None, "only")
    (('train',), None)
    """
    if names is None:
        return None
    if not isinstance(names, Iterable):
        raise refuse_type(names, "a name or several", parameter)
    selected = as_names(names)
    if not selected:
        raise refuse("selects nothing", f"`{parameter}`", f"leave out `{parameter}` to select all")
    return selected


def refuse_type(value: object, wanted: str, parameter: str) -> InputError:
    """Build the error for a value of a wrong type.

    >>> print(refuse_type(3, "a path", "predictions"))
    predictions: must be a path, not 3. Hint: give a path
    """
    text = repr(value)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return refuse(f"must be {wanted}, not {text}", f"`{parameter}`", f"give {wanted}")
