"""The JSON documents in the `ImageSets` folder of an ActionVOS root: contents, reading, writing.

There are three schemas: the action list, the expressions (one prompt per object and sequence, in
one file for each prompt style) and the objects file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import Cursor, collect_valid
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import (
    check_name,
    is_plain_text,
    parse_whole_number,
)

T = TypeVar("T")

CONNECTORS = {"promptaction": " used in the action of ", "action": ", ", "noaction": None}
"""The text between name and narration in each style of prompt; None: no narration follows."""

PROMPT_STYLES = tuple(CONNECTORS)

MAIN_STYLE = "promptaction"
"""The style that every dataset with prompts has, including the published noisy ones."""

_FLAGS = {"redundant": "redundant", "missing": "missing", "other": "flagged_other"}
"""Flags of human-labelled lists: keys of a record, and attributes of `VideoSequence`."""


def make_prompt(style: str, name: str, narration: str) -> str:
    """Make the prompt of an object in one of the three `PROMPT_STYLES`.

    >>> make_prompt("promptaction", "knife", "cut apple")
    'knife used in the action of cut apple'
    """
    connector = CONNECTORS[style]
    return name if connector is None else f"{name}{connector}{narration}"


def name_expressions_file(split: str, style: str) -> str:
    """Return the name of the file with a split's prompts in one style."""
    return f"{split}_meta_expressions_{style}.json"


def name_objects_file(split: str) -> str:
    """Return the name of the file with a split's objects."""
    return f"{split}_objects_category.json"


def name_image_sets_files(split: str) -> tuple[str, ...]:
    """Return the names of all files of a split: its list, its prompts, its objects.

    >>> name_image_sets_files("val")[0], len(name_image_sets_files("val"))
    ('val.json', 5)
    """
    prompts = (name_expressions_file(split, style) for style in PROMPT_STYLES)
    return f"{split}.json", *prompts, name_objects_file(split)


@dataclass(frozen=True)
class Expression:
    """One prompt of a sequence. All fields except `exp` are None in files for inference."""

    exp_id: str
    exp: str
    object_id: int | None = None
    positive: bool | None = None
    class_id: int | None = None
    exp_org: str | None = None
    class_id_org: int | None = None
    positive_org: bool | None = None


@dataclass(frozen=True)
class ObjectEntry:
    """One object of an objects file. Only noisy files have the ``_org`` fields."""

    object_id: int
    category: str
    positive: bool
    class_id: int
    category_org: str | None = None
    class_id_org: int | None = None
    positive_org: bool | None = None


def read_record(record: Cursor) -> VideoSequence:
    """Read one element of an action list as a `VideoSequence`.

    An `InputError` is raised with all of its problems.
    """
    problems = ProblemCollector()
    numbers, texts, flags = _read_plain_fields(record.as_mapping()) or _read_checked_fields(
        record, problems
    )
    frames: list[str] = []
    with problems.collect():
        frames = collect_valid(
            list(record["sparse_frames"].iterate_elements()), _read_frame, problems
        )
        if not frames and not problems.collected:
            problems.add("the sequence has no frame", record.where, "drop it, or list its frames")
    labels: list[ObjectLabel] = []
    with problems.collect():
        for object_id, entry in record["object_classes"].as_mapping().items():
            label = _read_plain_label(object_id, entry)
            with problems.collect():
                labels.append(label or _label(object_id, record["object_classes"]))
    problems.raise_if_any()
    if numbers["seq_id"] < 0:
        raise refuse("seq_id is negative", record.where, "number sequences from 1")
    folder = "{:08d}_{}_{}_{}".format(
        numbers["seq_id"], texts["video"], texts["verb"], texts["noun"]
    )
    check_name(folder, "sequence", record.where)
    refuse_repeats("frame", frames, record.where, problems)
    refuse_repeats("object id", (label.object_id for label in labels), record.where, problems)
    refuse_repeats("object name", (label.name for label in labels), record.where, problems)
    problems.raise_if_any()
    return VideoSequence(
        folder=folder,
        seq_id=numbers["seq_id"],
        video=texts["video"],
        start=numbers["start"],
        end=numbers["end"],
        narration=texts["narration"],
        verb=texts["verb"],
        verb_class=numbers["verb_class"],
        noun=texts["noun"],
        noun_class=numbers["noun_class"],
        frames=tuple(frames),
        objects=tuple(labels),
        redundant=flags["redundant"],
        missing=flags["missing"],
        flagged_other=flags["other"],
    )


