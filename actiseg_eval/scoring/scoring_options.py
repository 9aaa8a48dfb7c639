"""The options of a scoring, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from actiseg_data.core.errors import refuse
from actiseg_eval.measures.meter import MEASURES
from actiseg_eval.protocols import Protocol, load_protocol
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
        The metric groups to compute, in the order of `MEASURES`.
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
    protocol = load_protocol(protocol)
    choose = figure_measures if comparable else check_measures
    groups = choose(metrics, protocol)
    return ScoringOptions(protocol, groups, filter, check_missing(missing))


def make_bootstrap(ci: float, resamples: int, cluster: str) -> Bootstrap | None:
    """Return how to make confidence intervals, None for 0 resamples.

    Parameters
    ----------
    ci : float
        The level of confidence, in (0, 1).
    resamples : int
        How many resamples to draw: 100 to 1,000,000, or 0.
    cluster : {"video", "participant", "sequence"}
        What is resampled.

    Raises
    ------
    InputError
        For a value outside of these.
    """
    return Bootstrap(ci, resamples, cluster) if resamples else None


def check_missing(missing: str) -> str:
    """Return how to treat missing masks, after checking that the value is known."""
    if missing not in MISSING:
        raise refuse(f"{missing!r} is unknown", "`missing`", f"use one of {', '.join(MISSING)}")
    return missing


def check_measures(measures: Iterable[str] | None, protocol: Protocol) -> tuple[str, ...]:
    """The measures in their order; raises `InputError` for unknown ones.

    What failures lose is told in gIoU and J&F, so they come with what these need. ``all`` is all
    that the protocol has: where it chooses the mask of an object itself, none is the wrong one.
    """
    if protocol.matching != "id":
        return figure_measures(measures, protocol)
    chosen = _checked(measures, MEASURES, protocol)
    wanted = {*chosen, "core", "jf"} if "failures" in chosen else chosen
    return tuple(name for name in MEASURES if name in wanted)


def figure_measures(measures: Iterable[str] | None, protocol: Protocol) -> tuple[str, ...]:
    """The same for what holds figures of several scorings against each other: failures are no
    figure.
    """
    return _checked(measures, tuple(name for name in MEASURES if name != "failures"), protocol)


def _checked(
    measures: Iterable[str] | None, known: tuple[str, ...], protocol: Protocol
) -> tuple[str, ...]:
    if measures is None:
        return protocol.default_measures
    wanted = set(measures.split(",") if isinstance(measures, str) else measures)
    if "all" in wanted:
        return known
    unknown = sorted(wanted - set(known))
    if unknown or not wanted:
        raise refuse(
            f"there is no {', '.join(map(repr, unknown)) or 'measure'} here, under "
            f"{protocol.name!r}",
            "--metrics",
            f"use some of {', '.join(known)}, or all",
        )
    return tuple(name for name in known if name in wanted)
