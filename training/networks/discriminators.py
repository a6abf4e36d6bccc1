"""The discriminators of SPGAN: does each patch of an image have the look of their domain?"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from training.networks.style_layers import InstanceNorm, initialise


class PatchDiscriminator(nn.Module):
    """70x70 PatchGAN (CycleGAN): one score for each patch of 70 pixels' width, 1 real and 0 translated.

    Works from 24 pixels' edge; patches that reach over the image's edge see padding.

    Args:
        filters: channels of the first layer.
    """

    def __init__(self, *, filters: int = 64) -> None:
        super().__init__()
        widths = (filters, 2 * filters, 4 * filters, 8 * filters)
        layers: list[nn.Module] = [nn.Conv2d(3, filters, 4, 2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for (inputs, outputs), stride in zip(pairwise(widths), (2, 2, 1), strict=True):
            layers += [
                nn.Conv2d(inputs, outputs, 4, stride, padding=1, bias=False),
                InstanceNorm(outputs),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Score ``images``, float [N, 3, H, W] in [-1, 1]: float32 [N, 1, H // 8 - 2, W // 8 - 2]."""
        return cast(Tensor, self.layers(images)).float()
