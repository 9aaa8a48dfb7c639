"""Checkpoints: written completely or not at all, and read without running code from them."""

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
from reference_trainer.batches import loader, tokens

CHECKPOINT_FILE = "checkpoint.pt"
"""Everything that `resume` needs."""

MODEL_FILE = "model.pt"
"""What `predict` needs: the deployed parameters and the configuration."""

VERSION = 3
"""Version of the members of a checkpoint and of the model's parameters."""

_ALGORITHMS = f"{loader.ALGORITHM}.{tokens.ALGORITHM}"

SCHEMA = f"actiseg/checkpoint/{VERSION}.{_ALGORITHMS}"
"""The versions of the model, of the batches and of the prompts' numbers."""

_SCHEMA_1, _SCHEMA_2 = (f"actiseg/checkpoint/{version}.{_ALGORITHMS}" for version in (1, 2))
_READABLE: Mapping[str, tuple[str, ...]] = {
    MODEL_FILE: (SCHEMA, _SCHEMA_2, _SCHEMA_1),
    CHECKPOINT_FILE: (SCHEMA,),
}
"""Models of earlier versions predict as before. Their runs cannot continue, because strategies have
changed since."""

_NAMES_1 = {"neck.others.": "neck.exchange.", "prompts.again": "prompts.repeated"}
"""Beginnings of parameter names in version 1, and their names today."""

_ABOUT: Mapping[str, tuple[type, ...]] = {
    "config": (str,),
    "fingerprint": (str,),
    "recipe_digest": (str, NoneType),
    "content": (str,),
    "rendered": (bool,),
    "step": (int,),
    "videos": (list, NoneType),
    "start_videos": (list, NoneType),
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
"""Members of each file, besides schema and release: the description of the run, then its state."""


class CheckpointWriteError(Exception):
    """A checkpoint could not be written; the previous one was kept."""


def save_checkpoint(path: Path, document: dict[str, Any]) -> None:
    """Write a document of tensors, numbers, texts, lists and mappings.

    The file replaces the previous one when it is complete.

    Raises
    ------
    CheckpointWriteError
        If it cannot be written.
    """
    try:
        with open_atomic(path) as stream:
            torch.save({"schema": SCHEMA, "toolkit": __version__, **document}, stream)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as either
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise CheckpointWriteError(reason) from error


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a document that `save_checkpoint` wrote; models of earlier versions are read as well.

    Only tensors and plain values are read; no code is run.

    Parameters
    ----------
    path : Path
        `CHECKPOINT_FILE` or `MODEL_FILE` of a run.
    device : torch.device or str
        Device for the tensors.

    Raises
    ------
    InputError
        If the file is missing, truncated, not a checkpoint, of another version, or without one of
        its `MEMBERS`.
    """
    if not path.is_file():
        raise refuse("there is no checkpoint", path, "give a folder that actiseg-train fit made")
    try:
        document = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # damaged files raise whatever the unpickler meets
        raise _refuse_damaged(path, error) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema not in _READABLE[path.name]:
        toolkit = document.get("toolkit") if isinstance(document, dict) else None
        raise _refuse_version(path, schema, toolkit)
    if schema != SCHEMA:
        document |= {"videos": None, "start_videos": None}
    for name, kinds in MEMBERS[path.name].items():
        if name not in document:
            raise _refuse_damaged(path, f"{name} is missing")
        if type(document[name]) not in kinds:
            raise _refuse_damaged(path, f"{name} is not of type {kinds[0].__name__}")
    for name in ("videos", "start_videos"):
        if not all(isinstance(video, str) for video in document[name] or ()):
            raise _refuse_damaged(path, f"{name} are not names")
    if not all(_is_parameter(name, value) for name, value in document.get("net", {}).items()):
        raise _refuse_damaged(path, "the net has other members than named tensors")
    return _rename_parameters(document) if schema == _SCHEMA_1 else dict(document)


def _is_parameter(name: Any, value: Any) -> bool:
    is_dense = isinstance(value, torch.Tensor) and value.layout == torch.strided
    return isinstance(name, str) and is_dense


def _rename_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """Convert the parameter names of a model of version 1."""
    net = {_rename_parameter(name): value for name, value in document["net"].items()}
    return {**document, "net": net}


def _rename_parameter(name: Any) -> Any:
    for old, new in _NAMES_1.items():
        if isinstance(name, str) and name.startswith(old):
            return new + name.removeprefix(old)
    return name


@contextmanager
def report_damage(path: Path) -> Iterator[None]:
    """Report every error of loading members into their objects as damage of the file.

    Names, counts or shapes that do not fit raise many types of errors.
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
    ) as error:
        raise _refuse_damaged(path, error) from None


def _refuse_damaged(path: Path, error: Exception | str) -> InputError:
    # Keep the first sentence; the rest of torch's messages is for its own developers.
    reason = " ".join(str(error).split(". ")[0].split())[:160] or type(error).__name__
    return refuse(
        f"is damaged, truncated or not a checkpoint ({reason})",
        path,
        "train again, or restore the file",
    )


def _refuse_version(path: Path, schema: Any, toolkit: Any) -> InputError:
    writer = f"actiseg {toolkit}" if isinstance(toolkit, str) else "another program"
    return refuse(
        f"was written by {writer}, version {str(schema)[:60]!r}; this release reads {SCHEMA!r}",
        path,
        "use the release that wrote it, or train again",
    )
