"""Features of frames that do not change, because their encoder is frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from torch import Tensor


class FeatureCache:
    """Features by the content of their frame, within a number of bytes.

    Frames that come first stay. A frame is found again only if all its pixels are the same, so that
    augmented frames never are.

    Parameters
    ----------
    capacity : int
        Bytes for features. With 0, all features are computed.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget all features, since the encoder has other parameters now."""
        self._features: dict[bytes, tuple[Tensor, ...]] = {}
        self._free = self._capacity

    def __len__(self) -> int:
        return len(self._features)

    def __deepcopy__(self, memo: dict[int, Any]) -> FeatureCache:
        return FeatureCache(self._capacity)

    def fetch(
        self, frame: Tensor, compute: Callable[[Tensor], tuple[Tensor, ...]]
    ) -> tuple[Tensor, ...]:
        """Return the features of a frame on the CPU, and compute them if they are not known.

        Parameters
        ----------
        frame : (3, H, W) float
        compute : callable
            Maps frames (N, 3, H, W) to features of several scales, each (N, C, h, w).

        Returns
        -------
        tuple of (1, C, h, w) Tensor
        """
        if not self._capacity:
            return compute(frame[None])
        pixels = frame.detach().contiguous().numpy()
        key = hashlib.blake2b(pixels.data, digest_size=16).digest()
        features = self._features.get(key)
        if features is None:
            features = compute(frame[None])
            size = sum(scale.nbytes for scale in features)
            if size <= self._free:
                self._features[key] = features
                self._free -= size
        return features
