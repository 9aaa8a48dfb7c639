"""Painting of a frame from a mask: counter, shadows, surfaces, light, lens."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.keys import draw_uniform, draw_uniforms
from actiseg_data.core.opencv import load_cv2
from actiseg_data.make.render.materials import find_family
from actiseg_data.make.render.noise_fields import (
    TILE,
    Field,
    Grid,
    colour,
    mix_colours,
    render_key,
    tile,
)
from actiseg_data.make.render.painted_regions import Region, make_region, scatter_litter
from actiseg_data.make.render.patterns import PATTERNS, Surface

Image: TypeAlias = NDArray[np.uint8]

_FULL = (480 * 854) ** 0.5  # lengths below are in pixels of an image of this size

_COUNTERS = (
    ("oak", "#b98a57", "#8f6337"),
    ("granite", "#77757a", "#3e3d42"),
    ("laminate", "#c9c5bb", "#aaa598"),
    ("granite", "#a39a8c", "#6a6156"),
    ("oak", "#8a5c38", "#623d22"),
    ("laminate", "#8c979b", "#6c777c"),
)
_WALLS = ("#d9d6cc", "#9fb3b5", "#cdb98f", "#b9c4b0", "#e2dfda")


def render_frame(mask: IndexMask, sequence: VideoSequence, frame: str) -> Image:
    """Render a frame from its index mask. Ids that the sequence does not list become background.

    Parameters
    ----------
    mask : array_like
        (H, W) object ids, see `as_index_mask`.
    sequence : VideoSequence
        Its video and identity, and the ids, names and classes of its objects are used.
    frame : str
        The name of the frame.

    Returns
    -------
    ndarray
        (H, W, 3) uint8 RGB.

    Examples
    --------
    >>> from actiseg_data.annotations.sequences import ObjectLabel
    >>> plate = ObjectLabel(1, "plate", 2, positive=True, handbox=True, narration=True)
    >>> take = VideoSequence("00000001_S01_01_take_plate", 1, "S01_01", 1, 9, "take plate",
    ...                      "take", 0, "plate", 2, ("frame_0000000004",), (plate,))
    >>> mask = np.zeros((24, 42), np.uint8); mask[8:16, 10:30] = 1
    >>> render_frame(mask, take, "frame_0000000004").shape
    (24, 42, 3)
    """
    mask = as_index_mask(mask)
    height, width = mask.shape
    scale = (height * width) ** 0.5 / _FULL
    video, identity = (sequence.video,), (sequence.video, *sequence.identity)
    picture = _paint_counter(video, (height, width), scale).copy()
    hands = np.zeros(mask.shape, bool)
    for label in sequence.objects:
        if find_family(label.class_id) == "skin":
            hands |= mask == label.object_id
    covers = hands, mask > 0
    regions = scatter_litter(identity, mask, covers, scale)
    for label in sequence.objects:
        family = find_family(label.class_id)
        region = make_region(mask == label.object_id, covers, family, (*video, label.name), scale)
        if region is not None:
            regions.append(region)
    relief = np.zeros(mask.shape, np.float32)
    gloss = np.zeros(mask.shape, np.float32)
    _cast_shadows(picture, regions, scale)
    for region in regions:
        _paint(picture, relief, gloss, region, scale)
    _draw_light(picture, relief, gloss, identity, frame, scale)
    return _expose(picture, identity, frame, scale)


@lru_cache(maxsize=2)  # sequences of a video are rendered in a row
def _paint_counter(video: tuple[str, ...], shape: tuple[int, int], scale: float) -> Field:
    """Paint the kitchen, a counter before a tiled wall: (H, W, 3) float32 in [0, 1]."""
    height, width = shape
    u = draw_uniforms(render_key("counter", *video), 6)
    kind, main, second = _COUNTERS[int(u[0] * len(_COUNTERS))]
    rows, columns = np.arange(height), np.arange(width)
    grid = Grid(rows, columns, scale, (1000 * u[1], 1000 * u[2]))
    if kind == "oak":
        blend = 0.5 + 0.7 * grid.sample("grain") + 0.12 * grid.sample("smooth")
    elif kind == "granite":
        blend = 0.45 + 1.1 * grid.sample("fine") + 0.25 * grid.sample("smooth")
    else:
        blend = 0.4 + 0.18 * grid.sample("fine") + 0.4 * grid.sample("smooth")
    picture = mix_colours(colour(main), colour(second), blend)
    edge = (height * (0.11 + 0.06 * u[3]) + (columns - width / 2) * 0.05 * (u[4] - 0.5)).astype(int)
    top = int(edge.max()) + 1
    wall = mix_colours(
        colour(_WALLS[int(u[5] * len(_WALLS))]), colour("#6b675f"), _paint_tiles(grid, top)
    )
    behind = rows[:top, None] < edge
    picture[:top][behind] = wall[behind]
    foot = np.clip(
        (rows[:, None] - edge) / (26 * scale), 0, 1
    )  # the shadow of the wall on the counter
    picture *= np.where(rows[:, None] < edge, 0.92, 0.72 + 0.28 * foot).astype(np.float32)[
        ..., None
    ]
    return picture


def _paint_tiles(grid: Grid, rows: int) -> Field:
    """Paint the grout between tiles: (rows, W) float32, 1 on a joint."""
    step = 44 * grid.scale
    across = np.abs((np.arange(rows) / step + 0.35) % 1 - 0.5)[:, None]
    along = np.abs((grid.columns / (1.6 * step)) % 1 - 0.5)
    joint = np.maximum(across, along) > 0.47
    noise: Field = 0.07 * grid.sample("smooth")[:rows] + 0.6 * joint
    return noise.astype(np.float32)


def _cast_shadows(picture: Field, regions: list[Region], scale: float) -> None:
    cv2 = load_cv2()
    height, width = picture.shape[:2]
    solid = np.zeros((height, width), np.float32)
    for region in regions:
        solid[region.window][region.inside] = 1
    # The blur is taken at a quarter of the size: shadows have no detail.
    size = max(width // 4, 1), max(height // 4, 1)
    small = cv2.resize(solid, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 2.2 * scale + 0.3)
    step = np.array([[1, 0, 1.6 * scale], [0, 1, 2.2 * scale]])
    small = cv2.warpAffine(small, step, size, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    picture *= (1 - 0.5 * soft)[..., None]


def _paint(picture: Field, relief: Field, gloss: Field, region: Region, scale: float) -> None:
    """Paint one region and raise its relief."""
    rows, columns = (np.arange(part.start, part.stop) for part in region.window)
    rows, columns = rows[: region.inside.shape[0]], columns[: region.inside.shape[1]]
    centre = region.centre
    draw = draw_uniforms(render_key("place", *region.identity), 2) * TILE * scale
    grid = Grid(rows, columns, scale, (draw[0] - centre[0], draw[1] - centre[1]))
    surface = Surface(region, grid, rows[:, None] - centre[0], columns - centre[1], scale)
    colour = PATTERNS[region.material.pattern](surface, picture[region.window])
    picture[region.window][region.inside] = colour[region.inside]
    reach = float(region.depth.max())
    bevel = reach if region.material.bevel is None else min(region.material.bevel * scale, reach)
    raised = _compute_edge_height(region.depth, bevel, scale)
    if region.material.sunken:
        raised -= 1.6 * _compute_edge_height(np.maximum(region.depth - bevel, 0), 3 * bevel, scale)
    relief[region.window][region.inside] = raised[region.inside]
    gloss[region.window][region.inside] = region.material.shine


def _compute_edge_height(depth: Field, width: float, scale: float) -> Field:
    """Compute the height of a rounded edge, a parabola, at some depth inside it."""
    share = 1 - np.minimum(depth / np.float32(max(width, 1e-3)), 1)
    height: Field = (1 - share * share) * np.float32(min(width, 18 * scale))
    return height


def _draw_light(
    picture: Field,
    relief: Field,
    gloss: Field,
    identity: tuple[str | int, ...],
    frame: str,
    scale: float,
) -> None:
    """Shade the relief by a lamp, and vary the room's light."""
    cv2 = load_cv2()
    height, width = relief.shape
    soft = cv2.GaussianBlur(relief, (0, 0), 1.2 * scale + 0.5)
    lamp = 2 * np.pi * draw_uniform(render_key("lamp", *identity)) / 3 + np.pi * 5 / 6  # from above
    down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125)
    right = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125)
    slope = np.float32(np.cos(lamp)) * right + np.float32(np.sin(lamp)) * down
    facing = np.clip(-slope, -1, 1)
    room = draw_uniforms(render_key("room", *identity), 2) - 0.5
    waver = 0.16 * (draw_uniform(render_key("waver", *identity, frame)) - 0.5)
    across = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(0.3 * room[0])
    along = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    fall = 1 + waver + across + along * np.float32(0.2 * room[1] + 0.06)
    picture *= (fall * (1 + 0.42 * facing))[..., None]
    picture += (gloss * np.clip(facing - 0.22, 0, 1))[..., None]


def _expose(picture: Field, identity: tuple[str | int, ...], frame: str, scale: float) -> Image:
    """Add a camera's blur, colour cast and noise: (H, W, 3) uint8."""
    cv2 = load_cv2()
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.75 * scale + 0.3), np.float32)
    cast = 1 + 0.05 * (draw_uniforms(render_key("cast", *identity, frame), 3) - 0.5)
    soft *= (255 * cast).astype(np.float32)
    noise = tile("noise")
    for channel in range(3):
        row, column = (
            draw_uniforms(render_key("noise.at", *identity, frame, channel), 2) * TILE
        ).astype(int)
        grains = noise[
            np.ix_(
                (np.arange(soft.shape[0]) + row) % TILE,
                (np.arange(soft.shape[1]) + column) % TILE,
            )
        ]
        soft[..., channel] += np.float32(3.5) * grains
    image: Image = np.clip(soft + 0.5, 0, 255).astype(np.uint8)
    return image
