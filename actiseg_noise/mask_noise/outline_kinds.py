"""From the name of a kind of mask noise to its function."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from actiseg_noise.mask_noise.contours import ObjectMask
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline
from actiseg_noise.recipes.kind_specs import KIND_SPECS

_PACKAGE = "actiseg_noise.mask_noise"


class OutlineKind(Protocol):
    """A function that draws the noisy outline of one object.

    Its arguments are the clean object, the parameters of the noise as the recipe has them, and the
    factory of the item's keys, from which every random number is drawn.
    """

    def __call__(
        self, clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory
    ) -> NoisyOutline: ...


def find_outline_kind(kind: str) -> OutlineKind:
    """Find the function of a kind of mask noise that is not a mixture.

    >>> find_outline_kind("jitter").__name__
    'jitter'
    """
    home = KIND_SPECS[kind].outline
    if home is None:
        raise ValueError(f"{kind} has no function of its own")
    module, name = home.split(".")
    function: OutlineKind = getattr(import_module(f"{_PACKAGE}.{module}"), name)
    return function
