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
        from actiseg_data.core.files import refuse_inside_of, refuse_same

        given = [path for path in vars(self).values() if path is not None]
        for path in given:
            refuse_inside_of(path, folders)
        refuse_same(given, files)

    def write(self, document: dict[str, Any], make_page: Callable[[], ReportPage]) -> None:
        """Write the files that were asked for, and say so."""
        from actiseg_data.core.files import write_json

        if self.json_file is not None:
            write_json(self.json_file, document, indent=1)
            print(f"wrote {self.json_file}")
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


def write_text(path: Path, text: str) -> None:
    """Write a text file and say so."""
    from actiseg_data.core.files import write_bytes

    write_bytes(path, text.encode(errors="backslashreplace"))
    print(f"wrote {path}")
