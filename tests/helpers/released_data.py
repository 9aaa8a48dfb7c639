"""Noisy splits as configurations of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.media.self_check import open_documents
from actiseg_noise.releases.contents.release_contents import Configuration
from actiseg_noise.split.noisy_split import open_noisy_split


def make_configuration(
    name: str, dataset: Path, recipe: Recipe, out: Path, **settings: Any
) -> Configuration:
    """Make a noisy split at `out` and open it."""
    corrupt(dataset, recipe, out=out, **settings)
    return open_configuration(name, out)


def open_configuration(name: str, out: Path) -> Configuration:
    return Configuration(name, open_noisy_split(out), open_documents(out))
