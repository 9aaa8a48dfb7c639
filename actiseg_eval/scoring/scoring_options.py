"""The options of a scoring, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from actiseg_data.core.arguments import check_integer, check_number, check_string, refuse_type
from actiseg_data.core.errors import refuse, suggest
from actiseg_eval.protocols import (
    Protocol,
    choose_comparable_groups,
    choose_metric_groups,
    load_protocol,
)
from actiseg_eval.resampling.bootstrap import Bootstrap

MISSING = ("error", "empty")


@dataclass(frozen=True)
class ScoringOptions:
    """What to measure, and how.

    Attributes
    ----------
    protocol : Protocol
        The rules of the score.
    metric_groups : tuple of str
        The metric groups to compute, in the order of `METRIC_GROUPS`.
    filter : bool
        Whether to leave out the sequences that people flagged.
    missing : {"error", "empty"}
        Whether to refuse missing masks, or to score them as blank.
    """

    protocol: Protocol
    metric_groups: tuple[str, ...]
    filter: bool = True
    missing: str = "error"


def make_options(
    protocol: Protocol | str,
    metrics: Iterable[str] | str | None,
    *,
    filter: bool,
    missing: str,
    comparable: bool = False,
) -> ScoringOptions:
    """Check the options of a scoring.

    Parameters
    ----------
    protocol : Protocol or str
        A protocol or its name.
    metrics : iterable of str or str, optional
        Metric groups, also as one text with commas. None for those of the protocol.
    filter, missing
        See `ScoringOptions`.
    comparable : bool
        Whether the scores of several runs are compared: failures are not a metric.

    Raises
    ------
    InputError
        For an unknown protocol, metric group or value of `missing`.
    """
    if not isinstance(protocol, (str, Protocol)):
        raise refuse_type(protocol, "the name of a protocol", "protocol")
    protocol = load_protocol(protocol)
    choose = choose_comparable_groups if comparable else choose_metric_groups
    groups = choose(_check_metrics(metrics), protocol)
    return ScoringOptions(protocol, groups, filter, check_missing(missing))


def _check_metrics(metrics: Iterable[str] | str | None) -> Iterable[str] | str | None:
    """Return names of metric groups, after checking that they are text."""
    if metrics is None or isinstance(metrics, str):
        return metrics
    if not isinstance(metrics, Iterable):
        raise refuse_type(metrics, "names of metric groups", "metrics")
    return [check_string(name, "metrics") for name in metrics]


def make_bootstrap(ci: float, resamples: int, cluster: str) -> Bootstrap | None:
    """Return how to make confidence intervals, None for 0 resamples.

    Otherwise parameters and exceptions are as in `require_bootstrap`.
    """
    number = check_integer(resamples, "resamples")
    if number < 0:
        hint = "give 10,000, or 0 for no intervals"
        raise refuse(f"{number} is less than 0", "`resamples`", hint)
    return require_bootstrap(ci, number, cluster) if number else None


def require_bootstrap(ci: float, resamples: int, cluster: str) -> Bootstrap:
    """Return how to make confidence intervals.

    Parameters
    ----------
    ci : float
        The level of confidence, in (0, 1).
    resamples : int
        How many resamples to draw: 100 to 1,000,000.
    cluster : {"video", "participant", "sequence"}
        What is resampled.

    Raises
    ------
    InputError
        For a value outside of these.
    """
    return Bootstrap(
        check_number(ci, "ci"),
        check_integer(resamples, "resamples"),
        check_string(cluster, "cluster"),
    )


def check_missing(missing: str) -> str:
    """Return how to treat missing masks, after checking that the value is known."""
    check_string(missing, "missing")
    if missing not in MISSING:
        what = f"{missing!r} is unknown{suggest(missing, MISSING)}"
        raise refuse(what, "`missing`", f"use one of {', '.join(MISSING)}")
    return missing
