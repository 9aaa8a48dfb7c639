"""Runs of several methods at several noise levels, checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import ProblemCollector, suggest
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.names import format_name

LABELS = "labels"
"""The name of the noisy copies that methods were trained on, next to the methods."""

PLAIN = "plain"
"""The default baseline, if a method has this name."""

NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
LEVEL_PATTERN = rf"clean|r?{NUMBER}|{NUMBER}%"

MethodRuns = Mapping[str, Mapping[float, tuple[Path, ...]]]
"""The folders of each seed, by method and level."""


@dataclass(frozen=True)
class NoiseRuns:
    """Predictions of several methods at several noise levels.

    Attributes
    ----------
    source : Path
        The YAML file or folder that was read.
    methods : mapping of str to mapping of float to tuple of Path
        The predictions of each seed, by method and ascending level.
    labels : mapping of float to Path
        The noisy copies that methods were trained on, by ascending level.
    baseline : str
        The method that others are compared with.
    frozen : tuple of Path
        The predictions of a net that never saw the noisy labels, one for each seed. Empty if not
        given.
    truth, split, sequences : Path, str, Path, or None
        The ground truth, its split, and a file of the sequences to score. None if not given.
    """

    source: Path
    methods: MethodRuns
    labels: Mapping[float, Path]
    baseline: str
    frozen: tuple[Path, ...] = ()
    truth: Path | None = None
    split: str | None = None
    sequences: Path | None = None

    def list_runs(self) -> list[tuple[str, float, Path]]:
        """Return method, level and folder of every run."""
        return [
            (method, level, run)
            for method, levels in self.methods.items()
            for level, runs in levels.items()
            for run in runs
        ]

    @property
    def folders(self) -> list[Path]:
        """The folder of every run, and of the frozen net."""
        return [*(folder for _, _, folder in self.list_runs()), *self.frozen]


def parse_level(text: str) -> float | None:
    """Return the noise level that a text means, None if it means none.

    >>> [parse_level(text) for text in ("clean", "0.2", "r0.2", "20%", "low")]
    [0.0, 0.2, 0.2, 0.2, None]
    """
    if not re.fullmatch(LEVEL_PATTERN, text):
        return None
    if text == "clean":
        return 0.0
    return round(float(text[:-1]) / 100, 9) if text.endswith("%") else float(text.lstrip("r"))


def refuse_mixed_levels(
    texts: Iterable[str], where: Path | str, problems: ProblemCollector
) -> None:
    """Add a problem if ``20%`` and ``20`` are mixed: one is a hundred times the other."""
    levels = {text: parse_level(text) for text in texts}
    large = [text for text, level in levels.items() if "%" not in text and (level or 0) > 1]
    if large and any("%" in text for text in levels):
        problems.add(
            f"levels are percentages and numbers above 1 ({large[0]})",
            where,
            "write all of them in one way",
        )


def make_runs(
    source: Path,
    methods: MethodRuns,
    labels: Mapping[float, Path],
    baseline: tuple[str | None, str],
    problems: ProblemCollector,
) -> NoiseRuns:
    """Return the runs of a file or folder.

    Parameters
    ----------
    source : Path
        The file or folder.
    methods, labels
        See `NoiseRuns`.
    baseline : (str or None, str)
        The name of the baseline, and where it was given.
    problems : ProblemCollector
        The problems so far.

    Raises
    ------
    InputError
        With the problems so far, and those of the runs.
    """
    if not problems.collected:  # else a method that was refused would be missed
        _refuse_few(source, methods, problems)
    if LABELS in methods:
        problems.add(f"a method is called {LABELS!r}", source, "use another name")
    name, where = baseline
    if name is not None and name not in methods:
        known = ", ".join(map(format_name, methods)) or "none"
        what = f"there is no method {format_name(name)!r}{suggest(name, methods)}"
        problems.add(what, where, f"use one of {known}")
    if name is None:
        name = PLAIN if PLAIN in methods else next(iter(methods), PLAIN)
    runs = NoiseRuns(
        source=source,
        methods={method: dict(sorted(levels.items())) for method, levels in methods.items()},
        labels=dict(sorted(labels.items())),
        baseline=name,
    )
    _check_folders(runs, problems)
    problems.raise_if_any()
    return runs


def _check_folders(runs: NoiseRuns, problems: ProblemCollector) -> None:
    """Add a problem for every folder that is missing or is named twice."""
    known: dict[str, str] = {}
    copies = [(LABELS, level, copy) for level, copy in runs.labels.items()]
    for method, level, folder in (*runs.list_runs(), *copies):
        run = f"{method} at {level:g}"
        real = os.path.realpath(folder)
        if real in known:
            problems.add(
                f"is named twice: for {known[real]}, and for {run}", folder, "give each run once"
            )
        elif not (folder.is_dir() or (method != LABELS and folder.is_file())):
            missing = refuse_missing(folder, f"does not exist, for {run}", "check the path")
            problems.collected += missing.problems
        known[real] = run


def _refuse_few(source: Path, methods: MethodRuns, problems: ProblemCollector) -> None:
    """Add a problem if there is no method, and for each method with fewer than two levels."""
    if not methods:
        hint = "put predictions at <method>/<level>/, or give a YAML file"
        problems.add("has no methods", source, hint)
    for method, levels in methods.items():
        if len(levels) < 2:
            known = ", ".join(f"{level:g}" for level in levels) or "none"
            problems.add(
                f"{method} has fewer than two levels ({known})",
                source,
                "add another, or leave the method out",
            )
