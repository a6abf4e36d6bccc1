"""Backbones: an image batch in, a feature map out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torchvision.models import resnet18, resnet50
from torchvision.models.resnet import Bottleneck, ResNet

from training.networks.attention import AttentionBottleneck, SelfAttention2d
from training.weights import load_weights

DEPTHWISE = ("efficientnet_lite0",)
NAMES = ("resnet50_ibn_a", "resnet50", "resnet18", "efficientnet_lite0")


@dataclass(frozen=True)
class AttentionSettings:
    """How many of the last blocks attend (Table 5: 0, 1 or 2), with how many heads, and eq 10's sigmoid."""

    blocks: int = 0
    heads: int = 4
    sigmoid: bool = False


class IBN(nn.Module):
    """Instance norm on the first half of the channels, batch norm on the rest (IBN-a, Pan et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.instance_channels = channels // 2
        # The names IN and BN are those of the authors' weight files.
        self.IN = nn.InstanceNorm2d(self.instance_channels, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.instance_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] -> the same shape."""
        first, rest = x[:, : self.instance_channels], x[:, self.instance_channels :]
        return torch.cat([self.IN(first), self.BN(rest)], dim=1)


class ResNetBackbone(nn.Module):
    """A torchvision ResNet without its head, last stride 1: [N, 3, H, W] -> [N, C, H/16, W/16]."""

    def __init__(self, network: ResNet, *, ibn: bool = False) -> None:
        super().__init__()
        self.stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4
        self.channels = int(network.fc.in_features)
        self._last_stride_1()
        if ibn:
            self._instance_batch_norms()

    def _last_stride_1(self) -> None:
        first = self.layer4[0]
        for module in first.modules():
            if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
                module.stride = (1, 1)

    def _instance_batch_norms(self) -> None:
        for layer in (self.layer1, self.layer2, self.layer3):
            for block in layer:
                block.bn1 = IBN(block.bn1.num_features)

    def attend(self, height: int, width: int, settings: AttentionSettings) -> None:
        """Let the last blocks attend: in bottlenecks instead of the 3x3 convolution, else as added blocks."""
        size = (height // 16, width // 16)
        for block in list(self.layer4)[len(self.layer4) - settings.blocks :] if settings.blocks else []:
            if not isinstance(block, Bottleneck):
                self.layer4.append(_attention_block(self.channels, size, settings))
                continue
            channels = block.conv2.out_channels
            block.conv2 = SelfAttention2d(
                channels, channels, *size, heads=settings.heads, sigmoid=settings.sigmoid
            )
            nn.init.zeros_(block.bn3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] normalised images -> [N, channels, H/16, W/16]."""
        y: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return y


class EfficientNetBackbone(nn.Module):
    """timm's EfficientNet-lite without its head, last stride 1: [N, 3, H, W] -> [N, 1280, H/16, W/16]."""

    def __init__(self, name: str, *, last_stride: int = 1) -> None:
        super().__init__()
        network: Any = timm.create_model(name, pretrained=False, num_classes=0, global_pool="")
        self.network: nn.Module = network
        self.channels = int(network.num_features)
        self.reduction = 16 * last_stride
        self.after = nn.Sequential()
        if last_stride == 1:
            for module in network.blocks[5].modules():
                if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
                    module.stride = (1, 1)

    def attend(self, height: int, width: int, settings: AttentionSettings) -> None:
        """Add attending blocks after the last one: this backbone has no bottleneck to take over."""
        size = (height // self.reduction, width // self.reduction)
        for _ in range(settings.blocks):
            self.after.append(_attention_block(self.channels, size, settings))

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] normalised images -> [N, channels, H/16, W/16] (H/32, W/32 with last stride 2)."""
        y: Tensor = self.after(self.network(x))
        return y


def _attention_block(
    channels: int, size: tuple[int, int], settings: AttentionSettings
) -> AttentionBottleneck:
    return AttentionBottleneck(channels, *size, heads=settings.heads, sigmoid=settings.sigmoid)


_BUILDERS: dict[str, Callable[[int], ResNetBackbone | EfficientNetBackbone]] = {
    "resnet50_ibn_a": lambda _: ResNetBackbone(resnet50(weights=None), ibn=True),
    "resnet50": lambda _: ResNetBackbone(resnet50(weights=None)),
    "resnet18": lambda _: ResNetBackbone(resnet18(weights=None)),
    "efficientnet_lite0": lambda stride: EfficientNetBackbone("efficientnet_lite0", last_stride=stride),
}


def build_backbone(
    name: str,
    *,
    height: int,
    width: int,
    last_stride: int = 1,
    attention: AttentionSettings | None = None,
    pretrained: bool = True,
    weights: Path | None = None,
) -> ResNetBackbone | EfficientNetBackbone:
    """Make the backbone ``name`` for images of ``height`` x ``width`` pixels.

    Args:
        name: one of :data:`NAMES`.
        height: of the images, pixels; a multiple of 32.
        width: of the images, pixels; a multiple of 32.
        last_stride: 1 (the field's habit) or 2, for EfficientNet-lite.
        attention: see :class:`AttentionSettings`.
        pretrained: start from the backbone's ImageNet weights (``resnet18`` has none of its own: random).
        weights: a file of ImageNet weights brought by hand.

    Raises:
        ValueError: no such backbone.
        WeightsError: weights are missing, damaged or do not fit.
    """
    if name not in _BUILDERS:
        raise ValueError(f"no backbone {name!r}; there are: {', '.join(NAMES)}")
    backbone = _BUILDERS[name](last_stride)
    if pretrained:
        load_weights(backbone, name, weights)
    if attention and attention.blocks:
        backbone.attend(height, width, attention)
    return backbone
