"""Whether methods have profiles of their own: other differences between them from cell to cell."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from actiseg_eval import RunRecord, compare_records
from actiseg_eval.raw_scores.record_figures import RANKINGS
from actiseg_eval.resampling.interactions import measure_interaction
from reference_trainer.bench.bench_report import PlaceChange, ProfileReport

Records = Mapping[int, RunRecord]
"""The records of a method by seed."""


def compare_profiles(
    cells: Mapping[str, Mapping[str, Records]], figure: str, *, tuned: bool
) -> ProfileReport | None:
    """Compare the profiles of methods over cells.

    Parameters
    ----------
    cells : mapping of str to mapping of str to records
        By cell, the same methods by name.
    figure : str
    tuned : bool
        Whether the methods have their tuned values.

    Returns
    -------
    ProfileReport or None
        None for fewer than two cells or methods, and for figures that are no means over videos.
    """
    methods = tuple(next(iter(cells.values()), {}))
    if len(cells) < 2 or len(methods) < 2 or figure in RANKINGS:
        return None
    values = np.array(
        [
            [_divide_by_video(by_method[name], figure) for by_method in cells.values()]
            for name in methods
        ]
    )
    interaction = measure_interaction(values)
    return ProfileReport(
        tuned=tuned,
        figure=figure,
        methods=methods,
        cells=tuple(cells),
        deviation=interaction.deviation,
        p=interaction.p,
        p_videos=interaction.p_clusters,
        p_runs=interaction.p_runs,
        changes=_find_changes(cells, figure, methods),
    )


def _divide_by_video(records: Records, figure: str) -> NDArray[np.float64]:
    """Divide the figure of each seed over the videos, (S, V): their mean is the figure."""
    shares = []
    for record in records.values():
        sums = record.sums[figure]
        assert sums.denominator is not None, "figures of records are ratios"
        shares.append(len(sums.numerator) * sums.numerator / sums.denominator.sum())
    return np.stack(shares)


def _find_changes(
    cells: Mapping[str, Mapping[str, Records]], figure: str, methods: tuple[str, ...]
) -> tuple[PlaceChange, ...]:
    """Find the pairs of methods that change places between two cells."""
    better = {cell: _find_better(by_method, figure, methods) for cell, by_method in cells.items()}
    return tuple(
        PlaceChange(first, second, cell, peer)
        for cell, peer in combinations(cells, 2)
        for first, second in permutations(methods, 2)
        if (first, second) in better[cell] and (second, first) in better[peer]
    )


def _find_better(
    by_method: Mapping[str, Records], figure: str, methods: tuple[str, ...]
) -> set[tuple[str, str]]:
    """Find the pairs of which the first is better than the second, beyond chance."""
    comparison = compare_records(by_method, figure=figure, against=methods)
    pairs = {(pair.first, pair.second): pair.interval for pair in comparison.differences}
    return {pair for pair, (low, _) in pairs.items() if low > 0} | {
        (second, first) for (first, second), (_, high) in pairs.items() if high < 0
    }
