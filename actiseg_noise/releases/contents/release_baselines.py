"""The baseline scores of a release: those cells of a benchmark that learned from its labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.records.baseline_record import Baselines
from actiseg_data.records.bench_report_reading import read_bench_report
from actiseg_noise.releases.contents.release_contents import Configuration

_MOST_NAMED = 8
"""Cells that a message names."""


def find_baselines(report: Path, configurations: Sequence[Configuration]) -> Baselines:
    """Find the cells of a report whose training labels are those of a configuration.

    Parameters
    ----------
    report : Path
        The ``report.json`` of ``actiseg-train bench``.
    configurations : sequence of Configuration

    Raises
    ------
    InputError
        If the report is damaged, or if it has no cell of any configuration: labels are the same if
        the recipe and the clean split are.
    """
    known = read_bench_report(report)
    chosen = known.choose(entry.labels for entry in configurations)
    if chosen.cells:
        return chosen
    recipes = {entry.labels.recipe: entry.name for entry in configurations}
    cells = []
    for cell in known.cells:
        names = [recipes[noise.recipe] for noise in cell.noises if noise.recipe in recipes]
        why = f"the recipe of {names[0]} on another clean split" if names else "another recipe"
        cells.append(f"{cell.arm}/{cell.cell} ({why})")
    wanted = ", ".join(f"{entry.name} ({entry.labels.recipe})" for entry in configurations)
    more = f" and {len(cells) - _MOST_NAMED} more" if len(cells) > _MOST_NAMED else ""
    raise refuse(
        f"has no cell that was trained on the labels of {wanted}; it has "
        f"{', '.join(cells[:_MOST_NAMED]) or 'no cell'}{more}",
        report,
        "publish the noisy copy that the benchmark made (OUT/ARM/noise/CELL/train/copy), or give "
        "the report of a benchmark that was trained on these labels",
    )
