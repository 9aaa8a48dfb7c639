"""Names of settings in earlier releases. Old files stay readable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actiseg_data.core.errors import refuse

OLD_NAMES: Mapping[str, str] = {
    "rate": "learning_rate",
    "clip_norm": "grad_clip_norm",
    "clips": "batch_size",
    "frames": "max_frames",
    "prompts": "max_prompts",
}
"""Settings of earlier releases and their names today."""

OLD_SCALE, SCALE = "undecided", "match-focal"
"""The value of ``options.scale`` in earlier releases, and its name today."""


def translate_old_names(values: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    """Rename settings of earlier releases, in their order.

    Returns
    -------
    values : dict
        The same values under the names of this release.
    notes : list of str
        One line for each old name.

    Raises
    ------
    InputError
        If a setting has both its old and its new name.

    Examples
    --------
    >>> translate_old_names({"rate": 0.01}, "config.yaml")
    ({'learning_rate': 0.01}, ["note: config.yaml: 'rate' is now 'learning_rate'"])
    """
    renamed: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in values.items():
        new = OLD_NAMES.get(name, name)
        if new != name:
            if new in values:
                what = f"has both {name!r} and {new!r}, which are the same setting"
                raise refuse(what, where, f"remove {name!r}")
            notes.append(f"note: {where}: {name!r} is now {new!r}")
        renamed[new] = value
    options = renamed.get("options")
    if isinstance(options, dict) and options.get("scale") == OLD_SCALE:
        renamed["options"] = options | {"scale": SCALE}
        notes.append(f"note: {where}: the scale {OLD_SCALE!r} is now {SCALE!r}")
    return renamed, notes
