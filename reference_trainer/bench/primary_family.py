"""The tests of the primary family, and what they still lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from actiseg_eval.resampling.gains import apply_holm
from reference_trainer.bench.bench_report import ArmReport, MethodRow, PrimaryTest
from reference_trainer.bench.jobs import UNTUNED
from reference_trainer.bench.plan import PLAIN, Plan

Key = tuple[str, str]
"""A method and its variant."""

Chosen = Mapping[str, str]
"""By method, the variant that tuning chose, where that is known."""


def find_variant(plan: Plan, method: str, chosen: Chosen | None) -> str | None:
    """Return the variant of a method that is tested; None if tuning has not chosen it.

    Without `chosen` it is the method as it is.
    """
    if chosen is None or not plan.methods[method].knob:
        return UNTUNED
    return chosen.get(method)


def find_reference(plan: Plan, chosen: Chosen | None) -> Key | None:
    """Return what methods are held against; None if tuning has not chosen its value."""
    variant = find_variant(plan, PLAIN, chosen)
    return None if variant is None else (PLAIN, variant)


def list_tests(
    plan: Plan, arms: Sequence[ArmReport], chosen: Chosen | None
) -> tuple[PrimaryTest, ...]:
    """List the tests of the primary family of which there are runs.

    Their p values are corrected if nothing is lacking, see `list_lacking`.

    Parameters
    ----------
    plan : Plan
    arms : sequence of ArmReport
    chosen : mapping of str to str, or None
        None for methods as they are. These tests are descriptive and never corrected.
    """
    if plan.primary is None:
        return ()
    tests = []
    for cell, figure, method in _iterate_family(plan):
        row = _find_row(plan, arms, cell, method, chosen)
        if row is not None:
            estimate = row.figures[figure]
            gain = estimate.gain if chosen is None else estimate.tuned_gain
            tests.append(PrimaryTest(cell, figure, method, row.variant, gain, None))
    if chosen is None or list_lacking(plan, arms, chosen):
        return tuple(tests)
    p = apply_holm([test.gain.p for test in tests if test.gain is not None])
    return tuple(replace(test, adjusted=own) for test, own in zip(tests, p, strict=True))


def list_lacking(plan: Plan, arms: Sequence[ArmReport], chosen: Chosen) -> tuple[str, ...]:
    """List what the primary family lacks: choices of tuning, runs, and differences."""
    if plan.primary is None:
        return ()
    methods = (PLAIN, *plan.primary.methods)
    lacking = [
        f"{plan.get_title(method)}: tuning has not chosen its value"
        for method in methods
        if find_variant(plan, method, chosen) is None
    ]
    for cell in plan.primary.cells:
        for method in methods:
            variant = find_variant(plan, method, chosen)
            if variant is None:
                continue
            row = _find_row(plan, arms, cell, method, chosen)
            seeds = set(plan.seeds) - set(() if row is None else row.seeds)
            if seeds:
                name = " ".join(part for part in (plan.get_title(method), variant) if part)
                named = ", ".join(map(str, sorted(seeds)))
                lacking.append(f"{plan.get_title(cell)} {name}: no good run of seed {named}")
    if not lacking:
        for cell, figure, method in _iterate_family(plan):
            row = _find_row(plan, arms, cell, method, chosen)
            if row is not None and row.figures[figure].tuned_gain is None:
                what = f"{plan.get_title(cell)} {plan.get_title(method)}"
                lacking.append(f"{what}: too few videos for a test of {figure}")
    return tuple(lacking)


def _iterate_family(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Iterate over cell, figure and method of each test."""
    assert plan.primary is not None, "callers check"
    for cell, figure in plan.primary.cells.items():
        for method in plan.primary.methods:
            yield cell, figure, method


def _find_row(
    plan: Plan, arms: Sequence[ArmReport], cell: str, method: str, chosen: Chosen | None
) -> MethodRow | None:
    assert plan.primary is not None, "callers check"
    key = (method, find_variant(plan, method, chosen))
    for arm in arms:
        for report in arm.cells if arm.name == plan.primary.arm else ():
            if report.cell == cell:
                return next((row for row in report.rows if (row.method, row.variant) == key), None)
    return None
