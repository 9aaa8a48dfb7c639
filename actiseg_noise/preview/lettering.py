"""Texts in pictures: their font, their width, and what is cut off where there is no room."""

from __future__ import annotations

import math
from typing import Any

from PIL import ImageFont

PAPER, INK, FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)
"""Colours of the sheet, of its texts, and of those that matter less."""

MARK = (255, 226, 92)
"""Colour of what changed in names and prompts."""


def load_font(size: int) -> Any:
    """Pillow's own font, at a size in pixels."""
    return ImageFont.load_default(size=size)


def measure_width(text: str, size: int) -> int:
    """Pixels that a text takes."""
    length: float = load_font(size).getlength(text)
    return math.ceil(length)


def shorten_text(text: str, size: int, width: int) -> str:
    """The text, cut short with an ellipsis where it is wider than so many pixels."""
    if measure_width(text, size) <= width:
        return text
    while len(text) > 1 and measure_width(f"{text}...", size) > width:
        text = text[:-1].rstrip()
    return f"{text}..."
