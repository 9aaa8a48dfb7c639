"""Image encoders by name: from images to features at three scales."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """The interface of all encoders: (N, 3, H, W) float in, features at strides 4, 8, 16 out.

    H and W are multiples of 16.

    Attributes
    ----------
    channels : tuple of three int
        Channels of the scales, from fine to coarse.
    """

    channels: tuple[int, int, int]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raise NotImplementedError


def make_norm(channels: int) -> nn.Module:
    """Make a group normalisation, which is the same in training and prediction."""
    return nn.GroupNorm(8, channels)


def make_convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Make a 3 x 3 convolution with normalisation and ReLU."""
    layer = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return nn.Sequential(layer, make_norm(after), nn.ReLU())


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around a shortcut (He et al., CVPR 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = make_convolution(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), make_norm(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class TinyEncoder(Encoder):
    """Residual blocks at strides 4, 8 and 16, trained from scratch, for two CPU cores.

    The input includes the coordinates of each pixel, because left and right hands differ in little
    else.
    """

    channels = (32, 64, 128)

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = self.channels
        self.stem = nn.Sequential(
            make_convolution(5, 24, 2), make_convolution(24, fine, 2), ResidualBlock(fine)
        )
        self.middle = nn.Sequential(make_convolution(fine, middle, 2), ResidualBlock(middle))
        self.coarse = nn.Sequential(
            make_convolution(middle, coarse, 2), ResidualBlock(coarse), ResidualBlock(coarse)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.stem(torch.cat([images, _make_coordinates(images)], dim=1))
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


def _make_coordinates(images: Tensor) -> Tensor:
    """Make the row and column of each pixel, from -1 to 1: (N, 2, H, W)."""
    count, _, height, width = images.shape
    rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width).expand(height, width)
    return torch.stack([rows, columns]).to(images).expand(count, 2, height, width)


ENCODERS: Mapping[str, Callable[[], Encoder]] = {"tiny": TinyEncoder}
"""Encoders by name."""
