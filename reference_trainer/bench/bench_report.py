"""The report of a benchmark: methods between the frozen start and clean labels, cell by cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from actiseg_eval import RunRecord, compare_records, join_records, parse_run_record
from actiseg_eval.raw_scores.record_figures import MODES, name_share
from actiseg_eval.resampling.gains import apply_holm
from reference_trainer.bench.jobs import UNTUNED
from reference_trainer.bench.plan import CLEAN, FROZEN, PLAIN, Arm, Plan
from reference_trainer.bench.run_results import Results, RunResult

if TYPE_CHECKING:
    from actiseg_eval.raw_scores.record_comparison import RecordComparison

LEAST_GAIN = 0.05
"""An arm in which clean labels gain less than this over the frozen start tells nothing."""

MARGIN = 0.02
"""Differences that are shown to be smaller than this count as none."""

Interval = tuple[float, float]
Key = tuple[str, str]
"""A method and its variant."""

Records = Mapping[int, RunRecord]
"""The records of a method by seed."""


@dataclass(frozen=True)
class Estimate:
    """A figure of a method in a cell.

    Attributes
    ----------
    value : float or None
        The mean over seeds.
    interval : Interval or None
        Over videos and seeds.
    seeds : tuple of float or None
        The value of each seed.
    kept, kept_interval
        The share of what clean labels teach; None if they teach nothing beyond chance.
    gain, gain_interval, p
        The difference to `PLAIN` on the same noise, above 0 if it is better. None for `PLAIN`.
    is_equal : bool
        Whether the difference is shown to be smaller than `MARGIN`.
    """

    value: float | None
    interval: Interval | None
    seeds: tuple[float | None, ...]
    kept: float | None
    kept_interval: Interval | None
    gain: float | None
    gain_interval: Interval | None
    p: float | None
    is_equal: bool


@dataclass(frozen=True)
class MethodRow:
    """A method in a cell.

    Attributes
    ----------
    method, variant : str
    control : bool
    seeds : tuple of int
        The seeds of which all runs have ended.
    figures : mapping of str to Estimate
        By key.
    meter : mapping of str to float
        What the net has memorised at the end, mean over runs.
    seconds : float or None
        Computing time of training a run, mean.
    """

    method: str
    variant: str
    control: bool
    seeds: tuple[int, ...]
    figures: Mapping[str, Estimate]
    meter: Mapping[str, float]
    seconds: float | None


@dataclass(frozen=True)
class ModeChange:
    """How often `PLAIN` fails in a way, and how much more often than on clean labels.

    Attributes
    ----------
    mode : str
    share, clean_share : float or None
        Of the visible active objects, without the activity gate.
    change, interval
        The difference: above 0 if the noise makes the failure more frequent.
    """

    mode: str
    share: float | None
    clean_share: float | None
    change: float | None
    interval: Interval | None


@dataclass(frozen=True)
class CellReport:
    """The methods of a cell.

    Attributes
    ----------
    cell, about : str
    labels : float or None
        The p-mIoU of the noisy labels themselves.
    rows : tuple of MethodRow
        The frozen start and clean labels first.
    modes : tuple of ModeChange
    """

    cell: str
    about: str
    labels: float | None
    rows: tuple[MethodRow, ...]
    modes: tuple[ModeChange, ...]


@dataclass(frozen=True)
class ArmReport:
    """The cells of an arm.

    Attributes
    ----------
    name, about : str
    rendered : bool
        Whether the frames are rendered, not photographs.
    videos : int
        The videos that are tested.
    gains : mapping of str to (float or None, Interval or None)
        By figure, the gain of clean labels over the frozen start.
    cells : tuple of CellReport
    """

    name: str
    about: str
    rendered: bool
    videos: int
    gains: Mapping[str, tuple[float | None, Interval | None]]
    cells: tuple[CellReport, ...]

    def has_gain(self, figure: str) -> bool:
        """Whether clean labels gain enough over the frozen start to tell methods apart."""
        gain, interval = self.gains[figure]
        is_sure = interval is not None and interval[0] > 0
        return gain is not None and gain >= LEAST_GAIN and is_sure


@dataclass(frozen=True)
class PrimaryTest:
    """A test of the primary family.

    Attributes
    ----------
    cell, figure, method, variant : str
    estimate : Estimate
    adjusted : float or None
        The p value after Holm's correction over the family. None if a run is missing.
    """

    cell: str
    figure: str
    method: str
    variant: str
    estimate: Estimate
    adjusted: float | None


@dataclass(frozen=True)
class BenchReport:
    """The report of a benchmark.

    Attributes
    ----------
    plan : Plan
    arms : tuple of ArmReport
    primary, untuned : tuple of PrimaryTest
        The primary family with the tuned methods; and the same tests of the untuned ones, which
        are descriptive.
    tuning : mapping of str to mapping of str to float
        By method, the mean figure of each value of its knob on noisy labels.
    failed : tuple of str
        The runs that failed, and why.
    runs : int
        The runs that have ended well.
    hours : float
        Processor time of all runs.
    """

    plan: Plan
    arms: tuple[ArmReport, ...]
    primary: tuple[PrimaryTest, ...]
    untuned: tuple[PrimaryTest, ...]
    tuning: Mapping[str, Mapping[str, float]]
    failed: tuple[str, ...]
    runs: int
    hours: float


def make_report(plan: Plan, results: Results) -> BenchReport:
    """Make the report of the runs that have ended.

    Examples
    --------
    >>> from reference_trainer.bench.plan_file import load_plan
    >>> make_report(load_plan("quick"), Results("quick", {}, {}, ())).runs
    0
    """
    good = [run for run in results.runs if run.record is not None]
    arms = [
        _report_arm(plan, arm, [run for run in good if run.arm == arm.name], results.labels)
        for arm in plan.arms.values()
    ]
    known = [arm for arm in arms if arm is not None]
    chosen = find_chosen(plan, results)
    return BenchReport(
        plan=plan,
        arms=tuple(known),
        primary=_list_tests(plan, known, chosen),
        untuned=_list_tests(plan, known, {}),
        tuning=_list_tuning(plan, results),
        failed=tuple(
            f"{run.arm} {run.cell} {run.method} {run.variant} seed {run.seed}: {run.problem}"
            for run in results.runs
            if run.problem
        ),
        runs=len(good),
        hours=sum(run.seconds for run in results.runs) / 3600,
    )


def find_chosen(plan: Plan, results: Results) -> dict[str, str]:
    """Find by method the variant that tuning chose."""
    from reference_trainer.bench.jobs import JobList
    from reference_trainer.bench.tuning import tune_methods

    known = {
        (run.arm, run.cell, run.method, run.variant, run.fold, run.seed): run
        for run in results.runs
    }
    jobs = JobList(plan, plan.arms)
    tuned = tune_methods(
        plan,
        lambda job: _read_score(
            known.get((job.arm, job.cell, job.method, job.variant, job.fold, job.seed))
        ),
    )
    cells = plan.tuning.cells if plan.tuning is not None else ()
    return {
        name: jobs.make_tuning_run(name, cells[0], choice.knob).variant
        for name, choice in tuned.items()
    }


def _read_score(run: RunResult | None) -> float | None:
    if run is None:
        return None
    return float("-inf") if run.tuning_score is None else run.tuning_score


def _list_tuning(plan: Plan, results: Results) -> dict[str, dict[str, float]]:
    """List by method the mean figure of each value, where all its cells are known."""
    if plan.tuning is None:
        return {}
    scores: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in results.runs:
        is_tuning = run.arm == plan.tuning.arm and run.cell in plan.tuning.cells
        has_knob = run.method in plan.methods and bool(plan.methods[run.method].knob)
        if is_tuning and has_knob and run.seed == plan.tuning.seed and run.tuning_score is not None:
            scores[run.method][run.variant].append(run.tuning_score)
    whole = len(plan.tuning.cells)
    return {
        method: {name: mean(values) for name, values in by_value.items() if len(values) == whole}
        for method, by_value in scores.items()
    }


def _report_arm(
    plan: Plan, arm: Arm, runs: Sequence[RunResult], labels: Mapping[str, float | None]
) -> ArmReport | None:
    records = {
        cell: _gather_records(arm, [run for run in runs if run.cell == cell]) for cell in plan.cells
    }
    start, ceiling = (FROZEN, UNTUNED), (PLAIN, UNTUNED)
    ends = {
        FROZEN: records[CLEAN].get(start, {}),
        CLEAN: records[CLEAN].get(ceiling, {}),
    }
    if not all(ends.values()):
        return None
    first = next(iter(ends[CLEAN].values()))
    gains = {}
    # An arm without a tuning split has no figures at a tuned gate.
    figures = [figure for figure in plan.figures if figure in first.figures]
    for figure in figures:
        comparison = compare_records(ends, figure=figure, frozen=FROZEN, clean=CLEAN)
        gains[figure] = (comparison.clean_gain, comparison.clean_gain_interval)
    return ArmReport(
        name=arm.name,
        about=arm.about,
        rendered=first.rendered,
        videos=len(first.clusters),
        gains=gains,
        cells=tuple(
            _report_cell(
                plan,
                cell,
                figures,
                labels.get(f"{arm.name}/{cell}"),
                ends,
                records[cell],
                [run for run in runs if run.cell == cell],
            )
            for cell in plan.cells
            if cell != CLEAN and ceiling in records[cell]
        ),
    )


def _gather_records(arm: Arm, runs: Sequence[RunResult]) -> dict[Key, dict[int, RunRecord]]:
    """Gather the records by method and seed; folds are joined, and incomplete ones left out."""
    parts: defaultdict[Key, defaultdict[int, list[RunRecord]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run in runs:
        assert run.record is not None, "callers leave failed runs out"
        parts[run.method, run.variant][run.seed].append(parse_run_record(dict(run.record)))
    return {
        key: {
            seed: join_records(folds) if arm.folds > 1 else folds[0]
            for seed, folds in sorted(seeds.items())
            if len(folds) == arm.folds
        }
        for key, seeds in parts.items()
        if any(len(folds) == arm.folds for folds in seeds.values())
    }


def _report_cell(
    plan: Plan,
    cell: str,
    names: Sequence[str],
    labels: float | None,
    ends: Mapping[str, Records],
    records: Mapping[Key, Records],
    runs: Sequence[RunResult],
) -> CellReport:
    named = {_join_key(key): own for key, own in records.items()}
    figures = {
        figure: compare_records(
            {**ends, **named},
            figure=figure,
            against=PLAIN,
            frozen=FROZEN,
            clean=CLEAN,
            equivalence=MARGIN,
        )
        for figure in names
    }
    keys = sorted(records, key=lambda key: (list(plan.methods).index(key[0]), key[1]))
    rows = [_make_row((name, UNTUNED), name, figures, [], control=True) for name in ends]
    rows += [
        _make_row(
            key,
            _join_key(key),
            figures,
            [run for run in runs if (run.method, run.variant) == key],
            control=plan.methods[key[0]].control,
        )
        for key in keys
    ]
    return CellReport(
        cell=cell,
        about=plan.cells[cell].about,
        labels=labels,
        rows=tuple(rows),
        modes=_list_modes(ends[CLEAN], records[PLAIN, UNTUNED]),
    )


def _join_key(key: Key) -> str:
    return "@".join(part for part in key if part)


def _make_row(
    key: Key,
    name: str,
    figures: Mapping[str, RecordComparison],
    runs: Sequence[RunResult],
    *,
    control: bool,
) -> MethodRow:
    ends = {
        term: [run.meter[term][-1] for run in runs if run.meter.get(term)]
        for term in _list_terms(runs)
    }
    seconds = [run.training_seconds for run in runs if run.training_seconds is not None]
    first = next(iter(figures.values()))
    return MethodRow(
        method=key[0],
        variant=key[1],
        control=control,
        seeds=first.seeds[name],
        figures={
            figure: _make_estimate(comparison, name) for figure, comparison in figures.items()
        },
        meter={term: mean(values) for term, values in ends.items() if values},
        seconds=mean(seconds) if seconds else None,
    )


def _list_terms(runs: Sequence[RunResult]) -> list[str]:
    return sorted({term for run in runs for term in run.meter})


def _make_estimate(comparison: RecordComparison, name: str) -> Estimate:
    value = comparison.values[name]
    pair = next(
        (item for item in comparison.differences if (item.first, item.second) == (name, PLAIN)),
        None,
    )
    equivalence = None if pair is None else pair.equivalence
    return Estimate(
        value=value.value,
        interval=value.interval,
        seeds=value.seeds,
        kept=value.kept,
        kept_interval=value.kept_interval,
        gain=None if pair is None else pair.gain,
        gain_interval=None if pair is None else pair.interval,
        p=None if pair is None else pair.test.p,
        is_equal=equivalence is not None and equivalence.is_shown,
    )


def _list_modes(clean: Records, noisy: Records) -> tuple[ModeChange, ...]:
    """Compare how often `PLAIN` fails in each way with noisy labels and with clean ones."""
    changes = []
    for mode in MODES:
        comparison = compare_records(
            {CLEAN: clean, PLAIN: noisy}, figure=name_share(mode), against=CLEAN
        )
        pair = next(iter(comparison.differences), None)
        # Gains are toward fewer failures; changes are toward more.
        interval = None if pair is None else (-pair.interval[1], -pair.interval[0])
        changes.append(
            ModeChange(
                mode=mode,
                share=comparison.values[PLAIN].value,
                clean_share=comparison.values[CLEAN].value,
                change=None if pair is None else -pair.gain,
                interval=interval,
            )
        )
    return tuple(changes)


def _list_tests(
    plan: Plan, arms: Sequence[ArmReport], chosen: Mapping[str, str]
) -> tuple[PrimaryTest, ...]:
    """List the tests of the primary family, with the chosen variants of the methods."""
    if plan.primary is None:
        return ()
    cells = {
        report.cell: report for arm in arms if arm.name == plan.primary.arm for report in arm.cells
    }
    tests: list[tuple[str, str, MethodRow]] = []
    wanted = 0
    for cell, figure in plan.primary.cells.items():
        for method in plan.primary.methods:
            wanted += 1
            key = method, chosen.get(method, UNTUNED)
            rows = cells[cell].rows if cell in cells else ()
            tests += [(cell, figure, row) for row in rows if (row.method, row.variant) == key]
    p = [row.figures[figure].p for _, figure, row in tests]
    known = [value for value in p if value is not None]
    is_whole = len(known) == wanted
    adjusted: list[float | None] = [*apply_holm(known)] if is_whole else [None] * len(tests)
    return tuple(
        PrimaryTest(cell, figure, row.method, row.variant, row.figures[figure], corrected)
        for (cell, figure, row), corrected in zip(tests, adjusted, strict=True)
    )
