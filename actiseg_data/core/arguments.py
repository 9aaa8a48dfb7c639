"""Check the types of arguments of the Python API. An error names the parameter."""

from __future__ import annotations

import os
from contextlib import suppress
from numbers import Real
from pathlib import Path
from typing import TypeGuard

from actiseg_data.core.errors import InputError, refuse

_LONGEST = 60
"""Most characters of a wrong value that a message shows."""


def check_path(value: object, parameter: str) -> Path:
    """Return a path that was given as text or as any path object.

    >>> check_path("preds", "predictions").name
    'preds'
    """
    if not isinstance(value, (str, os.PathLike)):
        raise refuse_type(value, "a path", parameter)
    return Path(value)


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


def refuse_type(value: object, wanted: str, parameter: str) -> InputError:
    """Build the error for a value of a wrong type.

    >>> print(refuse_type(3, "a path", "predictions"))
    predictions: must be a path, not 3. Hint: give a path
    """
    text = repr(value)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return refuse(f"must be {wanted}, not {text}", f"`{parameter}`", f"give {wanted}")
