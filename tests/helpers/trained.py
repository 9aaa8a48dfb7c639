"""Runs so small that they take a second: tests import this after they have found torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.make.render.split_rendering import render_split
from reference_trainer.config.config_building import make_config
from reference_trainer.config.run_config import Config
from reference_trainer.strategies import STRATEGIES
from tests.helpers.roots import clip, label, make_root

torch.set_num_threads(1)  # processes side by side, tiny tensors

SMALL = {"height": 32, "width": 48, "channels": 8, "prompt_width": 16, "epochs": 2, "device": "cpu"}


def small(root: Path, **values: Any) -> Config:
    return make_config({"dataset": str(root), **SMALL, **values}, "test")


def painted_root(root: Path, sequences: list[VideoSequence] | None = None) -> Path:
    """Five sequences, one of four frames, one of one frame, one without an active object; a list
    `val_human` of the same."""
    return _rendered(make_root(root, sequences or odd_clips()))


def painted_elsewhere(root: Path) -> Path:
    """Two sequences of another video."""
    clips = [
        replace(item, video="P09_01", folder=item.folder.replace("P01_01", "P09_01"))
        for item in (clip(1), clip(2))
    ]
    render_split(make_root(root, clips))
    return root


def choose_start(strategy: str, start: Path) -> dict[str, str]:
    """The setting `init` for a strategy that needs it."""
    return {"init": str(start)} if STRATEGIES[strategy].needs_start else {}


def odd_clips() -> list[VideoSequence]:
    idle = tuple(label(n, f"cup {n}", positive=False) for n in (1, 2))
    long = clip(3, frames=tuple(f"frame_{n:010d}" for n in (301, 310, 320, 330)))
    narrated = clip(5, narration=" ".join(["take left cup"] * 10))
    return [clip(1), clip(2, objects=idle), long, clip(4, frames=("frame_0000000401",)), narrated]


def _rendered(root: Path) -> Path:
    render_split(root)
    make_root(root, split="val_human", sequences=odd_clips()[:3])
    return root


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the nets, optimisers and memory of a checkpoint, flat."""
    from reference_trainer.training import checkpoint

    document = checkpoint.load_checkpoint(path / "checkpoint.pt")
    found: dict[str, Any] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, of in value.items():
                walk(f"{name}.{key}", of)
        elif isinstance(value, (list, tuple)):
            for key, of in enumerate(value):
                walk(f"{name}.{key}", of)
        else:
            found[name] = torch.as_tensor(-1 if value is None else value)

    for part in ("nets", "optimisers", "strategy", "step"):
        walk(part, document[part])
    return found
