"""The expressions of referring datasets: Ref-YouTube-VOS, Ref-DAVIS, MeViS.

::

    {"videos": {<folder>: {"expressions": {<id>: {"exp": <text>, "obj_id": <id or ids>}},
                           "frames": [<frame>, ...]}}}

Ids of expressions count from 0. MeViS adds ``anno_id``, the masks of an expression in its
``mask_dict.json``; files for inference have neither. All other members are kept as they are. A
noisy document has the clean text of each expression in ``exp_org``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.core.names import check_name, check_text, refuse_value
from actiseg_data.layouts.image_sets import refuse_repeats

EXPRESSIONS_FILE = "meta_expressions.json"
"""The usual name of the document."""

_HINT = "give the clean dataset"


@dataclass(frozen=True)
class ReferringExpression:
    """A text that refers to objects of a sequence.

    Attributes
    ----------
    exp_id : str
        Its id in the sequence.
    text : str
        The text, which may have any characters.
    object_ids : tuple of str
        The ids of the objects; empty if the document has none.
    annotation_ids : tuple of str
        The ids of their masks; empty if the document has none.
    text_org : str or None
        The clean text, in noisy documents.
    ids_without_mask : tuple of str
        The ids of objects without a mask, if the expressions were read with a split.
    """

    exp_id: str
    text: str
    object_ids: tuple[str, ...] = ()
    annotation_ids: tuple[str, ...] = ()
    text_org: str | None = None
    ids_without_mask: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReferringSequence:
    """A sequence with expressions, in the order of the document.

    Attributes
    ----------
    folder : str
        Its folder.
    expressions : tuple of ReferringExpression
        There may be none.
    frames : tuple of str
        Names of its frames without ending.
    """

    folder: str
    expressions: tuple[ReferringExpression, ...]
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReferringDocument:
    """A document of expressions.

    Attributes
    ----------
    where : Path
        The file.
    document : mapping
        The JSON document.
    sequences : tuple of ReferringSequence
        Its content.
    """

    where: Path
    document: Mapping[str, Any]
    sequences: tuple[ReferringSequence, ...]

    def rewrite(self, texts: Mapping[tuple[str, str], str]) -> dict[str, Any]:
        """Return the document with other texts, and all clean texts as ``exp_org``.

        All other members keep their place and value.

        Parameters
        ----------
        texts : mapping of (str, str) to str
            The new texts by folder and id of the expression.

        Raises
        ------
        InputError
            With every sequence that has noisy expressions already.
        """
        problems = ProblemCollector()
        for sequence in self.sequences:
            if any(expression.text_org is not None for expression in sequence.expressions):
                what = f"{sequence.folder} has noisy expressions, with the clean ones as exp_org"
                problems.add(what, self.where, _HINT)
        problems.raise_if_any()
        videos = dict(self.document["videos"])
        for sequence in self.sequences:
            entries = dict(videos[sequence.folder]["expressions"])
            for expression in sequence.expressions:
                old = expression.text
                new = texts.get((sequence.folder, expression.exp_id), old)
                entries[expression.exp_id] = entries[expression.exp_id] | {
                    "exp": new,
                    "exp_org": old,
                }
            videos[sequence.folder] = videos[sequence.folder] | {"expressions": entries}
        return {**self.document, "videos": videos}


def is_expressions(name: str) -> bool:
    """Return whether a relative path is that of a document of expressions.

    >>> is_expressions("meta_expressions/train/meta_expressions.json")
    True
    """
    return name.rpartition("/")[2] == EXPRESSIONS_FILE


def read_referring(path: Path) -> ReferringDocument:
    """Read a document of expressions (``.json`` or ``.json.gz``).

    Raises
    ------
    InputError
        If the file is missing or is no such document; with every faulty sequence and expression.
    """
    with pause_gc():
        return parse_referring(read_json(path, "file of expressions"), path)


def parse_referring(document: Any, where: Path) -> ReferringDocument:
    """Parse a document of expressions; errors as in `read_referring`.

    >>> expressions = {"0": {"exp": "a cat", "obj_id": "1"}}
    >>> document = {"videos": {"a": {"expressions": expressions, "frames": ["00000"]}}}
    >>> parse_referring(document, Path("x.json")).sequences[0].expressions[0].object_ids
    ('1',)
    """
    problems = ProblemCollector()
    sequences = []
    for folder, video in Cursor(document, str(where))["videos"].iterate_members():
        with problems.collect():
            check_name(folder, "sequence", video.where)
            sequences.append(_parse_sequence(folder, video))
    problems.raise_if_any()
    if not sequences:
        raise refuse("has no video", where, f"give the {EXPRESSIONS_FILE} of a dataset")
    return ReferringDocument(where, document, tuple(sequences))


def _parse_sequence(folder: str, video: Cursor) -> ReferringSequence:
    problems = ProblemCollector()
    expressions = []
    frames: list[str] = []
    with problems.collect():
        for exp_id, entry in video["expressions"].iterate_members():
            with problems.collect():
                expressions.append(_parse_expression(exp_id, entry))
    with problems.collect():
        for frame in video["frames"].iterate_elements() if "frames" in video else ():
            with problems.collect():
                frames.append(check_name(frame.value, "frame", frame.where))
    refuse_repeats("frame", frames, video.where, problems)
    problems.raise_if_any()
    return ReferringSequence(folder, tuple(expressions), tuple(frames))


def _parse_expression(exp_id: str, entry: Cursor) -> ReferringExpression:
    problems = ProblemCollector()
    with problems.collect():
        check_text(exp_id, entry.where)
    texts: dict[str, str | None] = {"exp": None, "exp_org": None}
    ids: dict[str, tuple[str, ...]] = {"obj_id": (), "anno_id": ()}
    for name in texts:
        with problems.collect():
            if name == "exp" or name in entry:
                texts[name] = _parse_text(entry[name])
    for name in ids:
        with problems.collect():
            if name in entry:
                ids[name] = _parse_ids(entry[name])
    problems.raise_if_any()
    return ReferringExpression(
        exp_id, texts["exp"] or "", ids["obj_id"], ids["anno_id"], texts["exp_org"]
    )


def _parse_text(cursor: Cursor) -> str:
    if not isinstance(cursor.value, str):
        raise refuse_value("text", cursor.value, cursor.where)
    return cursor.value


def _parse_ids(cursor: Cursor) -> tuple[str, ...]:
    """Parse one id or a list of ids, each a number or a text."""
    elements = list(cursor.iterate_elements()) if isinstance(cursor.value, list) else [cursor]
    problems = ProblemCollector()
    ids = []
    for element in elements:
        with problems.collect():
            value = element.value
            if isinstance(value, bool) or not isinstance(value, (int, str)):
                raise refuse_value("an id", value, element.where)
            ids.append(check_text(str(value), element.where))
    problems.raise_if_any()
    return tuple(ids)