_NUMBERS = ("seq_id", "start", "end", "verb_class", "noun_class")
_TEXTS = ("video", "narration", "verb", "noun")

_Fields: TypeAlias = tuple[dict[str, int], dict[str, str], dict[str, bool]]
"""Numbers, texts and flags of a record."""


def _read_plain_fields(entry: dict[str, Any]) -> _Fields | None:
    """Read the fields of a record that has them as published lists do; return None for others.

    This takes a tenth of the time of `_read_checked_fields`, which matters for long lists.
    """
    numbers = {name: entry.get(name) for name in _NUMBERS}
    texts = {name: entry.get(name) for name in _TEXTS}
    if any(type(value) is not int for value in numbers.values()):
        return None
    if any(type(value) is not str or not is_plain_text(value) for value in texts.values()):
        return None
    flags = {name: entry.get(name, False) for name in _FLAGS}
    if any(type(value) is not bool for value in flags.values()):
        return None
    return numbers, texts, flags  # type: ignore[return-value]


def _read_checked_fields(record: Cursor, problems: ProblemCollector) -> _Fields:
    """Read the fields of any record, and collect problems with them."""
    numbers: dict[str, int] = {}
    texts: dict[str, str] = {}
    flags: dict[str, bool] = {}
    for field in _NUMBERS:
        with problems.collect():
            numbers[field] = record[field].as_integer()
    for field in _TEXTS:
        with problems.collect():
            texts[field] = record[field].as_text()
    for field in _FLAGS:
        with problems.collect():
            flags[field] = record[field].as_flag() if field in record else False
    return numbers, texts, flags


def make_record(sequence: VideoSequence, *, flags: bool = False) -> dict[str, Any]:
    """Make the element of an action list for a sequence, with keys in the published order.

    `flags` adds `redundant`, `missing` and `other`, as in human-labelled lists.
    """
    record: dict[str, Any] = {
        "seq_id": sequence.seq_id,
        "video": sequence.video,
        "start": sequence.start,
        "narration": sequence.narration,
        "verb": sequence.verb,
        "verb_class": sequence.verb_class,
        "noun": sequence.noun,
        "noun_class": sequence.noun_class,
        "end": sequence.end,
        "sparse_frames": [f"{frame}.jpg" for frame in sequence.frames],
        "object_classes": {
            str(label.object_id): {
                "name": label.name,
                "class_id": label.class_id,
                "handbox": int(label.handbox),
                "narration": int(label.narration),
                "positive": int(label.positive),
            }
            for label in sequence.objects
        },
    }
    if flags:
        record |= {key: getattr(sequence, attribute) for key, attribute in _FLAGS.items()}
    return record


def make_image_sets(
    split: str, sequences: Iterable[VideoSequence], *, flags: bool = False
) -> dict[str, Any]:
    """Make all ImageSets documents of a split, by file name: list, prompts, objects."""
    sequences = tuple(sequences)
    documents: dict[str, Any] = {
        f"{split}.json": [make_record(sequence, flags=flags) for sequence in sequences]
    }
    for style in PROMPT_STYLES:
        videos = {sequence.folder: _make_expressions(sequence, style) for sequence in sequences}
        documents[name_expressions_file(split, style)] = {"videos": videos}
    documents[name_objects_file(split)] = {
        "videos": {sequence.folder: _make_objects(sequence) for sequence in sequences}
    }
    return documents


def _make_expressions(sequence: VideoSequence, style: str) -> dict[str, Any]:
    return {
        "expressions": {
            str(position): {
                "exp": make_prompt(style, label.name, sequence.narration),
                "obj_id": str(label.object_id),
                "positive": int(label.positive),
                "class_id": label.class_id,
            }
            for position, label in enumerate(sequence.objects)
        },
        "frames": list(sequence.frames),
    }


def _make_objects(sequence: VideoSequence) -> dict[str, Any]:
    return {
        "objects": {
            str(label.object_id): {
                "category": label.name,
                "positive": int(label.positive),
                "class_id": label.class_id,
            }
            for label in sequence.objects
        }
    }


