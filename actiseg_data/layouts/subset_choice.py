"""The choice of a subset in a root that has a folder for each, such as ``train`` and ``valid``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actiseg_data.core.errors import refuse, suggest

_DEFAULT = "train"


def choose_subset(root: Path, subsets: Sequence[str], split: str | None) -> str:
    """Choose one of the subsets of a root, by default ``train`` or the first one.

    Raises
    ------
    InputError
        If there is no subset with the name.
    """
    if split is None:
        return _DEFAULT if _DEFAULT in subsets else subsets[0]
    if split not in subsets:
        raise refuse(
            f"there is no subset {split!r}{suggest(split, subsets)}",
            root,
            f"give one of {', '.join(subsets)} as `split`",
        )
    return split


def name_only_subset(root: Path, split: str | None) -> str:
    """Return the name of a root that is one subset; raise `InputError` if another is wanted."""
    name = root.resolve().name
    if split not in (None, name):
        raise refuse(f"is one subset, {name!r}, and has no other", root, "leave `split` out")
    return name
