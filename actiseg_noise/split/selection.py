"""Restrict a run to some sequences of a split."""

from __future__ import annotations

from collections.abc import Iterable

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, suggest
from actiseg_data.layouts.actionvos import Split


def as_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Convert one name or several to a tuple.

    >>> as_names("val"), as_names(["val", "val_human"])
    (('val',), ('val', 'val_human'))
    """
    return (names,) if isinstance(names, str) else tuple(names)


def select_sequences(split: Split, only: Iterable[str]) -> tuple[VideoSequence, ...]:
    """Select sequences of a split by their folders, in list order.

    Parameters
    ----------
    split : Split
        The split to select from.
    only : iterable of str
        Sequence folders. Empty selects every sequence.

    Raises
    ------
    InputError
        With every name that the split does not have.
    """
    wanted = list(only)
    by_folder = {sequence.folder for sequence in split.sequences}
    problems = ProblemCollector()
    for name in wanted:
        if name not in by_folder:
            problems.add(
                f"the split {split.name!r} has no sequence {name!r}{suggest(name, by_folder)}",
                "`only`",
                "give a folder name as in the split's lists",
            )
    problems.raise_if_any()
    return tuple(seq for seq in split.sequences if not wanted or seq.folder in wanted)
