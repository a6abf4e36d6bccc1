"""Neighbours, then Jaccard distance + eps + DBSCAN: sparse, against the dense loops of the field.

``REID_DESK_BENCHMARK_CLUSTERING=12936,32621`` sets the sizes (2,000 without it); ``..._DENSE=12936`` the
largest size at which the dense loops run too, since they need 16 bytes and more for each pair of images;
``..._WIDTH=2048`` the length of a feature. The neighbours, which both sides need, are timed apart.
"""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from tests.benchmarks.peak_memory import PeakMemory
from tests.training.oracles import dense_jaccard_of
from training.clustering import auto_eps, dbscan
from training.jaccard import jaccard_distance, nearest_neighbours

SIZES = [int(size) for size in os.environ.get("REID_DESK_BENCHMARK_CLUSTERING", "2000").split(",")]
LARGEST_DENSE = int(os.environ.get("REID_DESK_BENCHMARK_CLUSTERING_DENSE", "12936"))
WIDTH = int(os.environ.get("REID_DESK_BENCHMARK_CLUSTERING_WIDTH", "2048"))
EXPECTED_IMAGES = 17.2
K1, K2, MIN_SAMPLES = 30, 6, 4


def people(count: int) -> np.ndarray:
    """Features about as good as a pre-trained network's: people differ in how much their images do."""
    rng = np.random.default_rng(0)
    persons = rng.integers(0, max(2, round(count / EXPECTED_IMAGES)), count)
    centres = rng.normal(size=(persons.max() + 1, WIDTH)).astype(np.float32)
    spread = rng.uniform(1.0, 3.0, (persons.max() + 1, 1)).astype(np.float32)
    rows = centres[persons]
    for start in range(0, count, 4096):  # 200,000 rows of float64 noise would be gigabytes
        part = slice(start, start + 4096)
        rows[part] += spread[persons[part]] * rng.normal(size=rows[part].shape).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@pytest.fixture(scope="module", params=SIZES)
def searched(request):
    features = people(request.param)
    with PeakMemory() as memory:
        begun = time.perf_counter()
        neighbours = nearest_neighbours(features, K1 + 1)
        seconds = time.perf_counter() - begun
    print(f"\nneighbours of {len(features)} x {WIDTH}: {seconds:.1f} s, {memory.mib:.0f} MiB")
    return features, neighbours


def sparse_labels(features, neighbours):
    distance = jaccard_distance(features, K1, K2, max_distance=0.95, neighbours=neighbours)
    return dbscan(distance, auto_eps(distance, EXPECTED_IMAGES), MIN_SAMPLES)


def dense_labels(similarity, neighbours):
    distance = dense_jaccard_of(similarity, neighbours.indices, K1, K2)
    pairs = distance[np.triu_indices(len(distance), 1)]
    count = round((EXPECTED_IMAGES - 1) * len(distance) / 2)
    eps = float(np.clip(np.partition(pairs, count - 1)[:count].mean(dtype=np.float64), 0.4, 0.7))
    return DBSCAN(eps=eps, min_samples=MIN_SAMPLES, metric="precomputed").fit(distance).labels_


@pytest.mark.timeout(0)
def test_sparse(benchmark, searched):
    benchmark.group = f"clustering of {len(searched[0])}"
    with PeakMemory() as memory:
        begun = time.perf_counter()
        labels = benchmark.pedantic(sparse_labels, args=searched, rounds=1)
        seconds = time.perf_counter() - begun
    benchmark.extra_info.update(peak_mib=round(memory.mib), clusters=int(labels.max()) + 1)
    print(
        f"\nsparse: {seconds:.1f} s, {memory.mib:.0f} MiB, {labels.max() + 1} clusters, "
        f"noise {np.mean(labels == -1):.3f}"
    )


@pytest.mark.timeout(0)
def test_dense_loops_and_the_same_labels(benchmark, searched):
    features, neighbours = searched
    if len(features) > LARGEST_DENSE:
        pytest.skip(f"{len(features)} images are too many for dense matrices")
    benchmark.group = f"clustering of {len(features)}"
    similarity = features @ features.T
    with PeakMemory() as memory:
        labels = benchmark.pedantic(dense_labels, args=(similarity, neighbours), rounds=1)
    benchmark.extra_info.update(peak_mib=round(memory.mib))
    print(f"\ndense: {memory.mib:.0f} MiB beside the similarities")
    np.testing.assert_array_equal(sparse_labels(features, neighbours), labels)
