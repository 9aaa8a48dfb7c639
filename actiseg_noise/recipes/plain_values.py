"""Numbers of NumPy in the settings of noise, as the Python values that a recipe records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.core.errors import refuse


def to_plain(value: Any) -> Any:
    """Convert numbers of NumPy to Python's, also inside of lists, tuples and mappings.

    >>> to_plain({"radius": np.float64(3.5), "kinds": ("dilate",), "size": [np.int64(9)]})
    {'radius': 3.5, 'kinds': ['dilate'], 'size': [9]}
    """
    if isinstance(value, Mapping):
        return {name: to_plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(element) for element in value]
    return value.item() if isinstance(value, np.generic) else value


def check_seed(seed: Any) -> int:
    """Return a seed as an int; raise `InputError` if it is not a whole number.

    >>> check_seed(np.int64(3))
    3
    """
    plain = to_plain(seed)
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise refuse(f"{plain!r} is not a whole number", "`seed`", "give 0 to 2**63 - 1")
    return plain
