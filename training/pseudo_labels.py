"""Pseudo-labels for the target: clusters of images that probably show one person each.

Jaccard distance -> DBSCAN with a radius that follows the data, or K-means on the features; then what the
losses take from the clusters: centres, and the centre of each image's nearest cluster-mates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from training.datasets import UNKNOWN
from training.errors import ClusteringError
from training.jaccard import Sparse, camera_aware_jaccard_distance, jaccard_distance, nearest_neighbours
from training.target import Circumstances

if TYPE_CHECKING:
    from training.settings import TeacherStudentSettings

__all__ = [
    "NOISE",
    "Clustering",
    "auto_eps",
    "auto_k",
    "auto_min_samples",
    "centred_by_camera",
    "check_clustering",
    "cluster_centres",
    "cluster_target",
    "dbscan",
    "jaccard_distance",
    "kmeans",
    "mate_centres",
    "nearest_mates",
    "nearest_neighbours",
]

NOISE = -1

# Farther pairs matter to no radius that auto_eps gives, and are most of all pairs.
_KEPT_DISTANCE = 0.95
_EPS_RANGE = (0.4, 0.7)
_MATE_ROWS = 4096

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Clustering:
    """Pseudo-labels and how they came about.

    Attributes:
        labels: int64 [N], 0 to clusters - 1, or -1 for noise: images of no cluster.
        clusters: number of clusters.
        noise: share of images in no cluster, 0 to 1.
        method: in words, with the figures that were used.
        eps: radius of DBSCAN; ``None`` for K-means.
    """

    labels: Integers
    clusters: int
    noise: float
    method: str
    eps: float | None = None


def cluster_target(
    features: Floats,
    settings: TeacherStudentSettings,
    *,
    circumstances: Circumstances | None = None,
    seed: int,
    device: str = "cpu",
) -> Clustering:
    """Cluster L2-normalised ``features`` [N, D] as the settings of stage 3 say.

    Args:
        features: [N, D], rows of unit length.
        settings: of stage 3.
        circumstances: cameras and tracks of the images; ``None``: nothing is known.
        seed: of K-means.
        device: where neighbours are searched.

    Raises:
        ClusteringError: the features are not finite, or the clusters give nothing to learn from.
    """
    if not np.isfinite(features.sum(dtype=np.float64)):
        raise ClusteringError(
            "The target cannot be clustered: its features are not numbers, so the network has diverged;"
            " lower the learning rate."
        )
    known = circumstances or Circumstances.unknown(len(features))
    cameras = known.cameras
    if settings.camera_centred:
        features = centred_by_camera(features, cameras)
    if settings.clustering == "kmeans":
        labels = kmeans(features, settings.kmeans_clusters, seed)
        clustering = _clustering(labels, f"K-means, k {settings.kmeans_clusters}")
        check_clustering(clustering)
        return clustering
    k1, k2 = auto_k(settings.expected_images)
    k1, k2 = settings.k1 or k1, settings.k2 or k2
    kept = max(_KEPT_DISTANCE, settings.eps or 0)
    if not settings.camera_aware:
        cameras = np.full_like(cameras, UNKNOWN)
    distance = camera_aware_jaccard_distance(features, cameras, k1, k2, max_distance=kept, device=device)
    if settings.track_links:
        distance = linked_by_tracks(distance, known)
    eps = settings.eps or auto_eps(distance, settings.expected_images)
    min_samples = settings.min_samples or auto_min_samples(settings.expected_images)
    method = f"DBSCAN, eps {eps:.3f}, min_samples {min_samples}, k1 {k1}, k2 {k2}"
    clustering = _clustering(dbscan(distance, eps, min_samples), method, eps)
    check_clustering(clustering, distance)
    return clustering


def auto_k(expected_images: float) -> tuple[int, int]:
    """k1 and k2 for the expected images a person: 30 and 6 at 17 (Market-1501), 8 and 3 at 4 (cuhk01)."""
    k1 = round(min(max(2 * expected_images, 6), 30))
    k2 = round(min(max(1.5 * expected_images**0.5, 2), 6))
    return k1, k2


def auto_min_samples(expected_images: float) -> int:
    """4, or 2 where a person is expected to have fewer than 8 images (two cameras, two images each)."""
    return 2 if expected_images < 8 else 4


def auto_eps(distance: Sparse, expected_images: float) -> float:
    """The mean distance of as many nearest pairs as people would have among themselves, kept in [.4, .7].

    That is the fraction rho = (expected_images - 1) / (N - 1) of all pairs. Pairs that are not stored count
    as 1.

    Args:
        distance: [N, N], as :func:`jaccard_distance` gives it.
        expected_images: images that a person is expected to have, more than 1.

    Source: Song et al. 2020 (rho), with rho following the size of the set.
    """
    count = distance.shape[0]
    pairs = max(1, round((expected_images - 1) * count / 2))
    values = sparse.triu(distance, k=1, format="coo").data
    if len(values) > pairs:
        values = np.partition(values, pairs - 1)[:pairs]
    mean = (values.sum(dtype=np.float64) + (pairs - len(values))) / pairs
    return float(np.clip(mean, *_EPS_RANGE))


def dbscan(distance: Sparse, eps: float, min_samples: int) -> Integers:
    """DBSCAN on a sparse graph: the labels that scikit-learn gives for the same distances as a dense matrix.

    Clusters are numbered by their first core point; a border point goes to the first cluster that reaches it.

    Args:
        distance: [N, N], symmetric, diagonal stored; pairs that are not stored are farther than ``eps``.
        eps: radius, above 0 and below 1.
        min_samples: images within ``eps``, itself included, that make an image a core point.

    Returns:
        int64 [N], -1 for noise.
    """
    if not 0 < eps < 1:
        raise ValueError(f"eps is a Jaccard distance above 0 and below 1, not {eps}.")
    near = distance.tocoo()
    within = near.data <= eps
    rows, columns = near.row[within], near.col[within]
    count = distance.shape[0]
    core = np.bincount(rows, minlength=count) >= min_samples
    labels = np.full(count, NOISE, np.int64)
    between_cores = core[rows] & core[columns]
    labels[core] = _components(rows[between_cores], columns[between_cores], count)[core]
    _, labels[core] = _numbered_by_first(labels[core])
    border = ~core[rows] & core[columns]
    reached = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(reached, rows[border], labels[columns[border]])
    at_border = np.unique(rows[border])
    labels[at_border] = reached[at_border]
    return labels


def _components(rows: Integers, columns: Integers, count: int) -> Integers:
    edges = sparse.coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    _, component = connected_components(edges, directed=False)
    return np.asarray(component, np.int64)


def _numbered_by_first(labels: Integers) -> tuple[int, Integers]:
    """Number of labels, and the labels renumbered in the order in which they first come up."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return len(first), number[inverse]


