"""Draw the panels of one frame: clean and noisy objects, tinted and named, and the difference."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from actiseg_data.annotations.masks import IndexMask, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.opencv import load_cv2
from actiseg_data.layouts.photograph_reading import read_rgb, refuse_aspect
from actiseg_data.records.ledger_record import LabelRow, MaskRow, TextRow
from actiseg_noise.preview.captions import Box, Caption, place_captions
from actiseg_noise.preview.lettering import MARK, load_font, measure_width, shorten_text
from actiseg_noise.split.noisy_split import NoisySplit

Pixels: TypeAlias = NDArray[np.float64]
"""(H, W, 3), red, green and blue from 0 to 255."""

PANEL = (500, 440)
"""Maximum width and height of a panel, in pixels of the sheet."""

GAINED, LOST, MOVED = (255, 145, 0), (50, 150, 255), (255, 255, 255)
"""Colours of changed pixels. Colour-blind readers can distinguish orange, blue and white."""

_GREY = 128.0
_LINE = 5


def read_photograph(
    split: NoisySplit, sequence: VideoSequence, frame: str, size: tuple[int, ...]
) -> Image.Image | None:
    """Read a frame's photograph from the noisy split, or from its source.

    Parameters
    ----------
    split : NoisySplit
        The noisy split.
    sequence : VideoSequence
        The sequence of the frame.
    frame : str
        Name of the frame.
    size : (int, int)
        Height and width of the mask.

    Returns
    -------
    Image or None
        None if neither split has the photograph.

    Raises
    ------
    InputError
        If the photograph has another aspect ratio than the mask.
    """
    for dataset in (split.noisy, split.source):
        path = dataset.find_frame(sequence, frame)
        if path.is_file():
            pixels = read_rgb(path)
            refuse_aspect(pixels.shape[:2], (size[0], size[1]), path)
            return Image.fromarray(pixels)
    return None


@dataclass(frozen=True)
class SheetFrame:
    """One frame of a sheet.

    Attributes
    ----------
    sequence : VideoSequence
        The sequence of the frame.
    frame : str
        Name of the frame.
    clean, noisy : IndexMask
        The masks, (H, W) uint8.
    mask_rows : dict of int to MaskRow
        Ledger rows of mask noise by object id.
    text_rows : dict of int to TextRow
        Ledger rows of text noise by object id.
    label_rows : dict of int to LabelRow
        Ledger rows of noise in the labels of active objects, by object id.
    class_rows : dict of int to LabelRow
        Ledger rows of categories that changed, by object id.
    photo : Image or None
        The photograph.
    dangling : bool
        Whether the split's photograph is a broken link.
    """

    sequence: VideoSequence
    frame: str
    clean: IndexMask
    noisy: IndexMask
    mask_rows: dict[int, MaskRow]
    text_rows: dict[int, TextRow]
    label_rows: dict[int, LabelRow]
    photo: Image.Image | None
    dangling: bool = False
    class_rows: dict[int, LabelRow] = field(default_factory=dict)

    @property
    def marked(self) -> set[int]:
        """The objects with noise."""
        rows = (self.mask_rows, self.text_rows, self.label_rows, self.class_rows)
        return set().union(*rows)

    @property
    def title(self) -> str:
        """The title of the clean panel."""
        if self.photo is not None:
            note = ", the source's photograph" if self.dangling else ""
        else:
            note = ", photograph: a broken link" if self.dangling else ", no photograph"
        return f"clean: {self.frame}{note}"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a panel, with the mask's aspect ratio, within `PANEL`."""
        height, width = self.clean.shape
        ratio = min(PANEL[0] / width, PANEL[1] / height)
        return max(1, round(width * ratio)), max(1, round(height * ratio))

    def enlarge(self, mask: IndexMask) -> IndexMask:
        """Scale a mask to about twice the panel's size, so that downscaling smooths lines."""
        width = mask.shape[1]
        times, step = -(-2 * self.size[0] // width), width // (2 * self.size[0])
        if step > 1:
            return mask[::step, ::step]
        return mask.repeat(times, axis=0).repeat(times, axis=1)

    @property
    def backdrop(self) -> Pixels:
        """The photograph, or grey without one, at the size of an enlarged mask."""
        height, width = self.enlarge(self.clean).shape
        if self.photo is None:
            return np.full((height, width, 3), _GREY)
        resized = self.photo.resize((width, height), Image.Resampling.BICUBIC)
        return np.asarray(resized, np.float64)


def _make_panel(view: SheetFrame, pixels: Pixels) -> Image.Image:
    image = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    return image.resize(view.size, Image.Resampling.LANCZOS)


def _find_edges(mask: IndexMask, thickness: int) -> NDArray[np.bool_]:
    """Return the pixels near a border between objects, (H, W) bool."""
    edge = np.zeros(mask.shape, np.uint8)
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    cv2 = load_cv2()
    thick: NDArray[np.uint8] = cv2.dilate(edge, np.ones((thickness, thickness), np.uint8))
    return thick > 0


def _make_tints(sequence: VideoSequence) -> Pixels:
    """Return a colour for each id, (256, 3): hues far apart, in three levels of brightness.

    The palette of the masks is not used because it has three reds among its first nine colours.
    """
    tints = np.zeros((256, 3))
    for rank, object_id in enumerate(sorted(sequence.object_ids)):
        hue = (0.02 + rank * 0.6180339887) % 1  # multiples of the golden ratio spread evenly
        saturation, value = ((0.85, 1.0), (0.95, 0.7), (0.5, 1.0))[rank % 3]
        tints[object_id] = 255 * np.array(colorsys.hsv_to_rgb(hue, saturation, value))
    return tints


def draw_overlay(view: SheetFrame, mask: IndexMask, bright: frozenset[int]) -> Image.Image:
    """Draw the frame with tinted, outlined objects; those in `bright` have stronger tints."""
    large = view.enlarge(mask)
    strength = np.full(256, 0.35 if view.photo is not None else 0.55)
    strength[list(bright)] += 0.25
    strength[0] = 0
    pixels = view.backdrop * (1 - strength)[large][..., None]
    pixels += (strength[:, None] * _make_tints(view.sequence))[large]
    pixels[_find_edges(large, _LINE)] = 235
    return _make_panel(view, pixels)


def draw_difference(view: SheetFrame) -> Image.Image:
    """Draw the frame in dim grey, with changed pixels in the colour of their change."""
    grey = view.backdrop.mean(axis=2, keepdims=True).repeat(3, axis=2)
    pixels = 20 + 0.35 * grey
    clean, noisy = view.enlarge(view.clean), view.enlarge(view.noisy)
    pixels[_find_edges(clean, 2)] = 125
    changed = clean != noisy
    pixels[changed & (clean == 0)] = GAINED
    pixels[changed & (noisy == 0)] = LOST
    pixels[changed & (clean > 0) & (noisy > 0)] = MOVED
    return _make_panel(view, pixels)


def _find_centre(member: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the (x, y) of the pixel that is farthest from the object's outline."""
    cv2 = load_cv2()
    inside = np.pad(member, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x) - 1, int(y) - 1


@dataclass(frozen=True)
class NameTag:
    """The name of an object in a panel.

    Attributes
    ----------
    text : str
        One or two lines.
    size : int
        Font size in pixels.
    colour : (int, int, int)
        Red, green and blue, 0 to 255.
    anchor : (int, int)
        x and y of a point on the object.
    subject : Box
        Box around the object.
    """

    text: str
    size: int
    colour: tuple[int, int, int]
    anchor: tuple[int, int]
    subject: Box


_STROKE = 3
"""Width of the dark outline of a name, in pixels."""


def write_names(panel: Image.Image, names: list[NameTag]) -> None:
    """Write names near their objects, the most important first, readable on any background."""
    pen = ImageDraw.Draw(panel)
    style: dict[str, Any] = {"stroke_width": _STROKE, "spacing": 2, "align": "center"}
    inks = [pen.textbbox((0, 0), n.text, font=load_font(n.size), **style) for n in names]
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
        pen.text(
            place, name.text, name.colour, load_font(name.size), stroke_fill=(0, 0, 0), **style
        )


def make_name_tags(view: SheetFrame, mask: IndexMask, *, noise: bool) -> list[NameTag]:
    """Return the names in a panel: objects with noise first, then by area.

    With `noise`, a name comes with its noise: the new name, the kind and the IoU.
    """
    labels = {label.object_id: label.name for label in view.sequence.objects}
    ratio = view.size[0] / mask.shape[1]
    areas = np.bincount(mask.ravel(), minlength=256)
    half = view.size[0] // 2
    marked = view.marked
    names = []
    visible = [number for number in find_ids(mask) if number in labels]
    for object_id in sorted(visible, key=lambda i: (i not in marked, -int(areas[i]), i)):
        size, colour = (17, (214, 214, 218)) if noise else (20, (255, 255, 255))
        text = shorten_text(labels[object_id], size, half)
        if noise and object_id in marked:
            size, colour = 23, MARK
            text = _describe_object(view, object_id, labels[object_id], size, half)
        member = mask == object_id
        x, y = _find_centre(member)
        anchor = (round((x + 0.5) * ratio), round((y + 0.5) * ratio))
        names.append(NameTag(text, size, colour, anchor, _find_box(member, ratio)))
    return names


def _describe_object(view: SheetFrame, object_id: int, name: str, size: int, width: int) -> str:
    """Describe an object by its noisy name, label and mask, on two lines if one is too short."""
    text_row, mask_row = view.text_rows.get(object_id), view.mask_rows.get(object_id)
    label_row, class_row = view.label_rows.get(object_id), view.class_rows.get(object_id)
    if text_row is not None:
        name = text_row.name
    elif class_row is not None:
        name = class_row.category_name
    text = shorten_text(name, size, width)
    parts = []
    if label_row is not None:
        parts.append("marked" if label_row.value else "forgotten")
    if mask_row is not None:
        parts.append(f"{mask_row.kind} {mask_row.iou:.2f}")
    if not parts:
        return text
    noise = ", ".join(parts)
    line = f"{text} · {noise}"
    return line if measure_width(line, size) <= width else f"{text}\n{noise}"


def _find_box(member: NDArray[np.bool_], ratio: float) -> Box:
    """Return the box around an object in pixels of a panel."""
    rows, columns = np.flatnonzero(member.any(axis=1)), np.flatnonzero(member.any(axis=0))
    corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    left, top, right, bottom = (round(float(corner) * ratio) for corner in corners)
    return left, top, right, bottom
