"""Digests of JSON documents; for pixels see `actiseg_data.annotations.masks.digest_pixels`."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_json(document: Any) -> str:
    """Compute a digest of the content of a JSON document.

    Keys are sorted, white space is dropped and non-ASCII characters are escaped first, so documents
    with equal content have equal digests.

    Returns
    -------
    str
        32 hexadecimal digits (BLAKE2b-128).

    Examples
    --------
    >>> digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()
