"""Pick the few inputs for the corpus: ``python -m tests.fuzz.distil TARGET FOLDER``.

libFuzzer keeps hundreds of inputs, one for each count of each edge. The corpus keeps a few that
together take most of the steps from line to line of our code that all of them take.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import actiseg_data
import actiseg_eval
import actiseg_noise
from tests.fuzz.targets import TARGETS

MOST = 15
"""The number of inputs that the corpus keeps for a target."""

Step = tuple[str, int, int]

CORPUS = Path(__file__).parent / "corpus"
_OURS = tuple(
    str(Path(package.__file__).parent) for package in (actiseg_data, actiseg_eval, actiseg_noise)
)


def steps_of(target: Callable[[bytes], None], data: bytes) -> set[Step]:
    """Return the steps from line to line that a target takes in our packages."""
    steps: set[Step] = set()

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(_OURS):
            return None
        last = 0

        def follow(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            if event == "line":
                steps.add((file, last, frame.f_lineno))
                last = frame.f_lineno
            return follow

        return follow

    sys.settrace(enter)
    try:
        target(data)
    finally:
        sys.settrace(None)
    return steps


def distil(target: str, folder: Path) -> list[bytes]:
    """Return inputs of a folder that take nearly all of its steps: greedily, small ones first."""
    inputs = sorted({path.read_bytes() for path in folder.iterdir()}, key=lambda d: (len(d), d))
    taken = {data: steps_of(TARGETS[target], data) for data in inputs}
    kept, missing = [], set().union(*taken.values())
    while missing and len(kept) < MOST:
        best = max(inputs, key=lambda data: len(taken[data] & missing))
        kept.append(best)
        missing -= taken[best]
    return kept


if __name__ == "__main__":
    name, source = sys.argv[1:]
    for number, data in enumerate(distil(name, Path(source))):
        (CORPUS / name / f"{number:02d}").write_bytes(data)
