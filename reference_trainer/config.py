"""All that decides a run, in one place: a dataclass that is a YAML file."""

from __future__ import annotations

import math
import os
import types
import typing
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_bytes

CONFIG_FILE = "config.yaml"

MACHINE = ("dataset", "noisy", "device", "threads", "memory_mib", "save_minutes")
"""Settings that say where a run stands and what it may use: they may change between sittings. What
the labels are is held by a digest of them, wherever they lie."""


@dataclass(frozen=True)
class Config:
    """A run.

    dataset, split: what is learnt from. noisy: a noisy copy of that split, whose masks and prompts
    take the place of the clean ones. prompt_style: ``promptaction``, ``action`` or ``noaction``.

    strategy, options: how, see ``actiseg-train strategies``. seed: of everything that is drawn.

    encoder, channels, prompt_width: the model, see `Model`. height, width: of the frames that it
    sees, multiples of 16; frames of any size are made so large.

    epochs, clips: passes over the split, clips in a batch. frames, prompts: most of a clip in one
    step. augment: mirror and recolour. rate, weight_decay, warmup, clip_norm: AdamW's rate at its
    height, its decay, the share of steps in which the rate rises, the most that a gradient's norm
    may be.

    device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``. threads: that make batches ahead. memory_mib:
    of decoded clips that are kept. save_minutes: longest time between two checkpoints; one is made
    after each epoch, too.
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
    clips: int = 2
    frames: int = 2
    prompts: int = 12
    augment: bool = True
    rate: float = 1e-3
    weight_decay: float = 0.02
    warmup: float = 0.05
    clip_norm: float = 1.0
    device: str = "auto"
    threads: int = 1
    memory_mib: int = 4096
    save_minutes: float = 10.0

    def __post_init__(self) -> None:
        problems = ProblemCollector()

        def require(name: str, holds: bool, hint: str) -> None:
            if not holds:
                problems.add(f"{name} {getattr(self, name)!r} makes no sense", "config", hint)

        for name in ("channels", "prompt_width"):
            value = getattr(self, name)
            require(name, value > 0 and value % 8 == 0, "give a multiple of 8")
        for name in ("height", "width"):
            value = getattr(self, name)
            require(name, 0 < value <= 4096 and value % 16 == 0, "give a multiple of 16")
        for name in ("epochs", "clips", "frames", "prompts", "threads"):
            require(name, getattr(self, name) >= 1, "give 1 or more")
        for name in ("rate", "clip_norm", "save_minutes"):
            require(name, getattr(self, name) > 0, "give more than 0")
        for name in ("weight_decay", "memory_mib"):
            require(name, getattr(self, name) >= 0, "give 0 or more")
        require("warmup", 0 <= self.warmup < 1, "give a share below 1")
        for name in ("rate", "weight_decay", "clip_norm", "save_minutes"):
            require(name, math.isfinite(getattr(self, name)), "give a finite number")
        problems.raise_if_any()

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the frames that the model sees."""
        return self.height, self.width

    @property
    def deciding(self) -> dict[str, Any]:
        """The settings that decide the weights: all but those of `MACHINE`."""
        return {name: value for name, value in asdict(self).items() if name not in MACHINE}

    def to_yaml(self) -> str:
        """The YAML document, fields in their order.

        >>> print(Config("dataset_visor", options={"dice": 1.0}).to_yaml().splitlines()[0])
        dataset: dataset_visor
        """
        import yaml

        document = asdict(self) | {"options": dict(self.options)}
        text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        return text