def kmeans(features: Floats, k: int, seed: int) -> Integers:
    """K-means labels, int64 [N], 0 to C - 1 with C at most ``k``; every image is in a cluster.

    Raises:
        ClusteringError: there are fewer images than clusters.
    """
    # scikit-learn takes a second to import, and DBSCAN does without it.
    from sklearn.cluster import KMeans  # noqa: PLC0415

    if k > len(features):
        raise ClusteringError(
            f"K-means cannot make {k} clusters of {len(features)} images: lower the number of clusters."
        )
    fitted = KMeans(n_clusters=k, n_init=1, random_state=seed).fit(features)
    return _numbered_by_first(fitted.labels_.astype(np.int64))[1]


def check_clustering(clustering: Clustering, distance: Sparse | None = None) -> None:
    """Check that there is something to learn from.

    Raises:
        ClusteringError: no cluster (all noise), or a single one; the line tells the distances and what to
        try.
    """
    if clustering.clusters >= 2:
        return
    found = "no cluster, all is noise" if clustering.clusters == 0 else "a single cluster"
    raise ClusteringError(
        f"Clustering {len(clustering.labels)} target images gave {found} ({clustering.method})."
        f"{_advice(clustering, distance)}"
    )


def _advice(clustering: Clustering, distance: Sparse | None) -> str:
    if distance is None or clustering.eps is None:
        return " Raise the number of clusters, or give more footage."
    nearest = _distance_to_nearest(distance)
    low, middle, high = np.quantile(nearest, [0.1, 0.5, 0.9])
    summary = f" Each image's nearest is at {low:.2f} / {middle:.2f} / {high:.2f} (10, 50, 90 % of images)."
    if clustering.clusters == 1:
        smaller = max(0.05, min(float(low), 0.8 * clustering.eps))
        return f"{summary} Try eps {smaller:.2f}, or give footage of more people."
    larger = max(clustering.eps, float(middle)) + 0.05
    radius = f"eps {larger:.2f}, " if larger < 1 else ""
    return f"{summary} Try {radius}min_samples 2, fewer expected images a person, or longer pre-training."


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


def _distance_to_nearest(distance: Sparse) -> Floats:
    pairs = distance.tocoo()
    others = pairs.row != pairs.col
    nearest = np.ones(distance.shape[0], np.float32)
    np.minimum.at(nearest, pairs.row[others], pairs.data[others])
    return nearest


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


def _clustering(labels: Integers, method: str, eps: float | None = None) -> Clustering:
    clusters = int(labels.max(initial=NOISE)) + 1
    return Clustering(labels, clusters, float(np.mean(labels == NOISE)), method, eps)
