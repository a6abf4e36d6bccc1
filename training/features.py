"""Embeddings of many images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from training.augmentation import normalise
from training.devices import autocast
from training.networks.embedding import EmbeddingNetwork
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

    The network's mode is put back afterwards. Raises the reporter's cancellation error between batches.
    """
    reporter = reporter or Silent()
    training = network.training
    network.eval()
    embeddings = np.empty((len(images), network.embedding_size), np.float32)
    try:
        for start in range(0, len(images), batch_size):
            reporter.check_cancelled()
            batch = torch.from_numpy(np.array(images[start : start + batch_size])).to(device)
            with autocast(device, enabled=bfloat16):
                features = network(normalise(batch))
            embeddings[start : start + batch_size] = features.float().cpu().numpy()
    finally:
        network.train(training)
    return embeddings
