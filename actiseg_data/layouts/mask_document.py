"""The interface of a JSON document that holds the masks of a dataset, one for each object."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.polygons import BoolArray, Patch
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import InputError, Problem
from actiseg_data.core.names import format_names

MOST_OBJECTS = 254
"""Most objects of a sequence: the ids of an index mask without 0 and the void 255."""

_MOST_NAMES = 20
"""Most items with the same fault that a message names."""

MaskKey: TypeAlias = tuple[str, str, int]
"""Sequence folder, frame and object id of a mask."""


class _Sentinel(Enum):
    KEPT = "kept"


KEPT: Final = _Sentinel.KEPT
"""The segment of a `DocumentChange` that leaves the mask as it is."""


@dataclass(frozen=True)
class DocumentChange:
    """What changes about one mask of a document.

    Attributes
    ----------
    segment : Any
        The new segment, as `MaskDocument.encode` returns it; None to remove the mask; `KEPT`.
    class_id : int or None
        The new category of the object, in documents that have one for each mask. None: as it is.
    added : ObjectLabel or None
        The label of a false object, of which the document has no mask. None for its own masks.
    """

    segment: Any = KEPT
    class_id: int | None = None
    added: ObjectLabel | None = None


class MaskDocument(Protocol):
    """A parsed document of masks.

    Attributes
    ----------
    sequences : tuple of VideoSequence
        The sequences, with layers: each mask shows one object. `ObjectLabel.source_id` is the id in
        the document, `ObjectLabel.object_id` a number from 1 in the order of these ids.
    tally : mapping of str to int
        Special cases by name, for the summary: what is read but takes no noise, and the like.
    takes_new_objects : bool
        Whether a false object can be added. Each change of one has its label.
    categories : tuple of Category
        The categories that the document lists; empty if its objects have none.
    """

    @property
    def sequences(self) -> tuple[VideoSequence, ...]: ...

    @property
    def tally(self) -> Mapping[str, int]: ...

    @property
    def takes_new_objects(self) -> bool: ...

    @property
    def categories(self) -> tuple[Category, ...]: ...

    def get_size(self, sequence: VideoSequence) -> tuple[int, int]:
        """Return (H, W) of all masks of a sequence."""
        ...

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Iterate over the masks of a sequence's views: the object id, and 0 around the object."""
        ...

    def encode(
        self, sequence: VideoSequence, frame: str, label: ObjectLabel, mask: BoolArray
    ) -> Any:
        """Encode a mask in the form that the document has for this object and frame."""
        ...

    def replace(
        self, changes: Mapping[MaskKey, DocumentChange], kept: Collection[str] | None = None
    ) -> Any:
        """Return the JSON document with some masks changed, and all else in its order.

        Parameters
        ----------
        changes : mapping of tuple to DocumentChange
            By sequence folder, frame and object id. What the document states about a changed mask,
            such as its area, is computed again.
        kept : collection of str, optional
            The folders of the sequences that stay; by default all.
        """
        ...


def paint_patch(patch: Patch, size: tuple[int, int], object_id: int) -> IndexMask:
    """Paint the mask of one object as an index mask of some size.

    >>> paint_patch(Patch(0, 1, np.ones((1, 1), bool)), (1, 3), 7).tolist()
    [[0, 7, 0]]
    """
    mask = np.zeros(size, np.uint8)
    np.multiply(patch.mask, object_id, out=mask[patch.window], casting="unsafe")
    return mask


def sort_ids(ids: Collection[int | str]) -> list[int | str]:
    """Sort the ids of objects: numbers in numerical order, then other texts.

    >>> sort_ids(["10", 9, "a"])
    [9, '10', 'a']
    """

    def make_sort_key(value: int | str) -> tuple[bool, int, str]:
        is_number = isinstance(value, int) or (value.isascii() and value.isdigit())
        number = is_number and len(str(value)) < _MOST_DIGITS
        return not number, int(value) if number else 0, str(value)

    return sorted(ids, key=make_sort_key)


_MOST_DIGITS = 100


class FaultGroups:
    """Collect faults of many items, and report each fault once with the items that have it.

    A script that writes one item incorrectly writes all of them incorrectly.

    Parameters
    ----------
    noun : str
        What the items are, such as ``annotation``.

    Examples
    --------
    >>> faults = FaultGroups("annotation")
    >>> for number in (3, 5):
    ...     faults.add("has no segmentation", "add it", str(number))
    >>> try:
    ...     faults.raise_if_any("instances.json")
    ... except InputError as error:
    ...     print(error)
    instances.json: has no segmentation (annotation 3, 5). Hint: add it
    """

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._names: dict[tuple[str, str], list[str]] = {}

    def add(self, what: str, hint: str, name: str) -> None:
        """Add a fault of the item with a name."""
        self._names.setdefault((what, hint), []).append(name)

    def add_error(self, error: InputError, name: str) -> None:
        """Add the problems of an error about the item with a name."""
        for problem in error.problems:
            self.add(problem.what, problem.hint, name)

    def list_problems(self, where: str) -> list[Problem]:
        """List the faults as problems with a place."""
        return [
            Problem(f"{what} ({self._noun} {format_names(names, _MOST_NAMES)})", where, hint)
            for (what, hint), names in self._names.items()
        ]

    def raise_if_any(self, where: str) -> None:
        """Raise an `InputError` with all faults, if there are any."""
        problems = self.list_problems(where)
        if problems:
            raise InputError(problems)
