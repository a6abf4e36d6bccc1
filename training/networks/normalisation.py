"""Batch normalisation over small groups of images.

Published results of pseudo-label methods come from four GPUs with 16 images each: every norm saw 16 images (four
people, four images each). One norm over the whole batch of 64 on one device is another method, and users of
public codes lose up to 23 mAP by it. Here the statistics are taken over groups of a fixed size, whatever the
batch and the device.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
import torch.nn.functional as F
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn

from training import processes


def grouped_batch_norm(x: Tensor, norm: nn.BatchNorm1d | nn.BatchNorm2d, group: int) -> Tensor:
    """Normalise each ``group`` consecutive images of ``x`` [N, C, ...] by their own statistics.

    The running statistics move by the norm's momentum once a batch, towards the mean of the groups. A last group
    smaller than half a group joins the one before it.
    """
    starts = _group_starts(len(x), group)
    ends = [*starts[1:], len(x)]
    momentum = 1 - (1 - _momentum(norm)) ** (1 / len(starts))
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


def spanning_batch_norm(x: Tensor, norm: nn.BatchNorm1d | nn.BatchNorm2d, group: int) -> Tensor:
    """:func:`grouped_batch_norm` of a batch of which ``x`` [N, C, ...] is this process's part: groups span processes.

    ``group`` 0 is one group over the whole batch (torch's SyncBatchNorm, which needs CUDA).
    """
    sizes, of_group = _spanning_groups(len(x), group, processes.rank(), processes.count(), x.device)
    places = tuple(range(2, x.ndim))

    def mean_over_groups(images: Tensor) -> Tensor:
        sums = images.new_zeros(len(sizes), images.shape[1]).index_add(0, of_group, images)
        return processes.summed(sums) / sizes[:, None]

    def spread(values: Tensor) -> Tensor:
        return values.reshape(*values.shape, *(1 for _ in places))

    values = x.float()
    means = mean_over_groups(values.mean(places) if places else values)
    centred = values - spread(means[of_group])
    squares = centred.square()
    variances = mean_over_groups(squares.mean(places) if places else squares)
    _follow(norm, means.detach(), variances.detach(), sizes * (values[0, 0].numel() if places else 1))
    scaled = centred * spread((variances + norm.eps).rsqrt()[of_group])
    return (scaled * spread(norm.weight[None]) + spread(norm.bias[None])).to(x.dtype)


@functools.lru_cache(maxsize=64)  # made once: the device would be waited for at every norm
def _spanning_groups(
    images: int, group: int, rank: int, count: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """How many images each group of the whole batch has, and in which of them this process's ``images`` are."""
    total = images * count
    starts = _group_starts(total, group or total)
    sizes = torch.tensor([*starts[1:], total]) - torch.tensor(starts)
    positions = torch.arange(images) + rank * images
    of_group = torch.bucketize(positions, torch.tensor(starts[1:]), right=True)
    return sizes.to(device), of_group.to(device)


def _group_starts(images: int, group: int) -> list[int]:
    """Where the groups begin; a last one smaller than half a group joins the one before it."""
    starts = list(range(0, images, group))
    if len(starts) > 1 and images - starts[-1] < max(2, group // 2):
        starts.pop()
    return starts


def _momentum(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> float:
    return 0.1 if norm.momentum is None else norm.momentum


@torch.no_grad()
def _follow(norm: nn.BatchNorm1d | nn.BatchNorm2d, means: Tensor, variances: Tensor, counts: Tensor) -> None:
    """Move the running statistics towards the groups' ``means`` and ``variances`` [G, C] of ``counts`` [G] values."""
    unbiased = variances * (counts / (counts - 1).clamp(min=1))[:, None]
    momentum = _momentum(norm)
    for running, group_values in ((norm.running_mean, means), (norm.running_var, unbiased)):
        if running is not None:
            running.lerp_(group_values.mean(0), momentum)


def _training_norm(x: Tensor, norm: nn.BatchNorm1d | nn.BatchNorm2d, group: int) -> Tensor:
    if processes.count() > 1 and (group == 0 or len(x) % group):
        return spanning_batch_norm(x, norm, group)
    return grouped_batch_norm(x, norm, group)


class _Grouped:
    """Shared by the grouped norms: in training, statistics are those of groups of ``group`` images."""

    group: int


class GroupedBatchNorm2d(_Grouped, nn.BatchNorm2d):
    """:class:`torch.nn.BatchNorm2d` with statistics over groups of images."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        return _training_norm(x, self, self.group) if self.training else super().forward(x)


class GroupedBatchNorm1d(_Grouped, nn.BatchNorm1d):
    """:class:`torch.nn.BatchNorm1d` with statistics over groups of images."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C] -> the same shape."""
        return _training_norm(x, self, self.group) if self.training else super().forward(x)


class GroupedBatchNormAct2d(_Grouped, BatchNormAct2d):
    """timm's norm with activation, with statistics over groups of images."""

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        if not self.training:
            return cast(Tensor, super().forward(x))  # type: ignore[no-untyped-call]
        return cast(Tensor, self.act(self.drop(_training_norm(x, self, self.group))))


_GROUPED: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm2d: GroupedBatchNorm2d,
    nn.BatchNorm1d: GroupedBatchNorm1d,
    BatchNormAct2d: GroupedBatchNormAct2d,
}
_PLAIN = {grouped: plain for plain, grouped in _GROUPED.items()}


def set_norm_group(network: nn.Module, group: int, *, alone: bool = False) -> None:
    """Let every batch norm of ``network`` take its statistics over groups of ``group`` images; 0: the whole batch.

    The batch is that of all processes of a run, or with ``alone`` that of this one.

    Parameters, buffers and their names stay as they are: only the class of the norms changes, as
    :mod:`torch.nn.utils.parametrize` does it.
    """
    for module in network.modules():
        plain = _PLAIN.get(type(module), type(module))
        if plain not in _GROUPED:
            continue
        grouped = group > 0 or (processes.count() > 1 and not alone)
        module.__class__ = _GROUPED[plain] if grouped else plain
        if grouped:
            module.group = group  # type: ignore[assignment]


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let batches that ``network`` sees inside the block leave its running statistics as they are."""
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
