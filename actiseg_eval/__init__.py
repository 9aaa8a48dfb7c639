"""Scores of predicted masks for video object segmentation, exact and fast, under stated rules.

>>> from actiseg_eval import load_protocol
>>> load_protocol("actionvos").frames
'all'
"""

from actiseg_eval.protocols import Protocol, load_protocol
from actiseg_eval.report import Report
from actiseg_eval.score import Scorer, score

__all__ = ["Protocol", "Report", "Scorer", "load_protocol", "score"]
