"""Checkpoints: written whole or not at all, read without running what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any

import torch

from actiseg_data import __version__
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.files import open_atomic
from reference_trainer.batches import loader as data
from reference_trainer.batches import tokens

CHECKPOINT_FILE = "checkpoint.pt"
"""All that a run needs to go on."""

MODEL_FILE = "model.pt"
"""What predicts: the deployed parameters and the configuration."""

VERSION = 1
"""Of what a checkpoint holds and of the model's form: a change raises it."""

SCHEMA = f"actiseg/checkpoint/{VERSION}.{data.ALGORITHM}.{tokens.ALGORITHM}"
"""Names the versions of the model, of the batches and of the prompts' numbers."""


_ABOUT: Mapping[str, tuple[type, ...]] = {
    "config": (str,),
    "fingerprint": (str,),
    "recipe_digest": (str, NoneType),
    "content": (str,),
    "rendered": (bool,),
    "step": (int,),
}

MEMBERS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    MODEL_FILE: {**_ABOUT, "net": (dict,)},
    CHECKPOINT_FILE: {
        **_ABOUT,
        "nets": (list,),
        "optimisers": (list,),
        "strategy": (dict,),
        "seconds": (float,),
        "flops": (float,),
        "step_flops": (int, float),
        "handled": (dict,),
    },
}
"""What each file holds, beside schema and release: about the run, then what it has learnt."""


class Unsaved(Exception):
    """A checkpoint could not be written; the one before stands as it was."""


def save(path: Path, document: dict[str, Any]) -> None:
    """Write a document of tensors, numbers, texts, lists and mappings.

    It takes the place of the one before when it is whole. Raises `Unsaved` where it cannot be.
    """
    try:
        with open_atomic(path) as stream:
            torch.save({"schema": SCHEMA, "toolkit": __version__, **document}, stream)
    except (OSError, RuntimeError) as error:  # torch tells a full disk by either
        told = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise Unsaved(told) from error


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a document that `save` wrote.

    Only tensors and plain values are read, no code is run. Raises `InputError` where the file is
    missing, cut short, no checkpoint, of another version, or without one of its `MEMBERS`.
    """
    if not path.is_file():
        raise refuse(
            "there is no checkpoint", path, "give a folder that actiseg-train fit has made"
        )
    try:
        document = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # damage comes as whatever the unpickling ran into
        raise _damaged(path, error) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        of = document.get("toolkit") if isinstance(document, dict) else None
        raise _other_version(path, schema, of)
    for name, kinds in MEMBERS[path.name].items():
        if name not in document:
            raise _damaged(path, f"{name} is missing")
        if type(document[name]) not in kinds:
            raise _damaged(path, f"{name} is no {kinds[0].__name__}")
    return dict(document)


@contextmanager
def taking_up(path: Path) -> Iterator[None]:
    """Where members of a file are loaded into what they were saved from: whatever does not fit,
    by name, number or shape, is damage of the file.
    """
    try:
        yield
    except InputError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as of:
        raise _damaged(path, of) from None


def _damaged(path: Path, error: Exception | str) -> InputError:
    # The first sentence: what torch says after it is for its own developers.
    lines = " ".join(str(error).split(". ")[0].split())[:160] or type(error).__name__
    return refuse(
        f"is damaged, cut short or no checkpoint ({lines})", path, "train again, or restore it"
    )


def _other_version(path: Path, schema: Any, toolkit: Any) -> InputError:
    made = f"of actiseg {toolkit}" if isinstance(toolkit, str) else "of another program"
    return refuse(
        f"is {made}, version {str(schema)[:60]!r}; this release reads {SCHEMA!r}",
        path,
        "use the release that wrote it, or train again",
    )
