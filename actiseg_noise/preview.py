"""A picture of what a noisy split holds: clean, noisy and changed pixels of one sequence."""

from __future__ import annotations

import colorsys
import difflib
import io
import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from actiseg_data.errors import refuse
from actiseg_data.files import write_bytes
from actiseg_data.layouts.actionvos import FRAMES
from actiseg_data.masks import MAX_PIXELS, IndexMask, ids_in
from actiseg_data.opencv import load_cv2
from actiseg_data.records import LEDGER_FILE, LedgerRow, Recipe, read_ledger
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import read_bytes
from actiseg_noise.captions import Box, Caption, place_captions
from actiseg_noise.kinds import is_number
from actiseg_noise.noisy_split import NoisySplit, open_noisy_split

Pixels: TypeAlias = NDArray[np.float64]
"""(H, W, 3), red, green and blue from 0 to 255."""

FEW = 4
"""Frames that are shown unless they are named."""

MOST = 16
"""Frames that one sheet can show."""

PANEL = (500, 440)
"""Widest and highest that a panel gets, in pixels of the sheet."""

GAINED, LOST, MOVED = (255, 145, 0), (50, 150, 255), (255, 255, 255)
"""Colours of changed pixels. Orange, blue and white stay apart for colour-blind readers."""

_PAPER, _INK, _FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)
_GREY = 128.0
_LINE = 5
_MARGIN = 20
_GAP = 10
_MAX_IMAGE_BYTES = 1 << 26
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def make_preview(
    out: Path, sequence: str, source: Path | None = None, frames: Iterable[str] = ()
) -> Image.Image:
    """A sheet with a row for each frame and three columns: clean, noisy, and what changed.

    out: the noisy split. sequence: a folder name as in its lists. source: the clean dataset, by
    default where the split's summary says that it was. frames: names of those to show, at most
    `MOST`; by default all up to `FEW`, or so many spread evenly over a longer clip.

    Objects are tinted, the same in every row, over the frame's image, or over grey where there is
    none. Touched ones are named with their noise and their IoU with the clean object on disk.
    The sheet is an RGB image about 1,560 pixels wide. Raises `Refused` for an unknown sequence or
    frame, a source that cannot be reached, and faulty masks or images.

    ::

        sheet = make_preview(Path("actiseg_sample_boundary_r0.4_s0"), "00000047_S03_02_pour_oil")
        save_preview(sheet, Path("pour_oil.png"))
    """
    split = open_noisy_split(out, source)
    whole = _find_sequence(split, sequence)
    shown = replace(whole, frames=_choose_frames(whole, tuple(frames), out))
    rows = [row for row in read_ledger(out / LEDGER_FILE) if row.sequence == whole.folder]
    strips = []
    for frame, (clean, noisy) in zip(shown.frames, split.mask_pairs(shown), strict=True):
        touched = {row.object_id: row for row in rows if row.frame == frame}
        photo = _photo(split, shown, frame)
        strips.append(_strip(_View(shown, frame, clean, noisy, touched, photo)))
    return _sheet(whole, shown, split.recipe, strips)


def save_preview(sheet: Image.Image, path: Path) -> None:
    """Write a sheet as PNG or JPEG, as the ending says, whole or not at all."""
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise refuse(
            f"the ending {path.suffix!r} is no image that can be written", path, "use .png or .jpg"
        )
    stream = io.BytesIO()
    sheet.save(stream, form, **({"quality": 85} if form == "JPEG" else {"optimize": True}))
    write_bytes(path, stream.getvalue())


def _find_sequence(split: NoisySplit, name: str) -> Sequence:
    """The sequence as the source labels it."""
    folders = [sequence.folder for sequence in split.noisy.sequences]
    if name not in folders:
        raise refuse(
            f"has no sequence {name!r}{_close_to(name, folders)}",
            split.noisy.root,
            "give a folder name as in its lists",
        )
    return next(found for found in split.source.sequences if found.folder == name)


def _close_to(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, 3, 0.4)
    return f"; close to it: {', '.join(close)}" if close else ""


