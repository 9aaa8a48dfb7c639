"""Groups of units that figures are told for, each on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.annotations.sizes import SIZES
from actiseg_data.core.errors import refuse
from actiseg_data.core.names import format_name
from actiseg_data.records.ledger_record import LedgerRow, MaskRow
from actiseg_eval.metrics.units import Units

Division: TypeAlias = "tuple[NDArray[np.int64], list[str]]"
"""(N) group of each unit, and the names of the groups, in the order in which they are shown."""

INVISIBLE = "invisible"


def divisions(
    units: Units,
    lexicon: Lexicon,
    novel: frozenset[str] | None = None,
    ledger: Iterable[LedgerRow] | None = None,
) -> dict[str, Division]:
    """The units divided by everything that is known of them.

    lexicon: names classes and their supercategories. novel: folders of the sequences whose action
    is novel; None where that is not known. ledger: rows of a noisy split: units are divided by the
    kind and the strength of the noise that they got there, too.
    """
    found = {
        "sequence": _by_sequence(units, lambda sequence: sequence.folder),
        "object": _by_object(units, _object_names(units)),
    }
    if any(label.class_id >= 0 for label in units.labels):
        found["class"] = _by_object(units, [_class_of(label, lexicon) for label in units.labels])
        found["supercategory"] = _by_object(
            units, [_supercategory_of(label, lexicon) for label in units.labels]
        )
    if any(result.sequence.verb for result in units.results):
        found["verb"] = _by_sequence(units, lambda sequence: sequence.verb or "none")
    found["size"] = _by_size(units)
    found["visibility"] = (
        (units.truth == 0).astype(np.int64),
        ["visible", INVISIBLE],
    )
    if novel is not None:
        found["action"] = _by_sequence(
            units, lambda sequence: "novel" if sequence.folder in novel else "seen"
        )
    if ledger is not None:
        found |= _by_noise(units, list(ledger))
    return found


def _coded(names: Iterable[str], order: Iterable[str] = ()) -> Division:
    names = list(names)
    known = [*order] or sorted(set(names))
    place = {name: at for at, name in enumerate(known)}
    return np.fromiter((place[name] for name in names), np.int64, len(names)), known


def _by_sequence(units: Units, name_of: Callable[[VideoSequence], str]) -> Division:
    codes, names = _coded(name_of(result.sequence) for result in units.results)
    return codes[units.sequence], names


def _by_object(units: Units, names: list[str]) -> Division:
    codes, known = _coded(names)
    return codes[units.object], known


def _object_names(units: Units) -> list[str]:
    """Such as ``00000004_P01_107_close_fridge/2 fridge``."""
    folders = [""] * len(units.labels)
    for sequence, at in set(zip(units.sequence.tolist(), units.object.tolist(), strict=True)):
        folders[at] = units.results[sequence].sequence.folder
    return [
        f"{folder}/{label.object_id} {label.name}".rstrip()
        for folder, label in zip(folders, units.labels, strict=True)
    ]


def _class_of(label: ObjectLabel, lexicon: Lexicon) -> str:
    noun = lexicon.classes.get(label.class_id)
    return f"class {label.class_id}" if noun is None else noun.name


def _supercategory_of(label: ObjectLabel, lexicon: Lexicon) -> str:
    noun = lexicon.classes.get(label.class_id)
    return "not in the lexicon" if noun is None else noun.supercategory or "none"


def _by_size(units: Units) -> Division:
    """By the true area in the frame."""
    least = np.array([least for _, least in SIZES])
    codes = np.searchsorted(least, units.truth, side="right") - 1
    codes = np.where(units.truth == 0, len(SIZES), codes)
    return codes.astype(np.int64), [*(name for name, _ in SIZES), INVISIBLE]


_STRENGTHS = ((0.5, "below 0.5"), (0.7, "0.5 to 0.7"), (0.9, "0.7 to 0.9"), (2.0, "0.9 and more"))


@dataclass(frozen=True)
class _Noise:
    kind: str
    strength: str


_CLEAN = _Noise("clean", "clean")


def _by_noise(units: Units, rows: Sequence[LedgerRow]) -> Mapping[str, Division]:
    """By kind of noise, and by how much of the clean object it left (IoU on disk).

    Raises `InputError` if no row is of any unit.
    """
    of_frame: dict[tuple[str, str, int], _Noise] = {}
    of_object: dict[tuple[str, int | None], _Noise] = {}
    for row in rows:
        if isinstance(row, MaskRow):
            strength = next(name for below, name in _STRENGTHS if row.iou < below)
            of_frame[row.sequence, row.frame, row.object_id] = _Noise(row.kind, f"IoU {strength}")
        else:
            of_object[row.sequence, row.object_id] = _Noise(row.kind, "words")
    found = []
    for sequence, frame, at in zip(
        units.sequence.tolist(), units.frame.tolist(), units.object.tolist(), strict=True
    ):
        result, object_id = units.results[sequence], units.labels[at].object_id
        folder = result.sequence.folder
        own = of_frame.get((folder, result.frames[frame], object_id))
        found.append(own or of_object.get((folder, object_id), _CLEAN))
    if all(noise is _CLEAN for noise in found):
        raise refuse(
            _elsewhere(units, rows),
            "--strata",
            "give the ledger.jsonl of the noisy split that was scored",
        )
    return {
        "noise": _coded(noise.kind for noise in found),
        "noise strength": _coded(noise.strength for noise in found),
    }


def count_strays(units: Units, rows: Iterable[LedgerRow]) -> int:
    """How many rows of a ledger are of no unit."""
    of_frames: set[tuple[str, str, int]] = set()
    for sequence, frame, column in zip(
        units.sequence.tolist(), units.frame.tolist(), units.object.tolist(), strict=True
    ):
        result = units.results[sequence]
        object_id = units.labels[column].object_id
        of_frames.add((result.sequence.folder, result.frames[frame], object_id))
    of_objects: set[tuple[str, int | None]] = {(key[0], key[2]) for key in of_frames}
    of_objects |= {(key[0], None) for key in of_frames}  # rows about a narration
    return sum(
        (row.sequence, row.frame, row.object_id) not in of_frames
        if isinstance(row, MaskRow)
        else (row.sequence, row.object_id) not in of_objects
        for row in rows
    )


def _elsewhere(units: Units, rows: Sequence[LedgerRow]) -> str:
    """What a ledger is of that is of no unit."""
    if not rows:
        return "the ledger has no row"
    scored = {result.sequence.folder for result in units.results}
    shared = [row for row in rows if row.sequence in scored]
    if not shared:
        return (
            f"its rows are of other sequences than the {len(scored)} that are scored, such as "
            f"{format_name(rows[0].sequence)}"
        )
    row = shared[0]
    where = f"{format_name(row.frame)} of " if isinstance(row, MaskRow) else ""
    return (
        "its rows are of objects and frames that are not scored, such as object "
        f"{row.object_id} in {where}{format_name(row.sequence)}"
    )
