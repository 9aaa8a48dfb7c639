"""Errors of Pillow as errors in the user's input, for all images."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from actiseg_data.core.errors import InputError, refuse

# Pillow raises some of these for chunks before the pixels, and passes others on from its decoder.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, zlib.error, struct.error),
    *(EOFError, IndexError, KeyError, TypeError),
)


@contextmanager
def explain_pillow_errors(path: Path | str, kind: str, hint: str) -> Iterator[None]:
    """Turn what Pillow raises for a damaged image into an `InputError`; hide its warnings.

    Parameters
    ----------
    path : Path or str
        The file.
    kind : str
        What it should be, such as ``PNG``.
    hint : str
        What to do about a damaged file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # callers refuse what matters, such as a large image
            yield
    except InputError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise refuse(f"is not a readable {kind}", path, hint) from None
    except _DAMAGED as error:
        raise refuse(f"is damaged or truncated ({error})", path, hint) from None
