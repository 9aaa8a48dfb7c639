"""Merge the settings of an arm, of a method and of a value of its knob."""

from __future__ import annotations

from typing import Any

from reference_trainer.bench.plan import Settings


def merge_settings(*settings: Settings) -> dict[str, Any]:
    """Merge settings; later ones override earlier ones, and single options override options.

    >>> merge_settings({"epochs": 5, "options": {"q": 1}}, {"options": {"dice": 0}})
    {'epochs': 5, 'options': {'q': 1, 'dice': 0}}
    """
    merged: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for layer in settings:
        merged |= layer
        options |= layer.get("options", {})
    return merged | ({"options": options} if options else {})
