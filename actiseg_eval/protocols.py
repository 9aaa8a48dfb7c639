"""Scoring protocols: the rules of each benchmark, as versioned data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import check_choice, refuse, suggest
from actiseg_data.core.manifests import load_installed

SCHEMA = "actiseg/protocols/1"
FILE = "protocols.json"

DEFAULT_PROTOCOL = "actionvos"

CORE_GROUP = "core"
"""The metric group of metrics from pixel counts alone."""

F_GROUP = "jf"
"""The metric group of boundary F."""

BOUNDARY_GROUP = "boundary"
"""The metric group of boundary IoU, and of F with tolerances by object."""

FAILURE_GROUP = "failures"
"""The metric group of failure modes."""

METRIC_GROUPS = (CORE_GROUP, F_GROUP, BOUNDARY_GROUP, FAILURE_GROUP)
"""The groups of metrics that are computed together."""

J_SETS = ("j-and-f", "j-and-late-j")
"""The metric sets of benchmarks that report J, for which every object must be segmented."""

_CHOICES = {
    "figures": ("actionvos", *J_SETS, "gres"),
    "frames": ("all", "inner"),
    "objects": ("listed", "first frame", "any frame", "one foreground"),
    "counted": ("every frame", "from its first appearance"),
    "averaged": ("all", "active"),
    "inactive": ("as they are", "without a target"),
    "void": ("an id", "background", "cleared"),
    "matching": ("id", "best"),
    "extra_ids": ("ignored", "refused", "matched"),
}
"""The allowed values of each member of a protocol in the JSON document."""


@dataclass(frozen=True)
class Protocol:
    """The rules of one benchmark.

    Attributes
    ----------
    name : str
    version : int
        Raised by every change that changes a score.
    summary : str
        The protocol in one sentence.
    source : str
        The paper or the tool that defines the protocol.
    metric_set : str
        The metrics that the benchmark reports. ``j-and-late-j`` is J, and J over the last quarter
        of the frames.
    frames : str
        The frames that are scored. ``inner`` excludes the first and the last frame.
    objects : str
        The objects that are scored: those in the action list; ids from 1 to the largest id in the
        first true frame; all ids in scored true frames; or a single object that consists of all
        nonzero pixels, in ground truth and prediction.
    counted : str
        The frames in which an object counts.
    averaged : str
        The objects that J and F are averaged over.
    inactive : str
        Whether the ground truth of an inactive object is its mask or empty.
    void : str
        The treatment of true pixels with the id `VOID`: an object's pixels; background; or cleared
        from ground truth and prediction.
    matching : str
        How a prediction is assigned to an object: by id; or, for each sequence, the assignment of
        at most `most_proposals` predictions that maximises the sum of J and F.
    most_proposals : int or None
        The largest number of proposals in a sequence; None for no limit.
    extra_ids : str
        The treatment of predicted ids that no object has. With ``matched``, predictions may number
        objects freely.
    cases : mapping of str to str
        The treatment of each edge case.
    """

    name: str
    version: int
    summary: str
    source: str
    metric_set: str
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
        """Whether the protocol needs an action list that marks active objects."""
        return self.objects == "listed"

    @property
    def scores_every_object(self) -> bool:
        """Whether every object must be segmented, so that J and F cover all objects."""
        return self.metric_set in J_SETS

    @property
    def has_free_ids(self) -> bool:
        """Whether predictions may number objects freely."""
        return self.extra_ids == "matched"

    @property
    def default_metric_groups(self) -> tuple[str, ...]:
        """The metric groups that are computed by default."""
        return (CORE_GROUP, F_GROUP) if self.metric_set == "j-and-f" else (CORE_GROUP,)

    def select_frames(self, frames: tuple[str, ...]) -> tuple[str, ...]:
        """Return the scored frames of a sequence, in order.

        >>> load_protocol("davis").select_frames(("a", "b", "c"))
        ('b',)
        """
        return frames if self.frames == "all" else frames[1:-1]


def load_protocols() -> dict[str, Protocol]:
    """Load all protocols by name, the default first."""
    return parse_protocols(load_installed(FILE, SCHEMA))


def load_protocol(name: str | Protocol) -> Protocol:
    """Return the protocol with a name; a `Protocol` is returned unchanged.

    Raises
    ------
    InputError
        If no protocol has that name.

    Examples
    --------
    >>> load_protocol("davis").frames
    'inner'
    """
    if isinstance(name, Protocol):
        return name
    protocols = load_protocols()
    check_choice(name, protocols, "protocol")
    return protocols[name]


def parse_protocols(document: Cursor) -> dict[str, Protocol]:
    """Parse a document of protocols; raise `InputError` if it is not valid."""
    return {
        name: _parse_protocol(name, entry)
        for name, entry in document["protocols"].iterate_members()
    }


def _parse_protocol(name: str, entry: Cursor) -> Protocol:
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
        metric_set=chosen.pop("figures"),
        most_proposals=None if most.value is None else most.as_integer(),
        cases={case: rule.as_text() for case, rule in entry["cases"].iterate_members()},
        **chosen,
    )


def choose_metric_groups(metrics: Iterable[str] | None, protocol: Protocol) -> tuple[str, ...]:
    """Check the names of metric groups and add the groups that they need.

    The losses by failure mode are differences of gIoU and J&F, so ``failures`` adds ``core`` and
    ``jf``. Protocols that assign predictions to objects themselves have no failure modes.

    Parameters
    ----------
    metrics : iterable of str, or None
        Some of `METRIC_GROUPS`, also as text with commas; ``all``; or None for the default groups
        of the protocol.
    protocol : Protocol

    Returns
    -------
    tuple of str
        In the order of `METRIC_GROUPS`.

    Raises
    ------
    InputError
        If a group is unknown under this protocol, or if none is given.

    Examples
    --------
    >>> choose_metric_groups("failures", load_protocol("actionvos"))
    ('core', 'jf', 'failures')
    """
    if protocol.matching != "id":
        return choose_comparable_groups(metrics, protocol)
    chosen = _choose_groups(metrics, METRIC_GROUPS, protocol)
    wanted = {*chosen, CORE_GROUP, F_GROUP} if FAILURE_GROUP in chosen else chosen
    return tuple(name for name in METRIC_GROUPS if name in wanted)


def choose_comparable_groups(metrics: Iterable[str] | None, protocol: Protocol) -> tuple[str, ...]:
    """Check the names of metric groups for a comparison, which has no failure modes.

    Parameters and exceptions as in `choose_metric_groups`.
    """
    comparable = tuple(name for name in METRIC_GROUPS if name != FAILURE_GROUP)
    return _choose_groups(metrics, comparable, protocol)


def _choose_groups(
    metrics: Iterable[str] | None, known: tuple[str, ...], protocol: Protocol
) -> tuple[str, ...]:
    if metrics is None:
        return protocol.default_metric_groups
    wanted = set(metrics.split(",") if isinstance(metrics, str) else metrics)
    if "all" in wanted:
        return known
    unknown = sorted(wanted - set(known))
    if unknown or not wanted:
        groups = ", ".join(map(repr, unknown))
        what = f"there is no metric group {groups}" if unknown else "no metric group is given"
        raise refuse(
            f"{what} under {protocol.name!r}{suggest(next(iter(unknown), ''), known)}",
            "`metrics`",
            f"use one or more of {', '.join(known)}, or all",
        )
    return tuple(name for name in known if name in wanted)
