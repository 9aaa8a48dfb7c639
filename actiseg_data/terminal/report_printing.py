"""Printing of reports on the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from actiseg_data.terminal.messages import print_note, spell_flag
from actiseg_data.terminal.table_printing import print_table

if TYPE_CHECKING:
    from actiseg_data.core.tables import ReportPart

_PARAMETER = re.compile(r"`(\w+)`")


def print_report(parts: Iterable[ReportPart]) -> None:
    """Print notes and tables; parameters in backticks are spelled as flags."""
    for part in parts:
        if isinstance(part, str):
            print_note(_PARAMETER.sub(lambda match: spell_flag(match[1]), part))
        else:
            print_table(part.title, list(part.columns), [list(row) for row in part.rows])
