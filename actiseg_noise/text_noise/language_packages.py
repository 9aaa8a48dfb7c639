"""The language packages of the extra ``[text]``, loaded where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from actiseg_data.core.errors import refuse


def load_language_package(name: str, use: str) -> Any:
    """Import a package of the extra ``[text]``; raises `InputError` where it cannot be had.

    use: what needs it, for the message.
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
