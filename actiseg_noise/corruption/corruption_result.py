"""The results of `corrupt` and of its forecast."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_noise.media.registry import MEDIA


@dataclass(frozen=True)
class Corruption:
    """The result of `corrupt`.

    Attributes
    ----------
    out : Path
        The noisy split.
    recipe_digest : str
        Digest of its recipe.
    summary : dict
        The content of ``summary.json``.
    made : bool
        False if an identical run existed already and was verified instead.
    """

    out: Path
    recipe_digest: str
    summary: dict[str, Any]
    made: bool

    def __repr__(self) -> str:
        rates = ", ".join(f"{kind}={counts}" for kind, counts in self._list_rates())
        return f"Corruption({str(self.out)!r}, {rates}, made={self.made})"

    def _repr_html_(self) -> str:
        rows = [
            ("noisy split", str(self.out)),
            ("split", self.summary["split"]),
            ("sequences", str(len(self.summary["sequences"]))),
            *self._list_rates(),
            ("recipe", self.recipe_digest),
        ]
        cells = (
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in rows
        )
        return f"<table>{''.join(cells)}</table>"

    def _list_rates(self) -> list[tuple[str, str]]:
        """List each kind of noise with the number of items that got noise."""
        sections = dict.fromkeys(medium.section for medium in MEDIA.values())
        named = [self.summary.get(name) for name in sections]
        named.append(self.summary.get("objects"))
        parts = (
            part
            for section in named
            if section is not None
            for part in ([section] if "kind" in section else section.values())
        )
        return [(part["kind"], f"{part['selected']} of {part['items']}") for part in parts]


@dataclass(frozen=True)
class CorruptionForecast:
    """What `corrupt` would do.

    Attributes
    ----------
    out : Path
        The folder that would be made.
    recipe_digest : str
        Digest of the recipe.
    sequences, frames : int
        How many sequences and frames would get noise.
    lines : tuple of str
        How many items would get noise, a line for each medium.
    """

    out: Path
    recipe_digest: str
    sequences: int
    frames: int
    lines: tuple[str, ...]
