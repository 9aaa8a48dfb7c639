"""Checkpoints: written whole or not at all, read without running what they hold."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from actiseg_data import __version__
from actiseg_data.errors import Refused, refuse
from actiseg_data.files import writing
from reference_trainer import data, tokens

CHECKPOINT_FILE = "checkpoint.pt"
"""All that a run needs to go on."""

MODEL_FILE = "model.pt"
"""What predicts: the deployed parameters and the configuration."""

VERSION = 1
"""Of what a checkpoint holds and of the model's form: a change raises it."""

SCHEMA = f"actiseg/checkpoint/{VERSION}.{data.ALGORITHM}.{tokens.ALGORITHM}"
"""Names the versions of the model, of the batches and of the prompts' numbers."""


_DAMAGED = (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError)
"""What torch raises for files that are cut short or are no checkpoints."""


class Unsaved(Exception):
    """A checkpoint could not be written; the one before stands as it was."""


def save(path: Path, document: dict[str, Any]) -> None:
    """Write a document of tensors, numbers, texts, lists and mappings.

    It takes the place of the one before when it is whole. Raises `Unsaved` where it cannot be.
    """
    try:
        with writing(path) as stream:
            torch.save({"schema": SCHEMA, "toolkit": __version__, **document}, stream)
    except (OSError, RuntimeError) as error:  # torch tells a full disk by either
        told = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise Unsaved(told) from error


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a document that `save` wrote.

    Only tensors and plain values are read, no code is run. Raises `Refused` where the file is
    missing, cut short, no checkpoint, or of another version.
    """
    if not path.is_file():
        raise refuse(
            "there is no checkpoint", path, "give a folder that actiseg-train fit has made"
        )
    try:
        document = torch.load(path, map_location=device, weights_only=True)
    except _DAMAGED as error:
        told = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise refuse(
            f"is damaged, cut short or no checkpoint ({told})", path, "train again, or restore it"
        ) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        of = document.get("toolkit") if isinstance(document, dict) else None
        raise _other_version(path, schema, of)
    return dict(document)


def _other_version(path: Path, schema: Any, toolkit: Any) -> Refused:
    made = f"of actiseg {toolkit}" if isinstance(toolkit, str) else "of another program"
    return refuse(
        f"is {made}, version {str(schema)[:60]!r}; this release reads {SCHEMA!r}",
        path,
        "use the release that wrote it, or train again",
    )
