"""JSON documents with one thing changed."""

from __future__ import annotations

import json


def edited(document, *path, to):
    """A copy of a JSON document in which the value at `path` is another, or is gone (...)."""
    copy = json.loads(json.dumps(document))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return copy
