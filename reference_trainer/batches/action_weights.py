"""ActionVOS's weights of pixels, from the labels and masks in use.

ActionVOS publishes maps of weights; those of a clean split would tell a run on a noisy one where
the clean masks are. So the weights are made here from the flags of an object and its mask as
labelled, by the same rule for clean and noisy masks.
"""

from __future__ import annotations

import torch
from torch import Tensor

ACTIVE = 5.0
"""Of an active object that is named in the narration and meets a hand box: surely active."""
INACTIVE = 5.0
"""Of an object that is not active."""
NARRATION = 2.0
"""Of an active object that is named in the narration and meets no hand box."""
HANDBOX = 2.0
"""Of an active object that meets a hand box and is not named in the narration."""


def action_weights(shapes: Tensor, handbox: Tensor, narration: Tensor, positive: Tensor) -> Tensor:
    """Weights of pixels for the action-guided focal loss of each object of a clip.

    shapes: (K, T, h, w) bool or in {0, 1}, the masks of the objects as labelled, of inactive ones,
    too. handbox, narration, positive: (K,) bool or in {0, 1}, the flags of `ObjectLabel`.
    Returns (K, T, h, w) float32: within the shape of an object what its flags say, 1 elsewhere. An
    active object with neither flag (a person's label) weighs 1.

    The constants are ActionVOS's (Ouyang et al., ECCV 2024: 5 for positive and negative regions, 2
    for those of narration or hand-object alone). Its maps are finer than flags, which are of whole
    objects and clips: they know where a hand box ends, give 1 to what is in a box but not held, and
    take an object out of all boxes of a frame for negative there. They also erase the masks of the
    latter; no mask is erased here.

    >>> flags = {"handbox": [1, 0, 0], "narration": [1, 1, 0], "positive": [1, 1, 0]}
    >>> shapes = torch.tensor([1.0, 0.0]).expand(3, 1, 1, 2)
    >>> action_weights(shapes, **{k: torch.tensor(v) for k, v in flags.items()}).squeeze().tolist()
    [[5.0, 1.0], [2.0, 1.0], [5.0, 1.0]]
    """
    held, named, active = handbox.bool(), narration.bool(), positive.bool()
    inside = torch.ones(len(active))
    inside[active & named & held] = ACTIVE
    inside[active & named & ~held] = NARRATION
    inside[active & held & ~named] = HANDBOX
    inside[~active] = INACTIVE
    return torch.where(shapes.bool(), inside[:, None, None, None], 1.0)
