"""Build an image encoder from its name, and check what it computes."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from actiseg_data.core.errors import InputError, refuse, suggest
from reference_trainer.network.encoders import STRIDES, Encoder, TinyEncoder
from reference_trainer.network.lite0 import Lite0Encoder
from reference_trainer.network.transformers_encoder import TransformersEncoder

TRANSFORMERS = "hf:"
"""Beginning of the names of encoders that `transformers` loads."""

ENCODERS: Mapping[str, Callable[[bool], Encoder]] = {
    "tiny": lambda pretrained: TinyEncoder(),
    "lite0": lambda pretrained: Lite0Encoder(pretrained=pretrained),
}
"""Encoders of this package by name. They are called with whether to load pretrained weights."""

_ENTRY_POINT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_HINT = "return a module as docs/encoders.md describes it"
_NAMES = f"one of {', '.join(ENCODERS)}, {TRANSFORMERS}NAME or package.module:factory"


def resolve_encoder_name(name: str) -> str:
    """Check the form of a name, and make the path of a folder after ``hf:`` absolute.

    Nothing is imported or read.

    Raises
    ------
    InputError
        If it is not the name of an encoder.

    Examples
    --------
    >>> resolve_encoder_name("tiny"), resolve_encoder_name("my_nets.encoders:make")
    ('tiny', 'my_nets.encoders:make')
    """
    if name.startswith(TRANSFORMERS):
        place = name.removeprefix(TRANSFORMERS)
        if not place.strip() or "\0" in place:
            hint = f"give {TRANSFORMERS} and the name of a model or a folder"
            raise refuse(f"{name!r} names no model", "`encoder`", hint)
        return TRANSFORMERS + (os.path.realpath(place) if os.path.isdir(place) else place)
    if name not in ENCODERS and not is_entry_point(name):
        what = f"{name!r} is unknown{suggest(name, ENCODERS)}"
        raise refuse(what, "`encoder`", f"use {_NAMES}")
    return name


def is_entry_point(name: str) -> bool:
    """Return whether a name is that of a factory, ``package.module:factory``.

    >>> is_entry_point("nets.small:Encoder"), is_entry_point("hf:nets"), is_entry_point("nets:")
    (True, False, False)
    """
    return not name.startswith(TRANSFORMERS) and _ENTRY_POINT.fullmatch(name) is not None


def build_encoder(name: str, size: tuple[int, int], *, pretrained: bool = True) -> Encoder:
    """Build an encoder.

    Parameters
    ----------
    name : str
        ``tiny``, ``lite0``, ``hf:NAME`` (a model of Hugging Face's hub, or a folder), or
        ``package.module:factory``. A factory is called without arguments. It returns a module with
        the interface of `Encoder`. Modules are searched where Python searches them, and last in the
        current folder.
    size : (H, W)
        Size of the frames, multiples of 16.
    pretrained : bool
        Whether to load pretrained weights. A net that is restored brings its own, so that only the
        architecture is needed. A factory decides this itself.

    Raises
    ------
    InputError
        If the weights or the library are missing, if a factory raises, or if features are not those
        that the interface of `Encoder` promises.
    """
    name = resolve_encoder_name(name)
    if name in ENCODERS:
        return ENCODERS[name](pretrained)
    if name.startswith(TRANSFORMERS):
        place = name.removeprefix(TRANSFORMERS)
        return TransformersEncoder(place, size, pretrained=pretrained)
    with _search_current_folder():
        factory = _import_factory(name)
        with _report_errors(name, "raises"):
            encoder = factory()
        check_encoder(encoder, name, size)
    checked: Encoder = encoder
    return checked


def check_encoder(encoder: Any, name: str, size: tuple[int, int]) -> None:
    """Check the features of black frames against the interface of `Encoder`.

    Both modes are checked, since many layers compute something else in training.

    Raises
    ------
    InputError
        If the encoder is not a module, if it raises, or if the number, the type or the shape of its
        features is not what it promises.
    """
    if not isinstance(encoder, nn.Module):
        raise refuse(f"{name} gives {type(encoder).__name__}, not a module", "`encoder`", _HINT)
    with _report_errors(name, "has no attribute channels"):
        channels: Any = encoder.channels
    if not _are_channels(channels):
        what = f"{name} has the attribute channels {channels!r}, not three positive whole numbers"
        raise refuse(what, "`encoder`", _HINT)
    was_training = encoder.training
    with torch.random.fork_rng(devices=[]):
        for count in (2, 1):
            _check_features(encoder.eval(), name, tuple(channels), (count, 3, *size))
        if any(value.is_meta for value in (*encoder.parameters(), *encoder.buffers())):
            raise refuse(f"{name} has parameters without values", "`encoder`", _HINT)
        kept = [(buffer, buffer.clone()) for buffer in encoder.buffers()]
        _check_features(encoder.train(), name, tuple(channels), (2, 3, *size))
    for buffer, values in kept:
        buffer.copy_(values)  # statistics of batches are not to start with black frames
    encoder.train(was_training)


def _check_features(
    encoder: nn.Module, name: str, channels: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    count, _, height, width = shape
    frames = f"{'one frame' if count == 1 else 'two frames'} of {height} x {width}"
    frames += " in training mode" if encoder.training else ""
    with _report_errors(name, f"raises for {frames}"), torch.no_grad():
        features = encoder(torch.zeros(shape))
    if not isinstance(features, (tuple, list)) or len(features) != len(STRIDES):
        count_given = f" of {len(features)}" if isinstance(features, (tuple, list)) else ""
        what = f"{name} gives a {type(features).__name__}{count_given}, not three tensors"
        raise refuse(what, "`encoder`", _HINT)
    expected: list[tuple[int, ...]] = [
        (count, depth, height // stride, width // stride)
        for depth, stride in zip(channels, STRIDES, strict=True)
    ]
    shapes = [tuple(getattr(scale, "shape", ())) for scale in features]
    if shapes != expected:
        what = (
            f"{name} gives features of {_list_shapes(shapes)} for {frames}; strides 4, 8 and 16 "
            f"and its channels are {_list_shapes(expected)}"
        )
        raise refuse(what, "`encoder`", _HINT)
    for scale in features:
        if not isinstance(scale, Tensor) or scale.dtype != torch.float32:
            given = getattr(scale, "dtype", type(scale).__name__)
            what = f"{name} gives features of {given}, not {torch.float32}"
            raise refuse(what, "`encoder`", _HINT)
        if scale.device.type != "cpu":
            what = f"{name} gives features on {scale.device} for frames on the CPU"
            raise refuse(what, "`encoder`", _HINT)
        if scale.is_inference():
            what = f"{name} computes features in inference mode, so nothing can learn from them"
            raise refuse(what, "`encoder`", "use torch.no_grad in it, or neither")
        if not bool(torch.isfinite(scale).all()):
            raise refuse(f"{name} gives features that are not finite", "`encoder`", _HINT)


def _are_channels(values: Any) -> bool:
    return (
        isinstance(values, (tuple, list))
        and len(values) == len(STRIDES)
        and all(type(value) is int and value > 0 for value in values)
    )


def _list_shapes(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(" x ".join(map(str, shape)) or "no shape" for shape in shapes)


def _import_factory(name: str) -> Callable[[], Any]:
    module_name, _, attribute = name.partition(":")
    with _report_errors(name, "cannot be imported", "install it, or run in its folder"):
        module = importlib.import_module(module_name)
    factory: Callable[[], Any] | None = getattr(module, attribute, None)
    if not callable(factory):
        known = [key for key, value in vars(module).items() if key[0] != "_" and callable(value)]
        what = f"the module {module_name} has no function or class {attribute!r}"
        raise refuse(what + suggest(attribute, known), "`encoder`", "correct the name")
    return factory


@contextmanager
def _search_current_folder() -> Iterator[None]:
    """Search modules in the current folder as well, after all others."""
    folder = os.getcwd()
    sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder in sys.path:
            del sys.path[len(sys.path) - 1 - sys.path[::-1].index(folder)]


@contextmanager
def _report_errors(name: str, what: str, hint: str = "correct it") -> Iterator[None]:
    """Report every error of code that is not ours, by its name."""
    try:
        yield
    except (KeyboardInterrupt, InputError):
        raise
    except BaseException as error:  # also SystemExit, which would end the program without a word
        reason = str(error).splitlines()[0] if str(error) else ""
        kind = type(error).__name__
        described = f"{kind}: {reason}" if reason else kind
        raise refuse(f"{name} {what} ({described[:300]})", "`encoder`", hint) from error
