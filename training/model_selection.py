"""How good a network is at a site that has no labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.pseudo_labels import cluster_centres


def cluster_separation(features: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """How much nearer images are to their own cluster than to the next one, over the share that is clustered.

    A simplified silhouette on cosine similarity: the mean of (own centre without the image itself - nearest
    other centre), times the share of images in clusters of two or more. Higher is better, in [-2, 2].

    Args:
        features: L2-normalised, [N, D].
        labels: int64 [N], -1 for noise; at least two clusters.
    """
    inside = labels >= 0
    own = labels[inside]
    members = features[inside]
    similarities = members @ cluster_centres(features, labels).T
    rows = np.arange(len(own))
    sums = np.zeros((int(own.max()) + 1, features.shape[1]), np.float32)
    np.add.at(sums, own, members)
    others = sums[own] - members
    others /= np.maximum(np.linalg.norm(others, axis=1, keepdims=True), 1e-12)
    to_own = (members * others).sum(1)
    similarities[rows, own] = -np.inf
    return float(np.mean(to_own - similarities.max(1)) * inside.mean())
