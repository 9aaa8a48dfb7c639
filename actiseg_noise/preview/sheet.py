"""A sheet with the frames of one sequence, clean and noisy, and its prompts before and after."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageDraw

from actiseg_data.annotations.masks import find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.files import write_bytes
from actiseg_data.core.validation import find_dangling_link
from actiseg_data.layouts.actionvos import open_split
from actiseg_data.records.split_records import (
    LEDGER_FILE,
    MaskRow,
    Recipe,
    TextRow,
    read_ledger,
)
from actiseg_noise.preview.lettering import (
    FAINT,
    INK,
    MARK,
    PAPER,
    load_font,
    measure_width,
    shorten_text,
)
from actiseg_noise.preview.panels import (
    GAINED,
    LOST,
    MOVED,
    FrameView,
    draw_difference,
    draw_overlay,
    make_name_tags,
    read_photograph,
    write_names,
)
from actiseg_noise.recipes.kind_specs import is_number
from actiseg_noise.split.noisy_split import NoisySplit, open_noisy_split, read_split_recipe
from actiseg_noise.text_noise.word_diff import compare_words

FEW = 4
"""Frames that are shown unless they are named."""

MOST = 16
"""Frames that one sheet can show."""

_MARGIN = 20
_GAP = 10
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def make_preview(
    out: Path, sequence: str, source: Path | None = None, frames: Iterable[str] = ()
) -> Image.Image:
    """A sheet with a row for each frame: clean, noisy, and what changed in its masks; below, the
    prompts before and after, with the words that changed marked.

    out: the noisy split. sequence: a folder name as in its lists. source: the clean dataset, by
    default where the split's summary says that it was. frames: names of those to show, at most
    `MOST`; by default all up to `FEW`, or so many spread evenly over a longer clip.

    Objects are tinted, the same in every row, over the frame's image, or over grey where there is
    none. Touched ones are named with their noise and their IoU with the clean object on disk.
    The sheet is an RGB image about 1,560 pixels wide. Raises `InputError` for an unknown sequence or
    frame, a source that cannot be reached, and faulty masks or images.

    ::

        sheet = make_preview(Path("actiseg_sample_boundary_r0.4_s0"), "00000047_S03_02_pour_oil")
        save_preview(sheet, Path("pour_oil.png"))
    """
    split = open_noisy_split(out, source)
    whole = _find_sequence(split, sequence)
    if whole.folder not in split.noisy.subsets:
        raise refuse(
            "has lists alone, no masks to show", out, "leave --to out: the words are printed"
        )
    shown = replace(whole, frames=_choose_frames(whole, tuple(frames), out))
    rows = [row for row in read_ledger(out / LEDGER_FILE) if row.sequence == whole.folder]
    masks = split.recipe.mask_noise is not None
    words = [row for row in rows if isinstance(row, TextRow)]
    reworded = {row.object_id: row for row in words if row.object_id is not None}
    strips = []
    for frame, (clean, noisy) in zip(shown.frames, split.mask_pairs(shown), strict=True):
        touched = {
            row.object_id: row for row in rows if isinstance(row, MaskRow) and row.frame == frame
        }
        photo = read_photograph(split, shown, frame, clean.shape)
        dangling = find_dangling_link(split.noisy.frame_path(shown, frame)) is not None
        view = FrameView(shown, frame, clean, noisy, touched, reworded, photo, dangling)
        strips.append(_make_row(view, masks=masks))
    return _compose_sheet(whole, shown, split.recipe, strips, words)


def refuse_format(path: Path) -> None:
    """Refuse to write a sheet to a file whose ending names no format that is known."""
    if path.suffix.lower() not in _FORMATS:
        raise refuse(
            f"the ending {path.suffix!r} is no image that can be written", path, "use .png or .jpg"
        )


def save_preview(sheet: Image.Image, path: Path) -> None:
    """Write a sheet as PNG or JPEG, as the ending says, whole or not at all."""
    refuse_format(path)
    form = _FORMATS[path.suffix.lower()]
    stream = io.BytesIO()
    sheet.save(stream, form, **({"quality": 85} if form == "JPEG" else {"optimize": True}))
    write_bytes(path, stream.getvalue())


def find_noisiest(out: Path) -> tuple[str, int]:
    """The sequence of a noisy split with most rows in the ledger, the first of equals, and how many
    it has. Without any noise, the first sequence of the list.
    """
    recipe = read_split_recipe(out)
    split = open_split(out, recipe.split, masks=False)
    rows = Counter(row.sequence for row in read_ledger(out / LEDGER_FILE))
    folders = [sequence.folder for sequence in split.sequences]
    noisiest = max(folders, key=lambda folder: rows[folder])
    return noisiest, rows[noisiest]


def find_rewording(out: Path, sequence: str) -> list[TextRow] | None:
    """The ledger's rows on words of one sequence of a noisy split; None where the recipe has no
    text noise. Raises `InputError` for an unknown sequence.
    """
    recipe = read_split_recipe(out)
    if recipe.text_noise is None:
        return None
    split = open_split(out, recipe.split, masks=False)
    _refuse_unknown(sequence, [known.folder for known in split.sequences], out)
    rows = read_ledger(out / LEDGER_FILE)
    return [row for row in rows if isinstance(row, TextRow) and row.sequence == sequence]


def _find_sequence(split: NoisySplit, name: str) -> VideoSequence:
    """The sequence as the source labels it."""
    folders = [sequence.folder for sequence in split.noisy.sequences]
    _refuse_unknown(name, folders, split.noisy.root)
    return next(found for found in split.source.sequences if found.folder == name)


def _refuse_unknown(name: str, folders: list[str], out: Path) -> None:
    if name not in folders:
        raise refuse(
            f"has no sequence {name!r}{suggest(name, folders)}",
            out,
            "give a folder name as in its lists",
        )


def _choose_frames(sequence: VideoSequence, named: tuple[str, ...], out: Path) -> tuple[str, ...]:
    """The frames to show, in the sequence's order."""
    for name in named:
        if name not in sequence.frames:
            raise refuse(
                f"{sequence.folder} has no frame {name!r}{suggest(name, sequence.frames)}",
                out,
                "give a frame name without its ending",
            )
    if named:
        chosen = tuple(frame for frame in sequence.frames if frame in named)
        if len(chosen) > MOST:
            raise refuse(f"{len(chosen)} frames are too many", "frames", f"name {MOST} at most")
        return chosen
    return choose_spread(sequence.frames, FEW)


