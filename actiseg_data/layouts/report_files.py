"""Where a command may write a report: not into an input, and not into any dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.files import check_outside
from actiseg_data.layouts import layout_table


def check_report_file(
    path: Path, inputs: Iterable[Path], parameter: str, *, makes_folder: bool = False
) -> None:
    """Raise an `InputError` if a report cannot be written, or would be in an input or a dataset.

    Parameters
    ----------
    path : Path
        The file to write.
    inputs : iterable of Path
        The folders that the command reads.
    parameter : str
        The parameter that gave the path.
    makes_folder : bool
        Whether the parameter gives the folder, which may be a new one.
    """
    if not path.name or path.is_dir():
        raise refuse("does not name a file to write", path, f"give a file name as `{parameter}`")
    if not (makes_folder or path.parent.is_dir()):
        hint = f"make the folder, or give another file as `{parameter}`"
        raise refuse(f"would be in {path.parent}, which is no folder", path, hint)
    check_outside(path, inputs, parameter)
    # To look for the other layouts would list every folder above the report.
    owning = [layout for layout in layout_table.LAYOUTS if layout.owns_folder]
    for parent in Path(os.path.realpath(path)).parents:
        if layout_table.find_layouts(parent, owning):
            hint = f"give a path outside it as `{parameter}`"
            raise refuse(f"is inside the dataset {parent}", path, hint)
