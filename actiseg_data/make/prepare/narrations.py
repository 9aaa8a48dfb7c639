"""EPIC-KITCHENS-100 narrations: actions, their times and their nouns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import read_csv
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_text, parse_table_number

_COLUMNS = (
    "narration_id",
    "video_id",
    "start_frame",
    "stop_frame",
    "narration",
    "verb",
    "verb_class",
    "noun",
    "noun_class",
    "all_noun_classes",
)
_ID = re.compile(r"P([0-9]{1,9})_([0-9]{1,9})_([0-9]{1,9})")
_LIST = re.compile(r"\[([0-9.,\s]*)\]")


@dataclass(frozen=True)
class Narration:
    """One narrated action. `start` and `stop` are its first and last EPIC frame."""

    narration_id: str
    video: str
    start: int
    stop: int
    text: str
    verb: str
    verb_class: int
    noun: str
    noun_class: int
    noun_classes: frozenset[int]

    @property
    def order(self) -> tuple[int, ...]:
        """Participant, video and running number, which actions are numbered by."""
        match = _ID.fullmatch(self.narration_id)
        return tuple(map(int, match.groups())) if match else ()


def read_narrations(tables: Iterable[Path]) -> dict[str, tuple[Narration, ...]]:
    """Merge narration tables into the actions of each video, in order.

    A row that several tables have counts once. An `InputError` lists every faulty row, and rows
    with one ``narration_id`` and different content.
    """
    problems = ProblemCollector()
    merged: dict[str, Narration] = {}
    for path in tables:
        rows: list[dict[str, str]] = []
        with problems.collect():
            rows = read_csv(path, _COLUMNS)
        for line, row in enumerate(rows, 2):
            with problems.collect():
                narration = _read_row(row, f"{path}: row {line}")
                known = merged.setdefault(narration.narration_id, narration)
                if known != narration:
                    problems.add(
                        f"{narration.narration_id} differs from an earlier row of that id",
                        f"{path}: row {line}",
                        "give tables of one release",
                    )
    problems.raise_if_any()
    by_video: dict[str, list[Narration]] = {}
    for narration in sorted(merged.values(), key=lambda n: n.order):
        by_video.setdefault(narration.video, []).append(narration)
    return {video: tuple(rows) for video, rows in by_video.items()}


def parse_numbers(text: str, where: Path | str) -> tuple[int, ...]:
    """Parse the numbers of a text such as ``"[2, 11]"``, the form of lists in the tables.

    The text is never evaluated. Anything but whole numbers in brackets raises an `InputError`.

    >>> parse_numbers("[2, 11]", "table")
    (2, 11)
    """
    match = _LIST.fullmatch(text.strip())
    parts = [] if match is None else match[1].split(",")
    if parts and not parts[-1].strip():
        parts.pop()  # an empty list, or a comma after the last number
    numbers = [parse_table_number(part) for part in parts]
    if match is None or None in numbers:
        raise refuse(f"{text[:60]!r} is not a list of whole numbers", where, "give the right table")
    return tuple(number for number in numbers if number is not None)


def _read_row(row: dict[str, str], where: str) -> Narration:
    if not _ID.fullmatch(row["narration_id"]) or not row["narration_id"].startswith(
        row["video_id"] + "_"
    ):
        raise refuse(
            f"{row['narration_id'][:60]!r} is not a narration id of video {row['video_id'][:60]!r}",
            where,
            "give the right table",
        )
    numbers = {
        field: _parse_whole(row[field], f"{where}: {field}")
        for field in ("start_frame", "stop_frame", "verb_class", "noun_class")
    }
    texts = {
        field: check_text(row[field], f"{where}: {field}")
        for field in ("narration", "verb", "noun")
    }
    return Narration(
        narration_id=row["narration_id"],
        video=row["video_id"],
        start=numbers["start_frame"],
        stop=numbers["stop_frame"],
        text=texts["narration"],
        verb=texts["verb"],
        verb_class=numbers["verb_class"],
        noun=texts["noun"],
        noun_class=numbers["noun_class"],
        noun_classes=frozenset(
            parse_numbers(row["all_noun_classes"], f"{where}: all_noun_classes")
        ),
    )


def _parse_whole(text: str, where: str) -> int:
    number = parse_table_number(text)
    if number is None:
        raise refuse(f"{text[:60]!r} is not a whole number", where, "give the right table")
    return number
