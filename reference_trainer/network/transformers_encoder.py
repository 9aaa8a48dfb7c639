"""Encoders that the library `transformers` loads."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor

from actiseg_data.core.errors import InputError, refuse
from reference_trainer.network.encoders import STRIDES, Encoder, append_coordinates, restore_pixels


class TransformersEncoder(Encoder):
    """A vision model of `transformers` with feature maps at strides 4, 8 and 16.

    These are models in stages, such as ResNet, ConvNeXt, Swin, SegFormer and MobileNet. The last
    map of each stride counts. Vision transformers with one stride are refused.

    The model stays in evaluation mode, without dropout and with the statistics of its normalisation
    fixed. Frames are normalised as its image processor says, if it has one. Coordinates are
    appended to the coarse features, see `append_coordinates`. Layers beyond stride 16 get no
    gradient.

    Parameters
    ----------
    name : str
        A folder, or the name of a model on Hugging Face's hub. Code of a model is never run.
    size : (H, W)
        Size of the frames.
    pretrained : bool
        Whether to load weights, from the hub if they are not on this machine. Otherwise only the
        configuration is read, from this machine.

    Raises
    ------
    InputError
        If `transformers` is not installed, if the model cannot be loaded, or if it has no feature
        maps at strides 4, 8 and 16.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, size: tuple[int, int], *, pretrained: bool = True) -> None:
        super().__init__()
        if os.path.isabs(name) and not os.path.isdir(name):
            hint = "put the model there: a run needs the folder that it was made with"
            raise refuse(f"hf:{name} is no folder", "`encoder`", hint)
        with _report_errors(name):
            self.model = _load_model(name, pretrained=pretrained)
        mean, deviation = _read_normalisation(name, pretrained=pretrained)
        self.register_buffer("mean", 255 * torch.tensor(mean)[:, None, None])
        self.register_buffer("deviation", 255 * torch.tensor(deviation)[:, None, None])
        self.eval()
        with _report_errors(name), torch.no_grad():
            maps = self._compute_maps(torch.zeros(1, 3, *size))
        shapes = [tuple(values.shape[1:]) for values in maps]
        self._places = [
            max((place for place, shape in enumerate(shapes) if shape[1:] == side), default=-1)
            for side in ((size[0] // stride, size[1] // stride) for stride in STRIDES)
        ]
        if min(self._places) < 0:
            sizes = ", ".join(" x ".join(map(str, shape[1:])) for shape in shapes) or "no maps"
            raise refuse(
                f"hf:{name} gives feature maps of {sizes} for frames of {size[0]} x {size[1]}, "
                "not of strides 4, 8 and 16",
                "`encoder`",
                "give a model in stages, such as ResNet, ConvNeXt, Swin or SegFormer",
            )
        fine, middle, coarse = (shapes[place][0] for place in self._places)
        self.channels = (fine, middle, coarse + 2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self._compute_maps((restore_pixels(images) - self.mean) / self.deviation)
        fine, middle, coarse = (maps[place] for place in self._places)
        return fine, middle, append_coordinates(coarse)

    def train(self, mode: bool = True) -> TransformersEncoder:
        return super().train(False)

    def _compute_maps(self, pixels: Tensor) -> list[Tensor]:
        """Compute all feature maps, each (N, C, h, w), in the order of the layers."""
        output = self.model(pixel_values=pixels, output_hidden_states=True)
        states = getattr(output, "reshaped_hidden_states", None) or output.hidden_states or ()
        return [values for values in states if values.ndim == 4]


def _load_model(name: str, *, pretrained: bool) -> Any:
    transformers = _import_transformers()
    safe = {"trust_remote_code": False}  # otherwise the library asks whether to run code
    if pretrained:
        return transformers.AutoModel.from_pretrained(name, dtype=torch.float32, **safe)
    config = transformers.AutoConfig.from_pretrained(name, local_files_only=True, **safe)
    return transformers.AutoModel.from_config(config, dtype=torch.float32)


def _read_normalisation(name: str, *, pretrained: bool) -> tuple[list[float], list[float]]:
    """Read the mean and deviation of pixels from 0 to 1; ImageNet's if the model names none."""
    known: dict[str, Any] = {}
    mixin = importlib.import_module("transformers.image_processing_base").ImageProcessingMixin
    with suppress(OSError):  # it has no image processor
        known, _ = mixin.get_image_processor_dict(name, local_files_only=not pretrained)
    mean = known.get("image_mean") or [0.485, 0.456, 0.406]
    deviation = known.get("image_std") or [0.229, 0.224, 0.225]
    return [float(value) for value in mean], [float(value) for value in deviation]


def _import_transformers() -> Any:
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        what = f"the library transformers cannot be loaded ({error})"
        raise refuse(what, "`encoder`", 'install it: pip install "actiseg[hf]"') from None


@contextmanager
def _report_errors(name: str) -> Iterator[None]:
    """Report errors of the library: a missing model, no network, an unknown architecture."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise refuse(
            f"hf:{name} cannot be loaded ({reason})",
            "`encoder`",
            "give a folder with config.json and weights, or the name of a vision model on the hub",
        ) from error
