"""Confidence intervals of means over runs and of their contrasts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.contrasts import ContrastEstimator
from actiseg_eval.resampling.ratios import resample

_Name = TypeVar("_Name", bound=Hashable)


@dataclass(frozen=True)
class MeanInterval:
    """The confidence interval of a contrast.

    Attributes
    ----------
    ends : (float, float)
    degrees : float
        The degrees of freedom of its error.
    seeds : str
        The seeds that it covers, a key of `actiseg_eval.resampling.contrasts.SEEDS`.
    unreached : tuple of str
        The ends, ``low`` and ``high``, that no resample reaches.
    """

    ends: tuple[float, float]
    degrees: float
    seeds: str
    unreached: tuple[str, ...] = ()


def find_mean_intervals(
    means: ContrastEstimator,
    contrasts: Mapping[_Name, NDArray[np.float64]],
    bootstrap: Bootstrap,
    least: float,
    most: float = 1.0,
) -> dict[_Name, MeanInterval]:
    """Find the interval of each contrast: Student's t if it covers seeds, else bootstrap-t.

    Parameters
    ----------
    means : ContrastEstimator
        K conditions.
    contrasts : mapping of name to (K,) float64
        The coefficients of each contrast.
    bootstrap : Bootstrap
    least, most : float
        The range of possible values.
    """
    estimates = {name: means.estimate(row) for name, row in contrasts.items()}
    single = [name for name, estimate in estimates.items() if estimate.seeds == "none"]
    resampled = resample([means.combine(contrasts[name]) for name in single], bootstrap)
    by_name = dict(zip(single, resampled, strict=True))
    intervals = {}
    for name, estimate in estimates.items():
        if name in by_name:
            ends = by_name[name].find_interval(bootstrap.level, least, most)
            unreached = by_name[name].find_unreached(ends)
        else:
            ends, unreached = estimate.find_interval(bootstrap.level, least, most), ()
        intervals[name] = MeanInterval(ends, estimate.degrees, estimate.seeds, unreached)
    return intervals
