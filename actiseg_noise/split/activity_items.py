"""Read which objects are active from the companion files of a noisy split."""

from __future__ import annotations

from actiseg_data.layouts.actionvos import Split
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    Expression,
    ObjectEntry,
    name_expressions_file,
)

Flags = tuple[bool | None, bool | None]
"""Whether an object is active, before and after noise; None for what a file does not say."""


def read_companion_flags(split: Split, name: str) -> dict[tuple[str, int], Flags]:
    """Read the flags of all objects in an expressions or objects file.

    Parameters
    ----------
    split : Split
        The noisy split.
    name : str
        The name of the file.

    Returns
    -------
    dict of (str, int) to tuple
        By sequence folder and object id. Prompts without an object are left out.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    styles = {name_expressions_file(split.name, style): style for style in PROMPT_STYLES}
    entries: dict[str, tuple[ObjectEntry, ...]] | dict[str, tuple[Expression, ...]]
    entries = split.read_expressions(styles[name]) if name in styles else split.read_objects()
    return {
        (folder, entry.object_id): (entry.positive_org, entry.positive)
        for folder, members in entries.items()
        for entry in members
        if entry.object_id is not None
    }
