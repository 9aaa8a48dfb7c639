"""JSON documents with one thing changed."""

from __future__ import annotations

import json


def edited(document, *path, to):
    """Copy a JSON document with another value at `path`, or with none (`...`)."""
    copy = json.loads(json.dumps(document))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return copy
