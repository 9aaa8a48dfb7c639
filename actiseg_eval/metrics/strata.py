"""Groups of units with metrics of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.annotations.sizes import SIZES
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import format_name
from actiseg_data.records.ledger_record import LedgerRow, MaskRow, name_kinds
from actiseg_eval.metrics.units import Units

Division: TypeAlias = "tuple[NDArray[np.int64], list[str]]"
"""The group of each unit, (N,), and the names of the groups in the order of tables."""

INVISIBLE = "invisible"


def divide_units(
    units: Units,
    lexicon: Lexicon,
    novel: frozenset[str] | None = None,
    ledger: Iterable[LedgerRow] | None = None,
) -> dict[str, Division]:
    """Divide the units by everything that is known about them.

    Parameters
    ----------
    units : Units
    lexicon : Lexicon
        Names of classes and of their supercategories.
    novel : frozenset of str, optional
        Folders of the sequences with novel actions; None if they are not known.
    ledger : iterable of LedgerRow, optional
        The ledger of a noisy split. Units are then also divided by the kind and the strength of
        their noise.

    Raises
    ------
    InputError
        If no row of the ledger matches a unit.
    """
    divisions = {
        "sequence": _divide_by_sequence(units, lambda sequence: sequence.folder),
        "object": _divide_by_object(units, _name_objects(units)),
    }
    if any(label.class_id >= 0 for label in units.labels):
        classes = [_name_class(label, lexicon) for label in units.labels]
        supercategories = [_name_supercategory(label, lexicon) for label in units.labels]
        divisions["class"] = _divide_by_object(units, classes)
        divisions["supercategory"] = _divide_by_object(units, supercategories)
    if any(result.sequence.verb for result in units.results):
        divisions["verb"] = _divide_by_sequence(units, lambda sequence: sequence.verb or "none")
    divisions["size"] = _divide_by_size(units)
    divisions["visibility"] = ((units.truth == 0).astype(np.int64), ["visible", INVISIBLE])
    if novel is not None:
        divisions["action"] = _divide_by_sequence(
            units, lambda sequence: "novel" if sequence.folder in novel else "seen"
        )
    if ledger is not None:
        divisions |= _divide_by_noise(units, list(ledger))
    return divisions


def _encode_names(names: Iterable[str]) -> Division:
    names = list(names)
    known = sorted(set(names))
    codes = {name: code for code, name in enumerate(known)}
    return np.fromiter((codes[name] for name in names), np.int64, len(names)), known


def _divide_by_sequence(units: Units, name_sequence: Callable[[VideoSequence], str]) -> Division:
    codes, names = _encode_names(name_sequence(result.sequence) for result in units.results)
    return codes[units.sequence], names


def _divide_by_object(units: Units, names: list[str]) -> Division:
    codes, known = _encode_names(names)
    return codes[units.object], known


def _name_objects(units: Units) -> list[str]:
    """Name the objects, such as ``00000004_P01_107_close_fridge/2 fridge``."""
    folders = [""] * len(units.labels)
    pairs = set(zip(units.sequence.tolist(), units.object.tolist(), strict=True))
    for sequence, position in pairs:
        folders[position] = units.results[sequence].sequence.folder
    return [
        f"{folder}/{label.object_id} {label.name}".rstrip()
        for folder, label in zip(folders, units.labels, strict=True)
    ]


def _name_class(label: ObjectLabel, lexicon: Lexicon) -> str:
    noun = lexicon.classes.get(label.class_id)
    return f"class {label.class_id}" if noun is None else noun.name


def _name_supercategory(label: ObjectLabel, lexicon: Lexicon) -> str:
    noun = lexicon.classes.get(label.class_id)
    return "not in the lexicon" if noun is None else noun.supercategory or "none"


def _divide_by_size(units: Units) -> Division:
    """Divide units by the true area in the frame."""
    smallest = np.array([area for _, area in SIZES])
    codes = np.searchsorted(smallest, units.truth, side="right") - 1
    codes = np.where(units.truth == 0, len(SIZES), codes)
    return codes.astype(np.int64), [*(name for name, _ in SIZES), INVISIBLE]


_STRENGTHS = ((0.5, "below 0.5"), (0.7, "0.5 to 0.7"), (0.9, "0.7 to 0.9"), (2.0, "0.9 and more"))


@dataclass(frozen=True)
class _UnitNoise:
    kind: str
    strength: str


_CLEAN = _UnitNoise("clean", "clean")


def _divide_by_noise(units: Units, rows: Sequence[LedgerRow]) -> Mapping[str, Division]:
    """Divide units by the kind of noise, and by the IoU of clean and noisy mask on disk.

    Raise `InputError` if no row matches a unit.
    """
    by_frame: dict[tuple[str, str, int], _UnitNoise] = {}
    by_object: dict[tuple[str, int | None], _UnitNoise] = {}
    kinds = name_kinds(row for row in rows if isinstance(row, MaskRow))
    for row in rows:
        if isinstance(row, MaskRow):
            item = (row.sequence, row.frame, row.object_id)
            strength = next(name for limit, name in _STRENGTHS if row.iou < limit)
            by_frame[item] = _UnitNoise(kinds[item], f"IoU {strength}")
        else:
            by_object[row.sequence, row.object_id] = _UnitNoise(row.kind, "words")
    noises = []
    for folder, frame, object_id in _list_keys(units):
        noise_in_frame = by_frame.get((folder, frame, object_id))
        noises.append(noise_in_frame or by_object.get((folder, object_id), _CLEAN))
    if all(noise is _CLEAN for noise in noises):
        raise _refuse_ledger(units, rows)
    return {
        "noise": _encode_names(noise.kind for noise in noises),
        "noise strength": _encode_names(noise.strength for noise in noises),
    }


def count_unmatched_rows(units: Units, rows: Iterable[LedgerRow]) -> int:
    """Count the rows of a ledger that match no unit."""
    frames = set(_list_keys(units))
    objects: set[tuple[str, int | None]] = {(folder, number) for folder, _, number in frames}
    objects |= {(folder, None) for folder, _, _ in frames}  # rows about a narration
    return sum(
        (row.sequence, row.frame, row.object_id) not in frames
        if isinstance(row, MaskRow)
        else (row.sequence, row.object_id) not in objects
        for row in rows
    )


def _list_keys(units: Units) -> list[tuple[str, str, int]]:
    """List sequence, frame and object id of every unit."""
    keys = []
    for sequence, frame, position in zip(
        units.sequence.tolist(), units.frame.tolist(), units.object.tolist(), strict=True
    ):
        result = units.results[sequence]
        object_id = units.labels[position].object_id
        keys.append((result.sequence.folder, result.frames[frame], object_id))
    return keys


def _refuse_ledger(units: Units, rows: Sequence[LedgerRow]) -> InputError:
    """Build the error for a ledger without a row that matches a unit."""
    scored = {result.sequence.folder for result in units.results}
    shared = [row for row in rows if row.sequence in scored]
    if not rows:
        what = "the ledger has no rows"
    elif not shared:
        what = (
            f"its rows have none of the {len(scored)} scored sequences; they have "
            f"{format_name(rows[0].sequence)}, for example"
        )
    else:
        row = shared[0]
        frame = f" in {format_name(row.frame)}" if isinstance(row, MaskRow) else ""
        what = (
            "its rows have objects or frames that are not scored, such as object "
            f"{row.object_id}{frame} of {format_name(row.sequence)}"
        )
    return refuse(what, "`strata`", "give the ledger.jsonl of the noisy split that was scored")
