"""Where a run computes, and how it is kept deterministic there."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from actiseg_data.core.errors import InputError, refuse


def pick_device(name: str) -> torch.device:
    """The device of a name: ``auto`` is a GPU where there is one.

    Sets torch up so that the same run gives the same weights on the same device. Raises `InputError`
    for an unknown name, and for a GPU that is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise refuse(f"there is no device {name!r}", "--device", "give auto, cpu or cuda") from None
    if device.type not in ("cpu", "cuda"):
        raise refuse(f"{name!r} is not supported", "--device", "give auto, cpu or cuda")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            has = f"{count} CUDA devices" if count else "no CUDA device"
            raise refuse(
                f"{name} was asked for, and torch {torch.__version__} sees {has}",
                "--device",
                "give --device cpu, or install a build of torch for your driver",
            )
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        # An operation without a deterministic form is told of, not forbidden.
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 where it pays: on a GPU."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error tells of memory that ran out, on a GPU or beside it."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def refuse_memory(device: torch.device, where: str, hint: str) -> InputError:
    """Tell whose memory was not enough, and what to do about it."""
    return refuse(f"the memory of {device} ran out", where, hint)
