"""Colours of index masks: whether a palette gives ids the colours of other ids.

If a colour image of a mask is converted to a palette image with a new palette, the colours are
right and the ids are wrong.
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
    """What colours mean in a true mask.

    palette: its bytes RGB, none of a grey one. ids: those of objects. free: whether predictions may
    number objects as they like, so that only the background has its place.
    """

    palette: bytes
    ids: Set[int]
    free: bool = False


def refuse_recoloured(
    mask: IndexMask, palette: bytes, truth: TrueColours, where: Path | str
) -> None:
    """Refuse a predicted index mask with a palette that shows ids in the colours of other true ids.

    mask: (H, W) uint8. palette: its bytes RGB, empty for a grey mask. The ids of masks with other
    palettes are taken as they are.
    """
    if PALETTE.startswith(palette) or palette == truth.palette:
        return
    used = [*([0] if not mask.all() else []), *find_ids(mask)]
    means = [_moved(used, palette, known) for known in (truth.palette or _GREY, PALETTE)]
    if {} in means:
        return
    for moved in means:
        if moved is None:
            continue
        wrong = {
            index: shown
            for index, shown in moved.items()
            if not truth.free or (index == 0) != (shown == 0)
        }
        if wrong and (truth.free or set(moved.values()) <= {0, *truth.ids}):
            pairs = ", ".join(f"{index} in that of {shown}" for index, shown in wrong.items())
            raise refuse(
                f"its palette shows ids in the colours of other true ids: {pairs}",
                where,
                "write ids as pixel values; turn colours into ids by the palette of the true masks",
            )


def _moved(used: list[int], palette: bytes, known: bytes) -> dict[int, int] | None:
    """The used indices that have the colour of another id, with that id.

    known: a palette that gives each id a colour. None if it does not apply: a used colour is not in
    it, or two indices share one.
    """
    colours, ids = _colours(palette), _ids_by_colour(known)
    if used and used[-1] >= len(colours):
        return None
    shown = [ids.get(colours[index], -1) for index in used]
    if -1 in shown or len(set(shown)) < len(shown):
        return None
    return {index: other for index, other in zip(used, shown, strict=True) if other != index}


@lru_cache(maxsize=64)
def _colours(palette: bytes) -> list[Colour]:
    red, green, blue = palette[::3], palette[1::3], palette[2::3]
    return list(zip(red, green, blue, strict=False))  # a damaged palette may end in mid-colour


@lru_cache(maxsize=64)
def _ids_by_colour(palette: bytes) -> dict[Colour, int]:
    """The lowest id of each colour: palettes are filled up with black."""
    return {colour: index for index, colour in reversed(list(enumerate(_colours(palette))))}
