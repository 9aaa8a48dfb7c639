"""The interface of image encoders, from images to features at three scales, and `TinyEncoder`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reference_trainer.batches.loader import DEVIATION, MEAN

STRIDES = (4, 8, 16)
"""Pixels of a frame for each pixel of the three scales, in both directions."""


class Encoder(nn.Module):
    """The interface of all encoders: (N, 3, H, W) float in, features at strides 4, 8, 16 out.

    H and W are multiples of 16. Images are normalised by ImageNet's mean and deviation, see
    `restore_pixels`. Features of a scale with the stride s are (N, C, H / s, W / s) float.

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

    The input includes the coordinates of each pixel.
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
        fine = self.stem(append_coordinates(images))
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


def append_coordinates(maps: Tensor) -> Tensor:
    """Append the row and the column of each pixel, from -1 to 1: (N, C, H, W) to (N, C + 2, H, W).

    Left and right hands differ in little else.
    """
    count, _, height, width = maps.shape
    rows = torch.linspace(-1, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(-1, 1, width).expand(height, width)
    places = torch.stack([rows, columns]).to(maps).expand(count, 2, height, width)
    return torch.cat([maps, places], dim=1)


def restore_pixels(images: Tensor) -> Tensor:
    """Return the pixels, from 0 to 255, of images that are normalised as batches are."""
    mean, deviation = (
        torch.from_numpy(values).to(images)[:, None, None] for values in (MEAN, DEVIATION)
    )
    return 255 * (images * deviation + mean)