def choose_spread(frames: tuple[str, ...], most: int) -> tuple[str, ...]:
    """At most so many of some frames, evenly spread, the first and the last among them.

    >>> spread(("a", "b", "c", "d", "e", "f", "g"), 4)
    ('a', 'c', 'e', 'g')
    """
    if len(frames) <= most:
        return frames
    return tuple(frames[round(at * (len(frames) - 1) / (most - 1))] for at in range(most))


@dataclass(frozen=True)
class _SheetRow:
    """A finished row: its panels and the line above each."""

    panels: tuple[Image.Image, ...]
    lines: tuple[str, ...]


def _make_row(view: FrameView, *, masks: bool) -> _SheetRow:
    """The row of one frame: clean, noisy, and, where masks are noisy, what changed in them."""
    bright = frozenset(view.touched)
    clean, noisy = (
        draw_overlay(view, view.clean, frozenset()),
        draw_overlay(view, view.noisy, bright),
    )
    write_names(clean, make_name_tags(view, view.clean, noise=False))
    write_names(noisy, make_name_tags(view, view.noisy, noise=True))
    in_sight = find_ids(view.clean)
    renamed = sum(at in view.reworded for at in in_sight)
    words = [f"{renamed} renamed"] if view.reworded else []
    if not masks:
        told = f"noisy: {renamed} of {len(in_sight)} objects renamed"
        return _SheetRow((clean, noisy), (view.title, told))
    told = ", ".join([f"{len(view.touched)} of {len(in_sight)} objects touched", *words])
    changed = view.clean != view.noisy
    gained = int((changed & (view.clean == 0)).sum())
    lost = int((changed & (view.noisy == 0)).sum())
    moved = int(changed.sum()) - gained - lost
    difference = f"difference: gained {gained}, lost {lost}, moved {moved} px"
    lines = (view.title, f"noisy: {told}", difference)
    return _SheetRow((clean, noisy, draw_difference(view)), lines)


