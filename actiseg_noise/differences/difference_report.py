"""The report of a comparison, as notes and tables, and as lines for a changelog."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from actiseg_data.core.names import format_name, format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.tables import ReportPart, Table
from actiseg_noise.differences.item_changes import CATEGORIES, ItemChange, MediumDifference
from actiseg_noise.differences.kit_comparison import KitDifference
from actiseg_noise.differences.recipe_changes import ValueChange
from actiseg_noise.differences.release_comparison import ReleaseDifference
from actiseg_noise.differences.split_comparison import (
    FileDifference,
    OriginDifference,
    SequenceDifference,
    SplitDifference,
)

_MEDIA = {"masks": "masks", "text": "texts", "labels": "labels"}
_VERBS = {
    "other_noise": "have other noise",
    "other_overlap": "overlap differently",
    "other_words": "have other words",
}
_LONGEST = 60
"""Most characters of a value that a line shows."""
_SHOWN = ("kind", "name", "narration", "iou", "value")
"""Members of an item that a line shows; others only if none of these differs."""


def describe_difference(
    difference: ReleaseDifference, most: int | None = None
) -> Iterator[ReportPart]:
    """Describe what differs, in sum and by item.

    Parameters
    ----------
    difference : ReleaseDifference
        From `compare_splits`.
    most : int, optional
        Most items of each medium to list. By default all.
    """
    yield f"A: {difference.a}"
    yield f"B: {difference.b}"
    for side, names in (("A", difference.only_a), ("B", difference.only_b)):
        if names:
            yield f"configurations only in {side}: {', '.join(names)}"
    has_several = len(difference.configurations) > 1 or difference.only_a or difference.only_b
    for name, pair in difference.configurations.items():
        if has_several:
            verdict = "no difference" if pair.same else "differs"
            yield f"configuration {format_name(name)}: {verdict}"
        if isinstance(pair, SplitDifference):
            yield from _describe_splits(pair, most)
        else:
            yield from _describe_kits(pair)
    yield f"result: {'no difference' if difference.same else 'A and B differ'}"


def describe_changes(difference: ReleaseDifference) -> tuple[str, ...]:
    """Describe what changed from A to B, in one line for each configuration.

    Returns
    -------
    tuple of str
        Lines for a changelog, such as ``boundary-40: 12 of 601 masks with noise have other noise;
        seed 0 -> 1``.
    """
    lines = [f"{format_name(name)}: removed" for name in difference.only_a]
    lines += [f"{format_name(name)}: added" for name in difference.only_b]
    for name, pair in difference.configurations.items():
        if isinstance(pair, SplitDifference):
            listed = _list_split_changes(pair)
        else:
            listed = _list_kit_changes(pair)
        parts = [*listed, *map(_format_change, pair.recipe)]
        if pair.origin.source:
            parts.append("made from another source")
        if not parts and not pair.same:
            parts = ["other lists"]
        lines.append(f"{format_name(name)}: {'; '.join(parts) or 'unchanged'}")
    return tuple(lines)


def format_item(change: ItemChange) -> str:
    """Format an item that differs as one line.

    >>> format_item(ItemChange("other_noise", "1_cut", "0", "jar", {"kind": ("erode", "dilate")}))
    'other noise: 1_cut, 0, jar: kind erode -> dilate'
    """
    names = [change.sequence, change.frame, change.object]
    place = ", ".join(name for name in names if name is not None)
    if change.object is None:
        place += ", whole mask" if change.frame is not None else ", narration"
    shown = [name for name in _SHOWN if name in change.changes] or [*change.changes]
    values = [_format_change(ValueChange(name, *change.changes[name])) for name in shown]
    if change.category in ("only_a", "only_b"):
        side = change.category == "only_b"
        values = [f"{name} {_format_value(change.changes[name][side])}" for name in shown]
    return ": ".join(filter(None, (CATEGORIES[change.category], place, ", ".join(values))))


def _describe_splits(pair: SplitDifference, most: int | None) -> Iterator[ReportPart]:
    for name, medium in pair.media.items():
        lines = [f"  {format_item(change)}" for change in medium.changes]
        yield from lines[:most]
        if most is not None and len(lines) > most:
            yield f"  ... and {len(lines) - most} more differences in {name}"
    yield from _describe_origin(pair.recipe, pair.origin)
    yield _describe_sequences(pair.sequences)
    for name, medium in pair.media.items():
        if medium.items != (0, 0) or medium.changes:
            yield _describe_medium(name, medium)
    if any(medium.count("unexplained") for medium in pair.media.values()):
        reasons = " and ".join(pair.explanations)
        yield "why content differs under the same ledger: " + (
            f"perhaps because {reasons}"
            if reasons
            else "a file was changed after the split was made"
        )
    if any(file.changed for file in pair.files.values()):
        counts = (f"{name}: {_format_files(file)}" for name, file in pair.files.items())
        yield f"files, by digest: {'; '.join(counts)}"
    rows = [
        [format_name(name), *map(_format_figure, values)]
        for name, *values in pair.figures
        if values[0] != values[1]
    ]
    if rows:
        yield Table("figures of the summaries that differ", ("figure", "A", "B"), rows)


def _describe_kits(pair: KitDifference) -> Iterator[ReportPart]:
    yield from _describe_origin(pair.recipe, pair.origin)
    yield f"sequences: {_format_files(pair.sequences)}"
    yield f"masks: {_format_files(pair.masks)}"
    yield f"sequences with other weights {pair.weights}, with other words or labels {pair.text}"
    if pair.clean_masks or pair.clean_text:
        yield (
            f"the source differs in {count_nouns(pair.clean_masks, 'sequence')} (masks) and "
            f"{pair.clean_text} (lists)"
        )
    if pair.clean_lists.changed:
        yield f"sequences of clean lists: {_format_files(pair.clean_lists)}"
    if pair.lists:
        yield f"lists that differ: {format_names(pair.lists, 8)}"
    yield (
        "only rebuild kits were compared: they have no names, words and ledger, so that the items "
        "and the kinds of noise that differ are unknown"
    )


def _describe_origin(recipe: tuple[ValueChange, ...], origin: OriginDifference) -> Iterator[str]:
    for name, changes in (("recipe", recipe), ("software", origin.software)):
        if changes:
            yield f"{name}: {', '.join(map(_format_change, changes))}"
    if origin.source:
        names = format_names([change.name for change in origin.source], 8)
        yield f"made from different sources: {names}"


def _describe_sequences(sequences: SequenceDifference) -> str:
    line = f"sequences: {sequences.shared} in both"
    for side, only in (("A", sequences.only_a), ("B", sequences.only_b)):
        if only:
            line += f"; {len(only)} only in {side} ({format_names(only)})"
    if sequences.renumbered:
        line += f"; {len(sequences.renumbered)} with another number"
    if sequences.other_annotations:
        names = format_names(sequences.other_annotations)
        line += f"; {len(sequences.other_annotations)} with other frames or objects ({names})"
    return line


def _describe_medium(name: str, medium: MediumDifference) -> str:
    a, b = medium.items
    counts = {text: medium.count(category) for category, text in CATEGORIES.items()}
    listed = ", ".join(f"{text} {count}" for text, count in counts.items() if count)
    line = f"{name}: {count_nouns(a, 'item')} with noise in A, {b} in B; same noise {medium.same}"
    return f"{line}, {listed}" if listed else line


def _list_split_changes(pair: SplitDifference) -> Iterator[str]:
    for name, medium in pair.media.items():
        noun = _MEDIA[name]
        total = medium.same + len(medium.changes) - medium.count("unexplained")
        for category, verb in _VERBS.items():
            if count := medium.count(category):
                yield f"{count} of {total} {noun} with noise {verb}"
        if count := medium.count("only_b"):
            yield f"{count} {noun} got noise"
        if count := medium.count("only_a"):
            yield f"{count} {noun} lost their noise"
        if count := medium.count("unexplained"):
            yield f"{count} {noun} have other content under the same ledger"
    sequences = pair.sequences
    yield from _list_sequence_changes(len(sequences.only_b), len(sequences.only_a))
    if sequences.renumbered:
        yield (
            f"{count_nouns(len(sequences.renumbered), 'sequence has', 'sequences have')} another "
            "number"
        )
    if sequences.other_annotations:
        yield (
            f"{count_nouns(len(sequences.other_annotations), 'sequence has', 'sequences have')} "
            "other frames or objects"
        )
    rest = {
        "weight maps" if name == "weights" else name: file.changed
        for name, file in pair.files.items()
        if name != "masks"
    }
    yield from (f"{count} {name} differ" for name, count in rest.items() if count)


def _list_kit_changes(pair: KitDifference) -> Iterator[str]:
    if pair.masks.changed:
        total = pair.masks.same + pair.masks.changed
        yield f"{pair.masks.changed} of {total} masks have other pixels"
    if pair.weights:
        yield f"{count_nouns(pair.weights, 'sequence has', 'sequences have')} other weight maps"
    if pair.text:
        yield f"{count_nouns(pair.text, 'sequence has', 'sequences have')} other words or labels"
    yield from _list_sequence_changes(pair.sequences.only_b, pair.sequences.only_a)


def _list_sequence_changes(added: int, removed: int) -> Iterator[str]:
    if added:
        yield f"{count_nouns(added, 'sequence was', 'sequences were')} added"
    if removed:
        yield f"{count_nouns(removed, 'sequence was', 'sequences were')} removed"


def _format_files(file: FileDifference) -> str:
    counts: Iterable[tuple[str, int]] = (
        ("different", file.different),
        ("only in A", file.only_a),
        ("only in B", file.only_b),
    )
    return ", ".join([f"{file.same} the same", *(f"{n} {name}" for name, n in counts if n)])


def _format_change(change: ValueChange) -> str:
    return f"{format_name(change.name)} {_format_value(change.a)} -> {_format_value(change.b)}"


def _format_value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping) and isinstance(value.get("rate"), float):
        return f"{format_name(str(value.get('kind')))} at rate {value['rate']:g}"
    text = format_name(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _format_figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, int) else f"{value:.4f}"
