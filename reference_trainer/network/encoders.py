"""Encoders: from pictures to features at three scales, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

STRIDES = (4, 8, 16)
"""Of the three scales that every encoder gives."""


class Encoder(nn.Module):
    """What all encoders are: (N, 3, H, W) float in, features at the `STRIDES` out.

    channels: of the three scales. H and W are multiples of 16.
    """

    channels: tuple[int, int, int]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raise NotImplementedError


def norm(channels: int) -> nn.Module:
    """Normalisation by groups: the same in training and prediction, whatever the batch."""
    return nn.GroupNorm(8, channels)


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """3 x 3, normalised, rectified."""
    layer = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return nn.Sequential(layer, norm(after), nn.ReLU())


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut (He et al., CVPR 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), norm(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Tiny(Encoder):
    """Residual blocks at strides 4, 8 and 16, from scratch: made for two CPU cores.

    It sees where a pixel is, too: left and right hands differ in little else.
    """

    channels = (32, 64, 128)

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = self.channels
        self.stem = nn.Sequential(convolution(5, 24, 2), convolution(24, fine, 2), Residual(fine))
        self.middle = nn.Sequential(convolution(fine, middle, 2), Residual(middle))
        self.coarse = nn.Sequential(
            convolution(middle, coarse, 2), Residual(coarse), Residual(coarse)
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.stem(torch.cat([pictures, _places(pictures)], dim=1))
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


def _places(pictures: Tensor) -> Tensor:
    """(N, 2, H, W): row and column of each pixel, from -1 to 1."""
    count, _, height, width = pictures.shape
    rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width).expand(height, width)
    return torch.stack([rows, columns]).to(pictures).expand(count, 2, height, width)


ENCODERS: Mapping[str, Callable[[], Encoder]] = {"tiny": Tiny}
"""Encoders by name."""
