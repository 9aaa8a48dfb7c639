"""The differences of an imported noisy split from its clean dataset, as a document.

Nothing is in it where the noisy split equals the clean dataset. Sequences have the names of
`name_sequence`, which do not depend on the other sequences of a dataset.
"""

from __future__ import annotations

import base64
import binascii
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
    collect_valid,
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


def name_sequence(identity: tuple[str, str, str, int]) -> str:
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
    for medium, parse in (("masks", _parse_masks), ("text", _parse_text)):
        with problems.collect():
            if top[medium].value is not None:
                members = list(top[medium].iterate_members())
                sequences = [_Sequence(*member) for member in members]
                pairs = collect_valid(sequences, parse, problems)  # type: ignore[arg-type]
                parsed[medium] = dict(pairs)
    problems.raise_if_any()
    return Differences(**parsed)


@dataclass(frozen=True)
class _Sequence:
    """The entry of one sequence."""

    name: str
    entry: Cursor


def _parse_masks(sequence: _Sequence) -> tuple[str, dict[str, bytes]]:
    name = _check_sequence(sequence)
    frames = {}
    for frame, packed in sequence.entry.iterate_members():
        check_name(frame, "frame", sequence.entry.where)
        try:
            frames[frame] = base64.b64decode(packed.as_text(), validate=True)
        except (binascii.Error, ValueError):
            raise refuse("is not base64", packed.where, _HINT) from None
    return name, frames


def _parse_text(sequence: _Sequence) -> tuple[str, dict[int, TextDifference]]:
    name = _check_sequence(sequence)
    objects = {}
    problems = ProblemCollector()
    for text, entry in sequence.entry.iterate_members():
        number = parse_whole_number(text)
        if number is None or not 1 <= number <= 255 or text != str(number):
            raise refuse(f"{text[:20]!r} is not an object id", sequence.entry.where, _HINT)
        check_keys(entry, ("class_id", "name", "prompt"), problems)
        problems.raise_if_any()
        prompt = entry["prompt"].as_text() if "prompt" in entry else None
        objects[number] = TextDifference(
            entry["class_id"].as_integer(), entry["name"].as_text(), prompt
        )
    return name, objects


def _check_sequence(sequence: _Sequence) -> str:
    parts = sequence.name.split("/")
    where = sequence.entry.where
    if len(parts) != 4 or parse_whole_number(parts[3]) is None:
        raise refuse(f"{sequence.name[:80]!r} is not the identity of a sequence", where, _HINT)
    for part in parts[:3]:
        check_name(part, "sequence", where)
    return sequence.name
