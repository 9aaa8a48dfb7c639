"""Check the data of a plan: no video may be used twice, and folds must test every video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from actiseg_data.core.errors import ProblemCollector
from reference_trainer.bench.arm_data import find_taken_parts
from reference_trainer.bench.plan import Arm, Plan, RootSource, Source, SyntheticSource

_NEEDED = ("start", "train", "test")
_SYNTHETIC_SPLITS = ("train", "val_human")


def check_data(plan: Plan, where: str) -> None:
    """Raise an `InputError` with all that is wrong in the data of a plan.

    Neither may an arm have videos that nets have learned from in the arms where its starts begin,
    nor may it test videos that values are tuned on.

    Parameters
    ----------
    plan : Plan
    where : str
        The file of the plan.
    """
    problems = ProblemCollector()
    for arm in plan.arms.values():
        with problems.collect():
            _check_arm_data(arm, f"{where}: arms: {arm.name}: data")
    problems.raise_if_any()
    for arm in plan.arms.values():
        _check_leaks(plan, arm, f"{where}: arms: {arm.name}: data", problems)
    problems.raise_if_any()


def _check_leaks(plan: Plan, arm: Arm, where: str, problems: ProblemCollector) -> None:
    """Add a problem for each split with videos that another arm has taught its nets or tuning."""
    used = [(name, "start", peer) for peer in _iterate_start_arms(plan, arm) for name in arm.data]
    if plan.tuning is not None and plan.tuning.arm in plan.arms:
        tuning_arm = plan.arms[plan.tuning.arm]
        if tuning_arm is not arm and "tune" in tuning_arm.data:
            used.append(("test", "tune", tuning_arm))
    for name, peer_name, peer in used:
        source = _join_folds(arm.data[name], arm)
        what = _find_overlap(source, _join_folds(peer.data[peer_name], peer))
        if what:
            text = f"{name} and the {peer_name} of the arm {peer.name} {what}"
            problems.add(text, where, "use other videos for each")


def _iterate_start_arms(plan: Plan, arm: Arm) -> Iterator[Arm]:
    """Iterate over the arm whose starts an arm begins with, and over those that it begins with."""
    seen = {arm.name}
    name = arm.start_arm
    while name is not None and name in plan.arms and name not in seen:
        seen.add(name)
        yield plan.arms[name]
        name = plan.arms[name].start_arm


def _join_folds(source: Source, arm: Arm) -> Source:
    """Return a source with the parts of all folds."""
    if isinstance(source, SyntheticSource):
        return source
    parts = {
        part for fold in range(arm.folds) for part in find_taken_parts(source, fold, arm.folds)
    }
    return replace(source, take=tuple(sorted(parts)))


def _check_arm_data(arm: Arm, where: str) -> None:
    """Raise an `InputError` with all that is wrong in the data of an arm."""
    problems = ProblemCollector()
    for name in _NEEDED:
        if name not in arm.data:
            problems.add(f"lacks the split {name!r}", where, "add it")
    for name, source in arm.data.items():
        _check_source(name, source, where, problems)
    problems.raise_if_any()
    for (first, source), (second, peer) in combinations(arm.data.items(), 2):
        what = _find_overlap(source, peer)
        if what:
            problems.add(f"{first} and {second} {what}", where, "use other videos for each")
    _check_folds(arm, where, problems)
    problems.raise_if_any()


def _check_source(name: str, source: Source, where: str, problems: ProblemCollector) -> None:
    if isinstance(source, SyntheticSource):
        if source.split not in _SYNTHETIC_SPLITS:
            what = f"the split of {name} is {source.split!r}"
            problems.add(what, where, f"use {' or '.join(_SYNTHETIC_SPLITS)}")
        if not 1 <= source.videos <= source.clips or source.seed < 0:
            what = f"{name} has {source.clips} clips of {source.videos} videos, seed {source.seed}"
            problems.add(what, where, "give as many clips as videos or more, and a seed from 0")
        return
    is_part = all(0 <= part < source.parts for part in source.take)
    if not source.take or not is_part or len(set(source.take)) < len(source.take):
        what = f"{name} takes the parts {list(source.take)} of {source.parts}"
        problems.add(what, where, "number the parts from 0, and name each once")
    if source.clips is not None and source.clips < 1:
        problems.add(f"{name} has {source.clips} clips", where, "give 1 or more")


def _find_overlap(source: Source, peer: Source) -> str:
    """Tell how two splits may have videos in common; empty if they have none."""
    if isinstance(source, SyntheticSource) and isinstance(peer, SyntheticSource):
        is_same = (source.seed, source.split) == (peer.seed, peer.split)
        return f"have the same videos, of the seed {source.seed}" if is_same else ""
    if not isinstance(source, RootSource) or not isinstance(peer, RootSource):
        return ""
    if (source.root, source.split) != (peer.root, peer.split):
        return ""
    if source.parts != peer.parts:
        return f"deal the same videos into {source.parts} and {peer.parts} parts"
    shared = sorted(set(source.take) & set(peer.take))
    return f"have the part {shared[0]} in common" if shared else ""


def _check_folds(arm: Arm, where: str, problems: ProblemCollector) -> None:
    if arm.folds < 1:
        problems.add(f"{arm.folds} folds", where, "give 1 or more")
    test = arm.data["test"]
    if arm.folds <= 1:
        return
    tested: list[int] = []
    if isinstance(test, RootSource):
        for fold in range(arm.folds):
            tested += find_taken_parts(test, fold, arm.folds)
        if sorted(tested) == list(range(test.parts)):
            return
    what = f"{arm.folds} folds do not test every video once"
    problems.add(what, where, "deal a dataset into parts that the folds test in turn")
