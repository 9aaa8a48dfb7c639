"""Where a command may write a report: not into an input, and not into any dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.files import check_outside
from actiseg_data.layouts.layout_table import find_layout


def check_report_file(path: Path, inputs: Iterable[Path], parameter: str) -> None:
    """Raise an `InputError` if a report has no file name, or would be inside an input or a dataset.

    Parameters
    ----------
    path : Path
        The file to write.
    inputs : iterable of Path
        The folders that the command reads.
    parameter : str
        The parameter that gave the path.
    """
    if not path.name or path.is_dir():
        raise refuse("does not name a file to write", path, f"give a file name as `{parameter}`")
    check_outside(path, inputs, parameter)
    for parent in Path(os.path.realpath(path)).parents:
        if find_layout(parent):
            hint = f"give a path outside it as `{parameter}`"
            raise refuse(f"is inside the dataset {parent}", path, hint)
