"""Text in images: font, width, and shortening to the available space."""

from __future__ import annotations

import math
from typing import Any

from PIL import ImageFont

PAPER, INK, FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)
"""Colours of the sheet, of its text, and of less important text."""

MARK = (255, 226, 92)
"""Colour of changes in names and prompts."""


def load_font(size: int) -> Any:
    """Load Pillow's default font in a size in pixels."""
    return ImageFont.load_default(size=size)


def measure_width(text: str, size: int) -> int:
    """Return the width of a text in pixels."""
    length: float = load_font(size).getlength(text)
    return math.ceil(length)


def shorten_text(text: str, size: int, width: int) -> str:
    """Shorten a text with an ellipsis if it is wider than `width` pixels."""
    if measure_width(text, size) <= width:
        return text
    while len(text) > 1 and measure_width(f"{text}...", size) > width:
        text = text[:-1].rstrip()
    return f"{text}..."
