"""Statistics of the differences between clean and noisy categories of objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.categories import Category, parse_categories
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.tables import ReportPart, Table
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.measurement.grouping import group_by
from actiseg_noise.measurement.mask_tables import MOST_CLASSES
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.measurement.report_parts import format_proportion


@dataclass(frozen=True)
class CategoryItem:
    """The category of one object, before and after noise.

    Attributes
    ----------
    sequence : VideoSequence
        Its sequence, with clean labels.
    label : ObjectLabel
        Its clean label.
    clean, noisy : Category or None
        Its categories; None for one that is not known.
    """

    sequence: VideoSequence
    label: ObjectLabel
    clean: Category | None
    noisy: Category | None

    @property
    def has_changed(self) -> bool:
        """Whether the category changed."""
        return self.noisy != self.clean


@dataclass(frozen=True)
class CategoryGroup:
    """The objects of one clean category.

    Attributes
    ----------
    name : str
        The name of the category, or ``all``.
    changed : Proportion
        Objects in another category, of all.
    commonest : str or None
        The category that most of them have now; None if none changed.
    """

    name: str
    changed: Proportion
    commonest: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON."""
        return {"name": self.name, "changed": self.changed.to_dict(), "commonest": self.commonest}


@dataclass(frozen=True)
class CategoryStatistics:
    """The noise in the categories of a split.

    Attributes
    ----------
    all : CategoryGroup
        All objects as one group.
    akin : Proportion
        Objects whose new category is in the same supercategory, of those that changed.
    by_class : mapping of int to CategoryGroup
        By the id of the clean category.
    """

    all: CategoryGroup
    akin: Proportion
    by_class: Mapping[int, CategoryGroup]

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as JSON."""
        return {
            "all": self.all.to_dict(),
            "same_supercategory": self.akin.to_dict(),
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
        }


def list_category_items(
    split: Split, recipe: Recipe | None, sequences: Iterable[VideoSequence]
) -> list[CategoryItem]:
    """List the objects of a noisy split whose category its files have.

    Parameters
    ----------
    split : Split
        The noisy split, with the clean categories in its list.
    recipe : Recipe or None
        Its recipe, which may list the categories.
    sequences : iterable of VideoSequence
        Its sequences to list.

    Raises
    ------
    InputError
        If a file is damaged.
    """
    noise = None if recipe is None else recipe.class_noise
    listed = None if noise is None else noise.parameters.get("categories")
    labels = [label for sequence in split.sequences for label in sequence.objects]
    own = {label.class_id: Category(label.class_id, label.name) for label in labels}
    known = own | {category.id: category for category in parse_categories(listed or ())}
    classes = split.read_classes(known.values())
    return [
        CategoryItem(sequence, label, known.get(label.class_id), known.get(classes[key]))
        for sequence in sequences
        for label in sequence.drop_ghosts().objects
        for key in [(sequence.folder, label.object_id)]
        if key in classes
    ]


def measure_categories(items: Collection[CategoryItem]) -> CategoryStatistics:
    """Measure the noise in the categories of objects."""
    changed = [item for item in items if item.has_changed]
    akin = sum(_get_group(item.clean) == _get_group(item.noisy) is not None for item in changed)
    by_class = group_by(items, lambda item: item.label.class_id)
    return CategoryStatistics(
        _summarise("all", items),
        Proportion(len(changed), akin),
        {
            class_id: _summarise(members[0].label.name, members)
            for class_id, members in sorted(by_class.items())
        },
    )


def _get_group(category: Category | None) -> str | None:
    return None if category is None else category.supercategory


def _summarise(name: str, items: Collection[CategoryItem]) -> CategoryGroup:
    changed = [item for item in items if item.has_changed]
    names = Counter("?" if item.noisy is None else item.noisy.name for item in changed)
    commonest = min(names, key=lambda new: (-names[new], new), default=None)
    return CategoryGroup(name, Proportion(len(items), len(changed)), commonest)


def describe_categories(categories: CategoryStatistics) -> Iterator[ReportPart]:
    """Describe the noise in the categories of objects."""
    yield f"objects in another category: {format_proportion(categories.all.changed)}"
    if categories.akin.hits:
        yield f"of these, in the same supercategory: {format_proportion(categories.akin)}"
    groups = categories.by_class.values()
    ranked = sorted(groups, key=lambda group: (-group.changed.items, group.name))
    rows = [
        [group.name, str(group.changed.items), str(group.changed.hits), group.commonest or ""]
        for group in (categories.all, *ranked[:MOST_CLASSES])
    ]
    yield Table("categories", ("clean category", "objects", "changed", "most often to"), rows)
