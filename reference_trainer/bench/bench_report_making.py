"""Make the report of a benchmark: methods between the frozen start and clean labels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import TYPE_CHECKING

from actiseg_data.core.errors import ProblemCollector, check_known
from actiseg_eval import RunRecord, compare_records, join_records, parse_run_record
from actiseg_eval.raw_scores.record_figures import MODES, name_share
from actiseg_eval.resampling.gains import apply_holm
from reference_trainer.bench.bench_report import (
    MARGIN,
    ArmReport,
    BenchReport,
    CellReport,
    Estimate,
    MethodGain,
    MethodRow,
    ModeChange,
    PrimaryTest,
    ProfileReport,
    TunedValue,
)
from reference_trainer.bench.jobs import UNTUNED, JobList
from reference_trainer.bench.plan import CLEAN, FROZEN, PLAIN, Arm, Plan
from reference_trainer.bench.profiles import Records, compare_profiles
from reference_trainer.bench.run_results import Results, RunResult
from reference_trainer.bench.tuning import tune_methods

if TYPE_CHECKING:
    from actiseg_eval.raw_scores.record_comparison import RecordComparison

Key = tuple[str, str]
"""A method and its variant."""


def make_report(plan: Plan, results: Results) -> BenchReport:
    """Make the report of the runs that have ended.

    Raises
    ------
    InputError
        If the results have arms, cells or methods that the plan has not.

    Examples
    --------
    >>> from reference_trainer.bench.plan_file import load_plan
    >>> make_report(load_plan("quick"), Results("quick", {}, {}, ())).runs
    0
    """
    _refuse_unknown_runs(plan, results)
    good = [run for run in results.runs if run.record is not None]
    chosen = find_chosen(plan, results)
    arms = [
        _report_arm(plan, arm, [run for run in good if run.arm == arm.name], results.labels, chosen)
        for arm in plan.arms.values()
    ]
    known = [arm for arm in arms if arm is not None]
    return BenchReport(
        plan=plan,
        arms=tuple(known),
        primary=_list_tests(plan, known, chosen),
        untuned=_list_tests(plan, known, None),
        profiles=_list_profiles(plan, good, chosen),
        tuning=_list_tuning(plan, results, chosen),
        failed=tuple(
            f"{run.arm} {run.cell} {run.method} {run.variant} seed {run.seed}: {run.problem}"
            for run in results.runs
            if run.problem
        ),
        runs=len(good),
        hours=sum(run.seconds for run in results.runs) / 3600,
    )


def _refuse_unknown_runs(plan: Plan, results: Results) -> None:
    problems = ProblemCollector()
    hint = "give the plan that they were made with"
    known = {"arm": plan.arms, "cell": plan.cells, "method": [*plan.methods, FROZEN]}
    for noun, names in known.items():
        used = dict.fromkeys(getattr(run, noun) for run in results.runs)
        with problems.collect():
            check_known(used, names, noun, f"plan {plan.name}", hint)
    problems.raise_if_any()


def find_chosen(plan: Plan, results: Results) -> dict[str, str]:
    """Find by method the variant that tuning chose, where that is known."""
    known = {run.name: run for run in results.runs}
    jobs = JobList(plan, plan.arms)
    tuned = tune_methods(plan, lambda job: _read_score(known.get(job.name)))
    cells = plan.tuning.cells if plan.tuning is not None else ()
    return {
        name: jobs.make_tuning_run(name, cells[0], choice.knob).variant
        for name, choice in tuned.items()
    }


def _read_score(run: RunResult | None) -> float | None:
    if run is None:
        return None
    return -math.inf if run.tuning_score is None else run.tuning_score


def _list_tuning(plan: Plan, results: Results, chosen: Mapping[str, str]) -> tuple[TunedValue, ...]:
    """List the values of each knob, those of which runs are missing, too."""
    if plan.tuning is None:
        return ()
    known = {run.name: run.tuning_score for run in results.runs}
    jobs = JobList(plan, plan.arms)
    values = []
    for method in plan.methods.values():
        for knob in method.knob:
            runs = [jobs.make_tuning_run(method.name, cell, knob) for cell in plan.tuning.cells]
            scores = [known.get(run.name) for run in runs]
            whole = [score for score in scores if score is not None]
            score = mean(whole) if len(whole) == len(scores) else None
            variant = runs[0].variant
            is_chosen = chosen.get(method.name) == variant
            values.append(TunedValue(method.name, variant, score, is_chosen))
    return tuple(values)


def _report_arm(
    plan: Plan,
    arm: Arm,
    runs: Sequence[RunResult],
    labels: Mapping[str, float | None],
    chosen: Mapping[str, str],
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
                chosen,
            )
            for cell in plan.cells
            if cell != CLEAN and ceiling in records[cell]
        ),
    )


def _find_reference(plan: Plan, chosen: Mapping[str, str] | None) -> Key | None:
    """Return the tuned `PLAIN`, or the one as it is if nothing is tuned; None if not yet known."""
    if chosen is None or not plan.methods[PLAIN].knob:
        return (PLAIN, UNTUNED)
    return (PLAIN, chosen[PLAIN]) if PLAIN in chosen else None


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
    chosen: Mapping[str, str],
) -> CellReport:
    # Values that are only tried stand in the table of tuning: they have one seed.
    records = {key: own for key, own in records.items() if key[1] in (UNTUNED, chosen.get(key[0]))}
    reference = _find_reference(plan, chosen)
    named = {_join_key(key): own for key, own in records.items()}
    tuned = _join_key(reference) if reference in records and reference is not None else None
    opponents = [PLAIN] if tuned in (None, PLAIN) else [PLAIN, tuned]
    figures = {
        figure: compare_records(
            {**ends, **named},
            figure=figure,
            against=opponents,
            frozen=FROZEN,
            clean=CLEAN,
            equivalence=MARGIN,
        )
        for figure in names
    }
    keys = sorted(records, key=lambda key: (list(plan.methods).index(key[0]), key[1]))
    rows = [_make_row((name, UNTUNED), name, figures, [], tuned, control=True) for name in ends]
    rows += [
        _make_row(
            key,
            _join_key(key),
            figures,
            [run for run in runs if (run.method, run.variant) == key],
            tuned,
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
    tuned: str | None,
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
            figure: _make_estimate(comparison, name, tuned)
            for figure, comparison in figures.items()
        },
        meter={term: mean(values) for term, values in ends.items() if values},
        seconds=mean(seconds) if seconds else None,
    )


def _list_terms(runs: Sequence[RunResult]) -> list[str]:
    return sorted({term for run in runs for term in run.meter})


def _make_estimate(comparison: RecordComparison, name: str, tuned: str | None) -> Estimate:
    value = comparison.values[name]
    return Estimate(
        value=value.value,
        interval=value.interval,
        seeds=value.seeds,
        kept=value.kept,
        kept_interval=value.kept_interval,
        gain=_find_gain(comparison, name, PLAIN),
        tuned_gain=None if tuned is None else _find_gain(comparison, name, tuned),
    )


def _find_gain(comparison: RecordComparison, name: str, reference: str) -> MethodGain | None:
    for pair in comparison.differences:
        sign = {(name, reference): 1, (reference, name): -1}.get((pair.first, pair.second))
        if sign is not None:
            low, high = sorted(sign * end for end in pair.interval)
            is_equal = pair.equivalence is not None and pair.equivalence.is_shown
            return MethodGain(sign * pair.gain, (low, high), pair.test.p, is_equal)
    return None


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
    plan: Plan, arms: Sequence[ArmReport], chosen: Mapping[str, str] | None
) -> tuple[PrimaryTest, ...]:
    """List the tests of the primary family, of tuned methods, or of those as they are.

    Parameters
    ----------
    plan : Plan
    arms : sequence of ArmReport
    chosen : mapping of str to str, or None
        By method, the variant that tuning chose, where that is known. None for untuned methods.
    """
    if plan.primary is None:
        return ()
    cells = {
        report.cell: {(row.method, row.variant): row for row in report.rows}
        for arm in arms
        if arm.name == plan.primary.arm
        for report in arm.cells
    }
    tests: list[PrimaryTest] = []
    is_whole = True
    for cell, figure in plan.primary.cells.items():
        rows = cells.get(cell, {})
        reference = _find_reference(plan, chosen)
        is_whole &= reference in rows and rows[reference].seeds == plan.seeds
        for method in plan.primary.methods:
            variant = _find_variant(plan, method, chosen)
            row = None if variant is None else rows.get((method, variant))
            is_whole &= row is not None and row.seeds == plan.seeds
            if row is not None:
                estimate = row.figures[figure]
                gain = estimate.gain if chosen is None else estimate.tuned_gain
                tests.append(PrimaryTest(cell, figure, method, row.variant, gain, None))
    p = [test.gain.p for test in tests if test.gain is not None]
    if not is_whole or len(p) < len(tests):
        return tuple(tests)
    return tuple(
        replace(test, adjusted=adjusted)
        for test, adjusted in zip(tests, apply_holm(p), strict=True)
    )


def _find_variant(plan: Plan, method: str, chosen: Mapping[str, str] | None) -> str | None:
    """Return the variant of a method in the family; None if tuning has not chosen it yet."""
    if chosen is None or not plan.methods[method].knob:
        return UNTUNED
    return chosen.get(method)


def _list_profiles(
    plan: Plan, runs: Sequence[RunResult], chosen: Mapping[str, str]
) -> tuple[ProfileReport, ...]:
    """Compare the profiles of the primary family, tuned and as it is, where all seeds are there."""
    if plan.primary is None:
        return ()
    arm = plan.arms[plan.primary.arm]
    records = {
        cell: _gather_records(arm, [run for run in runs if (run.arm, run.cell) == (arm.name, cell)])
        for cell in plan.primary.cells
    }
    profiles = []
    for values in (None,) if plan.tuning is None else (chosen, None):
        keys = {name: _find_variant(plan, name, values) for name in plan.primary.methods}
        cells = {
            cell: {
                name: by_key.get((name, variant), {})
                for name, variant in keys.items()
                if variant is not None
            }
            for cell, by_key in records.items()
        }
        is_whole = all(
            len(by_name) == len(keys) and all(tuple(own) == plan.seeds for own in by_name.values())
            for by_name in cells.values()
        )
        if is_whole:
            tuned = values is not None
            profiles.append(compare_profiles(cells, plan.figures[0], tuned=tuned))
    return tuple(profile for profile in profiles if profile is not None)
