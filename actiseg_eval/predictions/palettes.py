"""Check whether the palette of an index mask shows ids in the colours of other ids.

Converting a colour image of a mask to a palette image with a new palette keeps the colours and
changes the ids.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np

from actiseg_data.annotations.masks import PALETTE, IndexMask, find_ids
from actiseg_data.core.errors import refuse

Colour: TypeAlias = "tuple[int, int, int]"

_GREY = bytes(np.repeat(np.arange(256, dtype=np.uint8), 3))
"""The colours of a mask without a palette."""


@dataclass(frozen=True)
class TrueColours:
    """The meaning of colours in a true mask.

    Attributes
    ----------
    palette : bytes
        RGB; empty for a grey mask.
    ids : set of int
        The ids of objects.
    free : bool
        Whether predictions may number objects freely, so that only the background id is fixed.
    """

    palette: bytes
    ids: Set[int]
    free: bool = False


def refuse_recoloured(
    mask: IndexMask, palette: bytes, truth: TrueColours, where: Path | str
) -> None:
    """Refuse a predicted index mask whose palette shows ids in the colours of other true ids.

    The ids of masks with entirely different palettes are accepted.

    Parameters
    ----------
    mask : (H, W) uint8
    palette : bytes
        RGB; empty for a grey mask.
    truth : TrueColours
    where : object
        The file, for the message.
    """
    if PALETTE.startswith(palette) or palette == truth.palette:
        return
    used = [*([0] if not mask.all() else []), *find_ids(mask)]
    candidates = [
        _find_changes(used, palette, known) for known in (truth.palette or _GREY, PALETTE)
    ]
    if {} in candidates:
        return
    for changes in candidates:
        if changes is None:
            continue
        wrong = {
            index: true_id
            for index, true_id in changes.items()
            if not truth.free or (index == 0) != (true_id == 0)
        }
        if wrong and (truth.free or set(changes.values()) <= {0, *truth.ids}):
            pairs = ", ".join(f"{index} in that of {true_id}" for index, true_id in wrong.items())
            raise refuse(
                f"its palette shows ids in the colours of other true ids: {pairs}",
                where,
                "write ids as pixel values; map colours to ids with the palette of the true masks",
            )


def _find_changes(used: list[int], palette: bytes, known: bytes) -> dict[int, int] | None:
    """Return the used indices that have the colour of another id in a known palette, with that id.

    Return None if the known palette does not apply: it lacks a used colour, or two indices share a
    colour.
    """
    colours, ids = _list_colours(palette), _map_colours(known)
    if used and used[-1] >= len(colours):
        return None
    true_ids = [ids.get(colours[index], -1) for index in used]
    if -1 in true_ids or len(set(true_ids)) < len(true_ids):
        return None
    pairs = zip(used, true_ids, strict=True)
    return {index: true_id for index, true_id in pairs if true_id != index}


@lru_cache(maxsize=64)
def _list_colours(palette: bytes) -> list[Colour]:
    red, green, blue = palette[::3], palette[1::3], palette[2::3]
    return list(zip(red, green, blue, strict=False))  # a damaged palette may end within a colour


@lru_cache(maxsize=64)
def _map_colours(palette: bytes) -> dict[Colour, int]:
    """Map each colour to its lowest id, because palettes are padded with black."""
    return {colour: index for index, colour in reversed(list(enumerate(_list_colours(palette))))}
