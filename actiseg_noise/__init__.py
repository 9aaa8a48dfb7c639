"""Deterministic noisy copies of video object segmentation annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actiseg_data import __version__ as __version__
from actiseg_data.core.exports import export_lazily

if TYPE_CHECKING:
    from actiseg_noise.corruption.corruption import corrupt as corrupt
    from actiseg_noise.recipes.building import load_recipe as load_recipe
    from actiseg_noise.recipes.building import make_recipe as make_recipe
    from actiseg_noise.recipes.presets import load_preset as load_preset

__getattr__, __dir__, __all__ = export_lazily(
    __name__,
    {
        "corrupt": "corruption.corruption",
        "load_preset": "recipes.presets",
        "load_recipe": "recipes.building",
        "make_recipe": "recipes.building",
    },
)
