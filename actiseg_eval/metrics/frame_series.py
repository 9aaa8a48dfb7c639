"""Statistics of the values of one object over its frames (DAVIS)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""(F,) values in [0, 1], in the order of frames."""

_BINS = 4


def recall(values: Series) -> float:
    """Return the share of frames with a value above one half; NaN without frames.

    >>> recall(np.array([0.5, 0.6]))
    0.5
    """
    return float((values > 0.5).mean()) if len(values) else float("nan")


def decay(values: Series) -> float:
    """Return the mean of the first quarter minus that of the last; NaN without frames.

    Adjacent quarters share a frame. The quarters of F frames end at positions
    ``round(linspace(1, F, 5) + 1e-10) - 1``, both ends included (Perazzi et al., CVPR 2016, as in
    davis2017-evaluation, which takes these numbers modulo 256).

    >>> decay(np.array([1.0, 1.0, 0.5, 0.5]))
    0.5
    """
    if not len(values):
        return float("nan")
    ends = (np.round(np.linspace(1, len(values), _BINS + 1) + 1e-10) - 1).astype(np.int64)
    first, last = values[ends[0] : ends[1] + 1], values[ends[-2] : ends[-1] + 1]
    return float(first.mean() - last.mean())


def late_mean(values: Series) -> float:
    """Return the mean over the last quarter of F frames; NaN without frames.

    The quarter begins at position ``floor(0.75 F)``. The mean measures how well an object is
    segmented after it has changed (J_tr: Tokmakov et al., CVPR 2023, VOST).

    >>> late_mean(np.array([1.0, 1.0, 1.0, 0.5]))
    0.5
    """
    return float(values[3 * len(values) // 4 :].mean()) if len(values) else float("nan")
