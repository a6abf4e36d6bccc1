"""Self-attention in place of the last 3x3 convolutions (eqs 10-14)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class SelfAttention2d(nn.Module):
    """Self-attention over the positions of a feature map, with a learned position matrix.

    Eqs 10-14: ``A = sigmoid(X + Station)``, ``Q, K, V = W A + b``, ``softmax(Q K^T / sqrt(d_k)) V``.

    Args:
        in_channels: channels of X.
        out_channels: channels of V, and of the result.
        height, width: size of the feature map; the position matrix fits this size only.
        heads: attention heads; must divide ``out_channels``.
        sigmoid: whether eq 10 squashes (the paper) or only adds the positions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        height: int,
        width: int,
        *,
        heads: int = 4,
        sigmoid: bool = False,
    ) -> None:
        super().__init__()
        if out_channels % heads:
            raise ValueError(f"{heads} heads do not divide {out_channels} channels")
        self.heads = heads
        self.sigmoid = sigmoid
        self.station = nn.Parameter(torch.zeros(1, in_channels, height, width))
        self.query_key_value = nn.Conv2d(in_channels, 3 * out_channels, 1)
        nn.init.trunc_normal_(self.station, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, height, width] -> [N, out_channels, height, width]."""
        activation = x + self.station
        if self.sigmoid:
            activation = torch.sigmoid(activation)
        n, _, height, width = activation.shape
        qkv = self.query_key_value(activation).reshape(n, 3, self.heads, -1, height * width)
        query, key, value = qkv.transpose(-1, -2).unbind(1)  # each [N, heads, positions, channels]
        weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]), dim=-1)
        attended: Tensor = weights @ value
        return attended.transpose(-1, -2).reshape(n, -1, height, width)


class AttentionBottleneck(nn.Module):
    """A residual bottleneck around :class:`SelfAttention2d`, for backbones that have none to take over.

    1x1 convolution, norm, ReLU, attention, norm, ReLU, 1x1 convolution, norm, plus the input. The last norm's
    gamma starts at 0, so the block starts as the identity and the pretrained network is the starting point.
    """

    def __init__(
        self, channels: int, height: int, width: int, *, heads: int = 4, sigmoid: bool = False
    ) -> None:
        super().__init__()
        inner = channels // 4
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU()
        )
        self.attention = SelfAttention2d(inner, inner, height, width, heads=heads, sigmoid=sigmoid)
        self.norm = nn.Sequential(nn.BatchNorm2d(inner), nn.ReLU())
        self.expand = nn.Conv2d(inner, channels, 1, bias=False)
        self.last_norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.last_norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, height, width] -> the same shape."""
        y = self.expand(self.norm(self.attention(self.reduce(x))))
        return torch.relu(x + self.last_norm(y))