def read_by_folder(
    videos: Cursor, member: str, read: Callable[[str, Cursor], T]
) -> dict[str, tuple[T, ...]]:
    """Read the `member` of every sequence folder of a document."""
    problems = ProblemCollector()
    result = {}
    for folder, video in videos.iterate_members():
        with problems.collect():
            check_name(folder, "sequence", video.where)
            entries = []
            for name, cursor in video[member].iterate_members():
                with problems.collect():
                    entries.append(read(name, cursor))
            result[folder] = tuple(entries)
    problems.raise_if_any()
    return result


def refuse_repeats(
    kind: str, values: Iterable[Any], where: Path | str, problems: ProblemCollector
) -> None:
    """Raise an `InputError` with the collected problems and every value that occurs twice."""
    values = list(values)
    if len(set(values)) == len(values):
        problems.raise_if_any()
        return
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            problems.add(f"the {kind} {value!r} is listed twice", where, "remove one")
        seen.add(value)
    problems.raise_if_any()


def _read_frame(cursor: Cursor) -> str:
    name = cursor.as_text()
    stem, dot, ending = name.rpartition(".")
    return check_name(stem if dot and ending.lower() in _IMAGES else name, "frame", cursor.where)


_IMAGES = ("jpg", "jpeg", "png")


def _read_plain_label(object_id: str, entry: Any) -> ObjectLabel | None:
    """Read an object as published lists have it; return None for others, see `_label`."""
    if type(entry) is not dict or not _PLAIN_ID.fullmatch(object_id):
        return None
    name, class_id = entry.get("name"), entry.get("class_id")
    positive, handbox = entry.get("positive"), entry.get("handbox")
    narration = entry.get("narration")
    if not (type(name) is str and type(class_id) is int and is_plain_text(name) and name.strip()):
        return None
    if not (type(positive) is type(handbox) is type(narration) is int):
        return None
    if not {positive, handbox, narration} <= {0, 1}:
        return None
    return ObjectLabel(int(object_id), name, class_id, positive == 1, handbox == 1, narration == 1)


_PLAIN_ID = re.compile("[1-9][0-9]?")


def _label(object_id: str, objects: Cursor) -> ObjectLabel:
    cursor = objects.get_member(object_id)
    return ObjectLabel(
        object_id=_read_object_id(object_id, cursor.where),
        name=_name(cursor["name"]),
        class_id=cursor["class_id"].as_integer(),
        positive=cursor["positive"].as_flag(),
        handbox=cursor["handbox"].as_flag(),
        narration=cursor["narration"].as_flag(),
    )


def _name(cursor: Cursor) -> str:
    name = cursor.as_text()
    if not name.strip():
        raise refuse("the name is empty", cursor.where, "correct the file")
    return name


def _read_object_id(text: str, where: str) -> int:
    number = parse_whole_number(text)
    if number is None or not 1 <= number <= 255:
        raise refuse(f"{text[:20]!r} is not an object id", where, "use whole numbers from 1 to 255")
    return number


def read_expression(exp_id: str, cursor: Cursor) -> Expression:
    """Read one prompt of an expressions file."""

    def read_optional(field: str) -> Cursor | None:
        return cursor[field] if field in cursor else None  # noqa: SIM401 - a Cursor is not a dict

    obj_id, positive, class_id = map(read_optional, ("obj_id", "positive", "class_id"))
    clean_names = ("exp_org", "class_id_org", "positive_org")
    exp_org, class_id_org, positive_org = map(read_optional, clean_names)
    return Expression(
        exp_id=exp_id,
        exp=cursor["exp"].as_text(),
        object_id=None if obj_id is None else _read_object_id(obj_id.as_text(), obj_id.where),
        positive=None if positive is None else positive.as_flag(),
        class_id=None if class_id is None else class_id.as_integer(),
        exp_org=None if exp_org is None else exp_org.as_text(),
        class_id_org=None if class_id_org is None else class_id_org.as_integer(),
        positive_org=None if positive_org is None else positive_org.as_flag(),
    )


def read_object_entry(object_id: str, cursor: Cursor) -> ObjectEntry:
    """Read one object of an objects file."""
    return ObjectEntry(
        object_id=_read_object_id(object_id, cursor.where),
        category=cursor["category"].as_text(),
        positive=cursor["positive"].as_flag(),
        class_id=cursor["class_id"].as_integer(),
        category_org=cursor["category_org"].as_text() if "category_org" in cursor else None,
        class_id_org=cursor["class_id_org"].as_integer() if "class_id_org" in cursor else None,
        positive_org=cursor["positive_org"].as_flag() if "positive_org" in cursor else None,
    )
