"""Protocols: what the tools of the field do where they differ, as data with a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from actiseg_data.core.documents import Cursor, parse_json
from actiseg_data.core.errors import refuse, suggest

SCHEMA = "actiseg/protocols/1"
FILE = "protocols.json"

DEFAULT = "actionvos"

VOID = 255
"""The id that stands for pixels nobody decided on, in datasets that have such."""

_CHOICES = {
    "figures": ("actionvos", "j-and-f", "j-and-late-j", "gres"),
    "frames": ("all", "inner"),
    "objects": ("listed", "first frame", "any frame", "one foreground"),
    "counted": ("every frame", "from its first appearance"),
    "averaged": ("all", "active"),
    "inactive": ("as they are", "without a target"),
    "void": ("an id", "background", "cleared"),
    "matching": ("id", "best"),
    "extra_ids": ("ignored", "refused", "matched"),
}


@dataclass(frozen=True)
class Protocol:
    """A way to score.

    name, version: a change of what it gives raises the version. figures: which ones it is about;
    ``j-and-late-j`` is J, and J over the last quarter of the frames. frames: which are scored;
    ``inner`` leaves out the first and the last. objects: those of the action list; 1 to the largest
    id of the first true frame; all ids of scored true frames; or one object, which is every pixel
    that is not 0, in truth and prediction.
    counted: the frames in which an object counts. averaged: over which objects J and F are.
    inactive: whether an inactive object's truth is its mask, or empty. void: what true pixels of
    the id `VOID` are: of an object; background; or cleared from truth and prediction. matching:
    which prediction is an object's: that of its id, or, sequence by sequence, the one of at most
    `most_proposals` that makes the sum of all J and F best. extra_ids: what becomes of
    predictions of no object; ``matched`` where predictions may number objects as they like. cases:
    each of the field's odd cases, and what becomes of it.
    """

    name: str
    version: int
    summary: str
    source: str
    figures: str
    frames: str
    objects: str
    counted: str
    averaged: str
    inactive: str
    void: str
    matching: str
    most_proposals: int | None
    extra_ids: str
    cases: Mapping[str, str]

    @property
    def needs_labels(self) -> bool:
        """Whether it needs an action list that says what is active."""
        return self.objects == "listed"

    @property
    def scores_every_object(self) -> bool:
        """Whether every object is to be segmented, so that its figures are J and F of all."""
        return self.figures in ("j-and-f", "j-and-late-j")

    @property
    def has_free_ids(self) -> bool:
        """Whether predictions may number objects as they like."""
        return self.extra_ids == "matched"

    def scored_frames(self, frames: tuple[str, ...]) -> tuple[str, ...]:
        """Those of a sequence's frames, in their order, that are scored.

        >>> load_protocol("davis").scored_frames(("a", "b", "c"))
        ('b',)
        """
        return frames if self.frames == "all" else frames[1:-1]

    @property
    def default_measures(self) -> tuple[str, ...]:
        """What is measured where nothing is asked for."""
        return ("core", "jf") if self.figures == "j-and-f" else ("core",)


def load_protocols() -> dict[str, Protocol]:
    """All protocols by name, the default first."""
    data = (resources.files("data_manifests") / FILE).read_bytes()
    return parse_protocols(Cursor(parse_json(data, FILE), FILE))


def load_protocol(name: str | Protocol) -> Protocol:
    """The protocol of a name, or the one that is given; raises `InputError` for an unknown name.

    >>> load_protocol("davis").frames
    'inner'
    """
    if isinstance(name, Protocol):
        return name
    protocols = load_protocols()
    if name not in protocols:
        raise refuse(
            f"there is no protocol {name[:60]!r}{suggest(name, protocols)}",
            "--protocol",
            f"use one of {', '.join(protocols)}",
        )
    return protocols[name]


def parse_protocols(document: Cursor) -> dict[str, Protocol]:
    """The protocols of a document; raises `InputError` where it is not one."""
    if document["schema"].as_text() != SCHEMA:
        raise refuse(f"is no document of schema {SCHEMA!r}", document.where, "reinstall actiseg")
    return {name: _protocol(name, entry) for name, entry in document["protocols"].iterate_members()}


def _protocol(name: str, entry: Cursor) -> Protocol:
    chosen: dict[str, Any] = {}
    for field, known in _CHOICES.items():
        chosen[field] = entry[field].as_text()
        if chosen[field] not in known:
            raise refuse(f"{field} is {chosen[field]!r}", entry.where, f"use one of {known}")
    most = entry["most_proposals"]
    return Protocol(
        name=name,
        version=entry["version"].as_integer(),
        summary=entry["summary"].as_text(),
        source=entry["source"].as_text(),
        most_proposals=None if most.value is None else most.as_integer(),
        cases={case: rule.as_text() for case, rule in entry["cases"].iterate_members()},
        **chosen,
    )
