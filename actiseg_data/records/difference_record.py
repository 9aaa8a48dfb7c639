"""The differences of an imported noisy split from its clean dataset, as a document.

Nothing is in it where the noisy split equals the clean dataset. Sequences have the names of
`name_sequence`, which do not depend on the other sequences of a dataset.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_keys,
    check_schema,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_name, parse_whole_number

DIFFERENCES_FILE = "differences.json"
DIFFERENCES_SCHEMA = "actiseg/differences/1"

_HINT = "fetch the file again, or import the noisy split again"


@dataclass(frozen=True)
class TextDifference:
    """The new text of one object.

    Attributes
    ----------
    class_id : int
        The new class.
    name : str
        The new name.
    prompt : str or None
        The new prompt in the style ``promptaction``. None if it is the new name with the rest of
        the clean prompt.
    """

    class_id: int
    name: str
    prompt: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        prompt = {} if self.prompt is None else {"prompt": self.prompt}
        return {"class_id": self.class_id, "name": self.name, **prompt}


@dataclass(frozen=True)
class Differences:
    """The differences of a noisy split from its clean dataset.

    Attributes
    ----------
    origin : str
        Name of the folder that the noisy split was imported from. It has no effect.
    masks : mapping of str to mapping of str to bytes, or None
        By sequence and frame, the changed pixels of each frame that changed; see
        `actiseg_noise.mask_noise.mask_differences`. None if the noisy split has no masks.
    text : mapping of str to mapping of int to TextDifference, or None
        By sequence and object id, the new text of each object whose text changed. None if the noisy
        split has no text.
    """

    origin: str
    masks: Mapping[str, Mapping[str, bytes]] | None
    text: Mapping[str, Mapping[int, TextDifference]] | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema": DIFFERENCES_SCHEMA,
            "origin": self.origin,
            **{medium: self._describe(medium) for medium in ("masks", "text")},
        }

    def digest(self, medium: str) -> str:
        """Digest the differences in one medium, ``masks`` or ``text``."""
        return digest_json({medium: self._describe(medium)})

    def _describe(self, medium: str) -> dict[str, Any] | None:
        if medium == "text":
            return (
                None
                if self.text is None
                else {
                    name: {str(number): new.to_dict() for number, new in sorted(changes.items())}
                    for name, changes in sorted(self.text.items())
                }
            )
        return (
            None
            if self.masks is None
            else {
                name: {
                    frame: base64.b64encode(packed).decode() for frame, packed in changes.items()
                }
                for name, changes in sorted(self.masks.items())
            }
        )


def name_sequence(identity: tuple[str | int, ...]) -> str:
    """Return the name of a sequence in a document of differences.

    Parameters
    ----------
    identity : tuple
        `actiseg_data.annotations.sequences.VideoSequence.identity`.

    Examples
    --------
    >>> name_sequence(("P01_01_take_cup", "frame_0000000001", "frame_0000000009", 0))
    'P01_01_take_cup/frame_0000000001/frame_0000000009/0'
    """
    return "/".join(map(str, identity))


def read_differences(path: Path) -> Differences:
    """Read a file of differences; a damaged or foreign one raises an `InputError`."""
    return parse_differences(read_json(path, "differences"), str(path))


def parse_differences(document: Any, where: str) -> Differences:
    """Parse the JSON document of differences.

    The packed pixels are checked when they are applied.

    Raises
    ------
    InputError
        With every unknown or missing key, wrong type and unsafe name.
    """
    top = Cursor(document, where)
    check_schema(top, DIFFERENCES_SCHEMA, RELEASE_HINT)
    problems = ProblemCollector()
    check_keys(top, ("schema", "origin", "masks", "text"), problems)
    parsed: dict[str, Any] = {"origin": "", "masks": None, "text": None}
    with problems.collect():
        parsed["origin"] = top["origin"].as_text()
    for medium, parse in (("masks", _parse_frames), ("text", _parse_objects)):
        with problems.collect():
            if top[medium].value is not None:
                parsed[medium] = {}
                for name, entry in top[medium].iterate_members():
                    with problems.collect():
                        parsed[medium][_check_sequence(name, entry)] = parse(entry)
    problems.raise_if_any()
    return Differences(**parsed)


def _parse_frames(entry: Cursor) -> dict[str, bytes]:
    frames = {}
    for frame, packed in entry.iterate_members():
        check_name(frame, "frame", entry.where)
        text = packed.as_text()
        try:
            frames[frame] = base64.b64decode(text, validate=True)
        except ValueError:
            raise refuse("is not base64", packed.where, _HINT) from None
    return frames


def _parse_objects(entry: Cursor) -> dict[int, TextDifference]:
    objects = {}
    problems = ProblemCollector()
    for object_id, new in entry.iterate_members():
        number = parse_whole_number(object_id)
        if number is None or not 1 <= number <= 255 or object_id != str(number):
            problems.add(f"{object_id[:20]!r} is not an object id", entry.where, _HINT)
            continue
        with problems.collect():
            check_keys(new, ("class_id", "name", "prompt"), problems)
            prompt = new["prompt"].as_text() if "prompt" in new else None
            class_id, name = new["class_id"].as_integer(), new["name"].as_text()
            objects[number] = TextDifference(class_id, name, prompt)
    problems.raise_if_any()
    return objects


def _check_sequence(name: str, entry: Cursor) -> str:
    parts = name.split("/")
    if len(parts) != 4 or parse_whole_number(parts[3]) is None:
        what = f"{name[:80]!r} is not the identity of a sequence"
        raise refuse(what, entry.where, _HINT)
    for part in parts[:3]:
        check_name(part, "sequence", entry.where)
    return name
