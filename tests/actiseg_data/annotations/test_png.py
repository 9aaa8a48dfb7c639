from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from actiseg_data.annotations import png
from actiseg_data.annotations.masks import PALETTE, read_index_mask
from actiseg_data.core.errors import InputError

GREY, TRUECOLOUR, PALETTED = 0, 2, 3
PIXELS = np.arange(15, dtype=np.uint8).reshape(3, 5) % 4


@st.composite
def masks(draw, max_side=70):
    """Blocks and noise, few ids or many."""
    shape = (draw(st.integers(1, max_side)), draw(st.integers(1, max_side)))
    ids = st.sampled_from(draw(st.lists(st.integers(0, 255), min_size=1, max_size=6)))
    coarse = draw(arrays.arrays(np.uint8, (2, 3), elements=ids))
    mask = coarse[np.ix_(np.arange(shape[0]) % 2, np.arange(shape[1]) // 9 % 3)].copy()
    if draw(st.booleans()):
        part = (shape[0] // 2 + 1, min(shape[1], 5))
        mask[: part[0], : part[1]] = draw(arrays.arrays(np.uint8, part))
    return mask


def paletted(mask):
    image = Image.fromarray(mask)
    image.putpalette(PALETTE)
    return image


def encoded(image, **options):
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def chunk(kind, content=b""):
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def header(width, height, depth=8, colour=GREY, methods=(0, 0, 0)):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, *methods))


def file_of(*chunks):
    return png.SIGNATURE + b"".join(chunks) + chunk(b"IEND")


def packed(pixels):
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))


def grey(stream, *beside, shape=PIXELS.shape):
    return file_of(header(shape[1], shape[0]), *beside, chunk(b"IDAT", stream))


def decoded(data):
    parsed = png.parse(data)
    return None if parsed is None else png.decode(parsed)


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, np.asarray(image)


@pytest.fixture
def read(tmp_path):
    """Reads a file of given bytes as a mask."""

    def run(data):
        (tmp_path / "mask.png").write_bytes(data)
        return read_index_mask(tmp_path / "mask.png")

    return run


@settings(max_examples=80, deadline=None)
@given(masks())
def test_every_writers_pixels_are_read(tmp_path_factory, mask):
    written = {
        "ours": png.encode(mask, PALETTE),
        "Pillow, palette": encoded(paletted(mask)),
        "Pillow, palette, stored": encoded(paletted(mask), compress_level=0),
        "Pillow, palette, all colours kept": encoded(paletted(mask), bits=8),
        "Pillow, grey": encoded(Image.fromarray(mask)),
        "OpenCV": cv2.imencode(".png", mask)[1].tobytes(),
    }
    path = tmp_path_factory.getbasetemp() / "one.png"
    for writer, data in written.items():
        path.write_bytes(data)
        found = read_index_mask(path)
        assert found.dtype == np.uint8, writer
        assert np.array_equal(found, mask), writer
        assert found.flags.c_contiguous, writer
        assert not found.flags.writeable, writer
    assert np.array_equal(decoded(written["ours"]), mask)  # and without Pillow
    assert np.array_equal(decoded(written["Pillow, palette"]), mask)


@settings(max_examples=80, deadline=None)
@given(masks(), st.binary(min_size=768, max_size=768))
def test_pillow_reads_what_is_encoded(mask, palette):
    with Image.open(io.BytesIO(png.encode(mask, palette))) as image:
        assert image.mode == "P"
        assert bytes(image.getpalette()) == palette
        assert np.array_equal(np.asarray(image), mask)


def test_arrays_of_any_layout_in_memory_are_encoded():
    mask = np.arange(600, dtype=np.uint8).reshape(20, 30)
    for view in (mask.T, mask[::-1, ::2], np.asfortranarray(mask), mask[3:4, 5:6]):
        assert np.array_equal(by_pillow(png.encode(view, PALETTE))[1], view)


@pytest.mark.parametrize(
    ("pixels", "palette"),
    [
        (np.zeros((2, 2), np.int64), PALETTE),
        (np.zeros((2, 2), bool), PALETTE),
        (np.zeros((2, 2, 3), np.uint8), PALETTE),
        (np.zeros(4, np.uint8), PALETTE),
        (np.zeros((0, 4), np.uint8), PALETTE),
        (np.zeros((2, 2), np.uint8), PALETTE[:-3]),
    ],
)
def test_only_masks_are_encoded(pixels, palette):
    with pytest.raises(ValueError, match=r"need \(H, W\) uint8 and 768 colour bytes"):
        png.encode(pixels, palette)


