"""How good a network is at a site that has no labels: scores to choose between networks by.

Each score looks at L2-normalised features [N, D] of the target and at what is known of it without labels; higher is
better. How well each ranks networks against true mAP was measured: docs/decisions/0006. Some need tracks, some
cameras; those that lack what they need give ``None``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.clustering import NOISE
from training.datasets import UNKNOWN
from training.errors import TrainingError
from training.jaccard import Sparse, camera_aware_jaccard_distance
from training.metrics import cmc_map
from training.pseudo_labels import cluster_centres
from training.target import Circumstances

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

# Neighbours of the Jaccard distance that the silhouette is taken on; the same for all networks that are compared.
_K1, _K2 = 20, 6
_PAIRS = 20_000


@dataclass(frozen=True)
class Evidence:
    """What networks are compared on: one clustering, and the circumstances of the images.

    Attributes:
        labels: int64 [N] clusters, -1 for noise; at least two clusters.
        circumstances: cameras and tracks of the images.
    """

    labels: Integers
    circumstances: Circumstances


def cluster_separation(features: Floats, labels: Integers) -> float:
    """How much nearer images are to their own cluster than to the next one, over the share that is clustered.

    A simplified silhouette on cosine similarity: the mean of (own centre without the image itself - nearest
    other centre), times the share of images in clusters of two or more. Higher is better, in [-2, 2].

    Args:
        features: L2-normalised, [N, D].
        labels: int64 [N], -1 for noise; at least two clusters.
    """
    inside = labels != NOISE
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


def jaccard_silhouette(distance: Sparse, labels: Integers) -> float:
    """The mean silhouette (Rousseeuw 1987) on a sparse Jaccard distance, noise counting as 0; in [-1, 1].

    Args:
        distance: [N, N], as :func:`training.jaccard.jaccard_distance` gives it; pairs not stored are at 1.
        labels: int64 [N], -1 for noise; at least two clusters.
    """
    inside = np.flatnonzero(labels != NOISE)
    clusters = int(labels.max()) + 1
    sizes = np.bincount(labels[inside], minlength=clusters)
    nearness = distance.tocoo()
    weight = 1 - nearness.data
    target = labels[nearness.col]
    counted = (target != NOISE) & (nearness.row != nearness.col)
    # Sums of 1 - d of each image to each cluster that it is near to at all.
    keys, position = np.unique(
        nearness.row[counted].astype(np.int64) * clusters + target[counted], return_inverse=True
    )
    sums = np.bincount(position, weights=weight[counted], minlength=len(keys))
    row, cluster = keys // clusters, keys % clusters
    own = labels[row] == cluster
    to_own, to_next = np.zeros(len(labels)), np.zeros(len(labels))
    to_own[row[own]] = sums[own] / np.maximum(sizes[cluster[own]] - 1, 1)
    np.maximum.at(to_next, row[~own], sums[~own] / sizes[cluster[~own]])
    a, b = 1 - to_own[inside], 1 - to_next[inside]
    alone = sizes[labels[inside]] == 1
    values = np.where(alone, 0, (b - a) / np.maximum(np.maximum(a, b), 1e-12))
    return float(values.sum() / len(labels))


def mutual_across_cameras(features: Floats, cameras: Integers) -> float | None:
    """The share of images whose nearest image by another camera has them as its own nearest by another camera.

    Higher is better, in [0, 1]; ``None`` with fewer than two known cameras.
    """
    known = np.flatnonzero(cameras != UNKNOWN)
    if len(np.unique(cameras[known])) < 2:
        return None
    rows, of = features[known], cameras[known]
    nearest = np.empty(len(rows), np.int64)
    for camera in np.unique(of):
        here, elsewhere = np.flatnonzero(of == camera), np.flatnonzero(of != camera)
        for part in np.array_split(here, len(here) // 1024 + 1):
            nearest[part] = elsewhere[(rows[part] @ rows[elsewhere].T).argmax(1)]
    # Among three cameras and more the nearest's own nearest may be by a third one, so that back is not home.
    return float(np.mean(nearest[nearest] == np.arange(len(rows))))


def track_retrieval(features: Floats, tracks: Integers) -> float | None:
    """mAP of finding the later half of each track by its earlier half, among the later halves of all.

    Higher is better, in [0, 1]; ``None`` with fewer than two tracks of two images. Images are taken in the order in
    which they are given, so that halves differ as the person moves.
    """
    order = np.argsort(tracks, kind="stable")
    order = order[tracks[order] != UNKNOWN]
    starts = np.flatnonzero(np.diff(tracks[order])) + 1
    members = [each for each in np.split(order, starts) if len(each) >= 2]
    if len(members) < 2:
        return None
    halves = [np.array_split(each, 2) for each in members]
    first, second = (_means(features, [half[part] for half in halves]) for part in (0, 1))
    people = np.arange(len(members))
    nowhere = np.full(len(members), UNKNOWN)
    return cmc_map(first, second, people, people, nowhere, nowhere).mAP


def co_seen_separation(features: Floats, circumstances: Circumstances, *, seed: int = 0) -> float | None:
    """How often two images of one track are more alike than two of tracks that were seen together (an AUC).

    Higher is better, in [0, 1]; ``None`` without such tracks. Taken on a random selection of pairs.
    """
    together, apart = _known_pairs(circumstances, np.random.default_rng(seed))
    if not len(together) or not len(apart):
        return None
    alike, unlike = (
        np.einsum("pd,pd->p", features[pairs[:, 0]], features[pairs[:, 1]]) for pairs in (together, apart)
    )
    ranks = np.searchsorted(np.sort(unlike), alike)
    return float(ranks.mean() / len(unlike))


def score_all(features: Floats, evidence: Evidence) -> dict[str, float]:
    """Every score that can be had, by name.

    Args:
        features: L2-normalised, [N, D].
        evidence: on the same N images.
    """
    found = {name: compute(features, evidence) for name, compute in SCORES.items()}
    return {name: value for name, value in found.items() if value is not None}


def score(features: Floats, evidence: Evidence, wanted: str = "auto") -> float:
    """One score: ``wanted``, or the most trusted that this target allows.

    Args:
        features: L2-normalised, [N, D].
        evidence: on the same N images.
        wanted: a name in :data:`SCORES`, or "auto".

    Raises:
        TrainingError: ``wanted`` is no score, or the target lacks what it needs.
    """
    for name in TRUSTED if wanted == "auto" else (wanted,):
        value = SCORES[name](features, evidence) if name in SCORES else None
        if value is not None:
            return value
    raise TrainingError(
        f"the score {wanted!r} cannot be had on this target; there are: {', '.join(score_all(features, evidence))}"
    )


def _silhouette(features: Floats, evidence: Evidence) -> float:
    distance = camera_aware_jaccard_distance(
        features, evidence.circumstances.cameras, min(_K1, len(features) - 1), _K2, max_distance=0.95
    )
    return jaccard_silhouette(distance, evidence.labels)


SCORES: dict[str, Callable[[Floats, Evidence], float | None]] = {
    "cluster_separation": lambda features, evidence: cluster_separation(features, evidence.labels),
    "jaccard_silhouette": _silhouette,
    "mutual_across_cameras": lambda features, evidence: mutual_across_cameras(
        features, evidence.circumstances.cameras
    ),
    "track_retrieval": lambda features, evidence: track_retrieval(features, evidence.circumstances.tracks),
    "co_seen_separation": lambda features, evidence: co_seen_separation(features, evidence.circumstances),
}
"""The scores by name, as the setting ``teacher_student.selection`` names them."""

TRUSTED = ("jaccard_silhouette",)
"""What "auto" chooses by, the most trusted first."""


def _means(features: Floats, groups: list[Integers]) -> Floats:
    means = np.stack([features[group].mean(axis=0) for group in groups])
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12), np.float32)


def _known_pairs(circumstances: Circumstances, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Pairs of images [P, 2] that show one person, and pairs that show two: one of each track, or pair of tracks,
    again and again until there are enough."""
    tracks = circumstances.tracks
    members = {int(track): np.flatnonzero(tracks == track) for track in np.unique(tracks[tracks != UNKNOWN])}
    long = [each for each in members.values() if len(each) >= 2]
    apart = [(a, b) for a, b in circumstances.co_seen.tolist() if a in members and b in members]
    same = [rng.choice(each, 2, replace=False) for each in _repeated(long)]
    other = [(rng.choice(members[a]), rng.choice(members[b])) for a, b in _repeated(apart)]
    return np.array(same, np.int64).reshape(-1, 2), np.array(other, np.int64).reshape(-1, 2)


def _repeated(things: list[Any]) -> list[Any]:
    """Every thing as often as makes :data:`_PAIRS` of them; of more, an even selection."""
    if not things:
        return []
    return [things[place] for place in np.linspace(0, len(things), _PAIRS, endpoint=False).astype(int)]
