"""Pseudo-labels for the target: clusters of images that probably show one person each.

Features -> Jaccard distance -> clusters; then what the losses take from the clusters: centres, parts by camera, and
the centre of each image's nearest cluster-mates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.clustering import (
    NOISE,
    Clustering,
    auto_eps,
    auto_k,
    auto_min_samples,
    cluster_by_density,
    cluster_by_means,
)
from training.datasets import UNKNOWN
from training.errors import DivergedError
from training.jaccard import Sparse, camera_aware_jaccard_distance
from training.target import Circumstances

if TYPE_CHECKING:
    from training.settings import TeacherStudentSettings

# Farther pairs matter to no radius that auto_eps gives, and are most of all pairs.
_KEPT_DISTANCE = 0.95
_MATE_ROWS = 4096

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


def cluster_target(
    features: Floats,
    settings: TeacherStudentSettings,
    *,
    circumstances: Circumstances | None = None,
    seed: int,
    device: str = "cpu",
    check_cancelled: Callable[[], None] = lambda: None,
) -> Clustering:
    """Cluster L2-normalised ``features`` [N, D] as the settings of stage 3 say.

    Args:
        features: [N, D], rows of unit length.
        settings: of stage 3.
        circumstances: cameras and tracks of the images; ``None``: nothing is known.
        seed: of K-means.
        device: where neighbours are searched.
        check_cancelled: called often; what it raises passes through.

    Raises:
        ClusteringError: the clusters give nothing to learn from.
        DivergedError: the features are not numbers.
    """
    if not np.isfinite(features.sum(dtype=np.float64)):
        raise DivergedError(
            "The target cannot be clustered: its features are not numbers, so the network has diverged;"
            " lower the learning rate."
        )
    known = circumstances or Circumstances.unknown(len(features))
    cameras = known.cameras
    if settings.camera_centred:
        features = centred_by_camera(features, cameras)
    if settings.clustering == "kmeans":
        return cluster_by_means(features, settings.kmeans_clusters, seed)
    k1, k2 = auto_k(settings.expected_images)
    k1, k2 = settings.k1 or k1, settings.k2 or k2
    kept = max(_KEPT_DISTANCE, settings.eps or 0)
    if not settings.camera_aware:
        cameras = np.full_like(cameras, UNKNOWN)
    distance = camera_aware_jaccard_distance(
        features, cameras, k1, k2, max_distance=kept, device=device, check_cancelled=check_cancelled
    )
    if settings.track_links:
        distance = linked_by_tracks(distance, known)
    eps = settings.eps or auto_eps(distance, settings.expected_images)
    min_samples = settings.min_samples or auto_min_samples(settings.expected_images)
    clustering = cluster_by_density(distance, eps, min_samples)
    return dataclasses.replace(clustering, method=f"{clustering.method}, k1 {k1}, k2 {k2}")


def linked_by_tracks(distance: Sparse, circumstances: Circumstances) -> Sparse:
    """``distance`` [N, N] with images of one track at 0, and images of tracks that were seen together at 1.

    Must-link and cannot-link of each pair; a chain of other images may still join two tracks that were seen together.
    """
    tracks = circumstances.tracks
    pairs = distance.tocoo()
    ours, theirs = tracks[pairs.row], tracks[pairs.col]
    same = (ours == theirs) & (ours != UNKNOWN)
    kept = ~same & ~_co_seen(ours, theirs, circumstances.co_seen)
    on_track = np.flatnonzero(tracks != UNKNOWN)
    members = sparse.csr_array(
        (np.ones(len(on_track), np.float32), (on_track, tracks[on_track])),
        shape=(len(tracks), int(tracks.max(initial=0)) + 1),
    )
    linked = (members @ members.T).tocoo()
    # Zeros that are stored stay zeros: a sum of sparse matrices would drop them.
    rows = np.concatenate([pairs.row[kept], linked.row])
    columns = np.concatenate([pairs.col[kept], linked.col])
    values = np.concatenate([pairs.data[kept], np.zeros(linked.nnz, np.float32)])
    joined = sparse.coo_array((values, (rows, columns)), shape=distance.shape).tocsr()
    joined.sort_indices()
    return joined


def _co_seen(ours: Integers, theirs: Integers, pairs: Integers) -> NDArray[np.bool_]:
    """Which of ``ours`` and ``theirs`` [P] are a pair of tracks in ``pairs`` [M, 2]."""
    if not len(pairs):
        return np.zeros(len(ours), bool)
    most = int(max(pairs.max(), ours.max(initial=0), theirs.max(initial=0))) + 1
    keys = np.minimum(ours, theirs) * most + np.maximum(ours, theirs)
    return np.isin(keys, pairs.min(axis=1) * most + pairs.max(axis=1))


def centred_by_camera(features: Floats, cameras: Integers) -> Floats:
    """Each camera's mean taken off its images' ``features`` [N, D]; rows of unit length again.

    What all images of a camera share (light, colours, background) is not the people. Without it images of one
    person by two cameras come nearer: on cuhk01, with a network trained on cuhk03, mAP among all images rises
    from .19 to .25, and of the pairs that DBSCAN puts together across cameras 44 % are right instead of 40 %,
    while it finds 22 % of the true ones instead of 16 %.

    Args:
        features: [N, D], rows of unit length.
        cameras: [N]; images of unknown camera (-1) are taken as those of one.
    """
    centred = features.copy()
    for camera in np.unique(cameras):
        members = cameras == camera
        centred[members] -= features[members].mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return centred


@dataclass(frozen=True)
class CameraParts:
    """Clusters taken apart by camera.

    Attributes:
        labels: int64 [N], the part of each image, 0 to P - 1; -1 for noise.
        clusters: int64 [P], the cluster of each part.
        cameras: int64 [P], the camera of each part.
    """

    labels: Integers
    clusters: Integers
    cameras: Integers


def split_by_camera(labels: Integers, cameras: Integers) -> CameraParts:
    """Each cluster of ``labels`` [N] taken apart by the images' ``cameras`` [N]."""
    inside = labels != NOISE
    pairs, numbers = np.unique(
        np.stack([labels[inside], cameras[inside]], axis=1), axis=0, return_inverse=True
    )
    parts = np.full(len(labels), NOISE, np.int64)
    parts[inside] = numbers.reshape(-1)
    return CameraParts(parts, pairs[:, 0], pairs[:, 1])


