"""The result of measuring one medium, with the parts that could not be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class MediumResult(Generic[T_co]):
    """What was measured of masks, or of text.

    Attributes
    ----------
    value : object or None
        The measurement. None if the split has no such noise, or if nothing could be measured.
    left_out : mapping of str to str
        Names of parts that could not be measured, and why.
    compared_with : str or None
        The source of the clean data.
    """

    value: T_co | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    compared_with: str | None = None
