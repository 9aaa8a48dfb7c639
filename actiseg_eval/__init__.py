"""Exact and fast scores of predicted masks for video object segmentation.

::

    report = actiseg_eval.score("preds", gt="dataset_visor")
    report.metrics["giou"]
    report.to_dataframe()

>>> from actiseg_eval import load_protocol
>>> load_protocol("actionvos").frames
'all'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actiseg_data.core.exports import export_lazily

if TYPE_CHECKING:
    from actiseg_eval.comparison.comparing import compare as compare
    from actiseg_eval.comparison.comparison_result import Comparison as Comparison
    from actiseg_eval.noise_levels.measuring import robustness as robustness
    from actiseg_eval.noise_levels.robustness_result import Robustness as Robustness
    from actiseg_eval.protocols import Protocol as Protocol
    from actiseg_eval.protocols import load_protocol as load_protocol
    from actiseg_eval.raw_scores.raw_score_measuring import measure_raw_scores as measure_raw_scores
    from actiseg_eval.raw_scores.raw_score_result import RawScoreReport as RawScoreReport
    from actiseg_eval.raw_scores.record_comparing import compare_records as compare_records
    from actiseg_eval.raw_scores.record_comparison import RecordComparison as RecordComparison
    from actiseg_eval.raw_scores.run_record import RunRecord as RunRecord
    from actiseg_eval.raw_scores.run_record import parse_run_record as parse_run_record
    from actiseg_eval.raw_scores.run_recording import join_records as join_records
    from actiseg_eval.raw_scores.run_recording import record_run as record_run
    from actiseg_eval.reporting.score_report import Report as Report
    from actiseg_eval.scoring.folder_scoring import score as score
    from actiseg_eval.scoring.scorer import Scorer as Scorer

__getattr__, __dir__, __all__ = export_lazily(
    __name__,
    {
        "Comparison": "comparison.comparison_result",
        "Protocol": "protocols",
        "RawScoreReport": "raw_scores.raw_score_result",
        "RecordComparison": "raw_scores.record_comparison",
        "Report": "reporting.score_report",
        "Robustness": "noise_levels.robustness_result",
        "RunRecord": "raw_scores.run_record",
        "Scorer": "scoring.scorer",
        "compare": "comparison.comparing",
        "compare_records": "raw_scores.record_comparing",
        "join_records": "raw_scores.run_recording",
        "load_protocol": "protocols",
        "measure_raw_scores": "raw_scores.raw_score_measuring",
        "parse_run_record": "raw_scores.run_record",
        "record_run": "raw_scores.run_recording",
        "robustness": "noise_levels.measuring",
        "score": "scoring.folder_scoring",
    },
)
