"""`preview` shows what is on disk, legibly, and refuses what it cannot show."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.preview import make_preview, save_preview, sheet
from actiseg_noise.preview.captions import Caption, measure_overlap, place_captions
from actiseg_noise.preview.noisy_sequences import find_rewording
from actiseg_noise.preview.panels import GAINED, LOST, MOVED, PANEL, SheetFrame
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.kitchens import make_kitchen
from tests.helpers.roots import SHAPE, add_frames, clip, make_root

SEQUENCE = clip(1).folder


@pytest.fixture
def roots(tmp_path):
    root = make_root(tmp_path / "clean")
    return root, corrupt(root, make_recipe("boundary", 0.6), out=tmp_path / "noisy").out


def pixels(sheet):
    return np.asarray(sheet).astype(int)


def count_of(sheet, colour):
    """Pixels of nearly a colour."""
    return int((np.abs(pixels(sheet) - colour).max(axis=2) < 30).sum())


def test_a_sheet_is_wide_enough_and_the_same_every_time(roots):
    _, out = roots
    sheet = make_preview(out, SEQUENCE)
    assert sheet.mode == "RGB"
    assert 1500 <= sheet.width <= 1900
    assert np.array_equal(pixels(sheet), pixels(make_preview(out, SEQUENCE)))


def first_mask(out):
    return sorted((out / MASKS / "train" / SEQUENCE).iterdir())[0]


def third_panel(sheet):
    return sheet.crop((2 * sheet.width // 3, 0, sheet.width, sheet.height - 46))


def test_changed_pixels_have_their_colours(tmp_path):
    """Bands of known size that are gained, lost and moved, against what an unchanged copy shows."""
    root = make_root(tmp_path / "clean", [clip(1)])
    out = corrupt(root, make_recipe("erode", 0.0), out=tmp_path / "noisy").out
    clean = np.zeros(SHAPE, np.uint8)
    clean[:40] = 1
    noisy = clean.copy()
    noisy[40:50], noisy[:20], noisy[30:40] = 1, 0, 4
    for folder, mask in ((root, clean), (out, clean)):
        write_index_mask(first_mask(folder), mask)
    frame = clip(1).frames[0]
    before = make_preview(out, SEQUENCE, frames=[frame])
    write_index_mask(first_mask(out), noisy)
    after = make_preview(out, SEQUENCE, frames=[frame])
    scale = min(PANEL[0] / SHAPE[1], PANEL[1] / SHAPE[0]) ** 2
    for colour, rows in ((GAINED, 10), (LOST, 20), (MOVED, 10)):
        area = rows * SHAPE[1] * scale
        more = count_of(third_panel(after), colour) - count_of(third_panel(before), colour)
        assert more == pytest.approx(area, rel=0.1)


def test_photos_of_any_size_lie_behind_the_masks(roots):
    root, out = roots
    grey = make_preview(out, SEQUENCE)
    folder = root / FRAMES / "train" / SEQUENCE
    folder.mkdir(parents=True)
    for frame in clip(1).frames:
        Image.new("RGB", (401, 299), (20, 160, 60)).save(folder / f"{frame}.jpg")
    green = make_preview(out, SEQUENCE)
    assert green.size == grey.size
    assert count_of(green, (20, 160, 60)) > 50_000 > count_of(grey, (20, 160, 60))
    assert count_of(grey, (128, 128, 128)) > 50_000


def test_a_copy_of_some_sequences_has_previews(tmp_path):
    root = make_root(tmp_path / "clean")
    recipe = make_recipe("jitter", 1.0)
    out = corrupt(root, recipe, out=tmp_path / "noisy", only=[SEQUENCE]).out
    assert make_preview(out, SEQUENCE).height > 500


def long_split(tmp_path, count):
    frames = tuple(f"frame_{number:010d}" for number in range(count))
    root = make_root(tmp_path / "clean", [clip(1, frames=frames)])
    return corrupt(root, make_recipe("jitter", 0.5), out=tmp_path / "noisy").out, frames


def test_long_clips_are_shown_in_part(tmp_path):
    out, frames = long_split(tmp_path, 9)
    four = make_preview(out, SEQUENCE)
    spread = make_preview(out, SEQUENCE, frames=[frames[at] for at in (8, 3, 5, 0)])
    assert np.array_equal(pixels(four), pixels(spread))
    one, two = (make_preview(out, SEQUENCE, frames=frames[:count]) for count in (1, 2))
    assert four.height - one.height == 3 * (two.height - one.height)


def test_a_page_has_a_limit(tmp_path):
    out, frames = long_split(tmp_path, 17)
    with pytest.raises(InputError, match="too many"):
        make_preview(out, SEQUENCE, frames=frames)


def test_an_unknown_sequence_is_refused_with_those_close_to_it(roots):
    _, out = roots
    with pytest.raises(InputError, match=f"did you mean '{SEQUENCE}'"):
        make_preview(out, SEQUENCE[:-1])
    with pytest.raises(InputError, match=r"no frame 'frame_1'.*did you mean 'frame_0"):
        make_preview(out, SEQUENCE, frames=["frame_1"])


def test_without_the_source_it_is_refused(roots, tmp_path):
    root, out = roots
    sheet = make_preview(out, SEQUENCE)
    root.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="give its folder as source"):
        make_preview(out, SEQUENCE)
    again = make_preview(out, SEQUENCE, tmp_path / "elsewhere")
    assert np.array_equal(pixels(again), pixels(sheet))


def test_faulty_images_are_refused(roots):
    root, out = roots
    add_frames(root)
    with pytest.raises(InputError, match="not a readable image"):
        make_preview(out, SEQUENCE)
    path = root / FRAMES / "train" / SEQUENCE / f"{clip(1).frames[0]}.jpg"
    Image.new("RGB", (400, 300)).save(path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputError, match="damaged"):
        make_preview(out, SEQUENCE)


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (700, 5), (1100, 2100)])
def test_masks_of_any_shape_are_shown(tmp_path, shape):
    root = make_root(tmp_path / "clean", [clip(1)])
    mask = np.ones(shape, np.uint8)
    for path in (root / MASKS / "train" / SEQUENCE).iterdir():
        write_index_mask(path, mask)
    out = corrupt(root, make_recipe("erode", 0.0), out=tmp_path / "noisy").out
    assert make_preview(out, SEQUENCE).width >= 900


def test_names_stay_inside_and_do_not_hide_each_other(roots):
    """A caption's dark edge is nowhere at a panel's border, as it would be if it were cut."""
    _, out = roots
    path = first_mask(out)
    mask = read_index_mask(path).copy()
    mask[:] = 0
    for row, column, object_id in ((0, 0, 1), (110, 0, 2), (0, 150, 3), (110, 150, 4)):
        mask[row : row + 10, column : column + 10] = object_id
    for folder in roots:
        write_index_mask(first_mask(folder), mask)
    sheet = pixels(make_preview(out, SEQUENCE, frames=[clip(1).frames[0]]))
    panel = sheet[78 + 28 :, 20 : 20 + PANEL[0]][: round(PANEL[0] * SHAPE[0] / SHAPE[1])]
    border = np.concatenate([panel[0], panel[-1], panel[:, 0], panel[:, -1]])
    assert (border.max(axis=1) > 40).all()


def test_sheets_are_saved_by_their_ending(roots, tmp_path):
    _, out = roots
    sheet = make_preview(out, SEQUENCE)
    for name, form in (("a.png", "PNG"), ("b.JPG", "JPEG"), ("new/c.jpeg", "JPEG")):
        save_preview(sheet, tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert (image.format, image.size) == (form, sheet.size)
    with pytest.raises(InputError, match="not a supported image format"):
        save_preview(sheet, tmp_path / "a.txt")


SIDE = st.integers(1, 60)
PLACE = st.integers(0, 399)
CAPTIONS = st.builds(
    lambda wide, high, x, y: Caption((wide, high), (x, y), (x, y, x + 9, y + 9)),
    SIDE,
    SIDE,
    PLACE,
    PLACE,
)


@given(st.lists(CAPTIONS, max_size=12))
def test_captions_lie_inside_the_picture(captions):
    for caption, box in zip(captions, place_captions(captions, (400, 400)), strict=True):
        assert (box[2] - box[0], box[3] - box[1]) == caption.size
        assert min(box) >= 0
        assert max(box) <= 400


@given(st.lists(CAPTIONS, max_size=4))
def test_a_few_captions_never_overlap(captions):
    small = [Caption((20, 8), caption.anchor, caption.subject) for caption in captions]
    boxes = place_captions(small, (400, 400))
    for at, box in enumerate(boxes):
        assert not any(measure_overlap(box, other) for other in boxes[:at])


def test_a_caption_lies_on_a_large_object_and_beside_a_small_one():
    on, beside = (
        Caption((30, 10), (50, 50), (0, 0, 100, 100)),
        Caption((30, 10), (50, 50), (47, 47, 53, 53)),
    )
    (box,) = place_captions([on], (100, 100))
    assert box == (35, 45, 65, 55)
    (box,) = place_captions([beside], (100, 100))
    assert measure_overlap(box, beside.subject) == 0


def test_lists_alone_have_nothing_to_show(tmp_path):
    root = make_kitchen(tmp_path / "clean", 3)
    folder = open_split(root, "train").sequences[0].folder
    shutil.rmtree(root / MASKS)
    out = corrupt(root, make_recipe("text", 1.0), out=tmp_path / "noisy").out
    with pytest.raises(InputError, match="only lists"):
        make_preview(out, folder)
    assert find_rewording(out, folder)


def test_a_frame_behind_a_link_to_nothing_is_called_one():
    nothing = np.zeros((2, 2), np.uint8)
    photo = Image.new("RGB", (2, 2))
    titles = {
        (image is None, dangling): SheetFrame(
            clip(1), "frame_1", nothing, nothing, {}, {}, {}, image, dangling
        ).title
        for image in (photo, None)
        for dangling in (False, True)
    }
    assert titles == {
        (False, False): "clean: frame_1",
        (False, True): "clean: frame_1, the source's photograph",
        (True, False): "clean: frame_1, no photograph",
        (True, True): "clean: frame_1, photograph: a broken link",
    }


def test_a_sheet_tells_of_links_to_nothing(roots, monkeypatch):
    _, out = roots
    folder = out / FRAMES / "train"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SEQUENCE).symlink_to("gone")
    seen = []

    def keep(*parts):
        seen.append(SheetFrame(*parts))
        return seen[-1]

    monkeypatch.setattr(sheet, "SheetFrame", keep)
    make_preview(out, SEQUENCE)
    assert all(view.title.endswith("a broken link") for view in seen)
    assert seen
