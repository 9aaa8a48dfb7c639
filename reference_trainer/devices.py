"""Choice of the device, and its deterministic setup."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from actiseg_data.core.errors import InputError, check_choice, refuse

DEVICES = ("auto", "cpu", "cuda", "cuda:N")


def pick_device(name: str) -> torch.device:
    """Return the device with a name, and set torch up for reproducible results on it.

    Parameters
    ----------
    name : str
        ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for a GPU if there is one.

    Raises
    ------
    InputError
        If the name is unknown, or if torch sees no such GPU.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    check_choice(name.partition(":")[0], DEVICES, "device")
    try:
        device = torch.device(name)
    except RuntimeError:
        hint = f"use one of {', '.join(DEVICES)}"
        raise refuse(f"there is no device {name!r}", "`device`", hint) from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            available = f"{count} CUDA devices" if count else "no CUDA device"
            raise refuse(
                f"{name} was requested, but torch {torch.__version__} sees {available}",
                "`device`",
                "give cpu, or install a build of torch for your driver",
            )
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        # Warn about operations without a deterministic form, but allow them.
        torch.use_deterministic_algorithms(True, warn_only=True)
    return device


def describe_machine(name: str) -> dict[str, str]:
    """Describe what computes on a device: equal results need equal descriptions.

    Parameters
    ----------
    name : str
        As for `pick_device`.

    Returns
    -------
    dict of str to str
        ``device`` is ``cpu``, or the model of the GPU; ``torch`` is the release of PyTorch.

    Examples
    --------
    >>> describe_machine("cpu")["device"]
    'cpu'
    """
    device = pick_device(name)
    model = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"device": model, "torch": str(torch.__version__)}


def choose_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context that computes in bfloat16 on a GPU, and in float32 elsewhere."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error reports that the memory of the GPU or the host ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def refuse_memory(device: torch.device, where: str, hint: str) -> InputError:
    """Build the error for a device whose memory ran out."""
    return refuse(f"the memory of {device} ran out", where, hint)
