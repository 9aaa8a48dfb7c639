"""The configuration of a run: a dataclass that can be saved as YAML."""

from __future__ import annotations

import math
import os
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_bytes

CONFIG_FILE = "config.yaml"

MACHINE_SETTINGS = ("dataset", "noisy", "device", "threads", "memory_mib", "save_minutes")
"""Settings that a resumed run may change: they name places and resources. A digest of the labels
checks that the data are the same, wherever they are."""

OLD_NAMES: Mapping[str, str] = {
    "rate": "learning_rate",
    "clip_norm": "grad_clip_norm",
    "clips": "batch_size",
    "frames": "max_frames",
    "prompts": "max_prompts",
}
"""Settings of earlier releases and their names today. Old files stay readable."""

OLD_SCALE, SCALE = "undecided", "match-focal"
"""The value of ``options.scale`` in earlier releases, and its name today."""


@dataclass(frozen=True)
class Config:
    """All settings of a run.

    Attributes
    ----------
    dataset : str or Path
        ActionVOS root with frames.
    split : str
        Action list to learn from.
    noisy : str or Path, optional
        Noisy copy of the split. Its masks and prompts replace the clean ones.
    prompt_style : str
        ``promptaction``, ``action`` or ``noaction``.
    strategy : str
        Training method, see ``actiseg-train strategies``.
    options : mapping of str to value
        Options of the strategy that differ from their defaults.
    seed : int
        Seed of every random draw.
    encoder : str
        Name of the image encoder, see `ENCODERS`.
    channels, prompt_width : int
        Width of the pixel features and of the prompt vectors, multiples of 8.
    height, width : int
        Size in pixels to which all frames are resized, multiples of 16.
    epochs : int
        Passes over the split.
    batch_size : int
        Sequences in a batch.
    max_frames, max_prompts : int
        Most frames and prompts of a sequence in one step.
    augment : bool
        Whether to mirror and recolour sequences.
    learning_rate : float
        Highest learning rate of AdamW.
    weight_decay : float
        Weight decay of AdamW.
    warmup : float
        Share of the steps, in [0, 1), in which the learning rate rises.
    grad_clip_norm : float
        Norm to which gradients are clipped.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    threads : int
        Threads that prepare batches in advance.
    memory_mib : int
        Memory for decoded sequences, in MiB.
    save_minutes : float
        Longest time between two checkpoints. Each epoch ends with a checkpoint as well.

    Examples
    --------
    >>> Config("dataset_visor", strategy="gce", epochs=8).size
    (128, 224)
    """

    dataset: str
    split: str = "train"
    noisy: str | None = None
    prompt_style: str = "promptaction"
    strategy: str = "plain"
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    encoder: str = "tiny"
    channels: int = 32
    prompt_width: int = 96
    height: int = 128
    width: int = 224
    epochs: int = 40
    batch_size: int = 2
    max_frames: int = 2
    max_prompts: int = 12
    augment: bool = True
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup: float = 0.05
    grad_clip_norm: float = 1.0
    device: str = "auto"
    threads: int = 1
    memory_mib: int = 4096
    save_minutes: float = 10.0

    def __post_init__(self) -> None:
        for name in ("dataset", "noisy"):
            if isinstance(getattr(self, name), os.PathLike):
                object.__setattr__(self, name, os.fspath(getattr(self, name)))
        problems = ProblemCollector()

        def require(name: str, holds: bool, hint: str) -> None:
            if not holds:
                what = f"{name} {getattr(self, name)!r} is out of range"
                problems.add(what, "configuration", hint)

        for name in ("channels", "prompt_width"):
            value = getattr(self, name)
            require(name, value > 0 and value % 8 == 0, "give a multiple of 8")
        for name in ("height", "width"):
            value = getattr(self, name)
            require(name, 0 < value <= 4096 and value % 16 == 0, "give a multiple of 16")
        for name in ("epochs", "batch_size", "max_frames", "max_prompts", "threads"):
            require(name, getattr(self, name) >= 1, "give 1 or more")
        for name in ("learning_rate", "grad_clip_norm", "save_minutes"):
            require(name, getattr(self, name) > 0, "give more than 0")
        for name in ("weight_decay", "memory_mib"):
            require(name, getattr(self, name) >= 0, "give 0 or more")
        require("warmup", 0 <= self.warmup < 1, "give a share below 1")
        for name in ("learning_rate", "weight_decay", "grad_clip_norm", "save_minutes"):
            require(name, math.isfinite(getattr(self, name)), "give a finite number")
        problems.raise_if_any()

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the frames that the model gets."""
        return self.height, self.width

    @property
    def fixed_settings(self) -> dict[str, Any]:
        """The settings that decide the weights: all but `MACHINE_SETTINGS`."""
        return {name: value for name, value in asdict(self).items() if name not in MACHINE_SETTINGS}

    def to_yaml(self) -> str:
        """Format the configuration as a YAML document.

        >>> print(Config("dataset_visor", options={"dice": 1.0}).to_yaml().splitlines()[0])
        dataset: dataset_visor
        """
        import yaml

        document = asdict(self) | {"options": dict(self.options)}
        text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        return text


def make_config(values: Mapping[str, Any], where: str) -> Config:
    """Build a configuration with absolute paths and every option of its strategy.

    Parameters
    ----------
    values : mapping of str to value
        Settings by name; names of earlier releases are accepted, see `OLD_NAMES`.
    where : str
        Source of the values, for error messages.

    Raises
    ------
    InputError
        If settings are unknown, missing or of the wrong type, or if there is no such encoder,
        strategy or option. The error lists as many problems as possible.

    Examples
    --------
    >>> config = make_config({"dataset": "d", "epochs": 3}, "test")
    >>> config.epochs, config.options
    (3, {'mask': 2.0, 'dice': 5.0, 'activity': 2.0})
    """
    # These import torch, which `Config` alone does not need.
    from reference_trainer.network.encoders import ENCODERS
    from reference_trainer.strategies import resolve_options

    values, _ = translate_old_names(values, where)
    problems = ProblemCollector()
    accepted = _check_types(values, where, problems)
    encoder = accepted.get("encoder", Config.encoder)
    if encoder not in ENCODERS:
        problems.add(f"{encoder!r} is not an encoder", where, f"use one of {', '.join(ENCODERS)}")
    for name in ("dataset", "noisy"):
        if "\0" in (accepted.get(name) or ""):
            problems.add(f"{name} {accepted[name]!r} is not a path", where, "correct it")
        elif accepted.get(name) is not None:
            accepted[name] = os.path.realpath(accepted[name])
    problems.raise_if_any()
    config = Config(**accepted)
    return replace(config, options=asdict(resolve_options(config.strategy, config.options)))


def _check_types(
    values: Mapping[str, Any], where: str, problems: ProblemCollector
) -> dict[str, Any]:
    """Return the values whose name and type are right, and collect a problem for all others."""
    kinds = typing.get_type_hints(Config)
    known = {field.name: field for field in fields(Config)}
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            what = f"there is no setting {name!r}{suggest(name, known)}"
            problems.add(what, where, f"use {', '.join(known)}")
            continue
        value = _parse_number(value) if kinds[name] is float else value
        if not _has_type(value, kinds[name]):
            problems.add(f"{name} is {value!r}", where, f"give {_name_type(kinds[name])}")
        else:
            accepted[name] = value
    for name, setting in known.items():
        required = setting.default is MISSING and setting.default_factory is MISSING
        if required and name not in values:
            problems.add(f"{name} is missing", where, "add it")
    return accepted


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


def read_config(path: Path) -> Config:
    """Read a configuration from a YAML file; see `make_config` for its errors.

    Old names are accepted, with a note on standard error.
    """
    values, notes = translate_old_names(read_values(path), str(path))
    for note in notes:
        print(note, file=sys.stderr)
    return make_config(values, str(path))


def read_values(path: Path) -> dict[str, Any]:
    """Read the settings in a YAML file, which may be incomplete.

    Raises
    ------
    InputError
        If the file is not a YAML mapping.
    """
    return parse_values(read_bytes(path, "configuration"), path)


def parse_values(text: str | bytes, path: Path) -> dict[str, Any]:
    """Parse a YAML document with settings. `path` is for error messages."""
    import yaml

    try:
        document = yaml.safe_load(text if isinstance(text, str) else text.decode())
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # ValueError: a date such as 2001-99-99
        reason = str(error).splitlines()[0]
        raise refuse(f"is not YAML ({reason})", path, "correct the file") from None
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise refuse("does not contain named settings", path, "write lines such as 'epochs: 20'")
    return document


def write_config(path: Path, config: Config) -> None:
    """Write a configuration as YAML."""
    write_bytes(path, config.to_yaml().encode())


def apply_settings(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Override values with ``key=value`` settings, which are parsed as YAML.

    ``options.key=value`` sets an option of the strategy. Old names are accepted, see `OLD_NAMES`.

    Examples
    --------
    >>> apply_settings({"epochs": 3}, ["epochs=5", "options.q=0.5"])
    {'epochs': 5, 'options': {'q': 0.5}}
    """
    import yaml

    values, _ = translate_old_names(values, "`config`")
    changed = {**values, "options": _check_options(values.get("options"), "`config`")}
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign:
            raise refuse(f"{setting!r} has no '='", "`settings`", "give key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            hint = "give a number or a word"
            raise refuse(f"{text!r} is not a value", "`settings`", hint) from None
        if name == "options":
            changed["options"] = _check_options(value, "`settings`")
        elif name.startswith("options."):
            changed["options"][name.removeprefix("options.")] = value
        else:
            changed[OLD_NAMES.get(name, name)] = value
    return changed


def _check_options(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(f"options is {value!r}", where, "give values by name: options.KEY=VALUE")
    return dict(value)


def _has_type(value: Any, kind: Any) -> bool:
    if isinstance(kind, types.UnionType):
        return any(_has_type(value, option) for option in typing.get_args(kind))
    if typing.get_origin(kind) is not None:
        return isinstance(value, dict) and all(isinstance(name, str) for name in value)
    return type(value) is kind


def _parse_number(value: Any) -> Any:
    """Convert whole numbers to float, and text such as 1e-3, which YAML does not parse."""
    if type(value) is int or isinstance(value, str):
        with suppress(ValueError, OverflowError):
            return float(value)
    return value


def _name_type(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_name_type(option) for option in typing.get_args(kind))
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(kind, "nothing" if kind is type(None) else "values by name")
