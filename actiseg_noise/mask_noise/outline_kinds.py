"""The kinds of boundary noise by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from actiseg_noise.mask_noise.contours import Clean
from actiseg_noise.mask_noise.dilate_erode import dilate, erode
from actiseg_noise.mask_noise.jitter import jitter
from actiseg_noise.mask_noise.markov import markov
from actiseg_noise.mask_noise.morphology import morphology, scale
from actiseg_noise.mask_noise.noisy_outline import Drawn, Keyed
from actiseg_noise.mask_noise.random_contour import random_contour
from actiseg_noise.mask_noise.vertices import approximate, localise


class Kind(Protocol):
    """Draws the noisy outline of one object.

    parameters: of the noise, as its recipe has them. keyed: gives the item's key for a purpose, for
    what is random in it.
    """

    def __call__(self, clean: Clean, parameters: Mapping[str, Any], keyed: Keyed) -> Drawn: ...


KINDS: dict[str, Kind] = {
    "dilate": dilate,
    "erode": erode,
    "jitter": jitter,
    "morphology": morphology,
    "random-contour": random_contour,
    "scale": scale,
    "localise": localise,
    "approximate": approximate,
    "markov": markov,
}
