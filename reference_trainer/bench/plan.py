"""The plan of a benchmark, as data: which methods are trained on which noise, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

CLEAN = "clean"
"""The cell without noise. Every arm has it."""

PLAIN = "plain"
"""The method that the others are compared with. Every plan has it."""

FROZEN = "frozen"
"""The name of the start in tables: the net without any further training."""

SPLITS = ("start", "train", "tune", "test")
"""The splits of an arm, by their use. An arm may lack ``tune``."""

Settings: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class SyntheticSource:
    """Synthetic clips, see `actiseg_data.make_sized_sample`.

    Attributes
    ----------
    clips, videos, seed : int
    split : str
        The split that is used: ``train``, or ``val_human``, labelled by the script of the scenes.
    """

    clips: int
    videos: int
    seed: int
    split: str = "train"


@dataclass(frozen=True)
class RootSource:
    """Videos of a dataset that the user has.

    Its videos are dealt into `parts`; keys of their names decide which is in which.

    Attributes
    ----------
    root : str
        The name under which the user gives the dataset.
    split : str
    parts : int
        Into how many parts the videos are dealt.
    take : tuple of int
        The parts that are used, from 0. Fold f uses the parts f further on.
    clips : int or None
        The most clips. Keys choose them. None for all.
    """

    root: str
    split: str
    parts: int = 1
    take: tuple[int, ...] = (0,)
    clips: int | None = None


Source: TypeAlias = "SyntheticSource | RootSource"


@dataclass(frozen=True)
class Arm:
    """Data, and how nets are trained on it.

    Attributes
    ----------
    name : str
    about : str
        What the data are, for tables.
    data : mapping of str to Source
        By name in `SPLITS`.
    folds : int
        How often the parts of the videos change their use. Each video is tested in one fold.
    start_arm : str or None
        The arm whose starts the starts of this arm begin with. None: from scratch.
    start_settings, settings : Settings
        Settings of the runs that make the starts, and of all further runs.
    cells : mapping of str to tuple of str
        By cell, the methods that are trained on it.
    """

    name: str
    about: str
    data: Mapping[str, Source]
    folds: int
    start_arm: str | None
    start_settings: Settings
    settings: Settings
    cells: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Cell:
    """A kind of noise.

    Attributes
    ----------
    name : str
    about : str
    noise : mapping of str to Settings
        By arm, the arguments of `actiseg_noise.corrupt`; those for ``""`` are for all other arms.
    """

    name: str
    about: str
    noise: Mapping[str, Settings]

    def get_noise(self, arm: str) -> Settings:
        """Return the arguments of `actiseg_noise.corrupt` in an arm."""
        return self.noise.get(arm, self.noise.get("", {}))


@dataclass(frozen=True)
class PlannedMethod:
    """A way to train.

    Attributes
    ----------
    name : str
    settings : Settings
        Settings of the run, see `reference_trainer.Config`; those of its strategy are under
        ``options``.
    knob : tuple of Settings
        The values that are tried in tuning: settings that override those above. Empty if nothing
        is tuned.
    control : bool
        Whether it is a control: tables show it, and it has no part in tests.
    """

    name: str
    settings: Settings
    knob: tuple[Settings, ...] = ()
    control: bool = False


@dataclass(frozen=True)
class Tuning:
    """How one value of each method's knob is chosen: on held-out noisy labels.

    Attributes
    ----------
    arm : str
        The arm whose tuning split is used. All arms use the values chosen there.
    cells : tuple of str
        The cells over which the figure is averaged.
    seed : int
        The seed of the runs.
    figure : str
    """

    arm: str
    cells: tuple[str, ...]
    seed: int
    figure: str


@dataclass(frozen=True)
class PrimaryFamily:
    """The tests that were decided on before the runs; all else is descriptive.

    Attributes
    ----------
    arm : str
    cells : mapping of str to str
        By cell, the figure that is tested.
    methods : tuple of str
        Each is compared with `PLAIN`. The p values are corrected together (Holm).
    """

    arm: str
    cells: Mapping[str, str]
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A benchmark.

    Attributes
    ----------
    name, about : str
    seeds : tuple of int
        Each seed has its own start.
    arms, cells, methods : mapping
        By name, in the order of tables.
    tuning : Tuning or None
    primary : PrimaryFamily or None
    figures : tuple of str
        The figures of tables, the first one for the overview.
    names : mapping of str to str
        Other names of cells and methods, for tables: those of a publication.
    """

    name: str
    about: str
    seeds: tuple[int, ...]
    arms: Mapping[str, Arm]
    cells: Mapping[str, Cell]
    methods: Mapping[str, PlannedMethod]
    tuning: Tuning | None
    primary: PrimaryFamily | None
    figures: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def get_title(self, name: str) -> str:
        """Return the name of a cell or method in tables."""
        return self.names.get(name, name)
