"""The figures that a record of a run has, by key."""

from __future__ import annotations

from collections.abc import Mapping

from actiseg_eval.measures.failure_modes import FAILURE_MODES
from actiseg_eval.raw_scores.raw_score_result import FIGURES, Figure, describe_metric

GATED = (
    *("p_miou", "n_miou", "p_ciou", "n_ciou", "p_miou_hand_free", "giou", "acc"),
    *("p_rate", "n_rate", "p_quality"),
)
"""The metrics of the masks in the folder."""

UNGATED = ("p_miou", "p_miou_hand_free", "p_rate", "p_quality")
"""The metrics of the masks without the gate. Their keys end in ``_ungated``."""

TUNED = ("p_rate", "n_rate")
"""The metrics at the gate of a tuning split. Their keys end in ``_tuned``."""

RANKINGS = ("auroc", "average_precision")
"""The figures of activity alone."""

CURVE_GATES = tuple(step / 20 for step in range(21))
"""The gates of the activity curve."""

MODES = tuple(mode for mode in FAILURE_MODES if mode not in ("hallucination", "wrong_activation"))
"""The failure modes that a visible, active object can have."""


def name_rate(rate: str, gate: float) -> str:
    """Return the key of ``p_rate`` or ``n_rate`` at a gate of the activity curve.

    >>> name_rate("p_rate", 0.35)
    'p_rate_at_0.35'
    """
    return f"{rate}_at_{gate:.2f}"


def name_share(mode: str) -> str:
    """Return the key of the share of a failure mode.

    >>> name_share("miss")
    'miss_share'
    """
    return f"{mode}_share"


def _describe_ungated(name: str) -> Figure:
    metric = describe_metric(name)
    about = f"{metric.symbol} if every object is asked for"
    return Figure(f"{metric.symbol} gate off", metric.better, about)


def _describe_rate(name: str, gate: float) -> Figure:
    metric = describe_metric(name)
    about = f"{metric.symbol} if objects with less activity than {gate:.2f} get no pixel"
    return Figure(f"{metric.symbol} at {gate:.2f}", metric.better, about)


def _describe_share(mode: str) -> Figure:
    symbol = FAILURE_MODES[mode].symbol
    about = f"share of {symbol} among the visible active objects if every object is asked for"
    return Figure(symbol, "lower", about)


RECORD_FIGURES: Mapping[str, Figure] = {
    **{name: FIGURES[name] for name in RANKINGS},
    **{name: describe_metric(name) for name in GATED},
    **{f"{name}_ungated": _describe_ungated(name) for name in UNGATED},
    **{f"{name}_tuned": FIGURES[f"{name}_tuned"] for name in TUNED},
    **{
        name_rate(name, gate): _describe_rate(name, gate)
        for name in ("p_rate", "n_rate")
        for gate in CURVE_GATES
    },
    **{name_share(mode): _describe_share(mode) for mode in MODES},
}
"""The figures of a record by key, in the order of tables.

Those of activity are computed from the activity of each object. All others are ratios of sums.
"""


def list_sums(*, tuned: bool) -> tuple[str, ...]:
    """List the keys of the figures that are ratios of sums, of a record with or without a gate.

    >>> len(list_sums(tuned=True)) - len(list_sums(tuned=False))
    2
    """
    left_out = {*RANKINGS, *(() if tuned else (f"{name}_tuned" for name in TUNED))}
    return tuple(name for name in RECORD_FIGURES if name not in left_out)
