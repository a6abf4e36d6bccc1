"""SiaNet of SPGAN: a small embedding in which an image and its translation lie together."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.style_layers import initialise

_REDUCTION = 64  # three convolutions and three poolings, each halving the edges


class SiaNet(nn.Module):
    """SPGAN's Siamese network (section 3.1.2): three convolutions, two linear layers, a unit vector.

    Args:
        height: pixels of the images; the first linear layer follows it.
        width: likewise.
        filters: channels of the first convolution; doubled in each of the next two.
        dropout: before the last layer.

    Raises:
        ValueError: an edge of fewer than 64 pixels leaves nothing to embed.
    """

    def __init__(self, *, height: int, width: int, filters: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        cells = (height // _REDUCTION) * (width // _REDUCTION)
        if cells == 0:
            raise ValueError(f"SiaNet needs images of at least 64x64 pixels, not {height}x{width}")
        convolutions: list[nn.Module] = []
        for inputs, outputs in pairwise((3, filters, 2 * filters, 4 * filters)):
            convolutions += [
                nn.Conv2d(inputs, outputs, 4, 2, padding=1),
                nn.LeakyReLU(0.2, inplace=True),
                nn.MaxPool2d(2),
            ]
        self.convolutions = nn.Sequential(*convolutions)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(4 * filters * cells, 128, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Dropout(dropout),
            nn.Linear(128, 64, bias=False),
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Embed ``images``, float [N, 3, height, width] in [-1, 1]: float32 unit vectors [N, 64]."""
        features = cast(Tensor, self.head(self.convolutions(images))).float()
        return F.normalize(features)
