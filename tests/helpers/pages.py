"""The blocks of code in pages of the documentation."""

from __future__ import annotations

import re

from tests.helpers.paths import ROOT


def list_blocks(page: str) -> list[tuple[str, str]]:
    """The language and the text of each block, in the order of the page."""
    text = (ROOT / page).read_text()
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def code_blocks(page: str, language: str) -> list[str]:
    return [block for named, block in list_blocks(page) if named == language]
