"""The embedding network that the settings describe."""

from __future__ import annotations

from pathlib import Path

from training.errors import TrainingError
from training.networks.backbones import AttentionSettings, build_backbone
from training.networks.embedding import EmbeddingNetwork
from training.settings import NetworkSettings


def build_network(settings: NetworkSettings, *, pretrained: bool = True) -> EmbeddingNetwork:
    """The embedding network that ``settings`` describe; ``pretrained``: with ImageNet weights.

    Raises:
        WeightsError: the weights cannot be had.
        TrainingError: the settings do not go together.
    """
    attention = AttentionSettings(
        settings.transformer_blocks, settings.transformer_heads, settings.transformer_sigmoid
    )
    try:
        backbone = build_backbone(
            settings.backbone,
            height=settings.height,
            width=settings.width,
            last_stride=settings.last_stride,
            attention=attention,
            pretrained=pretrained,
            weights=Path(settings.weights) if settings.weights else None,
        )
    except ValueError as error:
        raise TrainingError(f"the network of these settings cannot be built: {error}") from error
    return EmbeddingNetwork(backbone, pooling=settings.pooling)
