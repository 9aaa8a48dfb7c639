"""The default dataset, and how it was chosen."""

from __future__ import annotations

import os
from pathlib import Path

from actiseg_data.core.errors import refuse

VARIABLE = "ACTISEG_DATASET"
DEFAULT_ROOT = Path("dataset_visor")
SAMPLE_ROOT = Path("actiseg_sample")


def locate_dataset(
    named: Path | None, *, option: str = "DATASET", make: bool = False
) -> tuple[Path, str]:
    """Locate the dataset, and describe how it was chosen for the first line of output.

    The order is: the named dataset, the environment variable `ACTISEG_DATASET`,
    ``./dataset_visor``, the built-in sample at ``./actiseg_sample``.

    Parameters
    ----------
    named : Path or None
        The dataset that the user named.
    option : str
        The option that names a dataset, for messages.
    make : bool
        Whether to make the sample if it does not exist.

    Raises
    ------
    InputError
        If there is no dataset.
    """
    if named is not None:
        return named, "as named"
    variable = os.environ.get(VARIABLE)
    if variable:
        return Path(variable), f"from ${VARIABLE}"
    if DEFAULT_ROOT.is_dir():
        return DEFAULT_ROOT, "found here"
    from actiseg_data.make.sample import is_whole_sample, make_sample

    if is_whole_sample(SAMPLE_ROOT):
        return SAMPLE_ROOT, "the built-in sample, made before"
    if not make:
        raise refuse(
            f"no dataset is named, and the current folder has neither {DEFAULT_ROOT} nor "
            f"{SAMPLE_ROOT}",
            option,
            f"give {option}, or set ${VARIABLE}; actiseg-noise sample makes a small dataset",
        )
    make_sample(SAMPLE_ROOT)
    return SAMPLE_ROOT, "the built-in sample, made just now: synthetic, rendered"
