"""Items that differ between two noisy splits: objects in frames, and the words of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.records.ledger_record import LedgerRow
from actiseg_noise.differences.split_snapshot import ObjectWords, SequenceSnapshot

CATEGORIES: Mapping[str, str] = {
    "only_a": "only in A",
    "only_b": "only in B",
    "other_noise": "other noise",
    "other_overlap": "same noise drawn, other overlap",
    "other_words": "other words",
    "unexplained": "same ledger, other content",
}
"""How an item can differ, and how a report says so.

An item that is only in one of the splits has noise there and none in the other. With another
overlap, the drawn shape is the same and only the IoU on disk differs, because of the neighbours.
The content of an unexplained item differs (the pixels of a mask, the words of an object), but the
ledgers do not.
"""

_NAMES = frozenset(("sequence", "frame", "object_id", "object"))
"""Members of ledger rows that say which item a row is about."""
_WORDS = ("class_id_org", "prompt_org", "class_id", "name", "prompt")
"""Members of text rows that are on disk."""


@dataclass(frozen=True)
class ItemChange:
    """An item that differs.

    Attributes
    ----------
    category : str
        One of `CATEGORIES`.
    sequence : str
        Folder of the sequence in A.
    frame : str or None
        The frame; None for text.
    object : str or None
        Clean name of the object; None for a narration, or for a whole mask.
    changes : mapping of str to tuple
        What differs: the values in A and in B, by member of the ledger. None is no value.
    """

    category: str
    sequence: str
    frame: str | None
    object: str | None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "category": self.category,
            "sequence": self.sequence,
            "frame": self.frame,
            "object": self.object,
            "changes": {name: {"a": a, "b": b} for name, (a, b) in self.changes.items()},
        }


@dataclass(frozen=True)
class MediumDifference:
    """The items of one medium in the sequences that both splits have.

    Attributes
    ----------
    items : tuple of int
        Number of items with noise in A and in B.
    same : int
        Number of items with the same noise in both.
    changes : tuple of ItemChange
        The items that differ, in the order of A.
    """

    items: tuple[int, int]
    same: int
    changes: tuple[ItemChange, ...]

    def count(self, category: str) -> int:
        """Count the items that differ in one of the ways in `CATEGORIES`."""
        return sum(change.category == category for change in self.changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        counts = {category: self.count(category) for category in CATEGORIES}
        a, b = self.items
        changes = [change.to_dict() for change in self.changes]
        return {"items": {"a": a, "b": b, "same": self.same, **counts}, "changes": changes}


def compare_masks(a: SequenceSnapshot, b: SequenceSnapshot) -> Iterator[ItemChange]:
    """Yield the objects in frames that differ in noise, and then the masks that are unexplained.

    A mask is unexplained if its pixels differ and all its ledger rows are the same.
    """
    folder = a.sequence.folder
    touched = set()
    for item in _order_items(a, b):
        frame, name, _ = item
        old, new = a.mask_rows.get(item), b.mask_rows.get(item)
        category, changes = _compare_rows(old, new)
        if category is not None:
            touched.add(frame)
            yield ItemChange(category, folder, frame, name, changes)
    frames = (frame for frame in a.sequence.frames if frame not in touched)
    for frame in frames:
        old_pixels, new_pixels = a.files.get((MASKS, frame)), b.files.get((MASKS, frame))
        if None not in (old_pixels, new_pixels) and old_pixels != new_pixels:
            yield ItemChange("unexplained", folder, frame, None)


def compare_text(a: SequenceSnapshot, b: SequenceSnapshot) -> Iterator[ItemChange]:
    """Yield the objects of a sequence, and its narration, that differ in noise or words."""
    folder = a.sequence.folder
    old, new = a.text_rows.get(None), b.text_rows.get(None)
    narration, changes = _compare_rows(old, new)
    if narration is not None:
        yield ItemChange(narration, folder, None, None, changes)
    elif a.narration != b.narration:
        spoken = {"narration": (a.narration, b.narration)}
        yield ItemChange("unexplained", folder, None, None, spoken)
    has_narration_changed = narration is not None or a.narration != b.narration
    for name in _list_texts(a, b):
        category, changes = _compare_rows(a.text_rows.get(name), b.text_rows.get(name))
        if category is None and not has_narration_changed and not _has_other_nouns(a, b, name):
            words = _compare_words(a.words.get(name), b.words.get(name))
            category, changes = ("unexplained" if words else None), words
        if category is not None:
            yield ItemChange(category, folder, None, name, changes)


def compare_labels(a: SequenceSnapshot, b: SequenceSnapshot) -> Iterator[ItemChange]:
    """Yield the objects whose labels got other noise, or are different under the same ledger."""
    folder = a.sequence.folder
    touched = set()
    for name, kind in dict.fromkeys([*a.label_rows, *b.label_rows]):
        old, new = a.label_rows.get((name, kind)), b.label_rows.get((name, kind))
        category, changes = _compare_rows(old, new)
        if category is not None:
            touched.add(name)
            yield ItemChange(category, folder, None, name, changes)
    if a.annotations != b.annotations:
        return
    for name, active in a.active.items():
        if name not in touched and b.active.get(name, active) != active:
            yield ItemChange(
                "unexplained", folder, None, name, {"positive": (active, b.active[name])}
            )


def _list_texts(a: SequenceSnapshot, b: SequenceSnapshot) -> list[str]:
    """List the objects, or the expressions and their nouns, that have words or noise in a or b."""
    names = dict.fromkeys([*a.words, *b.words, *a.text_rows, *b.text_rows])
    return [name for name in names if name is not None]


def _has_other_nouns(a: SequenceSnapshot, b: SequenceSnapshot, name: str) -> bool:
    """Return whether the ledgers explain that an expression has other words."""
    nouns = {noun for noun in (*a.text_rows, *b.text_rows) if (noun or "").startswith(f"{name}, ")}
    return any(a.text_rows.get(noun) != b.text_rows.get(noun) for noun in nouns)


def _order_items(a: SequenceSnapshot, b: SequenceSnapshot) -> list[tuple[str, str, str]]:
    """Order the rows of both by frame, as the list orders the objects, and by whole-object kind."""
    frames = {frame: n for n, frame in enumerate([*a.sequence.frames, *b.sequence.frames])}
    names = {
        label.identity: n for n, label in enumerate([*a.sequence.objects, *b.sequence.objects])
    }
    items = {*a.mask_rows, *b.mask_rows}
    return sorted(items, key=lambda item: (frames[item[0]], names[item[1]], item[2]))


def _compare_rows(
    a: LedgerRow | None, b: LedgerRow | None
) -> tuple[str | None, dict[str, tuple[Any, Any]]]:
    """Compare the rows of an item: how it differs, and in what."""
    old, new = ({} if row is None else vars(row) for row in (a, b))
    names = (name for name in old | new if name not in _NAMES)
    pairs = {name: (old.get(name), new.get(name)) for name in names}
    changes = {name: (first, second) for name, (first, second) in pairs.items() if first != second}
    if a is None or b is None:
        return ("only_a" if old else "only_b" if new else None), changes
    if any(name in changes for name in _WORDS):
        return "other_words", changes
    if changes.keys() == {"iou"}:
        return "other_overlap", changes
    return ("other_noise" if changes else None), changes


def _compare_words(a: ObjectWords | None, b: ObjectWords | None) -> dict[str, tuple[Any, Any]]:
    """Compare words on disk. A split without a companion file has no words to compare."""
    if a is None or b is None:
        return {}
    pairs = [("class_id", a.class_id, b.class_id), ("name", a.name, b.name)]
    pairs += [(f"prompt ({s})", a.prompts[s], b.prompts[s]) for s in a.prompts if s in b.prompts]
    return {name: (old, new) for name, old, new in pairs if None not in (old, new) and old != new}
