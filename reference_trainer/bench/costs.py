"""Estimate the processor time that a matrix still needs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_trainer.bench.arm_data import count_clips
from reference_trainer.bench.jobs import RunJob
from reference_trainer.bench.matrix import Matrix
from reference_trainer.bench.plan import Arm
from reference_trainer.config.config_building import make_config
from reference_trainer.config.run_config import Config

_SECONDS_PER_CLIP = 0.06
"""Processor time of `plain` for a training clip of two frames of 224 x 128 pixels, from
docs/training.md."""

_PIXELS = 224 * 128

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


@dataclass(frozen=True)
class RunSize:
    """How long a run of `plain` is.

    Attributes
    ----------
    clips : int
        Its training clips. An assumption if the dataset is not given.
    known : bool
        Whether their number is known.
    steps : int
        Its updates.
    encoder : str
    seconds : float
        A guess of its processor time with the encoder ``tiny``. Others take longer or less.
    """

    clips: int
    known: bool
    steps: int
    encoder: str
    seconds: float


def estimate_run(arm: Arm, roots: Mapping[str, Path]) -> RunSize:
    """Estimate the size of a run of `plain` from its clips, epochs and frames.

    Raises
    ------
    InputError
        If a given dataset has not the split, or has too few videos.
    """
    clips = count_clips(arm.data["train"], roots)
    config = _read_settings(arm)
    share = config.height * config.width / _PIXELS
    used = _UNKNOWN_CLIPS if clips is None else clips
    seconds = used * config.epochs * share * _SECONDS_PER_CLIP * (1 + _PREDICTION_SHARE)
    return RunSize(
        clips=used,
        known=clips is not None,
        steps=math.ceil(used / config.batch_size) * config.epochs,
        encoder=config.encoder,
        seconds=seconds,
    )


def _read_settings(arm: Arm) -> Config:
    return make_config({"dataset": "dataset", "init": "start", **arm.settings}, "`plan`")


def estimate_costs(matrix: Matrix, roots: Mapping[str, Path]) -> dict[tuple[str, str], Cost]:
    """Estimate the cost of each cell of each arm, from the runs of the arm that have ended.

    Runs that depend on tuning are not in it until tuning has ended.

    Parameters
    ----------
    matrix : Matrix
    roots : mapping of str to Path
        The datasets that are given, whose clips count if no run has ended.
    """
    runs = matrix.list_runs()
    rates = _measure_rates(matrix, runs)
    costs: defaultdict[tuple[str, str], list[RunJob]] = defaultdict(list)
    for run in runs:
        costs[run.arm, run.cell].append(run)
    return {
        (arm, cell): _sum_costs(matrix, members, rates, roots)
        for (arm, cell), members in costs.items()
    }


def _measure_rates(matrix: Matrix, runs: list[RunJob]) -> dict[str, float]:
    """Measure by arm the time of a run of `plain`, from all runs that have ended."""
    times_by_arm: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs:
        record = matrix.get_record(run)
        if record is not None and not record.has_failed and run.settings is not None:
            weight = _weigh(run, matrix.plan.arms[run.arm])
            times_by_arm[run.arm].append(record.seconds / weight)
    return {arm: sum(times) / len(times) for arm, times in times_by_arm.items()}


def _weigh(run: RunJob, arm: Arm) -> float:
    """Return the cost of a run relative to `plain`."""
    if run.settings is None:
        return _PREDICTION_SHARE
    paths = {"dataset": "dataset", "noisy": "copy", "init": "start"}
    settings = make_config({**paths, **run.settings}, "`plan`")
    length = settings.epochs * settings.stop_after / _read_settings(arm).epochs
    return RELATIVE_COST.get(settings.strategy, 1.0) * length


def _sum_costs(
    matrix: Matrix, runs: list[RunJob], rates: dict[str, float], roots: Mapping[str, Path]
) -> Cost:
    arm = matrix.plan.arms[runs[0].arm]
    rate = rates[arm.name] if arm.name in rates else estimate_run(arm, roots).seconds
    missing = [run for run in runs if matrix.get_record(run) is None]
    return Cost(
        runs=len(runs),
        missing=len(missing),
        hours=sum(_weigh(run, arm) for run in runs) * rate / 3600,
        hours_left=sum(_weigh(run, arm) for run in missing) * rate / 3600,
        measured=arm.name in rates,
    )
