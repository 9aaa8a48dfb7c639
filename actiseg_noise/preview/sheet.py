"""Compose a sheet with the clean and noisy frames of one sequence, and its prompts."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageDraw

from actiseg_data.annotations.masks import find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import check_known, refuse
from actiseg_data.core.file_reading import find_dangling_link
from actiseg_data.core.files import write_bytes
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    LabelRow,
    MaskRow,
    TextRow,
    name_kinds,
    read_ledger,
)
from actiseg_data.records.recipe_record import ACTIVITY, CLASS, Recipe, refuse_noisy_source
from actiseg_noise.preview.lettering import (
    FAINT,
    INK,
    MARK,
    PAPER,
    load_font,
    measure_width,
    shorten_text,
)
from actiseg_noise.preview.noisy_sequences import join_nouns
from actiseg_noise.preview.panels import (
    GAINED,
    LOST,
    MOVED,
    SheetFrame,
    draw_difference,
    draw_overlay,
    make_name_tags,
    read_photograph,
    write_names,
)
from actiseg_noise.recipes.kind_parameters import is_number
from actiseg_noise.split.noisy_split import NoisySplit, open_noisy_split
from actiseg_noise.text_noise.word_diff import compare_words

FEW = 4
"""Frames shown by default."""

MOST = 16
"""Most frames of one sheet."""

_MARGIN = 20
_GAP = 10
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def make_preview(
    out: Path, sequence: str, source: Path | None = None, frames: Iterable[str] = ()
) -> Image.Image:
    """Make a sheet of one sequence of a noisy split.

    The sheet has a row for each frame: clean, noisy, and the difference of the masks. Below are the
    prompts before and after the noise, with changed words marked. Objects have the same tint in
    every row, over the photograph or over grey. Objects with noise are labelled with their noise
    and the IoU of their mask on disk with the clean object.

    Parameters
    ----------
    out : Path
        The noisy split.
    sequence : str
        Folder name of the sequence, as in the lists.
    source : Path, optional
        The clean dataset. The default is the path in the split's summary.
    frames : iterable of str, optional
        Names of the frames, at most `MOST`. The default is all frames if there are up to `FEW`,
        else `FEW` frames spread evenly over the sequence.

    Returns
    -------
    Image
        An RGB image about 1,560 pixels wide.

    Raises
    ------
    InputError
        If the sequence or a frame is unknown, if the source cannot be found, or if a mask or a
        photograph is invalid.

    Examples
    --------
    ::

        sheet = make_preview(Path("actiseg_sample_boundary_r0.4_s0"), "00000047_S03_02_pour_oil")
        save_preview(sheet, Path("pour_oil.png"))
    """
    if source is not None:
        refuse_noisy_source(source)
    split = open_noisy_split(out, source)
    whole = _find_sequence(split, sequence)
    if not split.noisy.has_masks:
        raise refuse(
            "has only lists and no masks to show", out, "show its prompts alone, without a sheet"
        )
    shown = whole.restrict(_choose_frames(whole, tuple(frames), split))
    rows = [row for row in read_ledger(out / LEDGER_FILE) if row.sequence == whole.folder]
    masks = split.recipe.changes_masks
    text_rows = [row for row in rows if isinstance(row, TextRow)]
    by_object = _find_names(text_rows, split.recipe)
    labels, classes = (
        {row.object_id: row for row in rows if isinstance(row, LabelRow) and row.kind == kind}
        for kind in (ACTIVITY, CLASS)
    )
    classes = {object_id: row for object_id, row in classes.items() if row.has_changed}
    sheet_rows = []
    for frame, clean, noisy in split.iterate_frame_pairs(shown):
        in_frame = [row for row in rows if isinstance(row, MaskRow) and row.frame == frame]
        kinds = name_kinds(in_frame)
        mask_rows = {
            row.object_id: replace(row, kind=kinds[row.sequence, row.frame, row.object_id])
            for row in in_frame
        }
        photo = read_photograph(split, shown, frame, clean.shape)
        dangling = find_dangling_link(split.noisy.find_frame(shown, frame)) is not None
        parts = (clean, noisy, mask_rows, by_object, labels, photo, dangling, classes)
        view = SheetFrame(shown, frame, *parts)
        sheet_rows.append(_make_row(view, masks=masks))
    noise = describe(split.recipe, has_activity=split.noisy.has_action_lists)
    return _compose_sheet(whole, shown, split.recipe, noise, sheet_rows, join_nouns(text_rows))


def refuse_format(path: Path) -> None:
    """Raise `InputError` if the ending of a file is not PNG or JPEG."""
    if path.suffix.lower() not in _FORMATS:
        raise refuse(
            f"the ending {path.suffix!r} is not a supported image format", path, "use .png or .jpg"
        )


def save_preview(sheet: Image.Image, path: Path) -> None:
    """Write a sheet as PNG or JPEG, according to the ending; a failed write leaves no file."""
    refuse_format(path)
    form = _FORMATS[path.suffix.lower()]
    stream = io.BytesIO()
    sheet.save(stream, form, **({"quality": 85} if form == "JPEG" else {"optimize": True}))
    write_bytes(path, stream.getvalue())


def _find_names(rows: Iterable[TextRow], recipe: Recipe) -> dict[int, TextRow]:
    """Find the rows whose noun names an object, and is not just any noun of an expression."""
    if recipe.text_noise is not None and recipe.text_noise.scope == "nouns":
        return {}
    return {row.object_id: row for row in rows if row.object_id is not None}


def _find_sequence(split: NoisySplit, name: str) -> VideoSequence:
    """Return the sequence with its clean labels."""
    split.noisy.select([name], "sequence")
    return split.find_labelled(name)


def _choose_frames(
    sequence: VideoSequence, named: tuple[str, ...], split: NoisySplit
) -> tuple[str, ...]:
    """Return the frames to show, in the order of the sequence; by default with photographs."""
    out = split.noisy.root
    hint = "give the name of a frame without its ending"
    check_known(named, sequence.frames, "frame", out, hint, sequence.folder)
    if named:
        chosen = tuple(frame for frame in sequence.frames if frame in named)
        if len(chosen) > MOST:
            raise refuse(f"{len(chosen)} frames are too many", "`frames`", f"give at most {MOST}")
        return chosen
    photographs = zip(sequence.frames, split.noisy.frames(sequence), strict=True)
    photographed = tuple(frame for frame, path in photographs if path.is_file())
    return choose_spread(photographed or sequence.frames, FEW)


def choose_spread(frames: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Return at most `most` of the frames, evenly spread, including the first and the last.

    Examples
    --------
    >>> choose_spread(("a", "b", "c", "d", "e", "f", "g"), 4)
    ('a', 'c', 'e', 'g')
    """
    if len(frames) <= most:
        return frames
    return tuple(frames[round(i * (len(frames) - 1) / (most - 1))] for i in range(most))


