"""Is one method better than another? Differences of figures on the same clips, and their chance."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.errors import Problems, refuse
from actiseg_data.keys import coins, key
from actiseg_data.parallel import crew
from actiseg_data.sequences import Sequence
from actiseg_data.stage import Stage, silent
from actiseg_data.untrusted import printable
from actiseg_eval.bootstrap import (
    FEWEST,
    STANDARD,
    Bootstrap,
    clustered,
    clusters_of,
    ends_of,
    is_defined,
    least_of,
    resample_blocks,
    resample_weights,
)
from actiseg_eval.figures import figures_by_sequence
from actiseg_eval.metrics import METRICS, Figures, Sums
from actiseg_eval.protocols import DEFAULT, Protocol, load_protocol
from actiseg_eval.scoring import check_measures, measure
from actiseg_eval.truth import Truth

SCHEMA = "actiseg/comparison/1"


@dataclass(frozen=True)
class Method:
    """A method to compare. runs: folders of predictions, one for each seed."""

    name: str
    runs: tuple[Path, ...]


@dataclass(frozen=True)
class Standing:
    """How a method does in one figure.

    value: the mean over seeds; seeds: of each. interval: of the mean over seeds (Student's t), None
    of one seed. rank: 1 and the number of methods that are better beyond chance: other ranks do not
    mean that two are told apart, which the pairs say.
    """

    name: str
    value: float | None
    seeds: tuple[float | None, ...]
    interval: tuple[float, float] | None
    rank: int


@dataclass(frozen=True)
class Difference:
    """How much better one method is than another in one figure, in the figure's own direction.

    gain: above 0 where `first` is better. interval: of the gain. share: of resamples in which the
    first is better; over seeds, what Student's t gives. p: of no difference, two-sided; adjusted:
    after Holm, over all pairs. by: what the chance is of: ``seeds``, or the clusters that were
    resampled.
    """

    first: str
    second: str
    gain: float
    interval: tuple[float, float]
    share: float
    p: float
    adjusted: float
    by: str


@dataclass(frozen=True)
class Comparison:
    """Methods held against each other.

    folders: of each method. cluster, clusters: what was resampled, and how many there are.
    standings, differences: by figure. left_out: figures that could not be compared, and why.
    """

    protocol: Protocol
    split: str
    method: Bootstrap
    folders: Mapping[str, tuple[str, ...]]
    cluster: str
    clusters: int
    left_out: Mapping[str, str]
    standings: Mapping[str, Listing[Standing]]
    differences: Mapping[str, Listing[Difference]]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "split": self.split,
            "methods": {name: list(of) for name, of in self.folders.items()},
            "level": self.method.level,
            "resamples": self.method.resamples,
            "cluster": self.cluster,
            "cluster_asked": self.method.cluster,
            "clusters": self.clusters,
            "left_out": dict(self.left_out),
            "standings": {
                figure: [dict(vars(each)) for each in of] for figure, of in self.standings.items()
            },
            "differences": {
                figure: [dict(vars(each)) for each in of] for figure, of in self.differences.items()
            },
        }


def parse_methods(texts: Listing[str]) -> list[Method]:
    """Methods as people name them: a folder, or ``name=folder,folder`` for several seeds.

    Raises `Refused` for fewer than two, and for a name that stands there twice.

    >>> [method.name for method in parse_methods(["runs/ours", "elr=a,b,c"])]
    ['ours', 'elr']
    """
    methods = []
    problems = Problems()
    for text in texts:
        name, equals, folders = text.partition("=")
        if not equals or "/" in name or Path(text).exists():  # a folder with = in its name
            name, runs = Path(text).name or text, [text]
        else:
            runs = folders.split(",")
        if not (name and all(runs)):
            problems.add(
                f"{text!r} lacks a name or a folder", "compare", "write name=folder,folder"
            )
        elif len({os.path.realpath(run) for run in runs}) < len(runs):
            problems.add(f"{text!r} names a folder twice", "compare", "give each seed once")
        methods.append(Method(printable(name), tuple(map(Path, runs))))
    names = [method.name for method in methods]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"two methods are called {name!r}", "compare", "write name=folder for each")
    if len(methods) < 2:
        problems.add("there is one method", "compare", "give two or more to compare")
    problems.raise_if_any()
    return methods


def compare(
    truth: Truth,
    methods: Listing[Method],
    protocol: Protocol | str = DEFAULT,
    *,
    measures: Listing[str] | None = None,
    filtered: bool = True,
    missing: str = "error",
    bootstrap: Bootstrap = STANDARD,
    workers: int = 1,
    stage: Stage = silent,
) -> Comparison:
    """Score methods on the same clips and hold every two against each other.

    methods: see `parse_methods`; the others as in `actiseg_eval.scoring.score`. Two methods with
    several seeds each are compared over seeds, by Welch's t. Otherwise videos are resampled, the
    same for both, and the chance of another seed is not in the outcome. Raises `Refused` as `score`
    does, and where there are too few sequences.
    """
    protocol = load_protocol(protocol)
    chosen = check_measures(measures, protocol)
    runs: dict[str, list[Figures]] = {method.name: [] for method in methods}
    sequences: list[Sequence] = []
    with crew(workers, __name__) as members:
        for method in methods:
            for folder in method.runs:
                results, _ = measure(
                    truth,
                    folder,
                    protocol,
                    chosen,
                    filtered=filtered,
                    missing=missing,
                    workers=members,
                    stage=stage,
                )
                sequences = [result.sequence for result in results]
                runs[method.name].append(figures_by_sequence(results, protocol, chosen))
    cluster, names = clusters_of(sequences, bootstrap)
    if len(set(names)) < FEWEST:
        raise refuse(
            f"has {len(sequences)} sequences, fewer than {FEWEST}",
            truth.root,
            "compare on a larger split",
        )
    first = next(iter(runs.values()))[0]
    standings: dict[str, list[Standing]] = {}
    differences: dict[str, list[Difference]] = {}
    left_out = {}
    for figure in (name for name in METRICS if METRICS[name].better and name in first):
        sums = {
            method: [clustered({figure: run[figure]}, names)[figure] for run in of]
            for method, of in runs.items()
        }
        lacking = [name for name, of in sums.items() if not all(map(is_defined, of))]
        if lacking:
            left_out[figure] = f"fewer than {FEWEST} {cluster}s have it for {', '.join(lacking)}"
            continue
        sign = -1.0 if METRICS[figure].better == "lower" else 1.0
        found = [
            _difference(one, other, sums, sign, bootstrap, (figure, cluster))
            for one, other in itertools.combinations(runs, 2)
        ]
        differences[figure] = _holm(found)
        standings[figure] = _standings(
            sums, differences[figure], sign, bootstrap.level, least_of(figure)
        )
    return Comparison(
        protocol=protocol,
        split=truth.name,
        method=bootstrap,
        folders={
            method.name: tuple(printable(str(run)) for run in method.runs) for method in methods
        },
        cluster=cluster,
        clusters=len(set(names)),
        left_out=left_out,
        standings=standings,
        differences=differences,
    )


def _value(sums: Sums) -> float:
    below = 0.0 if sums.below is None else float(sums.below.sum())
    return float(sums.above.sum()) / below if below > 0 else float("nan")


def _difference(
    one: str,
    other: str,
    sums: Mapping[str, list[Sums]],
    sign: float,
    bootstrap: Bootstrap,
    of: tuple[str, str],
) -> Difference:
    """of: the figure, and what is resampled."""
    figure, cluster = of
    found, by = None, "seeds"
    if len(sums[one]) > 1 and len(sums[other]) > 1:
        seeds = [np.array([sign * _value(run) for run in sums[name]]) for name in (one, other)]
        found = _welch(seeds[0], seeds[1], bootstrap.level)
    if found is None:  # one seed, or seeds that do not differ
        pair = [_mean_of(sums[name]) for name in (one, other)]
        found, by = _paired(pair[0], pair[1], sign, bootstrap), f"{cluster}s"
    gain, interval, share, p = found
    most = 1 - least_of(figure)
    inside = (max(-most, interval[0]), min(most, interval[1]))
    return Difference(one, other, gain, inside, share, p, p, by)


_Found = tuple[float, tuple[float, float], float, float]
"""Gain, its interval, the share of resamples with a gain, p of none."""

_NOTHING = 1e-12
"""What is nearer to 0 is rounding."""


def _mean_of(runs: list[Sums]) -> Sums:
    """The sums of several seeds, averaged."""
    below = [run.below for run in runs if run.below is not None]
    return Sums(np.mean([run.above for run in runs], axis=0), np.mean(below, axis=0))


def _welch(one: NDArray[np.float64], other: NDArray[np.float64], level: float) -> _Found | None:
    """Welch, "The generalization of Student's problem" (1947): means of unequal variances. None
    where neither varies."""
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
    return gain, (gain - reach, gain + reach), below, 2 * min(below, 1 - below)


def _paired(one: Sums, other: Sums, sign: float, bootstrap: Bootstrap) -> _Found:
    """The bootstrap-t of a difference of two ratios over the same clusters, see
    `actiseg_eval.bootstrap`."""
    sums = (one.above, one.below, other.above, other.below)
    columns = np.stack([of for of in sums if of is not None])
    gain, error = (float(of[0]) for of in _gain_and_error(columns, np.ones((1, columns.shape[1]))))
    if abs(gain) < _NOTHING and error < _NOTHING:
        return 0.0, (0.0, 0.0), 0.5, 1.0
    gains, deviations, swapped = [], [], []
    for block, rows in resample_blocks(bootstrap.resamples):
        weights = resample_weights(block, rows, columns.shape[1])
        drawn, spread = _gain_and_error(columns, weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviations.append((drawn - gain) / spread)
        gains.append(drawn)
        swapped.append(_swapped_gains(columns, block, rows))
    drawn = np.concatenate(gains)
    drawn = drawn[~np.isnan(drawn)]
    share = float(((sign * drawn > _NOTHING) + 0.5 * (np.abs(drawn) <= _NOTHING)).mean())
    low, high = ends_of(np.concatenate(deviations), bootstrap.level)
    ends = sorted((sign * (gain - high * error), sign * (gain - low * error)))
    others = np.abs(np.concatenate(swapped))
    extreme = int((others >= abs(gain) - _NOTHING).sum())
    p = (extreme + 1) / (bootstrap.resamples + 1)
    if p > 1 - bootstrap.level:
        # A few clusters that differ alone make deviations too small: no difference stays possible.
        ends = [min(ends[0], 0.0), max(ends[1], 0.0)]
    return sign * gain, (ends[0], ends[1]), share, p


def _swapped_gains(columns: NDArray[np.float64], block: int, rows: int) -> NDArray[np.float64]:
    """Gains of some rows in which the two methods change places in half of the clusters, by keyed
    coins: what would be seen if it did not matter which is which (Fisher's permutation test)."""
    clusters = columns.shape[1]
    draw = key(0, 1, "comparison.swap", block, clusters)
    swap = coins(draw, rows * clusters, 0.5).reshape(rows, clusters)
    a1, b1, a2, b2 = columns
    above, below = np.where(swap, a2, a1), np.where(swap, b2, b1)
    return np.asarray(
        above.sum(axis=1) / below.sum(axis=1)
        - (a1 + a2 - above).sum(axis=1) / (b1 + b2 - below).sum(axis=1)
    )


def _gain_and_error(
    columns: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences of two ratios, and their standard errors.

    columns: (4, C) sums above and below of one and of the other. weights: (R, C). With x = a - r b
    of each, the error is the root of sum(w (x1 / sum(w b1) - x2 / sum(w b2))^2).
    """
    a1, b1, a2, b2 = columns
    with np.errstate(divide="ignore", invalid="ignore"):
        total1, total2 = weights @ b1, weights @ b2
        ratio1, ratio2 = (weights @ a1) / total1, (weights @ a2) / total2
        own1 = weights @ (a1 * a1) - 2 * ratio1 * (weights @ (a1 * b1))
        own1 += ratio1**2 * (weights @ (b1 * b1))
        own2 = weights @ (a2 * a2) - 2 * ratio2 * (weights @ (a2 * b2))
        own2 += ratio2**2 * (weights @ (b2 * b2))
        both = weights @ (a1 * a2) - ratio2 * (weights @ (a1 * b2))
        both += ratio1 * ratio2 * (weights @ (b1 * b2)) - ratio1 * (weights @ (b1 * a2))
        spread = own1 / total1**2 + own2 / total2**2 - 2 * both / (total1 * total2)
        # What is left of equal terms is rounding, no spread.
        scale = own1 / total1**2 + own2 / total2**2
        spread = np.where(spread < 1e-12 * scale, 0, spread)
        return ratio1 - ratio2, np.sqrt(np.maximum(spread, 0))


def _holm(found: list[Difference]) -> list[Difference]:
    """Differences with p adjusted over all of them (Holm, "A simple sequentially rejective multiple
    test procedure", 1979)."""
    order = sorted(range(len(found)), key=lambda at: found[at].p)
    adjusted, most = [0.0] * len(found), 0.0
    for rank, at in enumerate(order):
        most = max(most, min(1.0, (len(found) - rank) * found[at].p))
        adjusted[at] = most
    return [
        Difference(**{**vars(each), "adjusted": p}) for each, p in zip(found, adjusted, strict=True)
    ]


def _standings(
    sums: Mapping[str, list[Sums]],
    found: list[Difference],
    sign: float,
    level: float,
    least: float,
) -> list[Standing]:
    """least: the least that the figure can be."""
    from scipy import stats

    worse: dict[str, int] = dict.fromkeys(sums, 0)
    for each in found:
        if each.adjusted < 1 - level and each.gain != 0:
            worse[each.second if each.gain > 0 else each.first] += 1
    standings = []
    for name, runs in sums.items():
        values = [_value(run) for run in runs]
        mean, interval = float(np.mean(values)), None
        if len(values) > 1:
            error = float(np.std(values, ddof=1)) / np.sqrt(len(values))
            reach = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
            interval = (max(least, mean - reach), min(1.0, mean + reach))
        standings.append(Standing(name, mean, tuple(values), interval, 1 + worse[name]))
    return sorted(standings, key=lambda each: (each.rank, -sign * (each.value or 0)))
