from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from actiseg_data.annotations.masks import (
    PALETTE,
    digest_pixels,
    find_foreign_ids,
    find_ids,
    read_index_mask,
    read_mask_size,
    write_index_mask,
)
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.photograph_reading import read_rgb, read_size

MASK = np.zeros((40, 60), np.uint8)
MASK[5:20, 7:30] = 3
MASK[15:30, 20:50] = 200
MASK[::3, ::7] = 1

GREY, PALETTED = 0, 3


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(width, height, depth, colour, rows, palette=b""):
    """A PNG by hand, valid in its checksums whatever its header says."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"PLTE", palette) if palette else b"",
            chunk(b"IDAT", pixels),
            chunk(b"IEND", b""),
        ]
    )


def two_headers(width, height):
    data = raw_png(4, 1, 8, PALETTED, [bytes(4)], PALETTE)
    second = struct.pack(">IIBBBBB", width, height, 8, PALETTED, 0, 0, 0)
    return data[:33] + chunk(b"IHDR", second) + data[33:]


def packed(values, depth):
    bits = "".join(f"{value:0{depth}b}" for value in values)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def converted(mode):
    return encoded(Image.fromarray(MASK).convert(mode))


def good_file(tmp_path):
    path = tmp_path / "good.png"
    write_index_mask(path, MASK)
    return path.read_bytes()


REFUSED = {
    "truecolour": (converted("RGB"), "truecolour,"),
    "truecolour with alpha": (converted("RGBA"), "truecolour with alpha"),
    "grey with alpha": (converted("LA"), "grey with alpha"),
    "1-bit grey": (converted("1"), "bilevel"),
    "2-bit grey": (raw_png(4, 1, 2, GREY, [packed([0, 1, 2, 3], 2)]), "2-bit grey image"),
    "4-bit grey": (raw_png(4, 1, 4, GREY, [packed([0, 1, 2, 9], 4)]), "4-bit grey image"),
    "16-bit grey": (encoded(Image.fromarray(MASK.astype(np.uint16))), "16 bits"),
    "empty file": (b"", "not a readable PNG"),
    "signature alone": (b"\x89PNG\r\n\x1a\n", "not a readable PNG"),
    "text": (b"no picture at all, but long enough for a header", "not a readable PNG"),
    "JPEG under the name of a PNG": (encoded(Image.fromarray(MASK), "JPEG"), "not a readable PNG"),
    "40,000 x 40,000": (raw_png(40_000, 40_000, 8, GREY, [bytes(9)]), "40000 x 40000 pixels"),
    "9,000 x 9,000": (raw_png(9_000, 9_000, 8, PALETTED, [bytes(9)]), "9000 x 9000 pixels"),
    "8,193 wide": (raw_png(8193, 1, 8, PALETTED, [bytes(8193)], PALETTE), "8193 x 1 pixels"),
    "8,193 high": (raw_png(1, 8193, 8, PALETTED, [b"\0"] * 8193, PALETTE), "1 x 8193 pixels"),
    "header twice": (two_headers(5, 5), "damaged"),
    "header twice, huge": (two_headers(30_000, 30_000), "damaged"),
    "rows missing": (raw_png(4, 3, 8, PALETTED, [bytes(4)] * 2, PALETTE), "too few pixels"),
    "a byte missing": (raw_png(9, 1, 4, PALETTED, [bytes(4)], PALETTE[:48]), "too few pixels"),
    "no pixels": (raw_png(0, 0, 8, GREY, []), "not a readable PNG"),
    "impossible depth": (raw_png(4, 1, 7, GREY, [bytes(4)]), "not a readable PNG"),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_object_ids_is_refused(tmp_path, data, says):
    path = tmp_path / "mask.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=says) as refused:
        read_index_mask(path)
    (problem,) = refused.value.problems
    assert problem.where == str(path)
    assert problem.hint


def test_a_missing_mask_and_a_folder_in_its_place_are_refused(tmp_path):
    with pytest.raises(InputError, match="mask is missing"):
        read_index_mask(tmp_path / "absent.png")
    with pytest.raises(InputError, match="cannot be read"):
        read_index_mask(tmp_path)


def test_a_mask_cut_short_anywhere_is_refused(tmp_path):
    data, path = good_file(tmp_path), tmp_path / "cut.png"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(InputError):
            read_index_mask(path)


def test_a_mask_with_a_flipped_bit_anywhere_is_refused(tmp_path):
    data, path = good_file(tmp_path), tmp_path / "flipped.png"
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError):
            read_index_mask(path)


@pytest.mark.parametrize(
    ("depth", "values"),
    [(1, [0, 1, 1, 0, 1, 0, 0, 1]), (2, [0, 1, 2, 3]), (4, [0, 1, 9, 15]), (8, [0, 1, 9, 255])],
)
def test_palette_masks_of_few_bits_keep_their_ids(tmp_path, depth, values):
    path = tmp_path / "mask.png"
    row = packed(values, depth)
    path.write_bytes(raw_png(len(values), 1, depth, PALETTED, [row], PALETTE[: 3 * 2**depth]))
    assert read_index_mask(path).tolist() == [values]


def test_the_palette_is_the_published_one(real_data):
    with Image.open(real_data / "actionvos" / "palette.png") as image:
        assert bytes(image.getpalette()) == PALETTE
    template = read_index_mask(real_data / "actionvos" / "palette.png")
    assert np.bincount(template.ravel()).tolist() == [360_716, 49_204]
    weights = read_index_mask(real_data / "actionvos" / "weights_example.png")
    assert np.bincount(weights.ravel()).tolist() == [0, 384_581, 3_949, 19_129, 2_261]


def test_the_palette_follows_the_voc_rule():
    colours = []
    for index in range(256):
        digits = f"{index:09b}"  # the n-th triple from the right gives bit 7 - n of B, G, R
        triples = (digits[6:9], digits[3:6], digits[0:3])
        blue, green, red = ("".join(triple[at] for triple in triples) for at in range(3))
        colours += [int(channel, 2) << 5 for channel in (red, green, blue)]
    assert list(PALETTE) == colours


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_masks_are_read_as_they_were_written(tmp_path_factory, mask):
    path = tmp_path_factory.getbasetemp() / "deep" / "folder" / "mask.png"
    write_index_mask(path, mask)
    again = read_index_mask(path)
    assert again.dtype == np.uint8
    assert (again == mask).all()
    with Image.open(path) as image:
        assert image.mode == "P"
        assert bytes(image.getpalette()) == PALETTE


def test_digests_never_change():
    assert digest_pixels(np.zeros((2, 2), np.uint8)) == "8f6021817b8b975cafaaedf163d50dec"
    formula = blake3(b"|u1(40, 60)" + MASK.tobytes())
    assert digest_pixels(MASK) == formula.hexdigest(length=16) == "92db5d8b903f6af0925ce57716bd81b6"


def test_digests_are_of_pixels_and_not_of_their_packing(tmp_path):
    grey, palette = Image.fromarray(MASK), Image.fromarray(MASK)
    palette.putpalette(PALETTE)
    files = [
        encoded(image, compress_level=level) for image in (grey, palette) for level in (0, 1, 9)
    ]
    assert len(set(files)) == 6
    for data in files:
        path = tmp_path / "mask.png"
        path.write_bytes(data)
        assert digest_pixels(read_index_mask(path)) == digest_pixels(MASK)
    assert digest_pixels(np.asfortranarray(MASK)) == digest_pixels(MASK)


def test_digests_tell_shapes_and_single_pixels_apart_and_no_integer_types():
    other = MASK.copy()
    other[0, 0] += 1
    variants = [MASK, other, MASK.T, MASK.reshape(60, 40)]
    assert len({digest_pixels(mask) for mask in variants}) == len(variants)
    assert digest_pixels(MASK.astype(np.uint16)) == digest_pixels(MASK)


@pytest.mark.parametrize(
    ("known", "foreign"),
    [({1, 3, 200}, []), ({3}, [1, 200]), (set(), [1, 3, 200]), ({1, 2, 3, 4, 200, 255}, [])],
)
def test_foreign_ids_are_those_in_sight_that_nobody_listed(known, foreign):
    assert find_foreign_ids(MASK, frozenset(known)) == foreign


RUNS = st.lists(st.tuples(st.integers(0, 255), st.integers(1, 40)), max_size=12)


@given(RUNS, st.integers(0, 9))
def test_ids_are_those_of_every_run_however_it_lies(runs, start):
    pixels = np.repeat(
        np.array([value for value, _ in runs], np.uint8), [length for _, length in runs]
    )
    for part in (pixels[start:], pixels[start:][::-1], pixels[::3]):  # aligned in memory or not
        assert find_ids(part) == sorted(set(part.tolist()) - {0})


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0)))
def test_ids_are_those_of_any_part_of_a_mask(mask):
    for part in (mask, mask.T, np.asfortranarray(mask)):
        assert find_ids(part) == [i for i in range(1, 256) if (part == i).any()]


def test_an_id_of_a_single_pixel_is_seen_wherever_it_is():
    for at in range(45):
        mask = np.full((5, 9), 2, np.uint8)
        mask.flat[at] = 255
        assert find_ids(mask) == [2, 255]


@pytest.mark.parametrize("behind", [False, True], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize("name", ["cHRM", "gAMA", "sRGB", "pHYs", "iCCP", "tRNS", "tEXt", "zTXt"])
def test_a_chunk_beside_the_pixels_that_is_damaged_changes_nothing(tmp_path, name, behind):
    # Found by fuzzing: Pillow 10.3 raised struct.error for a cHRM of 17 bytes behind the pixels.
    data = raw_png(4, 1, 2, PALETTED, [packed([0, 1, 2, 3], 2)], PALETTE[:12])
    at = data.index(b"IEND" if behind else b"IDAT") - 4
    path = tmp_path / "mask.png"
    for length in range(40):
        odd = chunk(name.encode(), bytes(range(length)))
        path.write_bytes(data[:at] + odd + data[at:])
        try:
            assert read_index_mask(path).tolist() == [[0, 1, 2, 3]]
        except InputError as refused:
            assert str(refused).isprintable()  # noqa: PT017 - either will do


def test_the_size_of_a_mask_is_read_with_the_same_checks(tmp_path):
    path = tmp_path / "0.png"
    write_index_mask(path, MASK)
    assert read_mask_size(path) == read_index_mask(path).shape
    data = path.read_bytes()
    wide = raw_png(9000, 1, 8, PALETTED, [bytes(9000)], PALETTE)
    for damaged in (b"", b"no PNG", data[:-9], data[:60] + b"?" + data[61:], wide):
        path.write_bytes(damaged)
        said = []
        for read in (read_index_mask, read_mask_size):
            with pytest.raises(InputError) as refused:
                read(path)
            said.append(refused.value.problems)
        assert said[0] == said[1]


@pytest.mark.parametrize(
    "error", [OSError, SyntaxError, struct.error, EOFError, IndexError, zlib.error]
)
def test_masks_and_photographs_explain_what_pillow_raises_alike(tmp_path, monkeypatch, error):
    path = tmp_path / "0.png"
    path.write_bytes(encoded(Image.fromarray(MASK), optimize=True))

    def fail(*arguments, **options):
        raise error("bad chunk")

    monkeypatch.setattr(Image, "open", fail)
    for read in (read_index_mask, read_rgb, read_size):
        with pytest.raises(InputError, match=r"is damaged or truncated \(bad chunk\)"):
            read(path)
