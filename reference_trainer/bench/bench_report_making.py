"""Make the report of a benchmark: methods between the frozen start and clean labels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING, TypeAlias

from actiseg_eval import RunRecord, compare_records, join_records, parse_run_record
from actiseg_eval.raw_scores.record_figures import MODES, name_share
from reference_trainer.bench.bench_report import (
    MARGIN,
    ArmReport,
    BenchReport,
    CellReport,
    Estimate,
    MethodGain,
    MethodRow,
    ModeChange,
    ProfileReport,
    TunedValue,
    is_enough,
)
from reference_trainer.bench.jobs import UNTUNED, JobList
from reference_trainer.bench.plan import CLEAN, FROZEN, PLAIN, Arm, Plan
from reference_trainer.bench.primary_family import (
    Key,
    find_reference,
    find_variant,
    list_lacking,
    list_tests,
)
from reference_trainer.bench.profiles import Records, compare_profiles
from reference_trainer.bench.run_results import Results, RunResult
from reference_trainer.bench.tuning import TunedMethod, tune_methods

if TYPE_CHECKING:
    from actiseg_eval.raw_scores.record_comparison import RecordComparison

CellRecords: TypeAlias = Mapping[str, Mapping[Key, Records]]
"""By cell, the records of each method."""


def make_report(plan: Plan, results: Results) -> BenchReport:
    """Make the report of the runs that have ended.

    Examples
    --------
    >>> from reference_trainer.bench.plan_file import load_plan
    >>> make_report(load_plan("quick"), Results("quick", {}, {}, ())).runs
    0
    """
    good = [run for run in results.runs if run.record is not None]
    chosen = _find_chosen(plan, results)
    records = {arm.name: _gather_cells(plan, arm, good) for arm in plan.arms.values()}
    arms = [
        _report_arm(
            plan,
            arm,
            records[arm.name],
            [run for run in good if run.arm == arm.name],
            results.labels,
            chosen,
        )
        for arm in plan.arms.values()
    ]
    known = [arm for arm in arms if arm is not None]
    return BenchReport(
        plan=plan,
        arms=tuple(known),
        primary=list_tests(plan, known, chosen),
        untuned=list_tests(plan, known, None),
        lacking=list_lacking(plan, known, chosen),
        profiles=_list_profiles(plan, records, chosen),
        tuning=_list_tuning(plan, results, chosen),
        failed=tuple(f"{run.name}: {run.problem}" for run in results.runs if run.problem),
        left_out=tuple(
            name
            for name in dict.fromkeys(run.arm for run in results.runs)
            if name not in {arm.name for arm in known}
        ),
        runs=len(good),
        hours=sum(run.seconds for run in results.runs) / 3600,
    )


def tune_results(plan: Plan, results: Results) -> dict[str, TunedMethod]:
    """Return by method what tuning chose, where the results tell it."""
    known = {run.name: run for run in results.runs}
    return tune_methods(plan, lambda job: _read_score(known.get(job.name)))


def _find_chosen(plan: Plan, results: Results) -> dict[str, str]:
    """Find by method the variant that tuning chose, where that is known."""
    jobs = JobList(plan, plan.arms)
    tuned = tune_results(plan, results)
    return {name: jobs.name_value(name, choice.knob) for name, choice in tuned.items()}


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
    records: CellRecords,
    runs: Sequence[RunResult],
    labels: Mapping[str, float | None],
    chosen: Mapping[str, str],
) -> ArmReport | None:
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
    telling = {figure for figure, gain in gains.items() if is_enough(*gain)}
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
                telling,
            )
            for cell in plan.cells
            if cell != CLEAN and ceiling in records[cell]
        ),
    )


def _gather_cells(plan: Plan, arm: Arm, runs: Sequence[RunResult]) -> CellRecords:
    """Gather the records of an arm by cell."""
    own = [run for run in runs if run.arm == arm.name]
    return {
        cell: _gather_records(arm, [run for run in own if run.cell == cell]) for cell in plan.cells
    }


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
    telling: set[str],
) -> CellReport:
    # Values that are only tried stand in the table of tuning: they have one seed.
    records = {key: own for key, own in records.items() if key[1] in (UNTUNED, chosen.get(key[0]))}
    reference = find_reference(plan, chosen)
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
    rows = [
        _make_row((name, UNTUNED), name, figures, [], tuned, telling, control=True) for name in ends
    ]
    rows += [
        _make_row(
            key,
            _join_key(key),
            figures,
            [run for run in runs if (run.method, run.variant) == key],
            tuned,
            telling,
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
    telling: set[str],
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
            figure: _make_estimate(comparison, name, tuned, tells=figure in telling)
            for figure, comparison in figures.items()
        },
        meter={term: mean(values) for term, values in ends.items() if values},
        seconds=mean(seconds) if seconds else None,
    )


def _list_terms(runs: Sequence[RunResult]) -> list[str]:
    return sorted({term for run in runs for term in run.meter})


def _make_estimate(
    comparison: RecordComparison, name: str, tuned: str | None, *, tells: bool
) -> Estimate:
    """Make the estimate of a figure; without shares where clean labels do not gain enough in it."""
    value = comparison.values[name]
    has_share = tells and all(_has_seeds_of(comparison, name, end) for end in (FROZEN, CLEAN))
    return Estimate(
        value=value.value,
        interval=value.interval,
        seeds=value.seeds,
        kept=value.kept if has_share else None,
        kept_interval=value.kept_interval if has_share else None,
        gain=_find_gain(comparison, name, PLAIN, tells=tells),
        tuned_gain=None if tuned is None else _find_gain(comparison, name, tuned, tells=tells),
    )


def _has_seeds_of(comparison: RecordComparison, name: str, reference: str) -> bool:
    """Whether two methods have runs of the same seeds, so that their difference is paired."""
    return comparison.seeds[name] == comparison.seeds[reference]


def _find_gain(
    comparison: RecordComparison, name: str, reference: str, *, tells: bool
) -> MethodGain | None:
    if not _has_seeds_of(comparison, name, reference):
        return None
    for pair in comparison.differences:
        sign = {(name, reference): 1, (reference, name): -1}.get((pair.first, pair.second))
        if sign is not None:
            low, high = sorted(sign * end for end in pair.interval)
            is_equal = tells and pair.equivalence is not None and pair.equivalence.is_shown
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


def _list_profiles(
    plan: Plan, records: Mapping[str, CellRecords], chosen: Mapping[str, str]
) -> tuple[ProfileReport, ...]:
    """Compare the profiles of the primary family, tuned and as it is, where all seeds are there."""
    if plan.primary is None:
        return ()
    by_cell = records[plan.primary.arm]
    profiles = []
    for values in (None,) if plan.tuning is None else (chosen, None):
        keys = {name: find_variant(plan, name, values) for name in plan.primary.methods}
        cells = {
            cell: {
                name: by_cell[cell].get((name, variant), {})
                for name, variant in keys.items()
                if variant is not None
            }
            for cell in plan.primary.cells
        }
        is_whole = all(
            len(by_name) == len(keys) and all(tuple(own) == plan.seeds for own in by_name.values())
            for by_name in cells.values()
        )
        if is_whole:
            tuned = values is not None
            profiles.append(compare_profiles(cells, plan.figures[0], tuned=tuned))
    return tuple(profile for profile in profiles if profile is not None)
