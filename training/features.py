"""Embeddings of many images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training import processes
from training.augmentation import normalise
from training.devices import autocast
from training.networks.embedding import EmbeddingNetwork, Features
from training.progress import Reporter, Silent


@torch.inference_mode()
def embed(
    network: EmbeddingNetwork,
    images: NDArray[np.uint8],
    *,
    device: torch.device,
    bfloat16: bool = False,
    batch_size: int = 128,
    reporter: Reporter | None = None,
) -> NDArray[np.float32]:
    """L2-normalised embeddings [N, D] of uint8 RGB ``images`` [N, H, W, 3], with the network in evaluation mode.

    The network's mode is put back afterwards. Several processes share the images, whole batches each. Raises the
    reporter's cancellation error between batches.
    """
    reporter = reporter or Silent()
    training = network.training
    network.eval()
    shares = _shares(len(images), batch_size)
    mine = images[sum(shares[: processes.rank()]) :][: shares[processes.rank()]]
    embeddings = np.empty((len(mine), network.embedding_size), np.float32)
    try:
        for start in range(0, len(mine), batch_size):
            reporter.check_cancelled()
            batch = torch.from_numpy(np.array(mine[start : start + batch_size])).to(device)
            with autocast(device, enabled=bfloat16):
                features = network(normalise(batch))
            embeddings[start : start + batch_size] = features.float().cpu().numpy()
    finally:
        network.train(training)
    if len(shares) == 1:
        return embeddings
    gathered: NDArray[np.float32] = (
        processes.rows_of_all(torch.from_numpy(embeddings).to(device), shares).cpu().numpy()
    )
    return gathered


def batch_features(
    network: EmbeddingNetwork, batch: Tensor, *, device: torch.device, bfloat16: bool
) -> Features:
    """Features [N, D] of a normalised ``batch`` [N, 3, H, W], of which each process runs its part through ``network``.

    Every process gets all of them; gradients flow to the part of each (see :mod:`training.processes`).
    """
    with autocast(device, enabled=bfloat16):
        mine = network.features(processes.part(batch))
    return Features(processes.gathered(mine.pooled), processes.gathered(mine.neck))


def _shares(images: int, batch_size: int) -> list[int]:
    """How many images each process embeds: whole batches, so that each batch is the one that one process would see."""
    each = -(-images // (batch_size * processes.count())) * batch_size
    return [max(0, min(each, images - each * rank)) for rank in range(processes.count())]
