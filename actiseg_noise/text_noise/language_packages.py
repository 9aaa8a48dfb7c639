"""Load the language packages of the extra ``[text]`` when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from actiseg_data.core.errors import refuse


def load_language_package(name: str, use: str) -> Any:
    """Import a package of the extra ``[text]``.

    Parameters
    ----------
    name : str
        Name of the module.
    use : str
        What needs it, for the message.

    Raises
    ------
    InputError
        If the package is not installed or cannot be loaded.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = "is not installed" if error.name == name else f"cannot be loaded ({error})"
        raise refuse(
            f"{use} needs the package {name}, which {reason}",
            "actiseg",
            'install the language packages: pip install "actiseg[text]"',
        ) from None
