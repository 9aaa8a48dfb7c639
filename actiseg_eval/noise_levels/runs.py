"""Read which runs there are: methods, noise levels and seeds, from a YAML file or folder names.

::

    methods:                                    RUNS/plain/clean/
      plain:                                    RUNS/plain/0.2_s1/
        0: preds/plain                          RUNS/plain/0.2_s2/
        0.2: [preds/plain_s1, preds/plain_s2]   RUNS/labels/0.2/
    labels:
      0.2: noisy/boundary_r0.2
    frozen: preds/frozen
"""

from __future__ import annotations

from pathlib import Path

from actiseg_eval.noise_levels.noise_runs import NoiseRuns
from actiseg_eval.noise_levels.runs_folder import read_folder_runs
from actiseg_eval.noise_levels.runs_yaml import read_yaml_runs


def read_runs(path: Path | str, baseline: str | None = None) -> NoiseRuns:
    """Read runs from a YAML file or a folder.

    Parameters
    ----------
    path : path
        The YAML file or folder.
    baseline : str, optional
        The name of a method. By default as the file says, else ``plain`` if there is such a method,
        else the first.

    Raises
    ------
    InputError
        With every problem: unknown keys, wrong types, repeated levels or folders, missing folders,
        and methods with fewer than two levels.
    """
    path = Path(path)
    return read_folder_runs(path, baseline) if path.is_dir() else read_yaml_runs(path, baseline)
