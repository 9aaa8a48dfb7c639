"""``meta_expressions.json`` of MeViS, Ref-YouTube-VOS and Ref-DAVIS: sentences about objects.

::

    {"videos": {VIDEO: {"frames": [...], "expressions": {ID: {"exp": "a dog that runs", ...}}}}}

An expression of MeViS refers to several objects: ``obj_id`` and ``anno_id`` are lists of numbers.
In Ref-YouTube-VOS and Ref-DAVIS ``obj_id`` is one text. Lists for tests have neither.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import Cursor, collect_valid, read_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_name
from actiseg_data.layouts.image_sets import refuse_repeats


@dataclass(frozen=True)
class ReferringExpression:
    """A sentence about objects of a video.

    Attributes
    ----------
    expression_id : str
        Its id, unique in the video.
    text : str
        The sentence.
    object_ids : tuple of str
        The objects' ids in the video.
    annotation_ids : tuple of str
        The keys of their masks in ``mask_dict.json``; only MeViS has them.
    """

    expression_id: str
    text: str
    object_ids: tuple[str, ...]
    annotation_ids: tuple[str, ...]


@dataclass(frozen=True)
class ReferredVideo:
    """A video, the names of its frames without ending, and its expressions."""

    name: str
    frames: tuple[str, ...]
    expressions: tuple[ReferringExpression, ...]


@dataclass(frozen=True, eq=False)
class MetaExpressions:
    """A parsed list of expressions.

    Attributes
    ----------
    document : dict
        The parsed JSON.
    where : str
        The file, for messages.
    videos : tuple of ReferredVideo
        The videos, in the order of the document.
    """

    document: dict[str, Any]
    where: str
    videos: tuple[ReferredVideo, ...]

    def replace(
        self,
        texts: Mapping[tuple[str, str], str],
        kept: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """Return the document with other sentences, and all else in its order.

        Parameters
        ----------
        texts : mapping of tuple to str
            New sentences by video and expression id.
        kept : collection of str, optional
            The videos that stay; by default all.
        """
        videos = {}
        for video, entry in self.document["videos"].items():
            if kept is None or video in kept:
                reworded = {
                    number: {**expression, "exp": texts.get((video, number), expression["exp"])}
                    for number, expression in entry["expressions"].items()
                }
                videos[video] = {**entry, "expressions": reworded}
        return {**self.document, "videos": videos}


def read_meta_expressions(path: Path) -> MetaExpressions:
    """Read a list of expressions (``.json``, ``.json.gz``), see `parse_meta_expressions`."""
    return parse_meta_expressions(read_json(path, "list of expressions"), str(path))


def parse_meta_expressions(document: Any, where: str) -> MetaExpressions:
    """Check a parsed list of expressions; an `InputError` lists all faults.

    >>> video = {"frames": ["0"], "expressions": {"0": {"exp": "a dog", "obj_id": "1"}}}
    >>> parse_meta_expressions({"videos": {"a": video}}, "").videos[0].expressions[0].text
    'a dog'
    """
    problems = ProblemCollector()
    members = [cursor for _, cursor in Cursor(document, where)["videos"].iterate_members()]
    names = list(document["videos"])
    videos = collect_valid(
        [Cursor((name, member), member.where) for name, member in zip(names, members, strict=True)],
        _parse_video,
        problems,
    )
    problems.raise_if_any()
    if not videos:
        raise refuse("has no video", where, "give the meta_expressions.json of a dataset")
    return MetaExpressions(document, where, tuple(videos))


def _parse_video(named: Cursor) -> ReferredVideo:
    name, cursor = named.value
    problems = ProblemCollector()
    with problems.collect():
        check_name(name, "video", cursor.where)
    frames: list[str] = []
    with problems.collect():
        for element in cursor["frames"].iterate_elements():
            with problems.collect():
                frames.append(check_name(element.as_text(), "frame", element.where))
    expressions: list[ReferringExpression] = []
    with problems.collect():
        for number, expression in cursor["expressions"].iterate_members():
            with problems.collect():
                expressions.append(_parse_expression(number, expression))
    refuse_repeats("frame", frames, cursor.where, problems)
    return ReferredVideo(name, tuple(frames), tuple(expressions))


def _parse_expression(number: str, cursor: Cursor) -> ReferringExpression:
    return ReferringExpression(
        check_name(number, "expression", cursor.where),
        cursor["exp"].as_text(),
        _parse_ids(cursor, "obj_id"),
        _parse_ids(cursor, "anno_id"),
    )


def _parse_ids(cursor: Cursor, key: str) -> tuple[str, ...]:
    """Parse one id or a list of ids, numbers or texts; without the key, there is none."""
    if key not in cursor:
        return ()
    member = cursor[key]
    elements = list(member.iterate_elements()) if isinstance(member.value, list) else [member]
    return tuple(
        element.as_text() if isinstance(element.value, str) else str(element.as_integer())
        for element in elements
    )
