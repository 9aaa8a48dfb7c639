"""What noise depends on besides its recipe and the clean split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.records.difference_record import Differences
from actiseg_noise.split.noisy_split import read_carried_differences, read_carried_lexicon


@dataclass(frozen=True)
class NoiseInputs:
    """What noise depends on besides its recipe and the clean split.

    A noisy split carries these, and so does its rebuild kit.

    Attributes
    ----------
    lexicon : Lexicon or None
        Lexicon for text noise. None uses the installed one.
    differences : Differences or None
        For the recipe of an imported noisy split: its differences from the clean dataset.
    thresholds : mapping or None
        The thresholds of an exact recipe, as ``summary.json`` has them, so that a part of a dataset
        gets the noise of the whole. None computes them from the split.
    """

    lexicon: Lexicon | None = None
    differences: Differences | None = None
    thresholds: Mapping[str, Any] | None = None


INSTALLED = NoiseInputs()
"""The installed lexicon, and nothing that a noisy split carries."""


def read_noise_inputs(out: Path, thresholds: Mapping[str, Any] | None = None) -> NoiseInputs:
    """Read what a noisy split carries; `thresholds` are those in its summary, if it has any."""
    return NoiseInputs(read_carried_lexicon(out), read_carried_differences(out), thresholds)
