"""Clusters from sparse distances: DBSCAN with a radius that follows the data, or K-means on features.

What gives nothing to learn from (no cluster, or a single one) is clustered again at the nearest radius that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from training.errors import ClusteringError
from training.jaccard import Sparse

NOISE = -1

_EPS_RANGE = (0.4, 0.7)

# Radii that are tried where the one asked for gives nothing to learn from.
_LARGEST_EPS = 0.95
_ALL_BUT_NOISE = 0.95
_TRIALS = 12

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
        warning: what was done because the radius asked for gave nothing to learn from, or ``None``.
    """

    labels: Integers
    clusters: int
    noise: float
    method: str
    eps: float | None = None
    warning: str | None = None


def cluster_by_density(distance: Sparse, eps: float, min_samples: int) -> Clustering:
    """DBSCAN at radius ``eps``, or where that gives none or a single cluster, at the nearest that gives people.

    That is: most images in clusters and none that holds most of them; failing that, the least noise.

    Args:
        distance: [N, N], as :func:`dbscan` takes it.
        eps: radius, above 0 and below 1.
        min_samples: of a core point.

    Raises:
        ClusteringError: no radius gives two clusters and more than noise.
    """
    asked = _at_radius(distance, eps, min_samples)
    if asked.clusters >= 2:
        return asked
    found: Clustering | None = None
    for radius, samples in _other_radii(asked, eps, min_samples):
        trial = _at_radius(distance, radius, samples)
        if _is_plausible(trial):
            found = trial
            break
        if trial.clusters >= 2 and trial.noise < (found.noise if found else _ALL_BUT_NOISE):
            found = trial
    if found is None:
        check_clustering(asked, distance)
        return asked
    return replace(
        found, warning=f"{asked.method} gave {_outcome(asked)}; {found.method} is used in its place"
    )


def _is_plausible(clustering: Clustering) -> bool:
    """Whether most images are in a cluster, and no cluster holds most images."""
    sizes = np.bincount(clustering.labels[clustering.labels != NOISE])
    return (
        clustering.clusters >= 2 and clustering.noise <= 0.5 and sizes.max() <= 0.5 * len(clustering.labels)
    )


def cluster_by_means(features: Floats, k: int, seed: int) -> Clustering:
    """K-means of ``features`` [N, D] with ``k`` clusters.

    Raises:
        ClusteringError: there are fewer images than clusters, or all images are alike.
    """
    clustering = _clustering(kmeans(features, k, seed), f"K-means, k {k}")
    check_clustering(clustering)
    return clustering


def _at_radius(distance: Sparse, eps: float, min_samples: int) -> Clustering:
    return _clustering(
        dbscan(distance, eps, min_samples), f"DBSCAN, eps {eps:.3f}, min_samples {min_samples}", eps
    )


def _other_radii(asked: Clustering, eps: float, min_samples: int) -> Iterator[tuple[float, int]]:
    """Radii and core points to try in place of ``eps``: where all is one cluster, smaller ones first."""
    smaller = [(radius, min_samples) for radius in np.geomspace(eps, eps / 10, _TRIALS + 1)[1:].tolist()]
    larger = [
        (radius, samples)
        for samples in sorted({min_samples, 2}, reverse=True)
        for radius in np.linspace(eps, _LARGEST_EPS, _TRIALS + 1)[1:].tolist()
    ]
    yield from smaller + larger if _all_in_one(asked) else larger + smaller


def _all_in_one(clustering: Clustering) -> bool:
    return clustering.clusters == 1 and clustering.noise < 0.5


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
    raise ClusteringError(
        f"Clustering {len(clustering.labels)} target images gave {_outcome(clustering)} ({clustering.method})."
        f"{_advice(clustering, distance)}"
    )


def _outcome(clustering: Clustering) -> str:
    if clustering.clusters == 0:
        return "no cluster, all is noise"
    return "a single cluster" if _all_in_one(clustering) else "a single cluster, nearly all is noise"


def _advice(clustering: Clustering, distance: Sparse | None) -> str:
    if distance is None or clustering.eps is None:
        return " Raise the number of clusters, or give more footage."
    nearest = _distance_to_nearest(distance)
    low, middle, high = np.quantile(nearest, [0.1, 0.5, 0.9])
    summary = f" Each image's nearest is at {low:.2f} / {middle:.2f} / {high:.2f} (10, 50, 90 % of images)."
    if _all_in_one(clustering):
        smaller = max(0.05, min(float(low), 0.8 * clustering.eps))
        return f"{summary} Try eps {smaller:.2f}, or give footage of more people."
    larger = max(clustering.eps, float(middle)) + 0.05
    radius = f"eps {larger:.2f}, " if larger < 1 else ""
    return f"{summary} Try {radius}min_samples 2, fewer expected images a person, or longer pre-training."


def _distance_to_nearest(distance: Sparse) -> Floats:
    pairs = distance.tocoo()
    others = pairs.row != pairs.col
    nearest = np.ones(distance.shape[0], np.float32)
    np.minimum.at(nearest, pairs.row[others], pairs.data[others])
    return nearest


def _clustering(labels: Integers, method: str, eps: float | None = None) -> Clustering:
    clusters = int(labels.max(initial=NOISE)) + 1
    return Clustering(labels, clusters, float(np.mean(labels == NOISE)), method, eps)
