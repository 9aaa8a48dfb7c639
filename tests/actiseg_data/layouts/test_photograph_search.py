"""Photographs as people have them: other endings, other places, other sizes."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.photograph_reading import (
    read_rgb,
    read_size,
    refuse_aspect,
)
from actiseg_data.layouts.photograph_search import (
    find_photograph,
    find_photographs,
    list_photographs,
    look_around,
)
from actiseg_data.make.render.split_rendering import render_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.preview.panels import SheetFrame
from actiseg_noise.preview.sheet import make_preview
from actiseg_noise.recipes.building import make_recipe
from tests.helpers.roots import clip, make_root

ORIENTATION = 0x0112


def picture(height=60, width=80):
    """No two quarters of it are alike."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[: height // 2, : width // 2] = (200, 30, 30)
    pixels[: height // 2, width // 2 :] = (30, 200, 30)
    pixels[height // 2 :, : width // 2] = (30, 30, 200)
    return pixels


def save(path, pixels=None, orientation=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(picture() if pixels is None else pixels)
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    image.save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG", quality=95, exif=exif)
    return path


@pytest.mark.parametrize("ending", [".jpg", ".JPG", ".jpeg", ".JPEG", ".Jpg", ".png", ".PNG"])
def test_a_photograph_is_found_under_any_ending(tmp_path, ending):
    path = save(tmp_path / f"frame_1{ending}")
    save(tmp_path / "._frame_1.jpg")
    (tmp_path / "frame_1.txt").write_text("no photograph")
    assert find_photograph(tmp_path, "frame_1") == path
    assert list_photographs(tmp_path) == {"frame_1": path}


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["a.png", "a.jpg"], "a.jpg"),
        (["a.jpeg", "a.PNG", "a.png"], "a.jpeg"),
        (["a.JPG", "a.png"], "a.JPG"),
        (["a.JPG", "a.jpeg"], "a.JPG"),
        (["a.Jpg", "a.JPG"], "a.JPG"),
        (["a.PNG", "a.png"], "a.png"),
    ],
)
def test_of_several_endings_one_is_preferred(tmp_path, names, taken):
    for name in names:
        save(tmp_path / name)
    assert find_photograph(tmp_path, "a").name == taken


def test_photographs_of_many_frames_are_found_together(tmp_path):
    paths = [save(tmp_path / name) for name in ("b.png", "a.jpg", "c.JPG")]
    assert find_photographs(tmp_path, ["b", "a", "c"]) == paths
    assert find_photographs(tmp_path, ["d"]) == [tmp_path / "d.jpg"]


def test_a_folder_or_a_dangling_link_is_no_photograph(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    (tmp_path / "b.jpg").symlink_to("nowhere.jpg")
    b = save(tmp_path / "b.png")
    assert list_photographs(tmp_path) == {"b": b}
    assert find_photograph(tmp_path, "b") == b
    assert find_photograph(tmp_path, "a") == tmp_path / "a.jpg"
    assert list_photographs(tmp_path / "nowhere") == {}
    assert find_photograph(tmp_path / "nowhere", "a") == tmp_path / "nowhere" / "a.jpg"


def test_names_with_dots_are_kept_apart(tmp_path):
    one, other = save(tmp_path / "a.b.JPG"), save(tmp_path / "a.JPG")
    assert find_photograph(tmp_path, "a.b") == one
    assert find_photograph(tmp_path, "a") == other


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
def test_photographs_are_turned_as_a_viewer_turns_them(tmp_path, ending, orientation):
    path = save(tmp_path / f"a{ending}", orientation=orientation)
    turned = {  # the EXIF standard's table: where the first row and column of the file are
        **dict.fromkeys((None, 1), picture()),
        2: picture()[:, ::-1],
        3: picture()[::-1, ::-1],
        4: picture()[::-1],
        5: picture().transpose(1, 0, 2),
        6: np.rot90(picture(), -1),
        7: picture()[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture()),
    }[orientation]
    read = read_rgb(path)
    assert read.shape == turned.shape
    assert np.abs(read.astype(int) - turned).mean() < 2
    assert read_size(path) == turned.shape[:2]
    small = read_rgb(path, (20, 30))
    area = cv2.resize(np.ascontiguousarray(turned), (30, 20), interpolation=cv2.INTER_AREA)
    assert small.shape == (20, 30, 3)
    assert np.abs(small.astype(int) - area).mean() < 3


@given(st.binary(max_size=60))
def test_damaged_exif_data_are_no_crash(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("exif") / "a.jpg"
    Image.fromarray(picture()).save(path, exif=b"Exif\0\0" + data)
    for read in (read_size, read_rgb, lambda of: read_rgb(of, (6, 8))):
        with contextlib.suppress(InputError):
            assert len(read(path)) > 0


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_photographs_of_other_modes_are_read_as_rgb(tmp_path, mode):
    path = tmp_path / f"a.{'jpg' if mode == 'CMYK' else 'png'}"
    Image.fromarray(picture()).convert(mode).save(path)
    assert read_rgb(path).shape == (60, 80, 3)
    assert read_rgb(path, (6, 8)).shape == (6, 8, 3)


def faulty(path, fault):
    save(path)
    data = path.read_bytes()
    if fault == "16 bits":
        Image.fromarray(np.zeros((6, 8), np.uint16)).save(path, "PNG")
    elif fault == "another format":
        Image.fromarray(picture()).save(path, "BMP")
    else:
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2]}[fault])
    return path


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("16 bits", "more than 8 bits"),
        ("another format", "not a readable image"),
        ("empty", "not a readable image"),
        ("cut", "damaged or truncated"),
    ],
)
def test_faulty_photographs_are_refused(tmp_path, fault, says):
    path = faulty(tmp_path / "a.jpg", fault)
    for size in (None, (3, 4)):
        with pytest.raises(InputError, match=says) as refused:
            read_rgb(path, size)
        assert refused.value.problems[0].where == str(path)
    if fault in ("another format", "empty"):
        with pytest.raises(InputError, match=says):
            read_size(path)
    with pytest.raises(InputError, match="photograph is missing"):
        read_rgb(tmp_path / "b.jpg")
    with pytest.raises(InputError, match="cannot be read"):
        read_size(tmp_path / "b.jpg")


