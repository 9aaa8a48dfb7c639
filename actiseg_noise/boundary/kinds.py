"""The kinds of boundary noise by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from actiseg_noise.boundary.contours import Clean
from actiseg_noise.boundary.drawn import Drawn, Keyed
from actiseg_noise.boundary.elastic import jitter
from actiseg_noise.boundary.markov import markov
from actiseg_noise.boundary.morphology import morphology, scale
from actiseg_noise.boundary.offset import dilate, erode
from actiseg_noise.boundary.random_contour import random_contour
from actiseg_noise.boundary.vertices import approximate, localise


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
