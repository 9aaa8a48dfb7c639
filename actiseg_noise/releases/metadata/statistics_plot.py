"""Plot the IoU on disk of a release: quantiles by configuration, kind and size."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw

from actiseg_noise.preview.lettering import load_font, shorten_text
from actiseg_noise.releases.metadata.release_statistics import NoiseStatistics

_WIDTH, _ROW, _HEAD, _MARGIN = 800, 24, 40, 16
_LABELS = 250
"""Width of the labels, in pixels."""

_NUMBERS = 70
"""Width of the numbers on the right."""

_FONT, _HEAD_FONT = 14, 16
_PAPER, _INK, _FAINT, _GRID = (255, 255, 255), (30, 30, 34), (110, 110, 118), (226, 226, 230)
_COLOURS = {
    "all": (60, 60, 66),
    "kind": (38, 110, 172),
    "size": (214, 128, 24),
    "bystanders": (140, 140, 148),
}
_STEPS = (0.1, 0.2)
"""Distances between the grid lines: for a narrow axis and for a wide one."""


@dataclass(frozen=True)
class _Axis:
    """The axis of the IoU: from `least` to 1."""

    least: float

    def locate(self, value: float) -> float:
        """Return the horizontal position of a value, in pixels."""
        left, right = _LABELS, _WIDTH - _NUMBERS - _MARGIN
        return left + (right - left) * (value - self.least) / (1 - self.least)

    def list_ticks(self) -> list[float]:
        """List the values of the grid lines."""
        step = _STEPS[0] if self.least >= 0.5 else _STEPS[1]
        first = round(self.least / step)
        return [round(step * tick, 1) for tick in range(first, round(1 / step) + 1)]


def draw_statistics(rows: Sequence[NoiseStatistics]) -> bytes | None:
    """Draw the quantiles of the IoU on disk.

    A thick bar goes from the quartile to the quartile, a thin one from the 5 % quantile to the 95 %
    quantile, and a mark is the median.

    Parameters
    ----------
    rows : sequence of NoiseStatistics
        The statistics of a release.

    Returns
    -------
    bytes or None
        A PNG of 800 pixels width. None if there is no mask noise.
    """
    shown = [row for row in rows if row.measure == "iou" and row.q50 is not None]
    if not shown:
        return None
    configurations = list(dict.fromkeys(row.configuration for row in shown))
    height = 2 * _MARGIN + _ROW * (len(shown) + 2) + _HEAD * len(configurations)
    image = Image.new("RGB", (_WIDTH, height), _PAPER)
    canvas = ImageDraw.Draw(image)
    least = min(row.q05 for row in shown if row.q05 is not None)
    axis = _Axis(min(0.8, max(0.0, int(10 * least) / 10)) if least >= 0.5 else 0.0)
    top = _MARGIN
    for name in configurations:
        members = [row for row in shown if row.configuration == name]
        _draw_group(canvas, axis, top, members)
        top += _HEAD + _ROW * len(members)
    _draw_legend(canvas, axis, top)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _draw_group(canvas: Any, axis: _Axis, top: int, rows: Sequence[NoiseStatistics]) -> None:
    """Draw the head and the rows of one configuration."""
    title = shorten_text(f"{rows[0].configuration}, list {rows[0].split}", _HEAD_FONT, _WIDTH // 2)
    canvas.text((_MARGIN, top + 10), title, fill=_INK, font=load_font(_HEAD_FONT))
    right = _WIDTH - _MARGIN
    canvas.text((right, top + 12), "changed", fill=_FAINT, font=load_font(_FONT), anchor="ra")
    bottom = top + _HEAD + _ROW * len(rows)
    for tick in axis.list_ticks():
        canvas.line([(axis.locate(tick), top + _HEAD - 4), (axis.locate(tick), bottom)], fill=_GRID)
    for number, row in enumerate(rows):
        _draw_row(canvas, axis, top + _HEAD + _ROW * number, row)


def _draw_row(canvas: Any, axis: _Axis, top: int, row: NoiseStatistics) -> None:
    colour, middle = _COLOURS[row.group], top + _ROW // 2
    label = row.name if row.group in ("all", "bystanders") else f"{row.group}: {row.name}"
    label = "all with noise" if row.group == "all" else label
    label = "cut bystanders" if row.group == "bystanders" else label
    font = load_font(_FONT)
    text = shorten_text(label, _FONT, _LABELS - 2 * _MARGIN)
    canvas.text((_MARGIN * 2, middle), text, fill=_INK, font=font, anchor="lm")
    right = _WIDTH - _MARGIN
    canvas.text((right, middle), str(row.noisy), fill=_INK, font=font, anchor="rm")
    q05, q25, q50, q75, q95 = (axis.locate(value) for value in _list_quantiles(row))
    canvas.rectangle([q05, middle - 1, q95, middle + 1], fill=colour)
    canvas.rectangle([q25, middle - 6, max(q75, q25 + 1), middle + 6], fill=colour)
    canvas.rectangle([q50 - 2, middle - 8, q50 + 2, middle + 8], fill=_PAPER, outline=_INK)


def _draw_legend(canvas: Any, axis: _Axis, top: int) -> None:
    """Draw the numbers of the axis, and what the marks mean."""
    font = load_font(_FONT)
    for tick in axis.list_ticks():
        place = (axis.locate(tick), top + 4)
        canvas.text(place, f"{tick:.1f}", fill=_FAINT, font=font, anchor="ma")
    canvas.text((_MARGIN * 2, top + 4), "IoU with the clean object", fill=_FAINT, font=font)
    words = "mark: median;  thick bar: quartiles;  thin bar: 5 % to 95 % of the items"
    canvas.text((axis.locate(axis.least), top + _ROW), words, fill=_FAINT, font=font)


def _list_quantiles(row: NoiseStatistics) -> Iterator[float]:
    """Yield the quantiles in order; a missing one is the median."""
    for value in (row.q05, row.q25, row.q50, row.q75, row.q95):
        yield float(row.q50 or 0.0) if value is None else value
