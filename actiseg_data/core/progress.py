"""How long steps report their progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

from actiseg_data.core.workers import ProgressCallback

StageProgress: TypeAlias = Callable[[str], AbstractContextManager[ProgressCallback | None]]
"""Called with the name of each long step; yields the step's progress, or None."""


def ignore_progress(name: str) -> AbstractContextManager[ProgressCallback | None]:
    """Report no progress."""
    return nullcontext()
