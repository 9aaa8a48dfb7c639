"""The table of all layouts. A new layout is a file of this package, and a line here."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.action_lists import ACTIONVOS
from actiseg_data.layouts.coco import COCO
from actiseg_data.layouts.layout import Layout
from actiseg_data.layouts.mask_folders import DAVIS, MASK_FOLDERS
from actiseg_data.layouts.mevis import MEVIS
from actiseg_data.layouts.sav import SAV
from actiseg_data.layouts.visor import VISOR
from actiseg_data.layouts.youtube_vos import YOUTUBE_VOS

LAYOUTS: tuple[Layout, ...] = (VISOR, ACTIONVOS, MEVIS, YOUTUBE_VOS, DAVIS, SAV, COCO)
"""In this order the first layout that a folder has decides; so does the first kind of document."""

PLAIN_LAYOUT = MASK_FOLDERS
"""The layout without a mark of its own: a folder has it if it has no other."""


def list_layouts() -> tuple[Layout, ...]:
    """List all layouts."""
    return *LAYOUTS, PLAIN_LAYOUT


def get_layout(key: str) -> Layout:
    """Return the layout of a name, as ``--layout`` takes it; `PLAIN_LAYOUT` for an unknown name.

    >>> get_layout("sa-v").name
    'SA-V'
    """
    return next((layout for layout in LAYOUTS if layout.key == key), PLAIN_LAYOUT)


def find_layouts(root: Path, among: Iterable[Layout] | None = None) -> list[Layout]:
    """Find the layouts among some, by default `LAYOUTS`, whose marks a folder has.

    >>> find_layouts(Path("no/such/folder"))
    []
    """
    fitting = []
    for layout in LAYOUTS if among is None else among:
        with suppress(OSError, InputError):
            if layout.is_root(root):
                fitting.append(layout)
    return fitting


def find_layout(root: Path) -> Layout | None:
    """Find the layout of a folder among `LAYOUTS`; None if it has none of them.

    >>> find_layout(Path("no/such/folder"))
    """
    return next(iter(find_layouts(root)), None)