@pytest.mark.parametrize(
    ("photograph", "mask"),
    [
        ((1080, 1920), (480, 854)),
        ((1080, 1920), (480, 853)),
        ((256, 456), (480, 854)),
        ((480, 854), (1080, 1920)),
        ((1080, 1920), (272, 480)),
        ((5, 9), (20, 34)),
    ],
)
def test_sizes_that_differ_by_rounding_are_of_one_aspect(photograph, mask):
    refuse_aspect(photograph, mask, Path("a.jpg"))


@pytest.mark.parametrize(
    ("photograph", "mask"),
    [
        ((480, 640), (480, 854)),
        ((854, 480), (480, 854)),
        ((480, 800), (480, 854)),
        ((1080, 1440), (480, 854)),
        ((480, 910), (480, 854)),
    ],
)
def test_photographs_of_another_aspect_are_refused_with_both_sizes(photograph, mask):
    said = f"{photograph[1]} x {photograph[0]} pixels, but its mask has {mask[1]} x {mask[0]}"
    with pytest.raises(InputError, match=said):
        refuse_aspect(photograph, mask, Path("a.jpg"))


@given(st.integers(40, 900), st.integers(40, 900), st.floats(1, 4))
def test_scaling_never_makes_another_aspect(height, width, factor):
    scaled = round(height * factor), round(width * factor)
    refuse_aspect(scaled, (height, width), Path("a.jpg"))
    refuse_aspect((height, width), scaled, Path("a.jpg"))


# Where there are none


def around(root, folder="a", wanted="frame_1", known=()):
    found = look_around(root / FRAMES / folder, wanted, root, known)
    return str(found).replace(f"{root}/", ""), (found.hint or "").replace(f"{root}/", "")


def test_archives_are_to_be_unpacked(tmp_path):
    (tmp_path / FRAMES).mkdir()
    (tmp_path / FRAMES / "P01_107.zip").touch()
    assert around(tmp_path) == (f"{FRAMES} holds P01_107.zip", "unpack P01_107.zip")
    (tmp_path / FRAMES / "P02_01.tar.gz").touch()
    assert around(tmp_path)[1] == "unpack P01_107.zip and the others"
    shutil.rmtree(tmp_path / FRAMES)
    (tmp_path / f"{FRAMES}.ZIP").touch()
    assert around(tmp_path) == (f"{tmp_path} holds {FRAMES}.ZIP", f"unpack {FRAMES}.ZIP")


def test_photographs_elsewhere_are_to_be_moved(tmp_path):
    save(tmp_path / "Annotations_Sparse" / "a" / "frame_1.png")  # a mask
    assert around(tmp_path)[1] == ""
    save(tmp_path / FRAMES / FRAMES / "a" / "frame_1.JPG")
    assert around(tmp_path)[1] == f"move what is in {FRAMES}/{FRAMES} to {FRAMES}"


