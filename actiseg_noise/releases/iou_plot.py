"""A plot of how far noisy objects on disk are from the clean ones, by configuration and group."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from actiseg_noise.preview.lettering import load_font, measure_width, shorten_text
from actiseg_noise.releases.release_statistics import NoiseStatistics

PLOT_FILE = "pictures/iou.png"

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _FOOT = 800, 250, 70, 40, 26, 44
_INK, _FAINT, _BAR, _BOX = (40, 40, 40), (225, 225, 225), (150, 185, 220), (60, 120, 180)
_TEXT = 15


def draw_iou_plot(rows: Sequence[NoiseStatistics]) -> bytes | None:
    """Draw quantiles of the IoU on disk, a line for each row of the statistics with mask noise.

    A thin bar goes from the 5 % to the 95 % quantile, a box from the 25 % to the 75 % quantile, and
    a mark is at the median.

    Returns
    -------
    bytes or None
        A PNG that is 800 pixels wide; None if no row has an IoU.
    """
    shown = [row for row in rows if row.iou_q50 is not None]
    if not shown:
        return None
    image = Image.new("RGB", (_WIDTH, _TOP + _ROW * len(shown) + _FOOT), "white")
    pen = ImageDraw.Draw(image)
    font = load_font(_TEXT)
    lowest = min(row.iou_q05 for row in shown if row.iou_q05 is not None)
    low = max(0.0, int(lowest * 10) / 10)
    pen.text((8, 10), "IoU of noisy and clean object, on disk", _INK, font=font)
    bottom = _TOP + _ROW * len(shown)
    for value in _list_ticks(low):
        x = _place(value, low)
        pen.line((x, _TOP, x, bottom), _FAINT)
        label = f"{value:.1f}" if low < 0.9 else f"{value:.2f}"
        pen.text((x - measure_width(label, _TEXT) // 2, bottom + 6), label, _INK, font=font)
    for number, row in enumerate(shown):
        _draw_row(pen, row, _TOP + _ROW * number + _ROW // 2, low)
    note = "bar: 5 % to 95 %, box: 25 % to 75 %, mark: median; right: number of objects in frames"
    pen.text((8, bottom + 24), note, _INK, font=load_font(_TEXT - 2))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _draw_row(pen: ImageDraw.ImageDraw, row: NoiseStatistics, y: int, low: float) -> None:
    font = load_font(_TEXT)
    name = row.configuration if row.group == "all" else f"    {row.group}"
    pen.text((8, y - 9), shorten_text(name, _TEXT, _LEFT - 20), _INK, font=font)
    quantiles = (row.iou_q05, row.iou_q25, row.iou_q50, row.iou_q75, row.iou_q95)
    ends = [_place(value, low) for value in quantiles if value is not None]
    pen.rectangle((ends[0], y - 2, ends[-1], y + 2), _BAR)
    pen.rectangle((ends[1], y - 7, ends[-2], y + 7), _BOX)
    middle = ends[len(ends) // 2]
    pen.rectangle((middle - 1, y - 9, middle + 1, y + 9), _INK)
    pen.text((_WIDTH - _RIGHT + 12, y - 9), str(row.noisy), _INK, font=font)


def _place(value: float, low: float) -> int:
    share = (value - low) / (1 - low)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT))


def _list_ticks(low: float) -> Iterator[float]:
    step = 0.1 if low < 0.9 else 0.02
    count = round((1 - low) / step)
    return (low + step * number for number in range(count + 1))
