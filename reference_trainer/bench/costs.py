"""Estimate the processor time that a matrix still needs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from reference_trainer.bench.jobs import RunJob
from reference_trainer.bench.matrix import Matrix
from reference_trainer.bench.plan import Arm

_SECONDS_PER_CLIP = 0.06
"""Processor time of `plain` for a training clip of two frames of 224 x 128 pixels, from
docs/training.md."""

_PREDICTION_SHARE = 0.15
"""Time for predictions and their measurement, as a share of that for training."""

_UNKNOWN_CLIPS = 300
"""Clips that are assumed for a dataset that the user gives."""

RELATIVE_COST = {"co-teaching": 2.24, "npn": 1.8, "smart": 1.36, "distil": 1.36}
"""Training time relative to `plain` (docs/training.md)."""


@dataclass(frozen=True)
class Cost:
    """An estimate of processor time.

    Attributes
    ----------
    runs, missing : int
        All runs, and those that have not ended.
    hours, hours_left : float
        Processor time of all runs, and of those that have not ended.
    measured : bool
        Whether the estimate comes from runs of this matrix that have ended.
    """

    runs: int
    missing: int
    hours: float
    hours_left: float
    measured: bool


def estimate_costs(matrix: Matrix) -> dict[tuple[str, str], Cost]:
    """Estimate the cost of each cell of each arm, from the runs of the arm that have ended.

    Runs that depend on tuning are not in it until tuning has ended.
    """
    runs = matrix.list_runs()
    rates = _measure_rates(matrix, runs)
    costs: defaultdict[tuple[str, str], list[RunJob]] = defaultdict(list)
    for run in runs:
        costs[run.arm, run.cell].append(run)
    return {
        (arm, cell): _sum_costs(matrix, members, rates) for (arm, cell), members in costs.items()
    }


def _measure_rates(matrix: Matrix, runs: list[RunJob]) -> dict[str, float]:
    """Measure by arm the time of a run of `plain`, from all runs that have ended."""
    times_by_arm: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs:
        record = matrix.get_record(run)
        if record is not None and not record.has_failed and run.settings is not None:
            times_by_arm[run.arm].append(record.seconds / _weigh(run))
    return {arm: sum(times) / len(times) for arm, times in times_by_arm.items()}


def _weigh(run: RunJob) -> float:
    """Return the cost of a run relative to `plain`."""
    if run.settings is None:
        return _PREDICTION_SHARE
    strategy = str(run.settings.get("strategy", "plain"))
    share = float(run.settings.get("stop_after", 1.0))
    return RELATIVE_COST.get(strategy, 1.0) * share


def _sum_costs(matrix: Matrix, runs: list[RunJob], rates: dict[str, float]) -> Cost:
    arm = runs[0].arm
    rate = rates.get(arm, _guess_rate(matrix.plan.arms[arm]))
    missing = [run for run in runs if matrix.get_record(run) is None]
    return Cost(
        runs=len(runs),
        missing=len(missing),
        hours=sum(map(_weigh, runs)) * rate / 3600,
        hours_left=sum(map(_weigh, missing)) * rate / 3600,
        measured=arm in rates,
    )


def _guess_rate(arm: Arm) -> float:
    """Guess the time of a run of `plain` from its number of clips and epochs."""
    source = arm.data["train"]
    clips = source.clips or _UNKNOWN_CLIPS
    epochs = float(arm.settings.get("epochs", 40))
    return clips * epochs * _SECONDS_PER_CLIP * (1 + _PREDICTION_SHARE)