@dataclass(frozen=True)
class _SheetRow:
    """A row of the sheet: its panels and the caption of each."""

    panels: tuple[Image.Image, ...]
    lines: tuple[str, ...]


def _make_row(view: SheetFrame, *, masks: bool) -> _SheetRow:
    """Make the row of one frame: clean, noisy, and the difference if masks are noisy."""
    bright = frozenset(view.mask_rows)
    clean, noisy = (
        draw_overlay(view, view.clean, frozenset()),
        draw_overlay(view, view.noisy, bright),
    )
    write_names(clean, make_name_tags(view, view.clean, noise=False))
    write_names(noisy, make_name_tags(view, view.noisy, noise=True))
    visible = [number for number in find_ids(view.clean) if number in view.sequence.object_ids]
    renamed = sum(object_id in view.text_rows for object_id in visible)
    counts = [(len(view.mask_rows), "touched")] if masks else []
    if view.text_rows or not (masks or view.label_rows or view.class_rows):
        counts.append((renamed, "renamed"))
    if view.label_rows:
        counts += _count_labels(view, visible)
    if view.class_rows:
        recategorised = sum(object_id in view.class_rows for object_id in visible)
        counts.append((recategorised, "in another category"))
    (first, done), *remaining = counts
    # A ghost is touched, and is not visible in the clean mask.
    known = {*visible, *view.mask_rows}
    caption = f"noisy: {first} of {len(known)} objects {done}"
    caption += "".join(f", {count} {name}" for count, name in remaining)
    if not masks:
        return _SheetRow((clean, noisy), (view.title, caption))
    changed = view.clean != view.noisy
    gained = int((changed & (view.clean == 0)).sum())
    lost = int((changed & (view.noisy == 0)).sum())
    moved = int(changed.sum()) - gained - lost
    difference = f"difference: gained {gained}, lost {lost}, moved {moved} px"
    lines = (view.title, caption, difference)
    return _SheetRow((clean, noisy, draw_difference(view)), lines)


def _count_labels(view: SheetFrame, visible: list[int]) -> list[tuple[int, str]]:
    """Count the visible objects that were forgotten, and those that were marked."""
    shown = [row for object_id, row in view.label_rows.items() if object_id in visible]
    counts = {"forgotten": False, "marked": True}
    return [(sum(row.value is value for row in shown), name) for name, value in counts.items()]


