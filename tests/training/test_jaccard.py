from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.training.oracles import dense, dense_camera_aware_jaccard, dense_jaccard, dense_neighbours
from training import jaccard
from training.jaccard import camera_aware_jaccard_distance, jaccard_distance, nearest_neighbours


def people(count, *, persons=20, size=32, spread=0.8, seed=0):
    """Unit vectors [count, size] in clusters."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(persons, size))
    rows = centres[rng.integers(0, persons, count)] + spread * rng.normal(size=(count, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def exact_people(count, *, different, seed=0):
    """Unit vectors with many duplicates and many ties, whose inner products are exact in float32."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((different, 8), np.float32)
    for row in rows:
        row[rng.choice(8, 4, replace=False)] = rng.choice([-0.5, 0.5], 4)
    return rows[rng.integers(0, different, count)]


class TestNearestNeighbours:
    @pytest.mark.parametrize("block_bytes", [1, 10_000, 2**26])
    def test_are_the_exact_ones_in_order(self, monkeypatch, block_bytes):
        monkeypatch.setattr(jaccard, "_BLOCK_BYTES", block_bytes)
        features = people(150)
        found = nearest_neighbours(features, 12)
        np.testing.assert_array_equal(found.indices, dense_neighbours(features)[:, :12])
        expected = np.take_along_axis(features @ features.T, found.indices, 1)
        np.testing.assert_allclose(found.similarities, expected, atol=1e-6)

    @pytest.mark.parametrize("seed", range(5))
    def test_ties_go_to_the_lower_index_and_the_image_itself_is_first(self, seed):
        features = exact_people(60, different=5, seed=seed)
        found = nearest_neighbours(features, 7)
        np.testing.assert_array_equal(found.indices, dense_neighbours(features)[:, :7])
        assert (found.indices[:, 0] == np.arange(60)).all()

    def test_are_all_where_there_are_fewer(self):
        assert nearest_neighbours(people(5), 30).indices.shape == (5, 5)


