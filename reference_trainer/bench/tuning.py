"""Choose one value of each method's knob, by how well it fits held-out noisy labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from actiseg_eval.raw_scores.record_figures import RECORD_FIGURES
from reference_trainer.bench.jobs import JobList, RunJob, name_variant
from reference_trainer.bench.plan import Plan, PlannedMethod, Settings


@dataclass(frozen=True)
class TunedMethod:
    """The choice of tuning for a method.

    Attributes
    ----------
    method : str
    knob : Settings
        The chosen value.
    scores : tuple of (str, float)
        Each value by name, and the mean of its figure over the cells.
    """

    method: str
    knob: Settings
    scores: tuple[tuple[str, float], ...]


def tune_methods(plan: Plan, get_score: Callable[[RunJob], float | None]) -> dict[str, TunedMethod]:
    """Choose the values of all methods whose runs have ended.

    Parameters
    ----------
    plan : Plan
    get_score : callable
        Returns the figure of a run on the noisy labels of the tuning split; None if the run has not
        ended. A run that failed has an infinite one, and is never chosen.

    Returns
    -------
    dict of str to TunedMethod
        By method. Of equal scores the first value is chosen.
    """
    if plan.tuning is None:
        return {}
    arm = plan.arms[plan.tuning.arm]
    tuned = {}
    for method in plan.methods.values():
        cells = [cell for cell in plan.tuning.cells if method.name in arm.cells.get(cell, ())]
        if method.knob and cells:
            choice = _tune(plan, method, cells, get_score)
            if choice is not None:
                tuned[method.name] = choice
    return tuned


def _tune(
    plan: Plan, method: PlannedMethod, cells: list[str], get_score: Callable[[RunJob], float | None]
) -> TunedMethod | None:
    jobs = JobList(plan, plan.arms)
    scores: list[float] = []
    for knob in method.knob:
        own_scores = [get_score(jobs.make_tuning_run(method.name, cell, knob)) for cell in cells]
        known = [score for score in own_scores if score is not None]
        if len(known) < len(own_scores):
            return None
        scores.append(sum(known) / len(known))
    assert plan.tuning is not None, "callers check"
    sign = RECORD_FIGURES[plan.tuning.figure].sign
    ranks = [sign * score if math.isfinite(score) else -math.inf for score in scores]
    best = max(range(len(ranks)), key=lambda position: (ranks[position], -position))
    if ranks[best] == -math.inf:
        return None
    names = [name_variant(knob) for knob in method.knob]
    return TunedMethod(method.name, method.knob[best], tuple(zip(names, scores, strict=True)))
