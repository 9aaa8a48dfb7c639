"""The configuration of a run: a dataclass with the range of each setting."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from actiseg_data.core.errors import ProblemCollector

MACHINE_SETTINGS = (
    *("dataset", "noisy", "noise", "init"),
    *("device", "threads", "memory_mib", "save_minutes", "meter"),
)
"""Settings that a resumed run may change: they name places and resources, and what is logged. A
digest of the labels checks that the data are the same, wherever they are."""


LABEL_CHOICES = ("all", "untouched")


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
    noise : str or Path, optional
        Recipe file of noise on the fly: labels as in the noisy copy that it makes, without the
        copy. Not together with `noisy`.
    labels : str
        ``all``, or with noisy labels ``untouched``: only those that noise did not change.
    prompt_style : str
        ``promptaction``, ``action`` or ``noaction``.
    strategy : str
        Training method, see ``actiseg-train strategies``.
    options : mapping of str to value
        Options of the strategy that differ from their defaults.
    seed : int
        Seed of every random draw.
    init : str or Path, optional
        The run whose trained net this run starts from. Its videos must be others.
    init_digest : str, optional
        Digest of that net's parameters. `fit` fills it in, and refuses a net with another one.
    encoder : str
        The image encoder: ``tiny``, ``lite0``, ``hf:NAME`` or ``package.module:factory``.
    freeze_encoder : bool
        Whether the encoder keeps its parameters. Without `augment`, its features are computed once.
    channels, prompt_width : int
        Width of the pixel features and of the prompt vectors, multiples of 8.
    height, width : int
        Size in pixels to which all frames are resized, multiples of 16.
    epochs : int
        Passes over the split.
    stop_after : float
        Share of the steps, in (0, 1], after which the run ends. The learning rate and all other
        schedules stay those of the whole run.
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
        Memory for decoded sequences, in MiB, and as much for the features of a frozen encoder.
    save_minutes : float
        Longest time between two checkpoints. Each epoch ends with a checkpoint as well.
    meter : bool
        With noisy labels, whether each epoch ends with measuring how much of the noise the net has
        memorised. It changes no weight.

    Examples
    --------
    >>> Config("dataset_visor", strategy="gce", epochs=8).size
    (128, 224)
    """

    dataset: str
    split: str = "train"
    noisy: str | None = None
    noise: str | None = None
    labels: str = "all"
    prompt_style: str = "promptaction"
    strategy: str = "plain"
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    init: str | None = None
    init_digest: str | None = None
    encoder: str = "tiny"
    freeze_encoder: bool = False
    channels: int = 32
    prompt_width: int = 96
    height: int = 128
    width: int = 224
    epochs: int = 40
    stop_after: float = 1.0
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
    meter: bool = True

    def __post_init__(self) -> None:
        for name in ("dataset", "noisy", "noise", "init"):
            if isinstance(getattr(self, name), os.PathLike):
                object.__setattr__(self, name, os.fspath(getattr(self, name)))
        problems = ProblemCollector()

        def require(name: str, holds: bool, hint: str) -> None:
            if not holds:
                problems.add(f"{getattr(self, name)!r} is out of range", f"`{name}`", hint)

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
        is_named = self.init is not None or self.init_digest is None
        require("init_digest", is_named, "give `init`, or no digest")
        require("labels", self.labels in LABEL_CHOICES, f"give {' or '.join(LABEL_CHOICES)}")
        if self.labels == "untouched" and self.noisy is None and self.noise is None:
            what = "is untouched, but clean labels are all untouched"
            problems.add(what, "`labels`", "give `noisy`, or all")
        require("stop_after", 0 < self.stop_after <= 1, "give a share above 0, at most 1")
        require("warmup", 0 <= self.warmup < 1, "give a share below 1")
        for name in ("learning_rate", "weight_decay", "grad_clip_norm", "save_minutes"):
            require(name, math.isfinite(getattr(self, name)), "give a finite number")
        if self.noisy is not None and self.noise is not None:
            problems.add("cannot be given with `noisy`", "`noise`", "leave out one of them")
        problems.raise_if_any()

    @property
    def has_noise(self) -> bool:
        """Whether the labels are noisy, as far as the configuration tells."""
        return self.noisy is not None or self.noise is not None

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
