"""Memories of cluster centres that stage 3 can learn against in place of a classifier.

A classifier that starts from cluster centres is all but certain of its own few images: the logits of
neck features, some 40 long, leave next to no gradient, and label smoothing then drives images away from their
centres. On the unit sphere, divided by a temperature, what is left to learn stays visible (measured: decision 5).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class ClusterMemory:
    """Centres on the unit sphere that follow the batches (Dai et al. 2022, "Cluster Contrast").

    Attributes:
        centres: [C, D], rows of unit length.
    """

    def __init__(self, centres: Tensor, *, temperature: float = 0.05, momentum: float = 0.4) -> None:
        """Start from ``centres`` [C, D] of unit length.

        Args:
            centres: one a cluster; copied.
            temperature: what similarities are divided by, above 0.
            momentum: share of a centre that a batch leaves as it was, 0..1.
        """
        self.centres = centres.clone()
        self._temperature = temperature
        self._momentum = momentum

    def logits(self, features: Tensor) -> Tensor:
        """Similarities over the temperature: features [N, D] -> [N, C]."""
        # A copy: the centres move before the gradient is taken.
        return F.normalize(features) @ self.centres.clone().T / self._temperature

    @torch.no_grad()
    def update(self, features: Tensor, members: Tensor) -> None:
        """Move the centres of ``members`` int64 [N] towards the mean of their ``features`` [N, D]."""
        sums = torch.zeros_like(self.centres).index_add_(0, members, F.normalize(features.detach()))
        seen = torch.unique(members)
        means = F.normalize(sums[seen])
        self.centres[seen] = F.normalize(torch.lerp(means, self.centres[seen], self._momentum))


class CameraProxies(ClusterMemory):
    """One centre for each camera's part of each cluster (Wang et al. 2021, "Camera-aware Proxies").

    Attributes:
        clusters: int64 [P], the cluster of each proxy.
        cameras: int64 [P], its camera; -1 is unknown and counts as one camera.
    """

    def __init__(
        self,
        centres: Tensor,
        clusters: Tensor,
        cameras: Tensor,
        *,
        temperature: float = 0.07,
        momentum: float = 0.4,
    ) -> None:
        """Start from ``centres`` [P, D] of unit length; the other arguments as in :class:`ClusterMemory`."""
        super().__init__(centres, temperature=temperature, momentum=momentum)
        self.clusters = clusters
        self.cameras = cameras
