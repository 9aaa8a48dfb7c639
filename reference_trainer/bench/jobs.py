"""The jobs of a plan: what each makes, from what, and in which folder. Nothing runs here.

The `members` of a job are those that its result must have, if it has not failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from actiseg_data import __version__
from actiseg_data.core.digests import digest_json
from reference_trainer.bench.plan import (
    CLEAN,
    FROZEN,
    PLAIN,
    Arm,
    Plan,
    PlannedMethod,
    RootSource,
    Settings,
    Source,
)
from reference_trainer.bench.run_name import RunName
from reference_trainer.bench.settings_merging import merge_settings

UNTUNED = ""
"""The variant of a method that has its own settings, and no value of its knob."""


@dataclass(frozen=True)
class DataJob:
    """Make a split of an arm."""

    path: str
    name: str
    source: Source
    fold: int
    folds: int

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    @property
    def split(self) -> str:
        return self.source.split

    @property
    def members(self) -> tuple[str, ...]:
        return ("source",) if isinstance(self.source, RootSource) else ()


@dataclass(frozen=True)
class StartJob:
    """Train the net that all runs of a seed start from."""

    path: str
    data: str
    split: str
    seed: int
    settings: Settings
    init: str | None

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.data, *([] if self.init is None else [self.init]))

    @property
    def members(self) -> tuple[str, ...]:
        return ("flops", "training_seconds")


@dataclass(frozen=True)
class NoiseJob:
    """Make noisy labels of a split.

    Attributes
    ----------
    data, split : str
        The split that gets the noise.
    model, model_split : str
        The split whose classes are the pool of the noise.
    scored : bool
        Whether the labels are scored with the clean ones, for tables.
    """

    path: str
    data: str
    split: str
    model: str
    model_split: str
    noise: Settings
    scored: bool

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.data, self.model)))

    @property
    def members(self) -> tuple[str, ...]:
        return ("labels", "recipe", "clean") if self.scored else ()


@dataclass(frozen=True)
class RunJob(RunName):
    """Train a method on a cell, predict the test split and the tuning split, and measure both.

    Attributes
    ----------
    path : str
    settings : Settings or None
        Settings of the run. None for the start itself, which is not trained further.
    train, test, tune : (str, str)
        Jobs of the splits, and their names. `tune` is None if the arm has no tuning split.
    noise, tune_noise : str or None
        Jobs of noisy labels. None for clean ones.
    start : str
    tuning_figure : str or None
        The figure of the tuning split that is kept.
    """

    path: str
    settings: Settings | None
    train: tuple[str, str]
    test: tuple[str, str]
    tune: tuple[str, str] | None
    noise: str | None
    tune_noise: str | None
    start: str
    tuning_figure: str | None

    @property
    def needs(self) -> tuple[str, ...]:
        needed = [self.train[0], self.test[0], self.start, self.noise, self.tune_noise]
        if self.tune is not None:
            needed.append(self.tune[0])
        return tuple(job for job in needed if job is not None)

    @property
    def members(self) -> tuple[str, ...]:
        measured = ("record", "predictions", "tuning_score")
        trained = ("flops", "training_seconds", "meter")
        return measured if self.settings is None else (*measured, *trained)


Job: TypeAlias = "DataJob | StartJob | NoiseJob | RunJob"


def digest_job(job: Job) -> str:
    """Compute a digest of all that decides the result of a job, but what it needs."""
    return digest_json({"kind": type(job).__name__, "version": __version__, **asdict(job)})


def name_variant(knob: Settings) -> str:
    """Name a value of a knob.

    >>> name_variant({"options": {"q": 0.3}, "epochs": 2})
    'epochs=2,q=0.3'
    >>> name_variant({"encoder": "hf:owner/name", "options": {"q": 1.0}})
    'encoder=hf%3Aowner%2Fname,q=1'
    >>> name_variant({})
    ''
    """
    flat = {name: value for name, value in knob.items() if name != "options"}
    flat |= knob.get("options", {})
    return ",".join(f"{name}={_format(value)}" for name, value in sorted(flat.items()))


def _format(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    return quote(text.removesuffix(".0"), safe="-_.")


class JobList:
    """The jobs of some arms of a plan.

    Parameters
    ----------
    plan : Plan
    arms : iterable of str
        The arms whose runs are wanted. Starts of further arms are made where these need them.
    """

    def __init__(self, plan: Plan, arms: Iterable[str]) -> None:
        self.plan = plan
        self.arms = tuple(plan.arms[name] for name in plan.arms if name in set(arms))

    def list_runs(self, chosen: Mapping[str, Settings] | None) -> list[RunJob]:
        """List the runs, cell by cell.

        Parameters
        ----------
        chosen : mapping of str to Settings, or None
            By method, the value of its knob that tuning chose. None: only the runs that tuning
            needs, and those of untuned methods.
        """
        runs: dict[str, RunJob] = {}
        for arm in self.arms:
            for cell in self.plan.cells:
                for fold in range(arm.folds):
                    for run in self._iterate_cell(arm, fold, cell, chosen or {}):
                        runs[run.path] = run
        return list(runs.values())

    def _iterate_cell(
        self, arm: Arm, fold: int, cell: str, chosen: Mapping[str, Settings]
    ) -> Iterator[RunJob]:
        if cell == CLEAN:
            for seed in self.plan.seeds:
                yield self._make_run(arm, fold, CLEAN, None, {}, seed)
        for seed in self.plan.seeds:
            for name in arm.cells.get(cell, ()):
                method = self.plan.methods[name]
                for knob in self._list_knobs(arm, cell, method, chosen):
                    yield self._make_run(arm, fold, cell, method, knob, seed)
        yield from self._iterate_tuning(arm, fold, cell)

    def _list_knobs(
        self, arm: Arm, cell: str, method: PlannedMethod, chosen: Mapping[str, Settings]
    ) -> list[Settings]:
        """List the values of a knob that a cell is trained with.

        The method as it is stands beside the tuned one in the cells of the primary family and of
        tuning. Elsewhere a tuned method has its chosen value alone; `PLAIN` has it beside its own
        settings where another tuned method is held against it.
        """
        tuned = [chosen[method.name]] if method.name in chosen else []
        if not method.knob or self._has_both(arm, cell):
            return [{}, *tuned]
        if method.name != PLAIN:
            return tuned
        peers = [self.plan.methods[name] for name in arm.cells.get(cell, ()) if name != PLAIN]
        return [{}, *tuned] if any(peer.knob for peer in peers) else [{}]

    def _has_both(self, arm: Arm, cell: str) -> bool:
        tuning, primary = self.plan.tuning, self.plan.primary
        is_tuned = tuning is not None and arm.name == tuning.arm and cell in tuning.cells
        is_primary = primary is not None and arm.name == primary.arm and cell in primary.cells
        return is_tuned or is_primary

    def list_waiting(self, chosen: Iterable[str]) -> list[str]:
        """List the methods of these arms whose values tuning has not chosen yet."""
        known = set(chosen)
        names = {name for arm in self.arms for methods in arm.cells.values() for name in methods}
        return [
            method.name
            for method in self.plan.methods.values()
            if method.name in names and method.knob and method.name not in known
        ]

    def _iterate_tuning(self, arm: Arm, fold: int, cell: str) -> Iterator[RunJob]:
        """Iterate over the runs that tuning compares."""
        tuning = self.plan.tuning
        if tuning is None or arm.name != tuning.arm or cell not in tuning.cells:
            return
        for name in arm.cells.get(cell, ()):
            method = self.plan.methods[name]
            for knob in method.knob:
                yield self._make_run(arm, fold, cell, method, knob, tuning.seed)

    def make_tuning_run(self, method: str, cell: str, knob: Settings) -> RunJob:
        """Return the run of a value of a knob that tuning compares."""
        tuning = self.plan.tuning
        assert tuning is not None, "callers check"
        arm = self.plan.arms[tuning.arm]
        return self._make_run(arm, 0, cell, self.plan.methods[method], knob, tuning.seed)

    def name_value(self, method: str, knob: Settings) -> str:
        """Return the variant of a value of a knob: `UNTUNED` if it is the method as it is."""
        tuning = self.plan.tuning
        assert tuning is not None, "callers check"
        return self.make_tuning_run(method, tuning.cells[0], knob).variant

    def _make_run(
        self,
        arm: Arm,
        fold: int,
        cell: str,
        method: PlannedMethod | None,
        knob: Settings,
        seed: int,
    ) -> RunJob:
        settings: Settings | None = None
        variant = UNTUNED
        if method is not None:
            settings = merge_settings(arm.settings, method.settings, knob)
            if settings != merge_settings(arm.settings, method.settings):
                variant = name_variant(knob)
        name = FROZEN if method is None else method.name
        folder = f"{name}@{variant}" if variant else name
        has_tune, is_noisy = "tune" in arm.data, cell != CLEAN
        return RunJob(
            path=f"{name_place(arm, fold)}/runs/{cell}/{folder}/s{seed}",
            arm=arm.name,
            cell=cell,
            method=name,
            variant=variant,
            fold=fold,
            seed=seed,
            settings=settings,
            train=self._name_data(arm, fold, "train"),
            test=self._name_data(arm, fold, "test"),
            tune=self._name_data(arm, fold, "tune") if has_tune else None,
            noise=_name_noise(arm, fold, cell, "train") if is_noisy else None,
            tune_noise=_name_noise(arm, fold, cell, "tune") if is_noisy and has_tune else None,
            start=_name_start(arm, fold, seed),
            tuning_figure=None if self.plan.tuning is None else self.plan.tuning.figure,
        )

    @staticmethod
    def _name_data(arm: Arm, fold: int, name: str) -> tuple[str, str]:
        return f"{name_place(arm, fold)}/data/{name}", arm.data[name].split

    def list_inputs(self, jobs: Iterable[Job]) -> list[Job]:
        """List what jobs need, each after those that it needs itself."""
        known: dict[str, Job] = {}
        for job in jobs:
            self._add_inputs(job, known)
        return list(known.values())

    def digest_settings(self, run: RunJob) -> str:
        """Compute a digest of all that a plan says of a run and of what it needs.

        Unlike that of `digest_job` it holds for results of earlier releases.
        """
        jobs = [*self.list_inputs([run]), run]
        return digest_json([{"kind": type(job).__name__, **asdict(job)} for job in jobs])

    def _add_inputs(self, job: Job, known: dict[str, Job]) -> None:
        for path in job.needs:
            if path not in known:
                needed = self.make_input(path)
                self._add_inputs(needed, known)
                known[path] = needed

    def make_input(self, path: str) -> Job:
        """Return the job that makes an input, by its path."""
        arm_name, *rest = path.split("/")
        fold = int(rest.pop(0).removeprefix("fold")) if rest[0].startswith("fold") else 0
        arm = self.plan.arms[arm_name]
        if rest[0] == "data":
            return DataJob(path, rest[1], arm.data[rest[1]], fold, arm.folds)
        if rest[0] == "starts":
            seed = int(rest[1].removeprefix("s"))
            data, split = self._name_data(arm, fold, "start")
            init = None
            if arm.start_arm is not None:
                init = _name_start(self.plan.arms[arm.start_arm], 0, seed)
            return StartJob(path, data, split, seed, arm.start_settings, init)
        _, cell, name = rest
        data, split = self._name_data(arm, fold, name)
        model, model_split = self._name_data(arm, fold, "train")
        noise = self.plan.cells[cell].get_noise(arm.name)
        return NoiseJob(path, data, split, model, model_split, noise, name == "train")


def name_place(arm: Arm, fold: int) -> str:
    """Return the folder of a fold of an arm."""
    return f"{arm.name}/fold{fold}" if arm.folds > 1 else arm.name


def _name_noise(arm: Arm, fold: int, cell: str, name: str) -> str:
    return f"{name_place(arm, fold)}/noise/{cell}/{name}"


def _name_start(arm: Arm, fold: int, seed: int) -> str:
    return f"{name_place(arm, fold)}/starts/s{seed}"
