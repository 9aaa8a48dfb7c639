"""Which dataset is meant when the user names none, and what to call it."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "ACTISEG_DATASET"
DEFAULT_ROOT = Path("dataset_visor")
SAMPLE_ROOT = Path("actiseg_sample")


def locate_dataset(named: Path | None) -> tuple[Path, str]:
    """The dataset's root and how it was found, for the first line of output.

    named, else the environment variable `ACTISEG_DATASET`, else ``./dataset_visor``, else the
    built-in sample, which is made at ``./actiseg_sample`` or reused there.
    """
    if named is not None:
        return named, "as named"
    variable = os.environ.get(VARIABLE)
    if variable:
        return Path(variable), f"from ${VARIABLE}"
    if DEFAULT_ROOT.is_dir():
        return DEFAULT_ROOT, "found here"
    from actiseg_data.sample import is_whole_sample, make_sample

    if is_whole_sample(SAMPLE_ROOT):
        return SAMPLE_ROOT, "the built-in sample, made before"
    make_sample(SAMPLE_ROOT)
    return SAMPLE_ROOT, "the built-in sample, made just now: synthetic, rendered"
