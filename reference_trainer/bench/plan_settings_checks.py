"""Check the settings of a plan's runs, alone and beside those of the nets that they start from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from actiseg_data.core.errors import InputError, Problem, ProblemCollector
from reference_trainer.bench.plan import CLEAN, Arm, Plan, PlannedMethod, Settings
from reference_trainer.bench.plan_places import name_plan_place
from reference_trainer.bench.settings_merging import merge_settings

if TYPE_CHECKING:
    from reference_trainer.config.run_config import Config

_OWN_SETTINGS = ("dataset", "noisy", "noise", "init", "init_digest", "seed", "split", "device")
"""Settings that the benchmark itself decides."""

_NET_SETTINGS = ("encoder", "channels", "prompt_width")
"""Settings that decide the names and shapes of a net's parameters. A run has those of its start."""

_STRATEGY_SETTINGS = ("strategy", "options")


def check_settings(plan: Plan, where: str) -> None:
    """Raise an `InputError` with all settings of a plan's runs that are unknown or cannot be.

    A wrong setting of an arm is reported for the arm, and not for each of its methods.

    Parameters
    ----------
    plan : Plan
    where : str
        The file of the plan.
    """
    problems = ProblemCollector()
    for arm in plan.arms.values():
        place = f"{where}: arms: {arm.name}"
        problems.collected += _find_start_problems(arm, f"{place}: start")
        own_problems = _find_problems(arm.settings, f"{place}: settings")
        problems.collected += own_problems
        base = _choose_base(arm.settings, own_problems)
        known = {problem.what for problem in own_problems}
        for method in plan.methods.values():
            method_place = f"{where}: methods: {method.name}"
            has_clean = method.name in arm.cells.get(CLEAN, ())
            problems.collected += _find_method_problems(
                base, method, method_place, known, has_clean=has_clean
            )
    problems.raise_if_any()
    for arm in plan.arms.values():
        problems.collected += _find_other_nets(plan, arm, where)
    problems.raise_if_any()


def _find_method_problems(
    base: Settings, method: PlannedMethod, place: str, known: set[str], *, has_clean: bool
) -> list[Problem]:
    """Find what is wrong in a method and in the values of its knob, beside what is known."""
    merged = merge_settings(base, method.settings)
    problems = _find_problems(merged, place)
    if has_clean and not problems:
        problems = _find_problems(merged, place, has_noise=False)
    problems = [problem for problem in problems if problem.what not in known]
    known = known | {problem.what for problem in problems}
    base = _choose_base(merged, problems)
    for number, knob in enumerate(method.knob, 1):
        tuned = _find_problems(merge_settings(base, knob), f"{place}: tune {number}")
        problems += [problem for problem in tuned if problem.what not in known]
    return problems


def _choose_base(settings: Settings, problems: Sequence[Problem]) -> Settings:
    """Choose the settings that further ones are checked with: not wrong ones, which hide others."""
    if not problems:
        return settings
    return {name: settings[name] for name in _STRATEGY_SETTINGS if name in settings}


def _find_problems(settings: Settings, place: str, *, has_noise: bool = True) -> list[Problem]:
    try:
        _make_run_config(settings, place, has_noise=has_noise)
    except InputError as error:
        return list(error.problems)
    return []


def _find_start_problems(arm: Arm, place: str) -> list[Problem]:
    from reference_trainer.training.warm_start import refuse_missing_start

    try:
        config = _make_run_config(
            arm.start_settings, place, has_noise=False, has_start=arm.start_arm is not None
        )
        with name_plan_place(place):
            refuse_missing_start(config)
    except InputError as error:
        return list(error.problems)
    return []


def _make_run_config(
    settings: Settings, place: str, *, has_noise: bool, has_start: bool = True
) -> Config:
    """Make the configuration of a run, as far as a plan decides it.

    Parameters
    ----------
    settings : Settings
    place : str
        The place of the settings, for messages.
    has_noise : bool
        Whether the labels of the run have noise.
    has_start : bool
        Whether the run starts from a trained net.

    Raises
    ------
    InputError
        If settings are unknown or out of range, or if the benchmark itself decides them.
    """
    from reference_trainer.config.config_building import make_config

    problems = ProblemCollector()
    for name in _OWN_SETTINGS:
        if name in settings:
            what = f"the benchmark itself decides the setting {name!r}"
            problems.add(what, place, "leave it out")
    paths: dict[str, Any] = {"dataset": "dataset"}
    paths |= {"noisy": "copy"} if has_noise else {}
    paths |= {"init": "start"} if has_start else {}
    own = {name: value for name, value in settings.items() if name not in _OWN_SETTINGS}
    with problems.collect(), name_plan_place(place):
        config = make_config({**paths, **own}, place)
    problems.raise_if_any()
    return config


def _find_other_nets(plan: Plan, arm: Arm, where: str) -> Iterator[Problem]:
    """Find settings of nets that are not those of the start, by the layer that has them."""
    place = f"{where}: arms: {arm.name}"
    start = _make_run_config(arm.start_settings, f"{place}: start", has_noise=False)
    if arm.start_arm is not None and arm.start_arm in plan.arms:
        first = plan.arms[arm.start_arm]
        peer = _make_run_config(first.start_settings, f"{place}: start", has_noise=False)
        yield from _compare_nets(start, peer, first.name, [(f"{place}: start", {})])
    trained = {name for methods in arm.cells.values() for name in methods}
    for method in plan.methods.values():
        if method.name not in trained:
            continue
        method_place = f"{where}: methods: {method.name}"
        for number, knob in enumerate(({}, *method.knob)):
            knob_place = f"{method_place}: tune {number}" if number else method_place
            layers = [
                (f"{place}: settings", arm.settings),
                (method_place, method.settings),
                (knob_place, knob),
            ]
            settings = merge_settings(*(layer for _, layer in layers))
            run = _make_run_config(settings, knob_place, has_noise=True)
            yield from _compare_nets(run, start, arm.name, layers)


def _compare_nets(
    config: Config, start: Config, arm: str, layers: Sequence[tuple[str, Settings]]
) -> Iterator[Problem]:
    """Compare a net with its start. Defaults are named with the first layer."""
    for name in _NET_SETTINGS:
        value, needed = getattr(config, name), getattr(start, name)
        if value != needed:
            places = [place for place, settings in layers if name in settings]
            what = f"{name} is {value}, and the start of the arm {arm} has {needed}"
            yield Problem(what, [layers[0][0], *places][-1], f"give {name} {needed}")
