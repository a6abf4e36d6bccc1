"""The losses of stages 2 and 3, one function an equation of the paper.

All distances are Euclidean. ``N`` is the number of images in a batch, ``D`` the length of a feature and ``C`` the
number of classes (people or clusters).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class HardestPairs:
    """For each image its farthest positive and its nearest negative in the batch; indices int64 [N]."""

    positive: Tensor
    negative: Tensor


def euclidean_distances(features: Tensor) -> Tensor:
    """All pair distances: [N, D] -> [N, N], with a finite gradient where two features are equal."""
    squared = features.pow(2).sum(1)
    distances = squared[:, None] + squared[None, :] - 2 * features @ features.T
    return distances.clamp(min=1e-12).sqrt()


def hardest_pairs(distances: Tensor, labels: Tensor) -> HardestPairs:
    """Batch-hard mining (Hermans et al. 2017).

    Args:
        distances: [N, N].
        labels: int64 [N]. An image without a positive takes itself; without a negative, the farthest image counts.
    """
    same = labels[:, None] == labels[None, :]
    positive = distances.detach().masked_fill(~same, -1.0).argmax(1)
    negative = distances.detach().masked_fill(same, float("inf")).argmin(1)
    return HardestPairs(positive, negative)


def identity_loss(logits: Tensor, labels: Tensor, *, smoothing: float = 0.1) -> Tensor:
    """Eq 7: mean cross-entropy with label smoothing.

    Args:
        logits: [N, C].
        labels: int64 [N], 0..C-1.
        smoothing: share of the target spread evenly over all classes, 0..1.
    """
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)


def triplet_loss(features: Tensor, labels: Tensor, *, margin: float | None = None) -> Tensor:
    """Eq 8, on the hardest pairs.

    Args:
        features: [N, D].
        labels: int64 [N].
        margin: m of the hinge ``max(0, d_ap + m - d_an)`` as the paper writes it; ``None``: the softmax margin
            ``-log(exp(d_an) / (exp(d_ap) + exp(d_an)))``, which has no margin to tune (MMT).
    """
    distances = euclidean_distances(features)
    pairs = hardest_pairs(distances, labels)
    d_ap = distances.gather(1, pairs.positive[:, None]).squeeze(1)
    d_an = distances.gather(1, pairs.negative[:, None]).squeeze(1)
    if margin is None:
        return F.softplus(d_ap - d_an).mean()
    return F.relu(d_ap + margin - d_an).mean()


def pretraining_loss(identity: Tensor, triplet: Tensor, *, weight: float = 0.5) -> Tensor:
    """Eq 9: ``(1 - lambda) L_tri + lambda L_id``, lambda = ``weight``."""
    return (1 - weight) * triplet + weight * identity


def soft_identity_loss(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Eq 16: cross-entropy of the student against the other teacher's class probabilities.

    The paper writes teacher parameters on both sides; then no gradient would flow. The student is the one that
    learns, the teacher's side is detached.

    Args:
        logits: the student's, [N, C].
        teacher_logits: the other network's teacher's, [N, C].
    """
    return -(torch.softmax(teacher_logits.detach(), 1) * torch.log_softmax(logits, 1)).sum(1).mean()


def soft_triplet_loss(features: Tensor, teacher_features: Tensor, labels: Tensor) -> Tensor:
    """Eq 17: binary cross-entropy between the student's and the other teacher's triplet softmax.

    tau = exp(d_an) / (exp(d_ap) + exp(d_an)). Pairs are the student's hardest; the teacher's distances are taken
    at the same pairs and detached.

    Args:
        features: the student's, [N, D].
        teacher_features: the other teacher's, [N, D].
        labels: int64 [N].
    """
    distances = euclidean_distances(features)
    pairs = hardest_pairs(distances, labels)
    teacher = euclidean_distances(teacher_features.detach())
    return F.binary_cross_entropy_with_logits(
        _margin(distances, pairs), torch.sigmoid(_margin(teacher, pairs))
    )


def _margin(distances: Tensor, pairs: HardestPairs) -> Tensor:
    """d_an - d_ap [N]: the logit of tau."""
    d_ap = distances.gather(1, pairs.positive[:, None]).squeeze(1)
    d_an = distances.gather(1, pairs.negative[:, None]).squeeze(1)
    return d_an - d_ap


def attraction_loss(features: Tensor, centres: Tensor) -> Tensor:
    """Eq 19: mean squared distance of each normalised feature to the centre of its nearest cluster-mates.

    Args:
        features: the student's, [N, D]; normalised here.
        centres: C(y) of eq 19, [N, D], from the other teacher's clustering features; not learnt through.
    """
    return (F.normalize(features) - centres.detach()).pow(2).sum(1).mean()


def camera_proxy_loss(
    logits: Tensor, own: Tensor, clusters: Tensor, cameras: Tensor, *, hardest: int = 50
) -> Tensor:
    """Each image towards its own proxy among those of its camera, and towards its cluster's by all cameras.

    Beyond the paper: Wang et al. 2021, "Camera-aware Proxies for Unsupervised Person Re-Identification". The second
    part, among the cluster's proxies and the ``hardest`` others, counts half, as there.

    Args:
        logits: similarities to the proxies over the temperature, [N, P].
        own: the proxy of each image, int64 [N].
        clusters: of each proxy, int64 [P].
        cameras: of each proxy, int64 [P].
        hardest: how many proxies of other clusters each image is held against.
    """
    same_camera = cameras[None, :] == cameras[own][:, None]
    within = F.cross_entropy(logits.masked_fill(~same_camera, -torch.inf), own)
    positive = clusters[None, :] == clusters[own][:, None]
    negatives = logits.detach().masked_fill(positive, -torch.inf)
    chosen = negatives.topk(min(hardest, logits.shape[1]), dim=1).indices
    compared = positive.scatter(1, chosen, value=True)
    log_p = logits - logits.masked_fill(~compared, -torch.inf).logsumexp(1, keepdim=True)
    across = -(log_p * positive).sum(1) / positive.sum(1)
    return within + 0.5 * across.mean()


@dataclass(frozen=True)
class AdaptationWeights:
    """Weights of eq 20. What beta 1 and beta 2 leave of 1 is the attraction's."""

    soft_identity: float = 0.5  # lambda_id
    soft_triplet: float = 0.8  # lambda_tri
    identity: float = 0.45  # beta 1
    triplet: float = 0.45  # beta 2

    @property
    def attraction(self) -> float:
        """1 - beta 1 - beta 2."""
        return 1 - self.identity - self.triplet


@dataclass(frozen=True)
class AdaptationTerms:
    """The terms of eq 20 for one student, scalars. A term without weight need not be there."""

    identity: Tensor
    triplet: Tensor
    attraction: Tensor
    soft_identity: Tensor | None = None
    soft_triplet: Tensor | None = None


def adaptation_loss(weights: AdaptationWeights, terms: AdaptationTerms) -> Tensor:
    """Eq 20 for one of the two students; the whole loss is the sum over both."""
    classification = _mixed(terms.identity, terms.soft_identity, weights.soft_identity)
    ranking = _mixed(terms.triplet, terms.soft_triplet, weights.soft_triplet)
    return (
        weights.identity * classification + weights.triplet * ranking + weights.attraction * terms.attraction
    )


def _mixed(hard: Tensor, soft: Tensor | None, weight: float) -> Tensor:
    return hard if soft is None else (1 - weight) * hard + weight * soft
