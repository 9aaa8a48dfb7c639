"""Tests of differences between means over runs, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_bernoullis, make_key
from actiseg_eval.resampling.bootstrap import Bootstrap, split_resamples
from actiseg_eval.resampling.contrasts import ContrastEstimator
from actiseg_eval.resampling.mean_intervals import find_mean_intervals
from actiseg_eval.resampling.ratios import ROUNDING, ClusterContrast, resample


@dataclass(frozen=True)
class Gain:
    """How much better a method is than another.

    Attributes
    ----------
    value : float
    interval : (float, float)
    share : float
        The share of resamples in which the method is better; with seeds, as Student's t gives it.
    p : float
        The two-sided p value of no difference.
    degrees : float
        The degrees of freedom of the error.
    seeds : str
        The seeds that the error covers, a key of `actiseg_eval.resampling.contrasts.SEEDS`.
    widened : bool
        Whether the interval was extended to hold 0, because p is not small.
    unreached : tuple of str
        The ends of the interval, ``low`` and ``high``, that no resample reaches.
    """

    value: float
    interval: tuple[float, float]
    share: float
    p: float
    degrees: float
    seeds: str = "none"
    widened: bool = False
    unreached: tuple[str, ...] = ()


def compare_means(
    means: ContrastEstimator,
    coefficients: NDArray[np.float64],
    bootstrap: Bootstrap,
    most: float = 1.0,
) -> Gain:
    """Test whether a difference of means over runs is 0.

    If nothing is known of other seeds, the interval is a bootstrap-t interval over the clusters,
    and p is from a permutation test of them. Otherwise the interval is Student's t, over clusters
    and seeds, and p is the larger one of Student's t and of the permutation test: however little
    seeds differ, the clusters alone must show the difference.

    Parameters
    ----------
    means : ContrastEstimator
        K conditions.
    coefficients : (K,) float64
        The difference: coefficients that add up to 0, such that larger is better.
    bootstrap : Bootstrap
    most : float
        The largest possible difference.
    """
    contrast = means.estimate(coefficients)
    combination = means.combine(coefficients)
    if abs(contrast.value) < ROUNDING and contrast.error < ROUNDING:
        return Gain(0.0, (0.0, 0.0), 0.5, 1.0, contrast.degrees)
    value, p = contrast.value, compute_permutation_p(combination, bootstrap)
    unreached: tuple[str, ...] = ()
    if contrast.seeds == "none":
        (estimate,) = resample([combination], bootstrap)
        value = estimate.value
        interval = estimate.find_interval(bootstrap.level, -most, most)
        unreached = estimate.find_unreached(interval)
        resampled = estimate.resampled[~np.isnan(estimate.resampled)]
        share = float(((resampled > ROUNDING) + 0.5 * (np.abs(resampled) <= ROUNDING)).mean())
    else:
        interval = contrast.find_interval(bootstrap.level, -most, most)
        share, p = contrast.share, max(p, contrast.p)
    low, high = interval
    if p > 1 - bootstrap.level:
        # If only a few clusters differ, deviations are too small: keep 0 in the interval.
        low, high = min(low, 0.0), max(high, 0.0)
    return Gain(
        value=value,
        interval=(low, high),
        share=share,
        p=p,
        degrees=contrast.degrees,
        seeds=contrast.seeds,
        widened=(low, high) != interval,
        unreached=unreached,
    )


@dataclass(frozen=True)
class Equivalence:
    """Whether a difference is shown to be smaller than a margin.

    Attributes
    ----------
    margin : float
    interval : (float, float)
        The interval of the difference at the level 1 - 2 alpha, for tests at the level alpha.
    """

    margin: float
    interval: tuple[float, float]

    @property
    def is_shown(self) -> bool:
        """Whether both one-sided tests reject that the difference is at least the margin."""
        return -self.margin < self.interval[0] and self.interval[1] < self.margin


def find_equivalence(
    means: ContrastEstimator,
    coefficients: NDArray[np.float64],
    bootstrap: Bootstrap,
    margin: float,
    most: float = 1.0,
) -> Equivalence:
    """Test by two one-sided tests whether a difference of means over runs is small.

    Both tests reject at the level alpha if the interval at the level 1 - 2 alpha lies within the
    margins (Schuirmann, "A comparison of the two one-sided tests procedure and the power approach
    for assessing the equivalence of average bioavailability", 1987). Here 1 - alpha is the level of
    `bootstrap`, and the interval is of the kind that `compare_means` has.

    Parameters
    ----------
    means, coefficients, bootstrap, most
        As for `compare_means`. The level of `bootstrap` is above 0.5.
    margin : float
        Above 0.
    """
    twice = replace(bootstrap, level=2 * bootstrap.level - 1)
    interval = find_mean_intervals(means, {"": coefficients}, twice, -most, most)[""]
    return Equivalence(margin, interval.ends)


def compute_permutation_p(combination: ClusterContrast, bootstrap: Bootstrap) -> float:
    """Return the p value of Fisher's permutation test of a difference.

    It is how often the difference is at least as large after it is reversed in some of the
    clusters, which is what swapping two methods does. If there are no more than ``resamples`` ways
    to do so, all of them count, and p is exact. Otherwise keyed draws reverse half of the clusters.
    Values count by what each cluster adds to them, to first order.

    Parameters
    ----------
    combination : ClusterContrast
        The difference. Its coefficients add up to 0.
    bootstrap : Bootstrap
        How many draws.
    """
    clusters = combination.clusters
    added = combination.divide_difference()
    least = abs(float(added.sum())) - ROUNDING
    if _are_few(clusters, bootstrap.resamples):
        # The first cluster keeps its sign: reversing all clusters changes no size.
        ways = np.arange(2 ** (clusters - 1))[:, None] >> np.arange(clusters - 1) & 1
        gains = added[0] + np.where(ways, -added[1:], added[1:]).sum(axis=1)
        return float((np.abs(gains) >= least).mean())
    extreme = 0
    for block, rows in split_resamples(bootstrap.resamples):
        key = make_key(0, 1, "comparison.swap", block, clusters)
        swap = draw_bernoullis(key, rows * clusters, 0.5).reshape(rows, clusters)
        gains = np.where(swap, -added, added).sum(axis=1)
        extreme += int((np.abs(gains) >= least).sum())
    return (extreme + 1) / (bootstrap.resamples + 1)


def _are_few(clusters: int, resamples: int) -> bool:
    """Whether there are no more ways to reverse clusters than resamples."""
    return 2.0 ** (clusters - 1) <= resamples


def find_least_p(clusters: int, resamples: int) -> float:
    """Return the least p value that a permutation test of some clusters can have.

    >>> find_least_p(8, 10_000)
    0.0078125
    """
    return 2.0 ** (1 - clusters) if _are_few(clusters, resamples) else 1 / (resamples + 1)


def apply_holm(p: Sequence[float]) -> list[float]:
    """Adjust the p-values of several tests by Holm's procedure.

    Holm, "A simple sequentially rejective multiple test procedure", 1979.

    >>> apply_holm([0.01, 0.04])
    [0.02, 0.04]
    """
    adjusted, most = [0.0] * len(p), 0.0
    for rank, position in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        most = max(most, min(1.0, (len(p) - rank) * p[position]))
        adjusted[position] = most
    return adjusted
