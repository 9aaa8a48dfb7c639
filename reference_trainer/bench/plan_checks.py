"""Check everything that a plan names before any work starts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.names import format_name
from actiseg_eval.raw_scores.record_figures import RECORD_FIGURES
from reference_trainer.bench.plan import (
    CLEAN,
    FROZEN,
    PLAIN,
    Arm,
    Cell,
    Plan,
    RootSource,
    Settings,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

_OWN_SETTINGS = ("dataset", "noisy", "noise", "init", "init_digest", "seed", "split", "device")
"""Settings that the benchmark itself decides."""


def check_plan(plan: Plan, where: str) -> None:
    """Raise an `InputError` with all unknown names and wrong values of a plan."""
    problems = ProblemCollector()

    def check(names: Iterable[str], known: Iterable[str], noun: str, place: str) -> None:
        known = list(known)
        for name in names:
            if name not in known:
                what = f"there is no {noun} {name!r}{suggest(name, known)}"
                problems.add(what, f"{where}: {place}", f"use {', '.join(known) or 'none'}")

    _check_names(plan, where, problems)
    check([CLEAN], plan.cells, "cell", "cells")
    check([PLAIN], plan.methods, "method", "methods")
    check(plan.figures, RECORD_FIGURES, "figure", "figures")
    if not plan.figures:
        problems.add("no figure is named", f"{where}: figures", "name at least one")
    if not plan.seeds or len(set(plan.seeds)) < len(plan.seeds):
        problems.add("the seeds are none, or repeat", f"{where}: seeds", "give each seed once")
    for arm in plan.arms.values():
        place = f"arms: {arm.name}"
        check(arm.cells, plan.cells, "cell", f"{place}: cells")
        for cell, methods in arm.cells.items():
            check(methods, plan.methods, "method", f"{place}: cells: {cell}")
        if PLAIN not in arm.cells.get(CLEAN, ()):
            hint = f"add {PLAIN} to the cell {CLEAN}: it is the ceiling of all shares"
            problems.add(f"lacks {PLAIN} on clean labels", f"{where}: {place}: cells", hint)
        if arm.start_arm is not None:
            check([arm.start_arm], plan.arms, "arm", f"{place}: start")
        _check_data(arm, f"{where}: {place}: data", problems)
        with problems.collect():
            start = f"{where}: {place}: start"
            _check_settings(arm.start_settings, start, has_noise=False)
        for method in plan.methods.values():
            for knob in ({}, *method.knob):
                with problems.collect():
                    settings = merge_settings(arm.settings, method.settings, knob)
                    _check_settings(settings, f"{where}: methods: {method.name}", has_noise=True)
    for noisy in plan.cells.values():
        check([name for name in noisy.noise if name], plan.arms, "arm", f"cells: {noisy.name}")
        for name in plan.arms:
            with problems.collect():
                _check_noise(noisy, name, f"{where}: cells: {noisy.name}")
    if plan.tuning is not None:
        check([plan.tuning.arm], plan.arms, "arm", "tuning")
        check(plan.tuning.cells, plan.cells, "cell", "tuning")
        check([plan.tuning.figure], RECORD_FIGURES, "figure", "tuning")
        check([str(plan.tuning.seed)], map(str, plan.seeds), "seed", "tuning")
        arm_of_tuning = plan.arms.get(plan.tuning.arm)
        if arm_of_tuning is not None and "tune" not in arm_of_tuning.data:
            what = f"the arm {plan.tuning.arm} has no data to tune on"
            problems.add(what, f"{where}: tuning", "add data: tune")
    elif any(method.knob for method in plan.methods.values()):
        problems.add("methods have values to tune", f"{where}: methods", "add `tuning` to the plan")
    if plan.primary is not None:
        check([plan.primary.arm], plan.arms, "arm", "primary")
        check(plan.primary.cells, plan.cells, "cell", "primary")
        check(plan.primary.cells.values(), RECORD_FIGURES, "figure", "primary")
        check(plan.primary.methods, plan.methods, "method", "primary")
        arm_of_tests = plan.arms.get(plan.primary.arm)
        tuned = [name for name in plan.primary.cells.values() if name.endswith("_tuned")]
        if arm_of_tests is not None and tuned and "tune" not in arm_of_tests.data:
            what = f"the arm {plan.primary.arm} has no data to tune a gate on, for {tuned[0]}"
            problems.add(what, f"{where}: primary", "add data: tune, or name another figure")
    for arm in plan.arms.values():
        if all(name.endswith("_tuned") for name in plan.figures) and "tune" not in arm.data:
            what = f"the arm {arm.name} has no data to tune a gate on, and no other figure"
            problems.add(what, f"{where}: figures", "name a figure without a tuned gate")
    check(plan.names, [*plan.cells, *plan.methods], "cell or method", "names")
    problems.raise_if_any()


def _check_names(plan: Plan, where: str, problems: ProblemCollector) -> None:
    """Add problems for names that cannot be those of folders, or that tables use themselves."""
    for place, names in (
        ("arms", plan.arms),
        ("cells", plan.cells),
        ("methods", plan.methods),
    ):
        for name in names:
            if not _NAME.fullmatch(name):
                what = f"the name {format_name(name)!r} has other signs than letters, digits and -"
                problems.add(what, f"{where}: {place}", "name it for example text-40")
    for name in (FROZEN, CLEAN):
        if name in plan.methods:
            what = f"the method {name!r} has the name of a reference in tables"
            problems.add(what, f"{where}: methods", "give it another name")


def merge_settings(*settings: Settings) -> dict[str, Any]:
    """Merge settings; later ones override earlier ones, and single options override options.

    >>> merge_settings({"epochs": 5, "options": {"q": 1}}, {"options": {"dice": 0}})
    {'epochs': 5, 'options': {'q': 1, 'dice': 0}}
    """
    merged: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for layer in settings:
        merged |= layer
        options |= layer.get("options", {})
    return merged | ({"options": options} if options else {})


def _check_settings(settings: Settings, where: str, *, has_noise: bool) -> None:
    """Raise an `InputError` if settings of a run are unknown or out of range."""
    from reference_trainer.config.config_building import make_config

    problems = ProblemCollector()
    for name in _OWN_SETTINGS:
        if name in settings:
            what = f"the benchmark itself decides the setting {name!r}"
            problems.add(what, where, "leave it out")
    problems.raise_if_any()
    paths = {"dataset": "dataset", **({"noisy": "copy", "init": "start"} if has_noise else {})}
    make_config({**paths, **settings}, where)


def _check_data(arm: Arm, where: str, problems: ProblemCollector) -> None:
    for name in ("start", "train", "test"):
        if name not in arm.data:
            problems.add(f"lacks the split {name!r}", where, "add it")
    if arm.folds < 1:
        problems.add(f"{arm.folds} folds", where, "give 1 or more")
    for name, source in arm.data.items():
        if not isinstance(source, RootSource):
            if source.split not in ("train", "val_human"):
                what = f"the split of {name} is {source.split!r}"
                problems.add(what, where, "use train or val_human")
        elif not source.take or not all(0 <= part < source.parts for part in source.take):
            what = f"{name} takes the parts {list(source.take)} of {source.parts}"
            problems.add(what, where, "number the parts from 0")


def _check_noise(cell: Cell, arm: str, where: str) -> None:
    """Raise an `InputError` if noise is unknown. Pools of a dataset are only known later."""
    from reference_trainer.bench.noise_recipes import make_cell_recipe

    noise = cell.get_noise(arm)
    if bool(noise) == (cell.name == CLEAN):
        hint = f"give noise to every cell but {CLEAN}"
        raise refuse("has no noise, or should not", where, hint)
    if noise:
        known = {name: value for name, value in noise.items() if name != "pool"}
        make_cell_recipe(known, None, "train", where)
