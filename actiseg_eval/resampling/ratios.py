"""Linear combinations of ratios over the same clusters: their intervals, and whether two differ.

A figure is a ratio of two sums over clusters, such as videos. A mean over seeds, a difference of
two methods, an area under a curve are linear combinations of such ratios, and are resampled alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_bernoullis, make_key
from actiseg_eval.metrics.definitions import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap, resample_blocks, resample_weights

_NOTHING = 1e-12
"""What is nearer to 0 is rounding."""


@dataclass(frozen=True)
class Combination:
    """A linear combination of L ratios over the same C clusters: sum_l q_l sum_c a_lc / sum_c b_lc.

    coefficients: (L,) q. above, below: (L, C) a and b.

    >>> ratio = Sums(np.array([1.0, 2.0]), np.array([4.0, 4.0]))
    >>> combination = combine([(0.5, ratio), (0.5, ratio)])
    >>> values, errors = combination.weighed(np.array([[1.0, 1.0], [2.0, 0.0]]))
    >>> values.tolist()
    [0.375, 0.25]
    """

    coefficients: NDArray[np.float64]
    above: NDArray[np.float64]
    below: NDArray[np.float64]

    @property
    def clusters(self) -> int:
        return int(self.above.shape[1])

    def weighed(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values and standard errors for weighings of the clusters; NaN where a ratio has none.

        weights: (R, C) how often each cluster counts. With r_l the ratios and B_l the sums below,
        cluster c has the influence z_c = sum_l q_l (a_lc - r_l b_lc) / B_l, and the error is
        sqrt(sum_c w_c z_c^2) (Davison and Hinkley, Bootstrap Methods and their Application, 1997,
        2.7.2).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            totals = weights @ self.below.T
            ratios = (weights @ self.above.T) / totals
            shares = self.coefficients / totals
            influence = shares @ self.above - (shares * ratios) @ self.below
            errors = np.sqrt((weights * influence**2).sum(axis=1))
            return ratios @ self.coefficients, np.where(errors < _NOTHING, 0, errors)


def combine(terms: Iterable[tuple[float, Sums]]) -> Combination:
    """The combination of some ratios, each with its coefficient; those of 0 take no part."""
    taken = [(by, of.above, of.below) for by, of in terms if by and of.below is not None]
    coefficients, above, below = zip(*taken, strict=True)
    return Combination(np.array(coefficients), np.stack(above), np.stack(below))


def mean_over(runs: Sequence[Sums], by: float = 1.0) -> list[tuple[float, Sums]]:
    """The terms of the mean figure of several runs, times `by`."""
    return [(by / len(runs), run) for run in runs]


def ratio_of(sums: Sums) -> float:
    """The figure of all clusters together; NaN where it is undefined."""
    below = 0.0 if sums.below is None else float(sums.below.sum())
    return float(sums.above.sum()) / below if below > 0 else float("nan")


@dataclass(frozen=True)
class Resampled:
    """A combination, and what resampling gave.

    value, error: of all clusters. clusters: how many have every ratio. drawn: (R,) values of the
    resamples; deviations: (R,) how far they are off, each in its own standard errors. NaN where a
    resample has no value.
    """

    value: float
    error: float
    clusters: int
    drawn: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def interval(self, level: float, least: float, most: float) -> tuple[float, float]:
        """The bootstrap-t interval of a level of confidence, within what the value can be.

        A deviation is in units of its own standard error, because percentiles of the value itself
        are too narrow for a few clusters (Davison and Hinkley, Bootstrap Methods and their
        Application, 1997, 2.4). Where few clusters differ from the others, many resamples hold none
        of these, so they have no spread and deviate infinitely, which tells nothing. So no end is
        further than Student's t puts it and what clusters that nobody saw could add, which are less
        than ``1 - tail ** (1 / clusters)`` of all, or one would have been seen.
        """
        from scipy.special import stdtrit

        if self.error == 0:
            return self.value, self.value
        tail = (1 - level) / 2
        low, high = _ends(self.deviations, tail)
        reach = float(stdtrit(self.clusters - 1, 1 - tail)) * self.error
        unseen = 1 - tail ** (1 / self.clusters)
        return (
            max(
                least,
                self.value - high * self.error,
                self.value - reach - unseen * (self.value - least),
            ),
            min(
                most,
                self.value - low * self.error,
                self.value + reach + unseen * (most - self.value),
            ),
        )


def _ends(deviations: NDArray[np.float64], tail: float) -> tuple[float, float]:
    """The quantiles of resampled deviations that leave a share out at each end.

    A resample without spread deviates infinitely: it stays, as the most extreme there is.
    """
    known = deviations[~np.isnan(deviations)]
    if not len(known):
        return 0.0, 0.0  # every resample is as the whole
    low = np.quantile(known, tail, method="lower")
    return float(low), float(np.quantile(known, 1 - tail, method="higher"))


def resample(combinations: Sequence[Combination], bootstrap: Bootstrap) -> list[Resampled]:
    """Resample the clusters, the same for all combinations, which are over the same ones."""
    if not combinations:
        return []
    clusters = combinations[0].clusters
    once = np.ones((1, clusters))
    whole = [tuple(float(of[0]) for of in each.weighed(once)) for each in combinations]
    drawn: list[list[NDArray[np.float64]]] = [[] for _ in combinations]
    deviations: list[list[NDArray[np.float64]]] = [[] for _ in combinations]
    for block, rows in resample_blocks(bootstrap.resamples):
        weights = resample_weights(block, rows, clusters)
        for at, each in enumerate(combinations):
            values, errors = each.weighed(weights)
            drawn[at].append(values)
            with np.errstate(divide="ignore", invalid="ignore"):
                deviations[at].append((values - whole[at][0]) / errors)
    return [
        Resampled(
            value,
            error,
            int(np.count_nonzero(of.below, axis=1).min()),
            np.concatenate(drawn[at]),
            np.concatenate(deviations[at]),
        )
        for at, (of, (value, error)) in enumerate(zip(combinations, whole, strict=True))
    ]


def over_seeds(values: Sequence[float], level: float, least: float) -> tuple[float, float] | None:
    """Student's t interval of the mean of a figure over seeds; None of one seed, or where a seed
    has no value.

    >>> [round(end, 6) for end in over_seeds([0.5, 0.7], 0.5, 0.0)]
    [0.5, 0.7]
    """
    from scipy.special import stdtrit

    if len(values) < 2 or np.isnan(values).any():
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(stdtrit(len(values) - 1, (1 + level) / 2)) * error
    return max(least, mean - reach), min(1.0, mean + reach)


@dataclass(frozen=True)
class Gain:
    """How much better one method is than another. share: of resamples in which it is better; p: of
    no difference, two-sided.
    """

    value: float
    interval: tuple[float, float]
    share: float
    p: float


def welch(one: NDArray[np.float64], other: NDArray[np.float64], level: float) -> Gain | None:
    """Means over seeds, of unequal variances (Welch, "The generalization of Student's problem",
    1947). share: what Student's t gives. None where neither varies.

    one, other: figures of each seed, two or more, larger for better.
    """
    from scipy import stats

    gain = float(one.mean() - other.mean())
    parts = [values.var(ddof=1) / len(values) for values in (one, other)]
    error = float(np.sqrt(sum(parts)))
    if error < _NOTHING:
        return None
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (one, other), strict=True)
    )
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    below = float(stats.t.cdf(gain / error, freedom))
    return Gain(gain, (gain - reach, gain + reach), below, 2 * min(below, 1 - below))


def paired(
    one: Sequence[Sums], other: Sequence[Sums], sign: float, bootstrap: Bootstrap, most: float = 1.0
) -> Gain:
    """The mean over the runs of one method less that of another, over the same clusters: interval
    by bootstrap-t, p by swapping the methods.

    sign: 1 where higher is better, -1 where lower is. most: the difference can be.
    """
    (found,) = resample([combine(mean_over(one) + mean_over(other, -1.0))], bootstrap)
    if abs(found.value) < _NOTHING and found.error < _NOTHING:
        return Gain(0.0, (0.0, 0.0), 0.5, 1.0)
    drawn = sign * found.drawn[~np.isnan(found.drawn)]
    share = float(((drawn > _NOTHING) + 0.5 * (np.abs(drawn) <= _NOTHING)).mean())
    p = _by_swapping(_averaged(one), _averaged(other), bootstrap)
    low, high = sorted(sign * end for end in found.interval(bootstrap.level, -most, most))
    if p > 1 - bootstrap.level:
        # A few clusters that differ alone make deviations too small: no difference stays possible.
        low, high = min(low, 0.0), max(high, 0.0)
    return Gain(sign * found.value, (low, high), share, p)


_Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def _averaged(runs: Sequence[Sums]) -> _Pair:
    """(C,) sums above and below, averaged over runs."""
    below = [run.below for run in runs if run.below is not None]
    return np.mean([run.above for run in runs], axis=0), np.mean(below, axis=0)


def _by_swapping(one: _Pair, other: _Pair, bootstrap: Bootstrap) -> float:
    """P of no difference: how often two methods that change places in half of the clusters, by
    keyed coins, differ as much as they do (Fisher's permutation test).
    """
    (a1, b1), (a2, b2) = one, other
    clusters = len(a1)
    seen = abs(a1.sum() / b1.sum() - a2.sum() / b2.sum())
    extreme = 0
    for block, rows in resample_blocks(bootstrap.resamples):
        draw = make_key(0, 1, "comparison.swap", block, clusters)
        swap = draw_bernoullis(draw, rows * clusters, 0.5).reshape(rows, clusters)
        above, below = np.where(swap, a2, a1), np.where(swap, b2, b1)
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = above.sum(axis=1) / below.sum(axis=1)
            gains -= (a1 + a2 - above).sum(axis=1) / (b1 + b2 - below).sum(axis=1)
        extreme += int((np.abs(gains) >= seen - _NOTHING).sum())
    return (extreme + 1) / (bootstrap.resamples + 1)


def holm(p: Sequence[float]) -> list[float]:
    """P of several tests, adjusted over all (Holm, "A simple sequentially rejective multiple test
    procedure", 1979).

    >>> holm([0.01, 0.04])
    [0.02, 0.04]
    """
    adjusted, most = [0.0] * len(p), 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        most = max(most, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = most
    return adjusted
