"""How often `actiseg-eval compare` finds a difference between two equally good methods.

    python benchmarks/false_positives.py --rounds 2000

Runs are made: videos, seeds and both together vary, and no method is better. A test at 5 % should
find one better in 5 % of the rounds, and an interval of 95 % should hold 0 in 95 %. The table has
the comparison as it is, and an earlier one: over seeds alone if both methods have several.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from scipy import stats

from actiseg_data.terminal.table_printing import print_table
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.gains import compare_means
from actiseg_eval.resampling.run_means import RunMeans, Runs

FIRST_BETTER = np.array([1.0, -1.0])


@dataclass(frozen=True)
class MadeRuns:
    """How much a metric varies, as standard deviations.

    Attributes
    ----------
    videos : int
        The number of videos.
    method_video : float
        Over the videos of a method.
    seed : float
        Over the seeds of a method.
    seed_video : float
        Over the videos of a seed.
    """

    videos: int = 15
    method_video: float = 0.05
    seed: float = 0.015
    seed_video: float = 0.03

    def draw(
        self, rng: np.random.Generator, seeds: int, other_seeds: int = 0, *, paired: bool = False
    ) -> list[Runs]:
        """Draw the runs of two methods. Paired, a half of the variance over seeds is common."""
        sizes = rng.integers(8, 91, self.videos).astype(float)
        hard = rng.normal(0.5, 0.1, self.videos)
        start = rng.normal(0, self.seed, seeds)
        drawn = []
        for count in (seeds, other_seeds or seeds):
            levels = rng.normal(0, self.seed, count)
            if paired:
                levels = (levels + start) / 2**0.5
            values = hard + rng.normal(0, self.method_video, self.videos) + levels[:, None]
            values = values + rng.normal(0, self.seed_video, values.shape)
            known = tuple(range(seeds)) if paired else None
            drawn.append(Runs(tuple(Sums(row * sizes, sizes) for row in values), known))
        return drawn


@dataclass(frozen=True)
class Outcome:
    """Shares of rounds.

    Attributes
    ----------
    rejected : float
        Rounds in which p is below 0.05.
    covered : float
        Rounds in which the interval holds the true difference.
    """

    rejected: float
    covered: float


def simulate(
    made: MadeRuns,
    rounds: int,
    seeds: int,
    other_seeds: int = 0,
    *,
    paired: bool = False,
    deviation: float | None = None,
    resamples: int = 1000,
) -> Outcome:
    """Compare two equally good methods many times."""
    rng = np.random.default_rng(zlib.crc32(repr((made, seeds, other_seeds, paired)).encode()))
    bootstrap = Bootstrap(resamples=resamples)
    rejected = covered = 0
    for _ in range(rounds):
        means = RunMeans(made.draw(rng, seeds, other_seeds, paired=paired), deviation)
        gain = compare_means(means, FIRST_BETTER, bootstrap)
        rejected += gain.p < 0.05
        covered += gain.interval[0] <= 0 <= gain.interval[1]
    return Outcome(rejected / rounds, covered / rounds)


def simulate_over_seeds(made: MadeRuns, rounds: int, seeds: int) -> Outcome:
    """Compare the means over seeds by Welch's t, as if the videos were all there are."""
    rng = np.random.default_rng(seeds)
    rejected = covered = 0
    for _ in range(rounds):
        first, second = ([run.ratio for run in of.sums] for of in made.draw(rng, seeds))
        found = stats.ttest_ind(first, second, equal_var=False)
        interval = found.confidence_interval(0.95)
        rejected += found.pvalue < 0.05
        covered += interval.low <= 0 <= interval.high
    return Outcome(rejected / rounds, covered / rounds)


def main(
    rounds: Annotated[int, typer.Option(help="Comparisons for each row.")] = 2000,
) -> None:
    """Print false positives and coverage."""
    made = MadeRuns()
    rows = []

    def add(what: str, before: Outcome | None, now: Outcome) -> None:
        old = ("-", "-") if before is None else (f"{before.rejected:.3f}", f"{before.covered:.3f}")
        rows.append([what, *old, f"{now.rejected:.3f}", f"{now.covered:.3f}"])

    for seeds in (1, 2, 3, 5, 10):
        found = simulate(made, rounds, seeds)
        before = found if seeds == 1 else simulate_over_seeds(made, rounds, seeds)
        add(f"{seeds} seeds" if seeds > 1 else "1 seed", before, found)
    given = simulate(made, rounds, 1, deviation=made.seed)
    add("1 seed, its deviation given", None, given)
    add("1 seed, no variance over seeds", None, simulate(MadeRuns(seed=0), rounds, 1))
    add("3 seeds against 1", None, simulate(made, rounds, 3, 1))
    for seeds in (3, 5):
        add(f"{seeds} paired seeds", None, simulate(made, rounds, seeds, paired=True))
    for what, other in (
        ("videos do not vary by method", MadeRuns(method_video=0)),
        ("no variance over seeds", MadeRuns(seed=0)),
        ("large variance over seeds", MadeRuns(seed=0.1)),
        ("8 videos", MadeRuns(videos=8)),
    ):
        add(f"3 seeds, {what}", simulate_over_seeds(other, rounds, 3), simulate(other, rounds, 3))
    columns = ["", "seeds alone: found", "held", "now: found", "held"]
    print_table(f"two equally good methods, {rounds} rounds", columns, rows)


if __name__ == "__main__":
    typer.run(main)
