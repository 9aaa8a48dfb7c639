"""The members of the result of a job, with their types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector


def _parse_figure(member: Cursor) -> float | None:
    return None if member.value is None else member.as_number()


def _parse_meter(member: Cursor) -> dict[str, list[float]]:
    return {
        name: [value.as_number() for value in values.iterate_elements()]
        for name, values in member.iterate_members()
    }


_READERS: Mapping[str, Callable[[Cursor], Any]] = {
    "source": Cursor.as_text,
    "labels": _parse_figure,
    "recipe": Cursor.as_text,
    "clean": Cursor.as_text,
    "flops": Cursor.as_number,
    "training_seconds": Cursor.as_number,
    "meter": _parse_meter,
    "record": Cursor.as_mapping,
    "predictions": Cursor.as_text,
    "tuning_score": _parse_figure,
    "device": Cursor.as_text,
    "torch": Cursor.as_text,
}


def parse_members(result: Cursor, needed: Iterable[str]) -> dict[str, Any]:
    """Parse the known members of a result; others are left out.

    Parameters
    ----------
    result : Cursor
    needed : iterable of str
        The members that may not be missing.

    Raises
    ------
    InputError
        With all members that are missing or have another type.

    Examples
    --------
    >>> parse_members(Cursor({"flops": 3, "labels": None}, "job.json"), ["flops"])
    {'flops': 3.0, 'labels': None}
    """
    members: dict[str, Any] = {}
    problems = ProblemCollector()
    for name in dict.fromkeys([*result.as_mapping(), *needed]):
        if name in _READERS:
            with problems.collect():
                members[name] = _READERS[name](result[name])
    problems.raise_if_any()
    return members