def cluster_centres(features: Floats, labels: Integers) -> Floats:
    """[C, D]: the normalised mean of each cluster's ``features`` [N, D]; noise takes no part."""
    centres = _sums(features, labels)
    return np.asarray(centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12), np.float32)


def _sums(features: Floats, labels: Integers) -> Floats:
    members = np.flatnonzero(labels != NOISE)
    clusters = int(labels.max(initial=NOISE)) + 1
    ones = np.ones(len(members), np.float32)
    belongs = sparse.csr_array((ones, (labels[members], members)), shape=(clusters, len(labels)))
    return np.asarray(belongs @ features, np.float32)


def nearest_mates(features: Floats, labels: Integers, n: int = 6) -> Integers:
    """Positions of the ``n`` nearest other images of each image's cluster, int64 [N, n] (eq 19).

    A cluster without ``n`` others gives all its images, the image itself too, filled up with -1. Noise gives
    -1 only.
    """
    mates = np.full((len(labels), n), NOISE, np.int64)
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] != NOISE]
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    for members in np.split(order, starts):
        if len(members) <= n:
            mates[members, : len(members)] = members
        else:
            mates[members] = members[_nearest_others(features[members], n)]
    return mates


def _nearest_others(members: Floats, n: int) -> Integers:
    found = []
    for start in range(0, len(members), _MATE_ROWS):
        similarities = members[start : start + _MATE_ROWS] @ members.T
        rows = np.arange(len(similarities))
        similarities[rows, rows + start] = -np.inf
        found.append(np.argpartition(-similarities, n - 1, axis=1)[:, :n])
    return np.concatenate(found)


def mate_centres(features: Floats, labels: Integers, n: int = 6) -> Floats:
    """C(y) of eq 19, [N, D]: the mean of the ``n`` nearest cluster-mates, not normalised; noise stays as it
    is.

    Args:
        features: [N, D], rows of unit length, of the network that attracts.
        labels: [N] of the clusters, -1 for noise.
        n: how many; smaller clusters attract to their whole centre.
    """
    mates = nearest_mates(features, labels, n)
    there = mates != NOISE
    rows = np.repeat(np.arange(len(labels)), there.sum(axis=1))
    weights = 1 / there.sum(axis=1)[rows].astype(np.float32)
    mean = sparse.csr_array((weights, (rows, mates[there])), shape=(len(labels), len(labels)))
    centres = np.asarray(mean @ features, np.float32)
    noise = labels == NOISE
    centres[noise] = features[noise]
    return centres