def describe(recipe: Recipe, *, has_activity: bool = True) -> str:
    """Describe a recipe in a line of text.

    Parameters
    ----------
    recipe : Recipe
    has_activity : bool
        Whether the dataset says which objects are active. Else the choice of objects is left out.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> describe(make_recipe("boundary", 0.4))
    'dilate, erode or jitter at rate 0.4, target IoU 0.8, positive objects, seed 0'
    >>> describe(make_recipe("text", 0.2, parameters={"flip": "near"}))
    'text at rate 0.2, near flips, other names of the class, all objects, seed 0'
    >>> describe(make_recipe("erode", 0.2), has_activity=False)
    'erode at rate 0.2, target IoU 0.8, seed 0'
    """
    parts = []
    for noise in recipe.noises:
        kinds = noise.parameters.get("kinds")
        kinds = [str(kind) for kind in kinds] if isinstance(kinds, list) and kinds else [noise.kind]
        names = " or ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))
        parts.append(f"{names} at rate {noise.rate:g}")
        for name, form in (("target_iou", "target IoU {:g}"), ("radius", "radius {:g} px")):
            strength = noise.parameters.get(name)
            if is_number(strength):
                parts.append(form.format(strength))
        if noise.span is not None:
            parts.append(f"for each {noise.span}")
        if "shape" in noise.parameters:
            parts.append(f"{noise.parameters['shape']} shapes")
        if noise.change is not None:
            parts.append(f"change {noise.change}")
        if "flip" in noise.parameters:
            parts.append(f"{noise.parameters['flip']} flips")
        if "names" in noise.parameters:
            parts.append("other names of the class")
        if has_activity:
            parts.append(f"{noise.objects} objects")
    return ", ".join([*parts, f"seed {recipe.seed}"])


_LINE, _HEAD, _FOOT = 28, 78, 46
"""Heights of a line of text, the title and the legend, in pixels."""


def _compose_sheet(
    whole: VideoSequence,
    shown: VideoSequence,
    recipe: Recipe,
    noise: str,
    sheet_rows: list[_SheetRow],
    text_rows: list[TextRow],
) -> Image.Image:
    """Compose title, rows, prompts and legend on one page."""
    wide, high = sheet_rows[0].panels[0].size
    columns = len(sheet_rows[0].panels)
    width = max(columns * (wide + _GAP) - _GAP + 2 * _MARGIN, 900)
    room = width - 2 * _MARGIN
    prompts = _LINE * (len(text_rows) + 1) if text_rows else 0
    height = _HEAD + len(sheet_rows) * (high + _LINE + _GAP) + prompts + _FOOT
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, 12), shorten_text(whole.folder, 28, room), INK, load_font(28))
    pen.text((_MARGIN, 48), shorten_text(noise, 21, room), FAINT, load_font(21))
    top = _HEAD
    for row in sheet_rows:
        for column, (panel, text) in enumerate(zip(row.panels, row.lines, strict=True)):
            left = _MARGIN + column * (wide + _GAP)
            pen.text((left, top + 3), shorten_text(text, 19, wide), INK, load_font(19))
            sheet.paste(panel, (left, top + _LINE))
        top += high + _LINE + _GAP
    if text_rows:
        _write_prompts(pen, top, width, text_rows)
        top += prompts
    masks, labels = recipe.changes_masks, recipe.activity_noise is not None
    _write_foot(pen, top + 6, width, whole, shown, masks=masks, labels=labels)
    return sheet


def _write_prompts(pen: ImageDraw.ImageDraw, top: int, width: int, rows: list[TextRow]) -> None:
    """Write clean prompts on the left and noisy prompts on the right, changes in another colour."""
    half, size = width // 2, 19
    pen.text((_MARGIN, top), "prompts before", INK, load_font(size))
    pen.text((half, top), "and after", INK, load_font(size))
    for row in rows:
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
    labels: bool,
) -> None:
    """Write the number of frames, and the legend of the difference."""
    text, size = f"{len(shown.frames)} of {len(whole.frames)} frames", 19
    if not masks:
        if labels:
            text += "; forgotten: an active object labelled as inactive; marked: the reverse"
        pen.text((_MARGIN, top), text, FAINT, load_font(size))
        return
    text += "; noisy: kind of noise and IoU with the clean object on disk"
    legend = ((GAINED, "gained"), (LOST, "lost"), (MOVED, "moved to another object"))
    left = width - _MARGIN - sum(measure_width(meaning, size) + 50 for _, meaning in legend)
    pen.text((_MARGIN, top), shorten_text(text, size, left - 2 * _MARGIN), FAINT, load_font(size))
    for colour, meaning in legend:
        pen.rectangle((left, top + 3, left + 18, top + 19), colour)
        pen.text((left + 26, top), meaning, INK, load_font(size))
        left += measure_width(meaning, size) + 50
