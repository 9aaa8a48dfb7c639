"""A sheet of examples of a configuration, drawn from masks and words alone, without photographs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

from PIL import Image, ImageDraw

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.core.files import write_bytes
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.records.ledger_record import MaskRow, TextRow
from actiseg_noise.preview.lettering import FAINT, INK, MARK, PAPER, load_font, shorten_text
from actiseg_noise.releases.contents.checksums import describe_file
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseFile
from actiseg_noise.releases.data_files.change_pictures import COLOURS, colour_panels, draw_panels

PICTURES = "pictures"
"""The folder of the pictures in a release: ``pictures/<configuration>.png``."""

PLOT_FILE = f"{PICTURES}/statistics.png"
"""The plot of the statistics."""

_PANEL = (236, 316)
_WIDTH = 2 * _PANEL[1] + 4
_CAPTION, _SIZE, _MARGIN, _COLUMNS = 58, 17, 18, 2
_PER_KIND = 2
_LEAST_AREA = 1500
"""Examples show objects of at least this many pixels if there are any."""

_LEGEND = ("gained by the noise", "lost by the noise", "the object", "other objects")

_Key: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Example:
    """One object of a sheet.

    Attributes
    ----------
    clean, noisy : IndexMask
        The masks of the frame, (H, W) uint8.
    object_id : int
        The object.
    lines : tuple of str
        Two lines: the noise, and the words.
    """

    clean: IndexMask
    noisy: IndexMask
    object_id: int
    lines: tuple[str, str]


def write_examples(configuration: Configuration, folder: Path) -> ReleaseFile | None:
    """Write a sheet with typical changes of each kind below a folder.

    The changes of masks are those whose IoU is nearest to the median of their kind. Photographs are
    never shown.

    Returns
    -------
    ReleaseFile or None
        None if the split has no masks, or if its noise changed nothing.
    """
    examples = list(_iterate_examples(configuration))
    if not examples:
        return None
    name = f"{PICTURES}/{configuration.name}.png"
    stream = io.BytesIO()
    compose_examples(examples).save(stream, "PNG", optimize=True)
    write_bytes(folder / name, stream.getvalue())
    return describe_file(folder, name, "picture", configuration.name)


def choose_typical(rows: Iterable[MaskRow]) -> list[MaskRow]:
    """Choose a few rows of each kind: IoU near the median, different sequences, visible objects."""
    by_kind: dict[str, list[MaskRow]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    chosen = []
    for kind in sorted(by_kind):
        visible = [row for row in by_kind[kind] if row.area >= _LEAST_AREA] or by_kind[kind]
        middle = median(row.iou for row in visible)
        ranked = sorted(
            visible, key=lambda r: (abs(r.iou - middle), r.sequence, r.frame, r.object_id)
        )
        nearest: dict[str, MaskRow] = {}
        for row in ranked:
            nearest.setdefault(row.sequence, row)
        chosen += list(nearest.values())[:_PER_KIND]
    return chosen


def _iterate_examples(configuration: Configuration) -> Iterator[Example]:
    documents, split = configuration.documents, configuration.split
    if MASKS not in documents.kinds:
        return
    words = {
        (row.sequence, row.object_id): row
        for row in documents.text_rows
        if row.object_id is not None
    }
    for row in choose_typical(documents.mask_rows):
        clean, noisy = (
            dataset.mask(row.sequence, row.frame) for dataset in (split.source, split.noisy)
        )
        text = words.get((row.sequence, row.object_id))
        lines = f"{row.kind}, IoU {row.iou:.2f}", _describe_words(row.object, text)
        yield Example(clean, noisy, row.object_id, lines)
    if not documents.mask_rows:
        yield from _iterate_text_examples(configuration, words)


def _iterate_text_examples(
    configuration: Configuration, words: dict[_Key, TextRow]
) -> Iterator[Example]:
    """Yield examples of each kind of text noise, in the first frame that has the object."""
    noisy = configuration.split.noisy
    counts: dict[str, int] = {}
    for (folder, object_id), row in words.items():
        if counts.get(row.kind, 0) >= 2 * _PER_KIND:
            continue
        sequence = noisy[folder]
        masks = (noisy.mask(sequence, frame) for frame in sequence.frames)
        mask = next((mask for mask in masks if (mask == object_id).any()), None)
        if mask is not None:
            counts[row.kind] = counts.get(row.kind, 0) + 1
            line = f"{row.kind}: {_describe_words(row.object, row)}"
            yield Example(mask, mask, object_id, (line, f"prompt: {row.prompt}"))


def _describe_words(name: str, row: TextRow | None) -> str:
    return f"called “{name}”" if row is None else f"“{name}” is called “{row.name}”"


def compose_examples(examples: list[Example]) -> Image.Image:
    """Compose the examples in rows of two, with a legend above."""
    lines = -(-len(examples) // _COLUMNS)
    width = _MARGIN + _COLUMNS * (_WIDTH + _MARGIN)
    height = 2 * _MARGIN + _SIZE + lines * (_PANEL[0] + _CAPTION + _MARGIN)
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_legend(pen, any((example.clean != example.noisy).any() for example in examples))
    for position, example in enumerate(examples):
        left = _MARGIN + position % _COLUMNS * (_WIDTH + _MARGIN)
        step = _PANEL[0] + _CAPTION + _MARGIN
        top = 2 * _MARGIN + _SIZE + position // _COLUMNS * step
        panels = draw_panels(example.clean, example.noisy, example.object_id, _PANEL)
        sheet.paste(Image.fromarray(colour_panels(panels)), (left, top))
        for number, (line, colour) in enumerate(zip(example.lines, (MARK, INK), strict=True)):
            text = shorten_text(line, _SIZE, _WIDTH)
            place = (left, top + _PANEL[0] + 6 + number * (_SIZE + 6))
            pen.text(place, text, colour, load_font(_SIZE))
    return sheet


def _draw_legend(pen: ImageDraw.ImageDraw, changed: bool) -> None:
    """Draw what the colours mean; `changed` says whether masks changed."""
    font = load_font(_SIZE)
    x, y = float(_MARGIN), _MARGIN - 4
    head = (
        "left: clean; right: noisy" if changed else "masks are unchanged: left and right are equal"
    )
    pen.text((x, y), head, FAINT, font)
    x += font.getlength(head) + 2 * _MARGIN
    for name in _LEGEND if changed else _LEGEND[2:]:
        pen.rectangle((x, y + 4, x + 14, y + 18), COLOURS[name])
        pen.text((x + 22, y), name, FAINT, font)
        x += 22 + font.getlength(name) + 1.5 * _MARGIN
