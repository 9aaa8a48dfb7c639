"""ActionVOS's pixel weights, from the labels and masks in use.

ActionVOS publishes maps of weights. The maps of a clean split would reveal the clean masks to a run
on noisy labels. This module therefore derives weights from the flags of an object and its mask as
labelled, by the same rule for clean and noisy masks.
"""

from __future__ import annotations

import torch
from torch import Tensor

ACTIVE = 5.0
"""Weight of an active object that the narration names and that meets a hand box."""
INACTIVE = 5.0
"""Weight of an object that is not active."""
NARRATION = 2.0
"""Weight of an active object that the narration names and that meets no hand box."""
HANDBOX = 2.0
"""Weight of an active object that meets a hand box and that the narration does not name."""


def make_action_weights(
    shapes: Tensor, handbox: Tensor, narration: Tensor, positive: Tensor
) -> Tensor:
    """Make the pixel weights of the action-guided focal loss for each object of a sequence.

    The constants are ActionVOS's (Ouyang et al., ECCV 2024): 5 for positive and negative regions, 2
    for regions with a narration or a hand-object flag alone. An active object with neither flag, as
    a person may label one, has weight 1. ActionVOS's maps are finer than flags, which apply to
    whole objects and sequences: the maps know where a hand box ends, give 1 to pixels in a box but
    not held, and treat an object outside all boxes of a frame as negative there. ActionVOS also
    erases the masks of such objects; this function erases no mask.

    Parameters
    ----------
    shapes : (K, T, h, w) bool or in {0, 1}
        Masks of all objects as labelled, including inactive ones.
    handbox, narration, positive : (K,) bool or in {0, 1}
        Flags of `ObjectLabel`.

    Returns
    -------
    (K, T, h, w) float32
        The weight of the object inside its shape, 1 elsewhere.

    Examples
    --------
    >>> flags = {"handbox": [1, 0, 0], "narration": [1, 1, 0], "positive": [1, 1, 0]}
    >>> flags = {name: torch.tensor(values) for name, values in flags.items()}
    >>> shapes = torch.tensor([1.0, 0.0]).expand(3, 1, 1, 2)
    >>> make_action_weights(shapes, **flags).squeeze().tolist()
    [[5.0, 1.0], [2.0, 1.0], [5.0, 1.0]]
    """
    held, named, active = handbox.bool(), narration.bool(), positive.bool()
    inside = torch.ones(len(active))
    inside[active & named & held] = ACTIVE
    inside[active & named & ~held] = NARRATION
    inside[active & held & ~named] = HANDBOX
    inside[~active] = INACTIVE
    return torch.where(shapes.bool(), inside[:, None, None, None], 1.0)
