"""The seed of a run, as its folder is named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_SEED = re.compile(r"(?:^|[ ._-])s(?:eed)?[_=-]?([0-9]{1,9})$", re.IGNORECASE)


def find_seed(folder: Path) -> int | None:
    """Return the seed at the end of a folder's name, else of the nearest parent that has one.

    >>> [find_seed(Path(text)) for text in ("elr/0.2_s3", "elr_seed=3/preds", "elr/run3")]
    [3, 3, None]
    """
    for name in (folder.stem, *(part for part in reversed(folder.parts))):
        if match := _SEED.search(name):
            return int(match[1])
    return None


def find_seeds(folders: Iterable[Path]) -> tuple[int, ...] | None:
    """Return the seeds of several runs; None if one has none, or if two are the same.

    >>> find_seeds([Path("elr_s1"), Path("elr_s2")])
    (1, 2)
    """
    seeds = tuple(map(find_seed, folders))
    known = tuple(seed for seed in seeds if seed is not None)
    return known if len(set(known)) == len(seeds) else None