def describe(recipe: Recipe) -> str:
    """A recipe in words.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> describe(make_recipe("boundary", 0.4))
    'dilate, erode or jitter at rate 0.4, target IoU 0.8, positive objects, seed 0'
    >>> describe(make_recipe("text", 0.2, parameters={"flip": "near"}))
    'text at rate 0.2, near flips, other names of the class, all objects, seed 0'
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
        if "flip" in noise.parameters:
            parts.append(f"{noise.parameters['flip']} flips")
        if "names" in noise.parameters:
            sister = noise.parameters["names"] == "sister"
            parts.append("sister terms" if sister else "other names of the class")
        parts.append(f"{noise.objects} objects")
    return ", ".join([*parts, f"seed {recipe.seed}"])


_LINE, _HEAD, _FOOT = 28, 78, 46
"""Heights in pixels: of a line of text, of the title, of the legend."""


def _compose_sheet(
    whole: VideoSequence,
    shown: VideoSequence,
    recipe: Recipe,
    strips: list[_SheetRow],
    words: list[TextRow],
) -> Image.Image:
    """Title, rows, prompts and legend on one page."""
    wide, high = strips[0].panels[0].size
    columns = len(strips[0].panels)
    width = max(columns * (wide + _GAP) - _GAP + 2 * _MARGIN, 900)
    room = width - 2 * _MARGIN
    prompts = _LINE * (len(words) + 1) if words else 0
    height = _HEAD + len(strips) * (high + _LINE + _GAP) + prompts + _FOOT
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, 12), shorten_text(whole.folder, 28, room), INK, load_font(28))
    pen.text((_MARGIN, 48), shorten_text(describe(recipe), 21, room), FAINT, load_font(21))
    top = _HEAD
    for strip in strips:
        for column, (panel, text) in enumerate(zip(strip.panels, strip.lines, strict=True)):
            left = _MARGIN + column * (wide + _GAP)
            pen.text((left, top + 3), shorten_text(text, 19, wide), INK, load_font(19))
            sheet.paste(panel, (left, top + _LINE))
        top += high + _LINE + _GAP
    if words:
        _write_prompts(pen, top, width, words)
        top += prompts
    _write_foot(pen, top + 6, width, whole, shown, masks=recipe.mask_noise is not None)
    return sheet


def _write_prompts(pen: ImageDraw.ImageDraw, top: int, width: int, words: list[TextRow]) -> None:
    """Clean prompts to the left, noisy ones to the right, what changed in another colour."""
    half, size = width // 2, 19
    pen.text((_MARGIN, top), "prompts before", INK, load_font(size))
    pen.text((half, top), "and after", INK, load_font(size))
    for row in words:
        top += _LINE
        room = half - 2 * _MARGIN
        pen.text((_MARGIN, top), shorten_text(row.prompt_org, size, room), FAINT, load_font(size))
        left, end = half, width - _MARGIN
        for piece, changed in compare_words(row.prompt_org, row.prompt):
            text = shorten_text(piece, size, max(end - left, 1))
            pen.text((left, top), text, MARK if changed else FAINT, load_font(size))
            left += measure_width(f"{text} ", size)


def _write_foot(
    pen: ImageDraw.ImageDraw,
    top: int,
    width: int,
    whole: VideoSequence,
    shown: VideoSequence,
    *,
    masks: bool,
) -> None:
    """Which frames are shown, and what the colours of the difference mean."""
    text, size = f"{len(shown.frames)} of {len(whole.frames)} frames", 19
    if not masks:
        pen.text((_MARGIN, top), text, FAINT, load_font(size))
        return
    text += "; noisy: kind of noise and IoU with the clean object on disk"
    legend = ((GAINED, "gained"), (LOST, "lost"), (MOVED, "moved to another object"))
    left = width - _MARGIN - sum(measure_width(told, size) + 50 for _, told in legend)
    pen.text((_MARGIN, top), shorten_text(text, size, left - 2 * _MARGIN), FAINT, load_font(size))
    for colour, told in legend:
        pen.rectangle((left, top + 3, left + 18, top + 19), colour)
        pen.text((left + 26, top), told, INK, load_font(size))
        left += measure_width(told, size) + 50