def filtered(pixels, kind):
    """Rows as filter `kind` writes them, by the formulas of the specification, section 9.2."""
    rows, above = [], [0] * pixels.shape[1]
    for row in pixels.tolist():
        out = []
        for x, value in enumerate(row):
            left, up_left = (row[x - 1], above[x - 1]) if x else (0, 0)
            up, plane = above[x], left + above[x] - up_left
            paeth = min((left, up, up_left), key=lambda v, p=plane: abs(p - v))
            out.append((value - [0, left, up, (left + up) // 2, paeth][kind]) % 256)
        rows.append(bytes([kind, *out]))
        above = row
    return b"".join(rows)


@pytest.mark.parametrize("kind", range(5))
def test_filters_of_every_kind_are_undone(read, kind):
    pixels = (np.arange(77, dtype=np.int64) ** 3 % 251).astype(np.uint8).reshape(7, 11)
    data = grey(zlib.compress(filtered(pixels, kind)), shape=pixels.shape)
    assert np.array_equal(by_pillow(data)[1], pixels)
    assert np.array_equal(read(data), pixels)
    assert (decoded(data) is None) == (kind > 0)


def test_one_filtered_row_is_enough_to_be_filtered(read):
    rows = b"".join(b"\0" + row.tobytes() for row in PIXELS[:-1])
    up = (PIXELS[-1].astype(int) - PIXELS[-2]) % 256
    data = grey(zlib.compress(rows + b"\2" + up.astype(np.uint8).tobytes()))
    assert decoded(data) is None
    assert np.array_equal(read(data), PIXELS)


def test_interlaced_masks_are_read(read):
    pixels = np.arange(108, dtype=np.uint8).reshape(9, 12)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    passes.append((0, 1, 1, 2))  # left, top, step right, step down
    stream = b"".join(
        b"\0" + row.tobytes()
        for left, top, right, down in passes
        for row in pixels[top::down, left::right]
    )
    data = file_of(header(12, 9, methods=(0, 0, 1)), chunk(b"IDAT", zlib.compress(stream)))
    assert decoded(data) is None
    assert np.array_equal(read(data), pixels)


def test_a_file_cut_short_anywhere_is_refused(read):
    data = grey(packed(PIXELS))
    for length in range(len(data)):
        assert not data[:length].startswith(png.BEGIN) or png.parse(data[:length]) is None
        with pytest.raises(InputError):
            read(data[:length])


def test_a_flipped_bit_never_gives_other_pixels(read):
    data = grey(packed(PIXELS))
    assert np.array_equal(read(data), PIXELS)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InputError):
            read(bytes(flipped))


def test_a_damaged_stream_under_a_right_checksum_is_not_decoded():
    stream = packed(PIXELS)
    for bit in range(8 * len(stream)):
        flipped = bytearray(stream)
        flipped[bit // 8] ^= 1 << bit % 8
        found = decoded(grey(bytes(flipped)))
        assert found is None or np.array_equal(found, PIXELS)  # flags without a meaning
    for length in range(len(stream)):
        assert decoded(grey(stream[:length])) is None


def test_a_stream_of_another_length_is_not_decoded(read):
    rows = b"".join(b"\0" + row.tobytes() for row in PIXELS)
    for raw in (rows[:-1], rows + b"\0", rows[:-6], rows + rows, b""):
        assert decoded(grey(zlib.compress(raw))) is None
    with pytest.raises(InputError, match="too few pixels"):
        read(grey(zlib.compress(rows[:-1])))


def test_garbage_behind_the_stream_is_left_to_pillow(read):
    data = grey(packed(PIXELS) + b"garbage")
    assert decoded(data) is None
    assert np.array_equal(read(data), by_pillow(data)[1])


def bomb(gigabytes):
    """A zlib stream of zeros, a million times smaller than what it inflates to."""
    packer = zlib.compressobj(9)
    begin = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + block * (1024 * gigabytes - 1) + packer.flush()


@pytest.mark.parametrize(
    ("stream", "shape"),
    [(bomb(2), (2, 2)), (packed(PIXELS), (8192, 8192)), (b"", (8192, 8192))],
    ids=["stream larger than the header says", "header larger than the stream", "no stream"],
)
def test_neither_header_nor_stream_can_claim_memory(stream, shape):
    data = grey(stream, shape=shape)
    tracemalloc.start()
    try:
        assert decoded(data) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(data) + (1 << 20)


def test_a_header_that_promises_more_than_there_is_is_refused(read):
    with pytest.raises(InputError, match="too few pixels"):
        read(grey(packed(PIXELS), shape=(8192, 8192)))
    with pytest.raises(InputError, match="4294967295 x 4294967295 pixels"):
        read(grey(packed(PIXELS), shape=(2**32 - 1, 2**32 - 1)))


def test_a_stream_in_many_chunks_is_one_stream(read):
    pieces = [chunk(b"IDAT", bytes([byte])) for byte in packed(PIXELS)]
    for chunks in (pieces, [chunk(b"IDAT"), *pieces, chunk(b"IDAT")]):
        data = file_of(header(5, 3), *chunks)
        assert np.array_equal(decoded(data), PIXELS)
        assert np.array_equal(read(data), PIXELS)


def test_a_mask_without_a_stream_is_refused(read):
    for chunks in ([], [chunk(b"IDAT")], [chunk(b"IDAT")] * 3):
        data = file_of(header(5, 3), *chunks)
        assert decoded(data) is None
        with pytest.raises(InputError):
            read(data)


def test_what_follows_the_last_chunk_is_not_looked_at(read):
    data = grey(packed(PIXELS))
    for behind in (chunk(b"IDAT", packed(PIXELS + 1)), header(1, 1), b"no chunk at all"):
        assert np.array_equal(read(data + behind), PIXELS)


def test_a_second_header_is_refused(read):
    for chunks in ([header(5, 3)], [header(1, 1)]):
        data = grey(packed(PIXELS), *chunks)
        assert png.parse(data) is None
        with pytest.raises(InputError, match="damaged"):
            read(data)


STREAM = chunk(b"IDAT", packed(PIXELS))
HALVES = [chunk(b"IDAT", packed(PIXELS)[:9]), chunk(b"IDAT", packed(PIXELS)[9:])]
TIME = chunk(b"tIME", bytes(7))
COLOURS = chunk(b"PLTE", PALETTE[:48])


@pytest.mark.parametrize(
    ("chunks", "plain"),
    [
        ([header(5, 3), STREAM], True),
        ([header(5, 3, colour=PALETTED), COLOURS, STREAM], True),
        ([header(5, 3), TIME, chunk(b"gAMA", bytes(4)), STREAM], True),
        ([header(5, 3, colour=PALETTED), TIME, COLOURS, TIME, STREAM], True),
        ([header(5, 3, colour=PALETTED), STREAM], False),
        ([header(5, 3, colour=PALETTED), STREAM, COLOURS], False),
        ([header(5, 3, colour=PALETTED), COLOURS, COLOURS, STREAM], False),
        ([header(5, 3, colour=PALETTED), chunk(b"PLTE", bytes(771)), STREAM], False),
        ([header(5, 3, colour=PALETTED), chunk(b"PLTE", bytes(4)), STREAM], False),
        ([header(5, 3, depth=4), STREAM], False),
        ([header(5, 3, colour=TRUECOLOUR), STREAM], False),
        ([header(5, 3, methods=(1, 0, 0)), STREAM], False),
        ([header(5, 3, methods=(0, 1, 0)), STREAM], False),
        ([header(5, 3, methods=(0, 0, 1)), STREAM], False),
        ([header(5, 3), chunk(b"tIME", bytes(6)), STREAM], False),
        ([header(5, 3), chunk(b"tRNS", bytes(2)), STREAM], False),
        ([header(5, 3), chunk(b"what", bytes(2)), STREAM], False),
        ([header(5, 3), HALVES[0], TIME, HALVES[1]], False),
        ([header(5, 3)], False),
    ],
)
def test_only_plain_files_are_decoded_without_pillow(chunks, plain):
    data = file_of(*chunks)
    assert (decoded(data) is not None) == plain
    if plain:
        assert by_pillow(data)[0] in "PL"
        assert np.array_equal(decoded(data), by_pillow(data)[1])


KINDS = [b"PLTE", b"IDAT", b"tIME", b"pHYs", b"gAMA", b"sRGB", b"tRNS", b"tEXt", b"acTL", b"what"]


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    st.sampled_from([8, 8, 8, 4, 16]),
    st.sampled_from([GREY, PALETTED, TRUECOLOUR]),
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), max_size=3),
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), max_size=2),
    st.binary(max_size=60),
    st.integers(0, 9),
)
@example((2, 1), 8, GREY, [(b"sRGB", 1)], [], b"\0\1\2", 0)
@example((2, 1), 8, PALETTED, [(b"PLTE", 9), (b"pHYs", 9)], [], b"\0\1\2", 4)
def test_what_is_decoded_pillow_decodes_the_same(size, depth, colour, before, after, raw, cut):
    stream = zlib.compress(raw)
    others = [[chunk(kind, bytes(length)) for kind, length in some] for some in (before, after)]
    data = file_of(
        header(*size, depth, colour),
        *others[0],
        chunk(b"IDAT", stream[:cut]),
        chunk(b"IDAT", stream[cut:]),
        *others[1],
    )
    found = decoded(data)
    if found is not None:
        mode, expected = by_pillow(data)
        assert mode == {GREY: "L", PALETTED: "P"}[colour]
        assert np.array_equal(found, expected)
