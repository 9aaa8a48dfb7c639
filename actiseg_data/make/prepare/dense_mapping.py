"""The EPIC numbers of interpolated frames, which VISOR's frame mapping does not have.

The mapping has the annotated frames, between which VISOR interpolates. VISOR's numbers and EPIC's
differ by a few frames, and the difference changes slowly: between two annotated frames it is
interpolated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from actiseg_data.make.prepare.survey import Survey
from actiseg_data.make.prepare.timeline import FrameMapping

_NUMBER = re.compile(r"([0-9]{1,15})$")


def map_dense_frames(surveys: Sequence[Survey], mapping: FrameMapping) -> FrameMapping:
    """Return the mapping with the frames of videos of dense interpolations instead of theirs."""
    dense = {
        survey.video: extend_mapping(survey.objects, mapping[survey.video])
        for survey in surveys
        if survey.is_dense
    }
    return mapping | dense


def extend_mapping(names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Map interpolated frames to EPIC frames.

    A frame whose EPIC number an earlier frame, or a frame of the mapping, has is left out. So is
    one without a number in its name.

    Parameters
    ----------
    names : iterable of str
        VISOR's names of the frames, with any ending.
    known : mapping of str to str
        The mapping of the video: VISOR's name of an annotated frame to EPIC's without ending.

    Examples
    --------
    >>> known = {"a_frame_10.jpg": "frame_0000000011", "a_frame_20.jpg": "frame_0000000021"}
    >>> extend_mapping(["a_frame_10.png", "a_frame_15.png"], known)
    {'a_frame_10.png': 'frame_0000000011', 'a_frame_15.png': 'frame_0000000016'}
    """
    exact = {PurePosixPath(name).stem: epic for name, epic in known.items()}
    anchors = sorted(
        (number, epic_number - number)
        for name, epic in exact.items()
        if (number := _parse_number(name)) is not None
        and (epic_number := _parse_number(epic)) is not None
    )
    given = list(names)
    taken = {exact[stem] for name in given if (stem := PurePosixPath(name).stem) in exact}
    extended: dict[str, str] = {}
    for name in given:
        stem = PurePosixPath(name).stem
        if stem in exact:
            extended[name] = exact[stem]
            continue
        number = _parse_number(stem)
        if number is None or not anchors:
            continue
        places, shifts = zip(*anchors, strict=True)
        shift = round(float(np.interp(number, places, shifts)), 6)
        epic = f"frame_{number + int(np.floor(shift + 0.5)):010d}"
        if epic not in taken:
            taken.add(epic)
            extended[name] = epic
    return extended


def _parse_number(stem: str) -> int | None:
    """Return the number at the end of a frame's name, without ending."""
    digits = _NUMBER.search(stem)
    return int(digits[1]) if digits else None
