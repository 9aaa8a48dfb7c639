"""Objects in small frames, and what holds for every kind of noise that is drawn on them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from actiseg_data.core.keys import make_key
from actiseg_noise.mask_noise.contours import find_object
from actiseg_noise.mask_noise.outline_kinds import find_outline_kind
from actiseg_noise.recipes.kind_specs import KIND_SPECS


def keyed_as(item):
    return lambda purpose: make_key(0, 1, f"boundary.{purpose}", item)


@st.composite
def masks(draw, largest=26):
    """(H, W) uint8 of 0 and 1, never empty: single pixels, several parts, holes, cut by borders."""
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns = np.mgrid[:height, :width]
    mask = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.02, 0.5]))
    for _ in range(draw(st.integers(0, 4))):
        centre = rng.random(2) * (height, width)
        distance = np.hypot(rows - centre[0], (columns - centre[1]) * rng.uniform(0.3, 1.5))
        radius = rng.uniform(0.5, 0.6 * max(height, width))
        mask[distance <= radius] = rng.random() < 0.8  # the others are holes
    mask[rng.integers(height), rng.integers(width)] = True
    return mask.astype(np.uint8)


def disc(radius, shape, centre=None):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    row, column = centre or (shape[0] // 2, shape[1] // 2)
    return ((rows - row) ** 2 + (columns - column) ** 2 <= radius**2).astype(np.uint8)


def drawn(kind, mask, item="a", **parameters):
    """What a kind draws, its defaults filled in, checked for what every kind promises."""
    before = mask.copy()
    clean = find_object(mask, 1)
    parameters = {n: p.default for n, p in KIND_SPECS[kind].parameters.items()} | parameters
    found = find_outline_kind(kind)(clean, parameters, keyed_as(item))
    again = find_outline_kind(kind)(clean, parameters, keyed_as(item))
    image = found.patch.to_image(mask.shape)
    assert (image == again.patch.to_image(mask.shape)).all()
    assert found.details == again.details
    assert (mask == before).all()
    assert (clean.patch.to_image(mask.shape) == before).all()
    assert found.status == "fixed"
    assert found.iou == (image & (mask > 0)).sum() / (image | (mask > 0)).sum()
    rows, columns = np.nonzero(image)
    if len(rows):
        assert found.patch.mask.shape == (np.ptp(rows) + 1, np.ptp(columns) + 1)
    else:
        assert found.patch.mask.shape == (0, 0)
    return image, found.details
