"""Flags for parameters of the kinds of noise, generated from the specifications of the kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, Optional

import typer

from actiseg_noise.recipes.kind_parameters import Parameter
from actiseg_noise.recipes.kind_specs import KIND_SPECS

MASK_PANEL, TEXT_PANEL = "Mask noise", "Text noise"
OBJECT_PANEL, LABEL_PANEL = "Noise of whole objects", "Noise in labels"
_PANELS = {
    "masks": MASK_PANEL,
    "text": TEXT_PANEL,
    "objects": OBJECT_PANEL,
    "labels": LABEL_PANEL,
}


@dataclass(frozen=True)
class KindFlag:
    """A flag that sets one parameter of a kind.

    Attributes
    ----------
    kind : str
        A kind that has the parameter.
    help : str
        What the parameter does, in one sentence.
    default : str or None
        What applies if the flag is not given. Default: the default of the parameter.
    """

    kind: str
    help: str
    default: str | None = None


KIND_FLAGS: Mapping[str, KindFlag] = {
    "target_iou": KindFlag("boundary", "Calibrate each object to this IoU with the clean object."),
    "radius": KindFlag(
        "boundary",
        "Fixed radius in mask pixels instead (for jitter: RMS displacement).",
        "calibrate to --target-iou",
    ),
    "correlation_length": KindFlag(
        "jitter", "Correlation length of jitter in pixels.", "set by object size"
    ),
    "shape": KindFlag(
        "ghost", "Shape of ghosts: copy (of an object of the frame), ellipse or box."
    ),
    "mix": KindFlag("text", "Share of flips in text noise; the rest are substitutions."),
    "flip": KindFlag("category", "How the new class is drawn: {choices}."),
    "names": KindFlag(
        "within-category",
        "Substitutes: class (the dataset's names of the class) or wordnet (also WordNet's).",
    ),
    "allow_collisions": KindFlag(
        "text",
        "Let an object get the name or class of another object in its sequence, as in the "
        "published files.",
        "",
    ),
}
"""The flags of `corrupt` that only set a parameter of a kind. ``--set`` sets all others."""


def make_kind_options() -> type[Any]:
    """Make a dataclass with an option for each of `KIND_FLAGS`; an option not given is None."""
    members = [(name, _make_annotation(name, flag), None) for name, flag in KIND_FLAGS.items()]
    return make_dataclass("KindOptions", members, frozen=True)


def _make_annotation(name: str, flag: KindFlag) -> Any:
    spec = KIND_SPECS[flag.kind]
    parameter = spec.parameters[name]
    option = typer.Option(
        *((f"--{name.replace('_', '-')}",) if parameter.default is False else ()),
        help=_describe(flag, parameter),
        rich_help_panel=_PANELS[spec.medium],
    )
    return Annotated[Optional[_get_type(parameter)], option]


def _get_type(parameter: Parameter) -> type[bool] | type[str] | type[float]:
    if isinstance(parameter.default, bool):
        return bool
    return str if isinstance(parameter.default, str) else float


def _describe(flag: KindFlag, parameter: Parameter) -> str:
    choices = parameter.wanted.removeprefix("one of ")
    text = flag.help.format(choices=choices)
    default = f"{parameter.default}" if flag.default is None else flag.default
    return f"{text} Default: {default}." if default else text
