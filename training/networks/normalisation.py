"""Batch normalisation over small groups of images.

Published results of pseudo-label methods come from four GPUs with 16 images each: every norm saw 16 images (four
people, four images each). One norm over the whole batch of 64 on one device is another method, and users of
public codes lose up to 23 mAP by it. Here the statistics are taken over groups of a fixed size, whatever the
batch and the device.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn


def grouped_batch_norm(x: Tensor, norm: nn.BatchNorm1d | nn.BatchNorm2d, group: int) -> Tensor:
    """Normalise each ``group`` consecutive images of ``x`` [N, C, ...] by their own statistics.

    The running statistics move by the norm's momentum once a batch, towards the mean of the groups. A last group
    smaller than half a group joins the one before it.
    """
    starts = list(range(0, len(x), group))
    if len(starts) > 1 and len(x) - starts[-1] < max(2, group // 2):
        starts.pop()
    ends = [*starts[1:], len(x)]
    momentum = 1 - (1 - (norm.momentum or 0.1)) ** (1 / len(starts))
    parts = [
        F.batch_norm(
            x[start:end],
            norm.running_mean,
            norm.running_var,
            norm.weight,
            norm.bias,
            True,
            momentum,
            norm.eps,
        )
        for start, end in zip(starts, ends, strict=True)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class _Grouped:
    """Shared by the grouped norms: in training, statistics are those of groups of ``group`` images."""

    group: int


class GroupedBatchNorm2d(_Grouped, nn.BatchNorm2d):
    """:class:`torch.nn.BatchNorm2d` with statistics over groups of images."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        return grouped_batch_norm(x, self, self.group) if self.training else super().forward(x)


class GroupedBatchNorm1d(_Grouped, nn.BatchNorm1d):
    """:class:`torch.nn.BatchNorm1d` with statistics over groups of images."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C] -> the same shape."""
        return grouped_batch_norm(x, self, self.group) if self.training else super().forward(x)


class GroupedBatchNormAct2d(_Grouped, BatchNormAct2d):
    """timm's norm with activation, with statistics over groups of images."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        if not self.training:
            return cast(Tensor, super().forward(x))  # type: ignore[no-untyped-call]
        return cast(Tensor, self.act(self.drop(grouped_batch_norm(x, self, self.group))))


_GROUPED: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm2d: GroupedBatchNorm2d,
    nn.BatchNorm1d: GroupedBatchNorm1d,
    BatchNormAct2d: GroupedBatchNormAct2d,
}
_PLAIN = {grouped: plain for plain, grouped in _GROUPED.items()}


def set_norm_group(network: nn.Module, group: int) -> None:
    """Let every batch norm of ``network`` take its statistics over groups of ``group`` images; 0: the whole batch.

    Parameters, buffers and their names stay as they are: only the class of the norms changes, as
    :mod:`torch.nn.utils.parametrize` does it.
    """
    for module in network.modules():
        plain = _PLAIN.get(type(module), type(module))
        if plain not in _GROUPED:
            continue
        module.__class__ = _GROUPED[plain] if group else plain
        if group:
            module.group = group  # type: ignore[assignment]
