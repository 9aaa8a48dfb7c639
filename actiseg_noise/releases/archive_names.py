"""Names in an archive that every system can unpack."""

from __future__ import annotations

import re
from urllib.parse import quote

_FORBIDDEN = re.compile(r'[:<>"|?*]')


def escape_component(name: str) -> str:
    """Escape a file or folder name that Windows cannot have.

    Our readers find a sequence under its escaped name, see `actiseg_data.layouts.spelling`.

    >>> escape_component("take_board:cutting"), escape_component("take_cup")
    ('take_board%3Acutting', 'take_cup')
    """
    if not _FORBIDDEN.search(name):
        return name
    return re.sub(r'[:<>"|?*%]', lambda match: quote(match[0], safe=""), name)


def escape_path(name: str) -> str:
    """Escape all components of a relative path, see `escape_component`."""
    return "/".join(map(escape_component, name.split("/")))