def make_config(values: Mapping[str, Any], where: str) -> Config:
    """A configuration of values by field, with every option of its strategy, given or not, and
    whole paths.

    Raises `InputError` for unknown fields, missing ones, values of another type, an encoder, a
    strategy or an option that there is not, naming all of them that it can.

    >>> config = make_config({"dataset": "d", "epochs": 3}, "test")
    >>> config.epochs, config.options
    (3, {'mask': 2.0, 'dice': 5.0, 'activity': 2.0})
    """
    # Both know torch, which the settings alone need not.
    from reference_trainer.network.encoders import ENCODERS
    from reference_trainer.strategies import resolve

    problems = ProblemCollector()
    kinds = typing.get_type_hints(Config)
    known = {of.name: of for of in fields(Config)}
    taken: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            problems.add(f"there is no setting {name!r}", where, f"use {', '.join(known)}")
            continue
        value = _number(value) if kinds[name] is float else value
        if not _fits(value, kinds[name]):
            problems.add(f"{name} is {value!r}", where, f"give {_told(kinds[name])}")
        else:
            taken[name] = value
    for name, of in known.items():
        bare = of.default is MISSING and of.default_factory is MISSING
        if bare and name not in values:
            problems.add(f"{name} is missing", where, "add it")
    encoder = taken.get("encoder", Config.encoder)
    if encoder not in ENCODERS:
        problems.add(f"{encoder!r} is no encoder", where, f"use one of {', '.join(ENCODERS)}")
    for name in ("dataset", "noisy"):
        if "\0" in (taken.get(name) or ""):
            problems.add(f"{name} {taken[name]!r} is no path", where, "correct it")
        elif taken.get(name) is not None:
            taken[name] = os.path.realpath(taken[name])
    problems.raise_if_any()
    config = Config(**taken)
    return replace(config, options=asdict(resolve(config.strategy, config.options)))


def read_config(path: Path) -> Config:
    """The configuration in a YAML file; `InputError` where it is damaged, see `make_config`."""
    return make_config(read_values(path), str(path))


def read_values(path: Path) -> dict[str, Any]:
    """The settings of a YAML file, which need not be all; `InputError` where it holds none."""
    return parse_values(read_bytes(path, "configuration"), path)


def parse_values(text: str | bytes, path: Path) -> dict[str, Any]:
    """The settings of a YAML document. path: where it stands, to be named."""
    import yaml

    try:
        document = yaml.safe_load(text if isinstance(text, str) else text.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date may be none, too
        told = str(error).splitlines()[0]
        raise refuse(f"is no YAML ({told})", path, "correct the file") from None
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise refuse("does not hold settings by name", path, "write lines such as 'epochs: 20'")
    return document


def write_config(path: Path, config: Config) -> None:
    """Write a configuration as YAML."""
    write_bytes(path, config.to_yaml().encode())


def with_settings(values: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Settings with some ``key=value`` laid over them; ``options.key=value`` is an option of the
    strategy. Values are read as YAML reads them.

    >>> with_settings({"epochs": 3}, ["epochs=5", "options.q=0.5"])
    {'epochs': 5, 'options': {'q': 0.5}}
    """
    import yaml

    changed = {**values, "options": _options(values.get("options"), "--config")}
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign:
            raise refuse(f"{setting!r} has no '='", "--set", "give key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise refuse(f"{text!r} is no value", "--set", "give a number or a word") from None
        if name == "options":
            changed["options"] = _options(value, "--set")
        elif name.startswith("options."):
            changed["options"][name.removeprefix("options.")] = value
        else:
            changed[name] = value
    return changed


def _options(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(f"options is {value!r}", where, "give values by name: options.KEY=VALUE")
    return dict(value)


def _fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, types.UnionType):
        return any(_fits(value, of) for of in typing.get_args(kind))
    if typing.get_origin(kind) is not None:
        return isinstance(value, dict) and all(isinstance(name, str) for name in value)
    return type(value) is kind


def _number(value: Any) -> Any:
    """A whole number as a float, and what YAML takes for a text: 1e-3 without a point."""
    if type(value) is int or isinstance(value, str):
        with suppress(ValueError, OverflowError):
            return float(value)
    return value


def _told(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_told(of) for of in typing.get_args(kind))
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(kind, "nothing" if kind is type(None) else "values by name")
