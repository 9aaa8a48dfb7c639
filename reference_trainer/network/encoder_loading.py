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
    """Check the features of two black frames against the interface of `Encoder`.

    Raises
    ------
    InputError
        If the encoder is not a module, if it raises, or if the number, the type or the shape of its
        features is not what it promises.
    """
    hint = "return a module as docs/encoders.md describes it"
    if not isinstance(encoder, nn.Module):
        raise refuse(f"{name} gives {type(encoder).__name__}, not a module", "`encoder`", hint)
    channels: Any = getattr(encoder, "channels", None)
    if not _are_channels(channels):
        what = f"{name} has the attribute channels {channels!r}, not three positive whole numbers"
        raise refuse(what, "`encoder`", hint)
    was_training = encoder.training
    with _report_errors(name, "raises for two frames"), torch.no_grad():
        features = encoder.eval()(torch.zeros(2, 3, *size))
        encoder.train(was_training)
    if not isinstance(features, (tuple, list)) or len(features) != len(STRIDES):
        count = f"{len(features)} " if isinstance(features, (tuple, list)) else ""
        what = f"{name} gives {count}{type(features).__name__}, not three tensors"
        raise refuse(what, "`encoder`", hint)
    expected: list[tuple[int, ...]] = [
        (2, depth, size[0] // stride, size[1] // stride)
        for depth, stride in zip(channels, STRIDES, strict=True)
    ]
    shapes = [tuple(getattr(scale, "shape", ())) for scale in features]
    if shapes != expected:
        what = (
            f"{name} gives features of {_list_shapes(shapes)} for two frames of {size[0]} x "
            f"{size[1]}; strides 4, 8 and 16 and its channels are {_list_shapes(expected)}"
        )
        raise refuse(what, "`encoder`", hint)
    if not all(isinstance(scale, Tensor) and scale.is_floating_point() for scale in features):
        raise refuse(f"{name} gives features that are not floating-point", "`encoder`", hint)
    if not all(bool(torch.isfinite(scale).all()) for scale in features):
        raise refuse(f"{name} gives features that are not finite", "`encoder`", hint)


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
        known = [key for key in vars(module) if not key.startswith("_")]
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
