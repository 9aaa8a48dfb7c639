"""The packages of the extra `[publish]`, which are imported only where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from actiseg_data.core.errors import refuse


def load_extra(name: str) -> Any:
    """Import a module of the extra `[publish]`.

    Raises
    ------
    InputError
        If its package is not installed, or cannot be loaded.

    Examples
    --------
    >>> load_extra("no_such_package")
    Traceback (most recent call last):
        ...
    actiseg_data.core.errors.InputError: ...
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise refuse(
            f"a package cannot be loaded ({error})",
            f"import {name}",
            'run pip install "actiseg[publish]"',
        ) from None
