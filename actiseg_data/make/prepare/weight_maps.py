"""Masks and action-guided weights of one frame of one action."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import ObjectLabel
from actiseg_data.layouts.visor_json import SMALL
from actiseg_data.make.prepare.frame_views import FrameView
from actiseg_data.make.prepare.polygon_fills import paint

REST, HELD, NEGATIVE = 1, 2, 3
"""Weight values: the rest; a touched entity, or an object of the narration (4 within a box
of touched entities); an object that is inactive in this frame."""


def index_mask(view: FrameView, object_ids: Mapping[str, int]) -> IndexMask:
    """Make the index mask of a frame, (480, 854) uint8. `object_ids` are by name."""
    ids = np.zeros(256, np.uint8)
    for place, name in enumerate(view.names, 1):
        ids[place] = object_ids.get(name, 0)
    return ids[view.places]


def make_weight_map(view: FrameView, labels: Collection[ObjectLabel]) -> IndexMask:
    """Make the map of ActionVOS's training weights for a frame: (480, 854) uint8, values 1 to 4.

    Entities are drawn in the order of the file, later over earlier: an object of the narration as
    2, an inactive one as 3. An object is inactive if its fill, without occlusion, meets no box of
    touched entities in this frame; in a frame without touched entities, if it is negative in the
    action. Values inside the boxes are doubled, remaining pixels of touched entities become 2, all
    others 1.
    """
    by_name = {label.name: label for label in labels}
    weights = np.zeros(SMALL, np.uint8)
    for name, shape, meets_box in zip(view.names, view.shapes, view.meets_box, strict=True):
        label = by_name.get(name)
        if label is None:
            continue
        inactive = not label.positive if view.boxes is None else not meets_box
        if label.narration:
            paint(weights, shape, HELD)
        elif inactive:
            paint(weights, shape, NEGATIVE)
    if view.boxes is not None and view.held is not None:
        weights <<= view.boxes.view(np.uint8)
        weights[view.held & (weights == 0)] = HELD
    weights[weights == 0] = REST
    return weights
