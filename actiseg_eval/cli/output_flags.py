"""Flags for the files that a command writes: JSON, and each format of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.core.tables import FORMATS
from actiseg_data.terminal.command_line import JsonFile

if TYPE_CHECKING:
    from actiseg_data.core.tables import ReportPage


@dataclass(frozen=True)
class OutputFlags:
    """The files to write. `make_output_flags` adds one for each of `FORMATS`."""

    json_file: JsonFile = None

    def check(self, folders: Sequence[Path], files: Sequence[Path] = ()) -> None:
        """Refuse files inside of input folders, or that would replace inputs or each other."""
        from actiseg_data.core.files import refuse_same
        from actiseg_data.layouts.report_files import check_report_file

        given = {name: path for name, path in vars(self).items() if path is not None}
        for name, path in given.items():
            check_report_file(path, folders, name.removesuffix("_file"))
        refuse_same(given.values(), files)

    def write(self, document: dict[str, Any], make_page: Callable[[], ReportPage]) -> None:
        """Write the files that were asked for, and say so."""
        from actiseg_data.terminal.file_writing import write_report, write_text

        write_report(self.json_file, document)
        for name, table_format in FORMATS.items():
            path = getattr(self, _name_field(name))
            if path is not None:
                write_text(path, table_format.render(make_page()))


def make_output_flags() -> type[OutputFlags]:
    """Make a dataclass with a flag for JSON and for each of `FORMATS`."""
    members = [
        (
            _name_field(name),
            Annotated[
                Optional[Path],
                typer.Option(f"--{name}", help=f"Also write {table_format.content}."),
            ],
            None,
        )
        for name, table_format in FORMATS.items()
    ]
    return make_dataclass("TableFlags", members, bases=(OutputFlags,), frozen=True)


def _name_field(name: str) -> str:
    return f"{name}_file"
