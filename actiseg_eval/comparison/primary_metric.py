"""The one metric whose p values are tests. All other metrics are descriptive.

Several metrics of the same predictions are several chances to find something. Holm's correction
over the pairs of each metric would not count them.
"""

from __future__ import annotations

from collections.abc import Iterable

from actiseg_data.core.arguments import check_number, check_string
from actiseg_data.core.errors import refuse, suggest
from actiseg_eval.metrics.computing import list_metrics
from actiseg_eval.metrics.definitions import list_directed, list_main_metrics
from actiseg_eval.scoring.scoring_options import ScoringOptions


def choose_primary(name: str | None, options: ScoringOptions) -> str:
    """Return the primary metric: the one that is named, else the first of the protocol.

    Raises
    ------
    InputError
        If the metric is not computed.

    Examples
    --------
    >>> from actiseg_eval.scoring.scoring_options import make_options
    >>> options = make_options("actionvos", None, filter=True, missing="error")
    >>> choose_primary(None, options)
    'p_miou'
    """
    computed = list_directed(list_metrics(options.protocol, options.metric_groups))
    if name is None:
        return next(
            metric
            for metric in list_main_metrics(options.protocol.metric_set, computed)
            if metric in computed
        )
    check_string(name, "primary")
    if name not in computed:
        raise refuse(
            f"{name!r} is not computed{suggest(name, computed)}",
            "`primary`",
            f"use one of {', '.join(computed)}",
        )
    return name


def check_equivalence(value: float | None, level: float) -> float | None:
    """Return the margin of tests of equivalence, None for no such tests.

    Parameters
    ----------
    value : float or None
    level : float
        The level of confidence.

    Raises
    ------
    InputError
        If the margin is not between 0 and 1, or if the level is too low for one-sided tests.
    """
    if value is None:
        return None
    margin = check_number(value, "equivalence")
    if not 0 < margin < 1:
        raise refuse(
            f"{margin:g} is not between 0 and 1", "`equivalence`", "give 0.02, for example"
        )
    if level <= 0.5:
        what = f"{level:g} is at most 0.5, too low for tests of equivalence"
        raise refuse(what, "`ci`", "give 0.95, for example")
    return margin


def check_seed_deviation(value: float | None, seeds: Iterable[int]) -> float | None:
    """Return a standard deviation over seeds, None if it is not known.

    Parameters
    ----------
    value : float, optional
    seeds : iterable of int
        The number of runs of each method.

    Raises
    ------
    InputError
        If it is not above 0, or above 1, or if no method has a single run.
    """
    if value is None:
        return None
    if min(seeds) > 1:
        what = "has no effect: all methods have several runs, which show how much they vary"
        raise refuse(what, "`seed_deviation`", "leave it out")
    deviation = check_number(value, "seed_deviation")
    if not 0 < deviation <= 1:
        raise refuse(
            f"{deviation:g} is outside (0, 1]", "`seed_deviation`", "give 0.01, for example"
        )
    return deviation
