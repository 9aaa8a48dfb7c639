"""Exact and fast scores of predicted masks for video object segmentation.

>>> from actiseg_eval import load_protocol
>>> load_protocol("actionvos").frames
'all'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actiseg_data.core.exports import export_lazily

if TYPE_CHECKING:
    from actiseg_eval.protocols import Protocol as Protocol
    from actiseg_eval.protocols import load_protocol as load_protocol
    from actiseg_eval.reporting.score_report import Report as Report
    from actiseg_eval.scoring.folder_scoring import Scorer as Scorer
    from actiseg_eval.scoring.folder_scoring import score as score

__getattr__, __dir__, __all__ = export_lazily(
    __name__,
    {
        "Protocol": "protocols",
        "Report": "reporting.score_report",
        "Scorer": "scoring.folder_scoring",
        "load_protocol": "protocols",
        "score": "scoring.folder_scoring",
    },
)
