"""The embedding network: backbone, pooling, batch-norm neck."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.augmentation import IMAGENET_MEAN, IMAGENET_STD
from training.networks.backbones import EfficientNetBackbone, ResNetBackbone


class GeM(nn.Module):
    """Generalised mean pooling with a learned exponent (Radenovic et al. 2018): [N, C, H, W] -> [N, C]."""

    def __init__(self, exponent: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor(exponent))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C]."""
        return x.clamp(min=self.eps).pow(self.exponent).mean((2, 3)).pow(1 / self.exponent)


class AveragePool(nn.Module):
    """Global average pooling: [N, C, H, W] -> [N, C]."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C]."""
        return x.mean((2, 3))


@dataclass(frozen=True)
class Features:
    """What the losses need of a batch: before the neck (triplet) and after it (classification, embedding)."""

    pooled: Tensor  # [N, D]
    neck: Tensor  # [N, D]


class EmbeddingNetwork(nn.Module):
    """Backbone -> pooling -> batch-norm neck without bias (Luo et al. 2019, "bag of tricks").

    In evaluation mode the result is the L2-normalised neck feature.
    """

    def __init__(self, backbone: ResNetBackbone | EfficientNetBackbone, *, pooling: str = "average") -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = GeM() if pooling == "gem" else AveragePool()
        self.neck = nn.BatchNorm1d(backbone.channels)
        nn.init.ones_(self.neck.weight)
        self.neck.bias.requires_grad_(False)

    @property
    def embedding_size(self) -> int:
        """Length D of an embedding."""
        return self.backbone.channels

    def features(self, x: Tensor) -> Features:
        """[N, 3, H, W] normalised images -> features before and after the neck, not L2-normalised."""
        pooled = self.pool(self.backbone(x)).float()
        return Features(pooled, self.neck(pooled))

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] normalised images -> [N, D] L2-normalised embeddings."""
        return F.normalize(self.features(x).neck)


class ExportedNetwork(nn.Module):
    """What an operator's machine runs: crops as they are in, embeddings out; normalisation is inside."""

    def __init__(self, network: EmbeddingNetwork) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN))
        self.register_buffer("std", 255 * torch.tensor(IMAGENET_STD))

    def forward(self, images: Tensor) -> Tensor:
        """[N, height, width, 3] uint8 RGB -> [N, D] float32, L2-normalised."""
        x = (images.float() - self.get_buffer("mean")) / self.get_buffer("std")
        embeddings: Tensor = self.network(x.permute(0, 3, 1, 2))
        return embeddings