class TestJaccardDistance:
    @pytest.mark.parametrize(
        ("count", "k1", "k2", "spread"),
        [
            (300, 30, 6, 0.8),
            (300, 8, 3, 0.8),
            (300, 20, 6, 3.0),
            (200, 7, 1, 0.5),
            (20, 30, 6, 0.8),
            (8, 30, 6, 0.8),
            (8, 3, 2, 0.1),
            (2, 30, 6, 0.8),
            (1, 30, 6, 0.8),
        ],
    )
    @pytest.mark.parametrize("seed", [0, 1])
    def test_equals_the_dense_loops(self, count, k1, k2, spread, seed):
        features = people(count, persons=max(1, count // 12), spread=spread, seed=seed)
        distance = jaccard_distance(features, k1, k2)
        np.testing.assert_allclose(dense(distance), dense_jaccard(features, k1, k2), atol=1e-5)

    @pytest.mark.parametrize("different", [1, 3, 12])
    def test_equals_the_dense_loops_among_duplicates(self, different):
        features = exact_people(80, different=different)
        distance = jaccard_distance(features, 10, 4)
        np.testing.assert_allclose(dense(distance), dense_jaccard(features, 10, 4), atol=1e-5)

    def test_blocks_change_nothing(self, monkeypatch):
        features = people(200)
        whole = jaccard_distance(features, 15, 5)
        monkeypatch.setattr(jaccard, "_TERMS_PER_BLOCK", 40)
        monkeypatch.setattr(jaccard, "_ROWS_PER_BLOCK", 7)
        monkeypatch.setattr(jaccard, "_BLOCK_BYTES", 1)
        np.testing.assert_allclose(dense(jaccard_distance(features, 15, 5)), dense(whole), atol=1e-6)

    def test_is_symmetric_with_a_stored_diagonal_of_zero(self):
        distance = jaccard_distance(people(120), 10, 4)
        full = dense(distance)
        np.testing.assert_array_equal(full, full.T)
        assert (distance.diagonal() == 0).all()
        stored = distance.tocoo()
        assert (stored.row == stored.col).sum() == 120

    def test_distance_zero_between_duplicates_is_stored(self):
        features = np.repeat(np.eye(4, dtype=np.float32), 3, axis=0)
        full = dense(jaccard_distance(features, 2, 2))
        np.testing.assert_allclose(full, np.kron(1 - np.eye(4), np.ones((3, 3))), atol=1e-6)

    def test_max_distance_drops_farther_pairs_only(self):
        features = people(200, spread=1.5)
        whole, near = (dense(jaccard_distance(features, 15, 5, max_distance=most)) for most in (1.0, 0.8))
        assert ((whole > 0.8) & (whole < 1)).any()
        np.testing.assert_array_equal(near, np.where(whole <= 0.8, whole, 1))

    def test_takes_neighbours_that_are_known_already(self):
        features = people(100)
        known = nearest_neighbours(features, 11)
        direct, given = jaccard_distance(features, 10, 4), jaccard_distance(features, 10, 4, neighbours=known)
        np.testing.assert_array_equal(dense(direct), dense(given))

    def test_memory_grows_with_the_stored_pairs_not_with_their_square(self, monkeypatch):
        monkeypatch.setattr(jaccard, "_BLOCK_BYTES", 2**20)
        features = people(6000, persons=400, spread=0.3)
        tracemalloc.start()
        jaccard_distance(features, 20, 6, max_distance=0.95)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 60 * 2**20  # one dense float32 matrix would be 137 MB


class TestCameraAwareJaccardDistance:
    @pytest.mark.parametrize(
        ("cameras", "k1", "k2", "shares"),
        [(2, 8, 3, (4, 4, 2, 1)), (3, 30, 6, (10, 20, 2, 4)), (2, 8, 1, (4, 4, 1, 0))],
    )
    def test_is_that_of_the_loops(self, cameras, k1, k2, shares):
        features = people(120)
        of = np.random.default_rng(1).integers(0, cameras, 120)
        found = dense(camera_aware_jaccard_distance(features, of, k1, k2))
        np.testing.assert_allclose(found, dense_camera_aware_jaccard(features, of, *shares), atol=1e-5)

    def test_cameras_with_few_images_do_not_matter(self):
        features = people(60)
        of = np.r_[np.zeros(57, int), [1, 1, 2]]
        found = dense(camera_aware_jaccard_distance(features, of, 30, 6))
        np.testing.assert_allclose(found, dense_camera_aware_jaccard(features, of, 10, 20, 2, 4), atol=1e-5)

    @pytest.mark.parametrize("camera", [-1, 4])
    def test_one_camera_or_none_that_is_known_gives_the_plain_distance(self, camera):
        features = people(80)
        found = camera_aware_jaccard_distance(features, np.full(80, camera), 10, 4)
        np.testing.assert_array_equal(dense(found), dense(jaccard_distance(features, 10, 4)))

    def test_brings_together_what_cameras_keep_apart(self):
        rng = np.random.default_rng(0)
        persons = np.tile(np.repeat(np.arange(12), 4), 2)
        of = np.repeat([0, 1], 48)
        features = rng.normal(size=(12, 32))[persons] + 2.2 * rng.normal(size=(2, 32))[of]
        features = (features + 0.5 * rng.normal(size=(96, 32))).astype(np.float32)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        across = (of[:, None] != of) & (persons[:, None] == persons)
        plain = dense(jaccard_distance(features, 8, 3))[across].mean()
        assert dense(camera_aware_jaccard_distance(features, of, 8, 3))[across].mean() < plain - 0.2


@pytest.mark.parametrize("cameras", [1, 3])
def test_a_cancel_is_looked_for_while_neighbours_are_searched_and_pairs_compared(cameras):
    features, looks = people(80), []
    of_camera = np.arange(80) % cameras
    camera_aware_jaccard_distance(features, of_camera, 10, 3, check_cancelled=lambda: looks.append(1))
    assert len(looks) > 1

    def cancel():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        camera_aware_jaccard_distance(features, of_camera, 10, 3, check_cancelled=cancel)