def _choose_frames(sequence: Sequence, named: tuple[str, ...], out: Path) -> tuple[str, ...]:
    """The frames to show, in the sequence's order."""
    for name in named:
        if name not in sequence.frames:
            raise refuse(
                f"{sequence.folder} has no frame {name!r}{_close_to(name, sequence.frames)}",
                out,
                "give a frame name without its ending",
            )
    if named:
        chosen = tuple(frame for frame in sequence.frames if frame in named)
        if len(chosen) > MOST:
            raise refuse(f"{len(chosen)} frames are too many", "frames", f"name {MOST} at most")
        return chosen
    return spread(sequence.frames, FEW)


def spread(frames: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most so many of some frames, evenly spread, the first and the last among them.

    >>> spread(("a", "b", "c", "d", "e", "f", "g"), 4)
    ('a', 'c', 'e', 'g')
    """
    if len(frames) <= most:
        return frames
    return tuple(frames[round(at * (len(frames) - 1) / (most - 1))] for at in range(most))


def _photo(split: NoisySplit, sequence: Sequence, frame: str) -> Image.Image | None:
    """The frame's image, of the noisy split or else of its source; None where neither has it."""
    for dataset in (split.noisy, split.source):
        path = dataset.folder(FRAMES, sequence) / f"{frame}.jpg"
        if path.is_file():
            return _read_photo(path)
    return None


def _read_photo(path: Path) -> Image.Image:
    data = read_bytes(path, "image", _MAX_IMAGE_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; they are refused below
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
                if image.width * image.height > MAX_PIXELS:
                    size = f"{image.width} x {image.height}"
                    raise refuse(f"has {size} pixels", path, "make the frames smaller")
                photo: Image.Image = image.convert("RGB")
                return photo
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise refuse("is no readable image", path, "restore the frame, or remove it") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise refuse(f"is damaged ({error})", path, "restore the frame, or remove it") from None


@dataclass(frozen=True)
class _View:
    """One frame: its masks, the ledger's rows by object id, and its image."""

    sequence: Sequence
    frame: str
    clean: IndexMask
    noisy: IndexMask
    touched: dict[int, LedgerRow]
    photo: Image.Image | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a panel: the mask's proportions within `PANEL`."""
        height, width = self.clean.shape
        ratio = min(PANEL[0] / width, PANEL[1] / height)
        return max(1, round(width * ratio)), max(1, round(height * ratio))

    def enlarged(self, mask: IndexMask) -> IndexMask:
        """A mask of this frame at about twice the panel's size, so that lines come out smooth when
        the picture is made smaller."""
        width = mask.shape[1]
        times, step = -(-2 * self.size[0] // width), width // (2 * self.size[0])
        if step > 1:
            return mask[::step, ::step]
        return mask.repeat(times, axis=0).repeat(times, axis=1)

    @property
    def backdrop(self) -> Pixels:
        """The frame's image, or grey, at the size of an enlarged mask."""
        height, width = self.enlarged(self.clean).shape
        if self.photo is None:
            return np.full((height, width, 3), _GREY)
        resized = self.photo.resize((width, height), Image.Resampling.BICUBIC)
        return np.asarray(resized, np.float64)


def _panel(view: _View, pixels: Pixels) -> Image.Image:
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    return image.resize(view.size, Image.Resampling.LANCZOS)


def _edges(mask: IndexMask, thickness: int) -> NDArray[np.bool_]:
    """Pixels near a change of object, (H, W) bool."""
    edge = np.zeros(mask.shape, np.uint8)
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    cv2 = load_cv2()
    thick: NDArray[np.uint8] = cv2.dilate(edge, np.ones((thickness, thickness), np.uint8))
    return thick > 0


def _tints(sequence: Sequence) -> Pixels:
    """A colour for each id, (256, 3): hues as far apart as can be, in three grades of brightness.

    The masks' own palette has three reds among its first nine colours.
    """
    tints = np.zeros((256, 3))
    for rank, object_id in enumerate(sorted(sequence.object_ids)):
        hue = (0.02 + rank * 0.6180339887) % 1  # the golden ratio's multiples spread evenly
        saturation, value = ((0.85, 1.0), (0.95, 0.7), (0.5, 1.0))[rank % 3]
        tints[object_id] = 255 * np.array(colorsys.hsv_to_rgb(hue, saturation, value))
    return tints


def _overlay(view: _View, mask: IndexMask, bright: frozenset[int]) -> Image.Image:
    """The frame with its objects tinted and outlined, those in `bright` more strongly."""
    large = view.enlarged(mask)
    strength = np.full(256, 0.35 if view.photo is not None else 0.55)
    strength[list(bright)] += 0.25
    strength[0] = 0
    share = strength[large][..., None]
    pixels = (1 - share) * view.backdrop + share * _tints(view.sequence)[large]
    pixels[_edges(large, _LINE)] = 235
    return _panel(view, pixels)


def _difference(view: _View) -> Image.Image:
    """The frame in dim grey with every changed pixel in the colour of what happened to it."""
    grey = view.backdrop.mean(axis=2, keepdims=True).repeat(3, axis=2)
    pixels = 20 + 0.35 * grey
    clean, noisy = view.enlarged(view.clean), view.enlarged(view.noisy)
    pixels[_edges(clean, 2)] = 125
    changed = clean != noisy
    pixels[changed & (clean == 0)] = GAINED
    pixels[changed & (noisy == 0)] = LOST
    pixels[changed & (clean > 0) & (noisy > 0)] = MOVED
    return _panel(view, pixels)


def _font(size: int) -> Any:
    return ImageFont.load_default(size=size)


def _width(text: str, size: int) -> int:
    length: float = _font(size).getlength(text)
    return math.ceil(length)


def _fitting(text: str, size: int, width: int) -> str:
    """The text, cut short with an ellipsis where it is wider than so many pixels."""
    if _width(text, size) <= width:
        return text
    while len(text) > 1 and _width(f"{text}...", size) > width:
        text = text[:-1].rstrip()
    return f"{text}..."


def _centre(member: NDArray[np.bool_]) -> tuple[int, int]:
    """The (x, y) of an object's pixel that is farthest from its outline: inside, in its bulk."""
    cv2 = load_cv2()
    inside = np.pad(member, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x) - 1, int(y) - 1


@dataclass(frozen=True)
class _Name:
    """A text in a panel. anchor: (x, y) on the object; subject: the box around it."""

    text: str
    size: int
    colour: tuple[int, int, int]
    anchor: tuple[int, int]
    subject: Box


_STROKE = 3
"""Width of the dark edge of a name, in pixels."""


def _write_names(panel: Image.Image, names: list[_Name]) -> None:
    """Write names, the most important first, each near its object and readable on any ground."""
    pen = ImageDraw.Draw(panel)
    style: dict[str, Any] = {"stroke_width": _STROKE, "spacing": 2, "align": "center"}
    inks = [pen.textbbox((0, 0), n.text, font=_font(n.size), **style) for n in names]
    sizes = [(math.ceil(ink[2] - ink[0]), math.ceil(ink[3] - ink[1])) for ink in inks]
    captions = [Caption(size, n.anchor, n.subject) for size, n in zip(sizes, names, strict=True)]
    boxes = place_captions(captions, panel.size)
    for name, (left, top, right, bottom) in zip(names, boxes, strict=True):
        x, y = name.anchor
        near = (min(max(x, left), right), min(max(y, top), bottom))
        if math.hypot(near[0] - x, near[1] - y) > 8:
            pen.line((near, name.anchor), (0, 0, 0), 4)
            pen.line((near, name.anchor), name.colour, 2)
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), name.colour, (0, 0, 0))
    for name, box, ink in reversed(list(zip(names, boxes, inks, strict=True))):
        place = (box[0] - ink[0], box[1] - ink[1])
        pen.text(place, name.text, name.colour, _font(name.size), stroke_fill=(0, 0, 0), **style)


def _names(view: _View, mask: IndexMask, *, noise: bool) -> list[_Name]:
    """The names of a panel, touched objects first, then the largest."""
    labels = {label.object_id: label.name for label in view.sequence.objects}
    ratio = view.size[0] / mask.shape[1]
    areas = np.bincount(mask.ravel(), minlength=256)
    half = view.size[0] // 2
    names = []
    for at in sorted(ids_in(mask), key=lambda at: (at not in view.touched, -int(areas[at]), at)):
        size, colour = (17, (214, 214, 218)) if noise else (20, (255, 255, 255))
        text = _fitting(labels[at], size, half)
        if noise and at in view.touched:
            row = view.touched[at]
            size, colour = 23, (255, 226, 92)
            name, what = _fitting(labels[at], size, half), f"{row.kind} {row.iou:.2f}"
            text = f"{name} · {what}"
            text = text if _width(text, size) <= half else f"{name}\n{what}"
        member = mask == at
        x, y = _centre(member)
        anchor = (round((x + 0.5) * ratio), round((y + 0.5) * ratio))
        names.append(_Name(text, size, colour, anchor, _box_around(member, ratio)))
    return names


def _box_around(member: NDArray[np.bool_], ratio: float) -> Box:
    """The box around an object that is in the mask, in pixels of a panel."""
    rows, columns = np.flatnonzero(member.any(axis=1)), np.flatnonzero(member.any(axis=0))
    corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    left, top, right, bottom = (round(float(corner) * ratio) for corner in corners)
    return left, top, right, bottom


@dataclass(frozen=True)
class _Strip:
    """A finished row: its three panels and the line above each."""

    panels: tuple[Image.Image, Image.Image, Image.Image]
    lines: tuple[str, str, str]


def _strip(view: _View) -> _Strip:
    bright = frozenset(view.touched)
    clean, noisy = _overlay(view, view.clean, frozenset()), _overlay(view, view.noisy, bright)
    _write_names(clean, _names(view, view.clean, noise=False))
    _write_names(noisy, _names(view, view.noisy, noise=True))
    changed = view.clean != view.noisy
    gained = int((changed & (view.clean == 0)).sum())
    lost = int((changed & (view.noisy == 0)).sum())
    moved = int(changed.sum()) - gained - lost
    lines = (
        f"clean: {view.frame}",
        f"noisy: {len(view.touched)} of {len(ids_in(view.clean))} objects touched",
        f"difference: gained {gained}, lost {lost}, moved {moved} px",
    )
    return _Strip((clean, noisy, _difference(view)), lines)


def describe(recipe: Recipe) -> str:
    """A recipe in words.

    >>> from actiseg_noise.recipe import make_recipe
    >>> describe(make_recipe("boundary", 0.4))
    'dilate, erode or jitter at rate 0.4, target IoU 0.8, positive objects, seed 0'
    """
    parts = []
    for noise in recipe.noises:
        kinds = noise.parameters.get("kinds")
        kinds = [str(kind) for kind in kinds] if isinstance(kinds, list) and kinds else [noise.kind]
        words = " or ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))
        parts.append(f"{words} at rate {noise.rate:g}")
        for name, form in (("target_iou", "target IoU {:g}"), ("radius", "radius {:g} px")):
            strength = noise.parameters.get(name)
            if is_number(strength):
                parts.append(form.format(strength))
        parts.append(f"{noise.objects} objects")
    return ", ".join([*parts, f"seed {recipe.seed}"])


def _sheet(whole: Sequence, shown: Sequence, recipe: Recipe, strips: list[_Strip]) -> Image.Image:
    """Title, rows and legend on one page."""
    line, head = 28, 78
    wide, high = strips[0].panels[0].size
    width = max(3 * wide + 2 * _GAP + 2 * _MARGIN, 900)
    height = head + len(strips) * (high + line + _GAP) + 46
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    room = width - 2 * _MARGIN
    pen.text((_MARGIN, 12), _fitting(whole.folder, 28, room), _INK, _font(28))
    pen.text((_MARGIN, 48), _fitting(describe(recipe), 21, room), _FAINT, _font(21))
    top = head
    for strip in strips:
        for column, (panel, text) in enumerate(zip(strip.panels, strip.lines, strict=True)):
            left = _MARGIN + column * (wide + _GAP)
            pen.text((left, top + 3), _fitting(text, 19, wide), _INK, _font(19))
            sheet.paste(panel, (left, top + line))
        top += high + line + _GAP
    _write_foot(pen, top + 6, width, whole, shown)
    return sheet


def _write_foot(
    pen: ImageDraw.ImageDraw, top: int, width: int, whole: Sequence, shown: Sequence
) -> None:
    """Which frames are shown, and what the colours of the difference mean."""
    total, few = len(whole.frames), len(shown.frames)
    text = f"{few} of {total} frames; noisy: kind of noise and IoU with the clean object on disk"
    size = 19
    legend = ((GAINED, "gained"), (LOST, "lost"), (MOVED, "moved to another object"))
    left = width - _MARGIN - sum(_width(words, size) + 50 for _, words in legend)
    pen.text((_MARGIN, top), _fitting(text, size, left - 2 * _MARGIN), _FAINT, _font(size))
    for colour, words in legend:
        pen.rectangle((left, top + 3, left + 18, top + 19), colour)
        pen.text((left + 26, top), words, _INK, _font(size))
        left += _width(words, size) + 50