def test_a_level_of_folders_that_lacks_is_told(tmp_path):
    save(tmp_path / FRAMES / "a" / "frame_1.jpg")
    said = around(tmp_path, folder="train/a")
    assert said == (f"{FRAMES} holds a/", f"move what is in {FRAMES} to {FRAMES}/train")


def test_a_frame_of_another_sequence_is_not_taken_for_the_one_that_lacks(tmp_path):
    save(tmp_path / FRAMES / "train" / "b" / "frame_1.jpg")
    assert around(tmp_path, folder="train/a") == (f"{FRAMES}/train holds b/", "")


def test_photographs_of_all_sequences_in_one_folder_are_to_be_sorted(tmp_path):
    save(tmp_path / FRAMES / "train" / "frame_1.jpg")
    said, hint = around(tmp_path, folder="train/a", known={"frame_1"})
    assert said.startswith(f"{FRAMES}/train holds frame_1.jpg")
    assert hint == f"sort the photographs into folders by sequence, such as {FRAMES}/train/a"


def test_other_names_are_told_beside_the_right_ones(tmp_path):
    for number in range(5):
        save(tmp_path / FRAMES / "a" / f"{number:05d}.JPG")
    said, hint = around(tmp_path)
    assert said == (
        f"{FRAMES}/a holds 00000.JPG, 00001.JPG, 00002.JPG and 2 more; frames are called frame_1"
    )
    assert hint == "rename the photographs as the frames are called"
    assert around(tmp_path, known={f"{number:05d}" for number in range(5)})[1] == ""


def test_an_empty_folder_is_told(tmp_path):
    (tmp_path / FRAMES / "a").mkdir(parents=True)
    (tmp_path / FRAMES / "a" / ".DS_Store").touch()
    assert around(tmp_path) == (f"{FRAMES}/a is empty", "")


# In datasets


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path / "clean", [clip(1), clip(2)])


def fill(root, ending, pixels=None):
    """Give every frame of a root a photograph of one aspect with its mask."""
    split = open_split(root, "train")
    for sequence in split.sequences:
        for frame in sequence.frames:
            save(split.find_folder(FRAMES, sequence) / f"{frame}{ending}", pixels)
    return split


@pytest.mark.parametrize("ending", [".JPG", ".jpeg", ".PNG"])
def test_noisy_copies_and_previews_take_photographs_under_any_ending(root, tmp_path, ending):
    plain = shutil.copytree(root, tmp_path / "plain")
    fill(root, ending)
    recipe = make_recipe("dilate", 1.0)
    out = corrupt(root, recipe, out=tmp_path / "noisy", images="copy").out
    assert len(list((out / FRAMES).rglob(f"*{ending}"))) == 4
    sequence = open_split(root, "train").sequences[0].folder
    with_photographs = make_preview(out, sequence)
    grey = make_preview(corrupt(plain, recipe, out=tmp_path / "grey").out, sequence)
    assert with_photographs.size == grey.size
    assert with_photographs.tobytes() != grey.tobytes()


def test_a_preview_says_which_frames_have_no_photograph():
    mask = np.zeros((6, 8), np.uint8)
    bare = SheetFrame(clip(1), "frame_1", mask, mask, {}, {}, {}, None)
    assert bare.title == "clean: frame_1, no photograph"
    assert replace(bare, photo=Image.fromarray(picture())).title == "clean: frame_1"


def test_a_preview_refuses_photographs_of_another_aspect(root, tmp_path):
    split = fill(root, ".jpg", picture(90, 80))
    out = corrupt(root, make_recipe("dilate", 1.0), out=tmp_path / "noisy").out
    with pytest.raises(InputError, match="80 x 90 pixels, but its mask has 160 x 120"):
        make_preview(out, split.sequences[0].folder)


@pytest.mark.parametrize("ending", [".JPG", ".png"])
def test_rendering_never_hides_photographs_under_another_ending(root, ending):
    fill(root, ending)
    with pytest.raises(InputError, match="4 existing frames"):
        render_split(root)
    report = render_split(root, overwrite=True)
    assert (report.rendered, report.replaced) == (4, 4)
    assert {path.suffix for path in (root / FRAMES).rglob("frame_*")} == {".jpg"}


def test_painting_anew_leaves_photographs_alone(root):
    render_split(root)
    split = open_split(root, "train")
    sequence = split.sequences[0]
    painted = split.find_frame(sequence, sequence.frames[0])
    photograph = save(painted.with_suffix(".png"))
    painted.unlink()
    mask = split.find_mask(sequence, sequence.frames[0])
    shutil.copy(split.find_mask(sequence, sequence.frames[1]), mask)  # so that all is outdated
    with pytest.raises(InputError, match="1 existing frame was"):
        render_split(root)
    assert photograph.is_file()
