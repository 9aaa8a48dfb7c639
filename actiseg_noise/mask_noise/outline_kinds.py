"""The kinds of mask noise by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from actiseg_noise.mask_noise.contours import ObjectMask
from actiseg_noise.mask_noise.dilate_erode import dilate, erode
from actiseg_noise.mask_noise.jitter import jitter
from actiseg_noise.mask_noise.markov import walk_outline
from actiseg_noise.mask_noise.morphology import apply_morphology, scale
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline
from actiseg_noise.mask_noise.random_contour import add_random_contour
from actiseg_noise.mask_noise.vertices import approximate, localise


class OutlineKind(Protocol):
    """A function that draws the noisy outline of one object.

    Its arguments are the clean object, the parameters of the noise as the recipe has them, and the
    factory of the item's keys, from which every random number is drawn.
    """

    def __call__(
        self, clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory
    ) -> NoisyOutline: ...


KINDS: dict[str, OutlineKind] = {
    "dilate": dilate,
    "erode": erode,
    "jitter": jitter,
    "morphology": apply_morphology,
    "random-contour": add_random_contour,
    "scale": scale,
    "localise": localise,
    "approximate": approximate,
    "markov": walk_outline,
}
