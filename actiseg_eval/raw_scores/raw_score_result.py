"""The result of scoring raw scores, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.resampling.bootstrap import Bootstrap

SCHEMA = "actiseg/raw-scores/1"

FROZEN, CLEAN = "frozen", "clean"
"""The names of the floor and of the ceiling that shares are of."""


@dataclass(frozen=True)
class Figure:
    """A figure of a method.

    Attributes
    ----------
    symbol : str
        Its name in tables.
    better : str
        ``higher`` or ``lower``.
    about : str
        What it is.
    """

    symbol: str
    better: str
    about: str

    @property
    def sign(self) -> float:
        """1 if higher is better, else -1."""
        return 1.0 if self.better == "higher" else -1.0

    @property
    def heading(self) -> str:
        """The symbol, with an arrow toward better values."""
        return f"{self.symbol} {'↑' if self.better == 'higher' else '↓'}"


def describe_metric(name: str) -> Figure:
    """Return a metric of `METRICS` as a figure."""
    metric = METRICS[name]
    return Figure(metric.symbol, metric.better or "higher", metric.about)


FIGURES: Mapping[str, Figure] = {
    "auroc": Figure(
        "AUROC", "higher", "chance that an active object has more activity than an inactive one"
    ),
    "average_precision": Figure("AP", "higher", "average precision of the activity of objects"),
    "p_miou": describe_metric("p_miou"),
    "p_miou_hand_free": describe_metric("p_miou_hand_free"),
    "p_miou_ungated": Figure("p-mIoU gate off", "higher", "p-mIoU if every object is asked for"),
    "p_miou_hand_free_ungated": Figure(
        "hand-free gate off", "higher", "p-mIoU without hands if every object is asked for"
    ),
    "p_rate_tuned": Figure(
        "p-rate at the gate", "higher", "p-rate at the gate that the tuning split gives"
    ),
    "n_rate_tuned": Figure(
        "n-rate at the gate", "lower", "n-rate at the gate that the tuning split gives"
    ),
}
"""The figures by key, in the order of tables."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class FigureValue:
    """A figure of a method.

    Attributes
    ----------
    value : float or None
        The mean over seeds; None if it is undefined.
    interval : (float, float) or None
        Its confidence interval; None if there are too few clusters.
    kept : float or None
        (value - frozen) / (clean - frozen). None without these two, and if clean labels do not
        gain over the frozen start.
    kept_interval : (float, float) or None
        The confidence interval of `kept`. None if the gain of clean labels is too uncertain.
    seeds : tuple of float or None
        The value of each seed.
    over, kept_over : str or None
        What the intervals cover: the clusters, such as ``videos``, and seeds.
    unreached, kept_unreached : tuple of str
        The ends of the intervals, ``low`` and ``high``, that no resample reaches.
    """

    value: float | None
    interval: Interval | None
    kept: float | None
    kept_interval: Interval | None
    seeds: tuple[float | None, ...]
    over: str | None = None
    kept_over: str | None = None
    unreached: tuple[str, ...] = ()
    kept_unreached: tuple[str, ...] = ()


@dataclass(frozen=True)
class TunedGate:
    """The activity gate of a run, from its predictions of a tuning split.

    Attributes
    ----------
    gate : float
        Objects with a lower activity get no pixel.
    n_rate : float
        The n-rate of the tuning split at the gate.
    """

    gate: float
    n_rate: float


@dataclass(frozen=True)
class MethodFigures:
    """The figures of a method.

    Attributes
    ----------
    name : str
    folders : tuple of str
        One for each seed.
    gates : tuple of TunedGate
        One for each seed; empty without a tuning split.
    figures : mapping of str to FigureValue
        By key of `FIGURES`.
    """

    name: str
    folders: tuple[str, ...]
    gates: tuple[TunedGate, ...]
    figures: Mapping[str, FigureValue]


@dataclass(frozen=True, repr=False)
class RawScoreReport:
    """Figures of methods from their raw scores.

    Attributes
    ----------
    split : str
        The split that was scored.
    rendered : bool
        Whether the frames of the dataset are rendered, not photographs.
    objects, active : int
        The objects of all scored sequences, and those that are active.
    n_rate : float or None
        The largest n-rate on the tuning split. None without one.
    bootstrap : Bootstrap or None
        How intervals were made; None if they were not asked for.
    cluster, clusters : str, int
        What was resampled, and how many there are.
    notices : sequence of str
        Lines to print before the tables.
    left_out : mapping of str to str
        Figures that could not be computed, and why.
    no_gain : mapping of str to float
        The gain of clean labels over the frozen start, where it is not above chance.
    methods : sequence of MethodFigures
        The frozen start and the clean run last.
    """

    split: str
    rendered: bool
    objects: int
    active: int
    n_rate: float | None
    bootstrap: Bootstrap | None
    cluster: str
    clusters: int
    notices: Sequence[str]
    left_out: Mapping[str, str]
    no_gain: Mapping[str, float]
    methods: Sequence[MethodFigures]

    def __repr__(self) -> str:
        names = ", ".join(method.name for method in self.methods)
        return f"<RawScoreReport of {names}: split {self.split}>"

    @property
    def figures(self) -> tuple[str, ...]:
        """The keys of the figures that were computed, in the order of tables."""
        return tuple(name for name in FIGURES if name in self.methods[0].figures)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "split": self.split,
            "rendered_frames": self.rendered,
            "objects": self.objects,
            "active_objects": self.active,
            "n_rate": self.n_rate,
            "level": None if self.bootstrap is None else self.bootstrap.level,
            "resamples": None if self.bootstrap is None else self.bootstrap.resamples,
            "cluster": self.cluster,
            "clusters": self.clusters,
            "notices": list(self.notices),
            "left_out": dict(self.left_out),
            "no_gain": dict(self.no_gain),
            "better": {name: FIGURES[name].better for name in self.figures},
            "methods": [
                {
                    "name": method.name,
                    "folders": list(method.folders),
                    "gates": [dict(vars(gate)) for gate in method.gates],
                    "figures": {name: dict(vars(value)) for name, value in method.figures.items()},
                }
                for method in self.methods
            ],
        }
