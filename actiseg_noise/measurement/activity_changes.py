"""Statistics of the differences between clean and noisy labels of active objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.core.tables import ReportPart, Table
from actiseg_noise.measurement.grouping import group_by, name_class
from actiseg_noise.measurement.mask_tables import MOST_CLASSES
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.measurement.report_parts import format_proportion
from actiseg_noise.split.activity_items import ActivityItem


@dataclass(frozen=True)
class ActivityGroup:
    """The labels of a group of objects.

    Attributes
    ----------
    name : str
        What the objects have in common.
    flipped : Proportion
        Objects with another label, of all.
    forgotten : Proportion
        Objects labelled as inactive, of the active ones.
    marked : Proportion
        Objects labelled as active, of the inactive ones.
    """

    name: str
    flipped: Proportion
    forgotten: Proportion
    marked: Proportion

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON."""
        return {
            "name": self.name,
            "flipped": self.flipped.to_dict(),
            "forgotten": self.forgotten.to_dict(),
            "marked": self.marked.to_dict(),
        }


@dataclass(frozen=True)
class ActivityStatistics:
    """The noise in the labels of active objects of a split.

    Attributes
    ----------
    all : ActivityGroup
        All objects as one group.
    by_class : mapping of int to ActivityGroup
        By clean class id.
    """

    all: ActivityGroup
    by_class: Mapping[int, ActivityGroup]

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as JSON."""
        return {
            "all": self.all.to_dict(),
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
        }


def measure_activity(items: Collection[ActivityItem], lexicon: Lexicon) -> ActivityStatistics:
    """Measure the noise in the labels of objects; the lexicon is for the names of classes."""
    by_class = group_by(items, lambda item: item.class_id)
    return ActivityStatistics(
        _summarise("all", items),
        {
            class_id: _summarise(
                name_class(class_id, lexicon, (item.name for item in members)), members
            )
            for class_id, members in sorted(by_class.items())
        },
    )


def _summarise(name: str, items: Collection[ActivityItem]) -> ActivityGroup:
    active = [item for item in items if item.clean]
    inactive = [item for item in items if not item.clean]
    return ActivityGroup(name, *(_count(members) for members in (items, active, inactive)))


def _count(items: Collection[ActivityItem]) -> Proportion:
    return Proportion(len(items), sum(item.flipped for item in items))


def describe_activity(labels: ActivityStatistics) -> Iterator[ReportPart]:
    """Describe the noise in the labels of active objects."""
    whole = labels.all
    yield f"active objects that are labelled as inactive: {format_proportion(whole.forgotten)}"
    yield f"inactive objects that are labelled as active: {format_proportion(whole.marked)}"
    ranked = sorted(labels.by_class.values(), key=lambda group: (-group.flipped.items, group.name))
    heads = ("class", "active", "forgotten", "inactive", "marked")
    rows = [
        [
            group.name,
            *(str(count) for part in (group.forgotten, group.marked) for count in _list(part)),
        ]
        for group in (whole, *ranked[:MOST_CLASSES])
    ]
    yield Table("labels of active objects by class", heads, rows)


def _list(part: Proportion) -> tuple[int, int]:
    return part.items, part.hits
