"""The report of a benchmark, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reference_trainer.bench.plan import Plan

LEAST_GAIN = 0.05
"""An arm in which clean labels gain less than this over the frozen start tells nothing."""

MARGIN = 0.02
"""Differences that are shown to be smaller than this count as none."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class MethodGain:
    """How much better a method is than a reference on the same noise.

    Attributes
    ----------
    value : float
        Above 0 if it is better, also for figures where lower is better.
    interval : Interval
        Over videos and seeds.
    p : float
        Of this test alone.
    is_equal : bool
        Whether the difference is shown to be smaller than `MARGIN`. False for figures in which
        clean labels do not gain enough, where all differences are small.
    """

    value: float
    interval: Interval
    p: float
    is_equal: bool


@dataclass(frozen=True)
class Estimate:
    """A figure of a method in a cell.

    Attributes
    ----------
    value : float or None
        The mean over seeds.
    interval : Interval or None
        Over videos and seeds.
    seeds : tuple of float or None
        The value of each seed.
    kept, kept_interval
        The share of what clean labels teach. None if they do not teach enough in this figure, see
        `ArmReport.has_gain`, and for rows that lack a seed.
    gain : MethodGain or None
        The gain over `PLAIN` as it is. None for `PLAIN` itself, if it is undefined, and for rows
        with other seeds than `PLAIN`.
    tuned_gain : MethodGain or None
        The gain over the tuned `PLAIN`. None for this itself, and until it is tuned.
    """

    value: float | None
    interval: Interval | None
    seeds: tuple[float | None, ...]
    kept: float | None
    kept_interval: Interval | None
    gain: MethodGain | None
    tuned_gain: MethodGain | None


@dataclass(frozen=True)
class MethodRow:
    """A method in a cell.

    Attributes
    ----------
    method, variant : str
    control : bool
    seeds : tuple of int
        The seeds of which all runs have ended.
    figures : mapping of str to Estimate
        By key.
    meter : mapping of str to float
        What the net has memorised at the end, mean over runs.
    seconds : float or None
        Computing time of training a run, mean.
    """

    method: str
    variant: str
    control: bool
    seeds: tuple[int, ...]
    figures: Mapping[str, Estimate]
    meter: Mapping[str, float]
    seconds: float | None


@dataclass(frozen=True)
class ModeChange:
    """How often `PLAIN` fails in a way, and how much more often than on clean labels.

    Attributes
    ----------
    mode : str
    share, clean_share : float or None
        Of the visible active objects, without the activity gate.
    change, interval
        The difference: above 0 if the noise makes the failure more frequent.
    """

    mode: str
    share: float | None
    clean_share: float | None
    change: float | None
    interval: Interval | None


@dataclass(frozen=True)
class CellReport:
    """The methods of a cell.

    Attributes
    ----------
    cell, about : str
    labels : float or None
        The p-mIoU of the noisy labels themselves.
    rows : tuple of MethodRow
        The frozen start and clean labels first.
    modes : tuple of ModeChange
    """

    cell: str
    about: str
    labels: float | None
    rows: tuple[MethodRow, ...]
    modes: tuple[ModeChange, ...]


@dataclass(frozen=True)
class ArmReport:
    """The cells of an arm.

    Attributes
    ----------
    name, about : str
    rendered : bool
        Whether the frames are rendered, not photographs.
    videos : int
        The videos that are tested.
    gains : mapping of str to (float or None, Interval or None)
        By figure, the gain of clean labels over the frozen start.
    cells : tuple of CellReport
    """

    name: str
    about: str
    rendered: bool
    videos: int
    gains: Mapping[str, tuple[float | None, Interval | None]]
    cells: tuple[CellReport, ...]

    def has_gain(self, figure: str) -> bool:
        """Whether clean labels gain enough over the frozen start to tell methods apart."""
        return is_enough(*self.gains[figure])


def is_enough(gain: float | None, interval: Interval | None) -> bool:
    """Whether a gain of clean labels is large and beyond chance.

    >>> is_enough(0.06, (0.01, 0.11)), is_enough(0.06, (-0.01, 0.13))
    (True, False)
    """
    return gain is not None and gain >= LEAST_GAIN and interval is not None and interval[0] > 0


@dataclass(frozen=True)
class PrimaryTest:
    """A test of the primary family.

    Attributes
    ----------
    cell, figure, method, variant : str
    gain : MethodGain or None
        Over the tuned `PLAIN` in the primary family, over `PLAIN` as it is in the untuned one. None
        if it is undefined, or if runs are missing.
    adjusted : float or None
        The p value after Holm's correction over the family. None while a run or a choice of tuning
        is missing, or if a run failed.
    """

    cell: str
    figure: str
    method: str
    variant: str
    gain: MethodGain | None
    adjusted: float | None


@dataclass(frozen=True)
class PlaceChange:
    """Two methods of which each is better than the other in a cell, beyond chance.

    Attributes
    ----------
    first, second : str
        The first is better in `cell`, the second in `peer`. Single intervals of 95 % decide.
    cell, peer : str
    """

    first: str
    second: str
    cell: str
    peer: str


@dataclass(frozen=True)
class ProfileReport:
    """Whether the methods of the primary family differ in another way from cell to cell.

    Attributes
    ----------
    tuned : bool
        Whether the methods have their tuned values.
    figure : str
        The first figure of the plan.
    methods, cells : tuple of str
    deviation, p, p_videos : float
    p_runs : float or None
        See `actiseg_eval.resampling.interactions.Interaction`. The clusters are videos.
    changes : tuple of PlaceChange
    """

    tuned: bool
    figure: str
    methods: tuple[str, ...]
    cells: tuple[str, ...]
    deviation: float
    p: float
    p_videos: float
    p_runs: float | None
    changes: tuple[PlaceChange, ...]


@dataclass(frozen=True)
class TunedValue:
    """A value of a knob that tuning tries.

    Attributes
    ----------
    method, variant : str
    score : float or None
        The mean figure over the cells of tuning, on noisy labels. None until all runs have ended,
        and if one failed.
    chosen : bool
    """

    method: str
    variant: str
    score: float | None
    chosen: bool


@dataclass(frozen=True)
class BenchReport:
    """The report of a benchmark.

    Attributes
    ----------
    plan : Plan
    arms : tuple of ArmReport
    primary, untuned : tuple of PrimaryTest
        The primary family with the tuned methods; and the same tests of the untuned ones, which
        are descriptive and not corrected.
    lacking : tuple of str
        What the primary family lacks. Its p values are corrected when nothing is.
    profiles : tuple of ProfileReport
        Of the tuned methods and of those as they are, where all runs have ended.
    tuning : tuple of TunedValue
    failed : tuple of str
        The runs that failed, and why.
    left_out : tuple of str
        The arms of which no run of the frozen start, or none on clean labels, has ended well.
    runs : int
        The runs that have ended well.
    hours : float
        Processor time of all runs.
    """

    plan: Plan
    arms: tuple[ArmReport, ...]
    primary: tuple[PrimaryTest, ...]
    untuned: tuple[PrimaryTest, ...]
    lacking: tuple[str, ...]
    profiles: tuple[ProfileReport, ...]
    tuning: tuple[TunedValue, ...]
    failed: tuple[str, ...]
    left_out: tuple[str, ...]
    runs: int
    hours: float
