"""Read runs from a folder of ``<method>/<level>/``."""

from __future__ import annotations

import re
from pathlib import Path

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.listing import list_folders, list_possible_folders
from actiseg_data.core.names import check_name, format_names
from actiseg_eval.noise_levels.noise_runs import (
    LABELS,
    LEVEL_PATTERN,
    NoiseRuns,
    make_runs,
    parse_level,
    refuse_mixed_levels,
)

_FOLDER = re.compile(rf"({LEVEL_PATTERN})(?:_s([0-9]{{1,9}}))?")


def read_folder_runs(root: Path, baseline: str | None) -> NoiseRuns:
    """Read runs from a folder."""
    problems = ProblemCollector()
    methods: dict[str, dict[float, tuple[Path, ...]]] = {}
    labels: dict[float, Path] = {}
    for folder in (entry.path for entry in list_possible_folders(root)):
        with problems.collect():
            name = check_name(folder.name, "method", root)
            levels = _find_levels(folder, problems)
            if name == LABELS:
                for level, seeds in levels.items():
                    if len(seeds) > 1:
                        what = f"has several copies of the level {level:g}"
                        problems.add(what, folder, "keep one")
                    labels[level] = next(iter(seeds.values()))
            else:
                methods[name] = {
                    level: tuple(seeds[seed] for seed in sorted(seeds))
                    for level, seeds in levels.items()
                }
    names = [path.name for folder in list_folders(root) for path in list_folders(folder.path)]
    matches = map(_FOLDER.fullmatch, names)
    refuse_mixed_levels((match[1] for match in matches if match), root, problems)
    return make_runs(root, methods, labels, (baseline, "`baseline`"), problems)


def _find_levels(folder: Path, problems: ProblemCollector) -> dict[float, dict[int, Path]]:
    """Return the folders of a method by level and seed. The seed is -1 if the name has none."""
    levels: dict[float, dict[int, Path]] = {}
    unknown = []
    for path in (entry.path for entry in list_possible_folders(folder)):
        match = _FOLDER.fullmatch(path.name)
        level = parse_level(match[1]) if match else None
        if match is None or level is None:
            unknown.append(path.name)
            continue
        seed = int(match[2] or -1)
        seeds = levels.setdefault(level, {})
        if seed in seeds:
            problems.add(
                f"has the level {level:g} twice: {seeds[seed].name} and {path.name}",
                folder,
                "end the names of seeds in _s1, _s2",
            )
        seeds[seed] = path
    if unknown:
        problems.add(
            f"has folders that are not noise levels: {format_names(unknown)}",
            folder,
            "name folders <method>/<level>/, with levels such as clean, 0.2, r0.2 or 20%, and "
            "0.2_s1 for a seed; or give a YAML file",
        )
    return levels
