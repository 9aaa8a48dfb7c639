"""Scores of predicted masks for video object segmentation, exact and fast, under stated rules.

>>> from actiseg_eval import load_protocol
>>> load_protocol("actionvos").frames
'all'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actiseg_eval.protocols import Protocol, load_protocol
    from actiseg_eval.reporting.score_report import Report
    from actiseg_eval.scoring.folder_scoring import Scorer, score

__all__ = ["Protocol", "Report", "Scorer", "load_protocol", "score"]

_HOMES = {
    "Protocol": "protocols",
    "Report": "report",
    "Scorer": "scoring",
    "load_protocol": "protocols",
    "score": "scoring",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: `--help` must not wait for numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"actiseg_eval.{_HOMES[name]}"), name)
