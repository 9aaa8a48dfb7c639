"""Digests of JSON documents. Pixels have theirs in `actiseg_data.annotations.masks.digest_pixels`."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_json(document: Any) -> str:
    """Digest of a JSON document's content: keys sorted, no white space, ASCII escapes.

    Returns 32 hexadecimal digits (BLAKE2b-128), equal for equal content however it was written.

    >>> digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()
