"""Check everything that a plan names before any work starts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from actiseg_data.core.errors import ProblemCollector, suggest
from actiseg_data.core.names import format_name
from actiseg_eval.raw_scores.record_figures import RECORD_FIGURES
from reference_trainer.bench.jobs import name_variant
from reference_trainer.bench.plan import (
    CLEAN,
    FROZEN,
    PLAIN,
    Arm,
    Cell,
    Plan,
    PlannedMethod,
    PrimaryFamily,
    Settings,
)
from reference_trainer.bench.plan_data_checks import check_data
from reference_trainer.bench.plan_places import name_plan_place
from reference_trainer.bench.plan_settings_checks import check_settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_MOST_LETTERS = 120
"""Longest name of a variant, which is part of the name of a folder."""

_OWN_NOISE = ("dataset", "split", "noise", "lexicon", "categories")
"""Arguments of `actiseg_noise.corrupt` that the benchmark itself decides."""

_TUNED = "_tuned"
"""The end of figures at a gate that a tuning split gives."""


def check_plan(plan: Plan, where: str) -> None:
    """Raise an `InputError` with all unknown names and wrong values of a plan."""
    _PlanChecker(plan, where).check()


class _PlanChecker:
    """Collects what is wrong in a plan."""

    def __init__(self, plan: Plan, where: str) -> None:
        self._plan = plan
        self._where = where
        self._problems = ProblemCollector()

    def check(self) -> None:
        """Check all parts."""
        self._check_names()
        self._check_figures()
        for arm in self._plan.arms.values():
            self._check_arm(arm)
        with self._problems.collect():
            check_data(self._plan, self._where)
        with self._problems.collect():
            check_settings(self._plan, self._where)
        for method in self._plan.methods.values():
            self._check_knob(method)
        for cell in self._plan.cells.values():
            self._check_cell(cell)
        self._check_tuning()
        self._check_primary()
        self._problems.raise_if_any()

    def _add(self, what: str, place: str, hint: str) -> None:
        self._problems.add(what, f"{self._where}: {place}", hint)

    def _check_known(
        self, names: Iterable[str], known: Iterable[str], noun: str, place: str
    ) -> None:
        """Add a problem for each unknown and each repeated name."""
        names, known = list(names), list(known)
        for name, count in Counter(names).items():
            if name not in known:
                what = f"there is no {noun} {name!r}{suggest(name, known)}"
                self._add(what, place, f"use {', '.join(known) or 'none'}")
            elif count > 1:
                self._add(f"the {noun} {name!r} is named {count} times", place, "name it once")

    def _check_names(self) -> None:
        """Add problems for names that cannot be those of folders, or that tables need."""
        plan = self._plan
        parts = {"arms": plan.arms, "cells": plan.cells, "methods": plan.methods}
        for place, names in parts.items():
            for name in names:
                if not _NAME.fullmatch(name):
                    what = f"the name {format_name(name)!r} has signs beside letters, digits and -"
                    self._add(what, place, "name it for example text-40")
        for name in (FROZEN, CLEAN):
            if name in plan.methods:
                what = f"the method {name!r} has the name of a reference in tables"
                self._add(what, "methods", "give it another name")
        self._check_known([CLEAN], plan.cells, "cell", "cells")
        self._check_known([PLAIN], plan.methods, "method", "methods")
        self._check_known(plan.names, [*plan.cells, *plan.methods], "cell or method", "names")
        titles = Counter([*(plan.get_title(name) for name in plan.methods), FROZEN, CLEAN])
        for title, count in titles.items():
            if count > 1:
                self._add(
                    f"{count} rows of tables are called {title!r}", "names", "name them apart"
                )
        if not plan.seeds or len(set(plan.seeds)) < len(plan.seeds) or min(plan.seeds) < 0:
            self._add("the seeds are none, repeat or are negative", "seeds", "give seeds such as 0")

    def _check_figures(self) -> None:
        plan = self._plan
        self._check_known(plan.figures, RECORD_FIGURES, "figure", "figures")
        if not plan.figures:
            self._add("no figure is named", "figures", "name at least one")
        for arm in plan.arms.values():
            if all(name.endswith(_TUNED) for name in plan.figures) and "tune" not in arm.data:
                what = f"the arm {arm.name} has no data to tune a gate on, and no other figure"
                self._add(what, "figures", "name a figure without a tuned gate")

    def _check_arm(self, arm: Arm) -> None:
        place = f"arms: {arm.name}"
        self._check_known(arm.cells, self._plan.cells, "cell", f"{place}: cells")
        for cell, methods in arm.cells.items():
            where = f"{place}: cells: {cell}"
            self._check_known(methods, self._plan.methods, "method", where)
            if PLAIN not in methods:
                what = "has no run of plain, which the other methods are compared with"
                self._add(what, where, f"add {PLAIN}")
        if CLEAN not in arm.cells:
            what = f"has no cell {CLEAN}, the ceiling of all shares"
            self._add(what, f"{place}: cells", f"add {CLEAN}: [{PLAIN}]")
        self._check_start(arm, place)

    def _check_start(self, arm: Arm, place: str) -> None:
        """Add a problem if starts need themselves, or an arm whose starts are of folds."""
        seen = [arm.name]
        while (name := self._plan.arms[seen[-1]].start_arm) is not None:
            self._check_known([name], self._plan.arms, "arm", f"{place}: start")
            if name in seen:
                way = " -> ".join([*seen, name])
                self._add(f"its start needs itself: {way}", f"{place}: start", "name another arm")
            if name in seen or name not in self._plan.arms:
                return
            if self._plan.arms[name].folds > 1:
                what = f"the arm {name} has a start for each fold"
                self._add(what, f"{place}: start", "name an arm without folds")
            seen.append(name)

    def _check_knob(self, method: PlannedMethod) -> None:
        where = f"methods: {method.name}"
        variants = [name_variant(knob) for knob in method.knob]
        for variant, count in Counter(variants).items():
            if count > 1 or not variant:
                self._add(
                    f"the value {variant!r} is not one of its own", where, "give other values"
                )
            if len(variant) > _MOST_LETTERS:
                self._add("a value has too long a name", where, "change fewer settings in a value")

    def _check_cell(self, cell: Cell) -> None:
        where = f"cells: {cell.name}"
        named = [name for name in cell.noise if name]
        self._check_known(named, self._plan.arms, "arm", where)
        if cell.name == CLEAN:
            if any(cell.noise.values()):
                self._add("has noise", where, f"give noise to every cell but {CLEAN}")
            return
        for name, noise in cell.noise.items():
            if noise:
                with self._problems.collect():
                    _check_noise(noise, f"{self._where}: {where}: {name or 'noise'}")
        lacking = [name for name in self._plan.arms if not cell.get_noise(name)]
        if lacking:
            what = f"has no noise in {', '.join(lacking)}"
            self._add(what, where, f"give noise to every cell but {CLEAN}")

    def _check_tuning(self) -> None:
        plan, tuning = self._plan, self._plan.tuning
        knobs = [method for method in plan.methods.values() if method.knob]
        if tuning is None:
            if knobs:
                self._add("methods have values to tune", "methods", "add tuning to the plan")
            return
        self._check_known([tuning.arm], plan.arms, "arm", "tuning")
        noisy = [cell for cell in plan.cells if cell != CLEAN]
        self._check_known(tuning.cells, noisy, "noisy cell", "tuning")
        if not tuning.cells:
            self._add("names no cell", "tuning: cells", "name at least one noisy cell")
        figures = [name for name in RECORD_FIGURES if not name.endswith(_TUNED)]
        self._check_known([tuning.figure], figures, "figure without a gate", "tuning")
        self._check_known([str(tuning.seed)], map(str, plan.seeds), "seed", "tuning")
        arm = plan.arms.get(tuning.arm)
        if arm is None:
            return
        if "tune" not in arm.data or arm.folds > 1:
            what = f"the arm {arm.name} has no data to tune on, or it has folds"
            self._add(what, "tuning", "add data: tune, or name another arm")
        for method in knobs:
            lacking = [cell for cell in tuning.cells if method.name not in arm.cells.get(cell, ())]
            if lacking:
                what = f"{method.name} has values to tune and is not in {', '.join(lacking)}"
                self._add(what, "tuning", "add it to these cells, or leave out its values to tune")

    def _check_primary(self) -> None:
        plan, primary = self._plan, self._plan.primary
        if primary is None:
            return
        for name, named in (("cells", primary.cells), ("methods", primary.methods)):
            if not named:
                self._add(f"names no {name}", f"primary: {name}", "name at least one")
        self._check_tries(primary)
        self._check_known([primary.arm], plan.arms, "arm", "primary")
        arm = plan.arms.get(primary.arm)
        if arm is None:
            return
        noisy = [cell for cell in arm.cells if cell != CLEAN]
        self._check_known(primary.cells, noisy, "noisy cell", "primary")
        self._check_known(set(primary.cells.values()), plan.figures, "figure of tables", "primary")
        able = [
            method.name
            for method in plan.methods.values()
            if method.name != PLAIN and not method.control
        ]
        self._check_known(primary.methods, able, "method beside plain and controls", "primary")
        for cell in primary.cells:
            lacking = [name for name in primary.methods if name not in arm.cells.get(cell, ())]
            if lacking and cell in noisy:
                what = f"the cell {cell} has no run of {', '.join(lacking)}"
                self._add(what, "primary", f"add them to the cell in the arm {arm.name}")
        tuned = [name for name in primary.cells.values() if name.endswith(_TUNED)]
        if tuned and "tune" not in arm.data:
            what = f"the arm {arm.name} has no data to tune a gate on, for {tuned[0]}"
            self._add(what, "primary", "add data: tune, or name another figure")

    def _check_tries(self, primary: PrimaryFamily) -> None:
        """Add a problem if methods that are compared have not the same number of tries."""
        methods = self._plan.methods
        tries = {
            name: len(methods[name].knob) for name in (PLAIN, *primary.methods) if name in methods
        }
        if len(set(tries.values())) > 1:
            counts = ", ".join(f"{name} {count}" for name, count in tries.items())
            what = f"the methods have different numbers of values to tune: {counts}"
            self._add(what, "primary: methods", f"give {PLAIN} and all methods as many, or none")


def _check_noise(noise: Settings, where: str) -> None:
    """Raise an `InputError` if noise is unknown. What a pool holds is only known later."""
    from actiseg_noise.corruption.recipe_choice import POOLS
    from reference_trainer.bench.noise_recipes import make_cell_recipe

    problems = ProblemCollector()
    for name in _OWN_NOISE:
        if name in noise:
            what = f"the benchmark itself decides {name!r} of the noise"
            problems.add(what, where, "leave it out")
    own = {name: value for name, value in noise.items() if name not in _OWN_NOISE}
    for name, kind in (("seed", int), ("parameters", dict)):
        if name in own and not isinstance(own[name], kind):
            hint = "give a whole number" if kind is int else "give values by name"
            problems.add(f"{name} is {own.pop(name)!r}", where, hint)
    if "pool" in own:
        pool = own.pop("pool")
        if pool not in POOLS:
            what = f"there is no pool {pool!r}{suggest(str(pool), POOLS)}"
            problems.add(what, where, f"use one of {', '.join(POOLS)}")
        else:
            own["pool"] = POOLS[0]
    with problems.collect(), name_plan_place(where):
        make_cell_recipe(own, None, "train", where)
    problems.raise_if_any()
