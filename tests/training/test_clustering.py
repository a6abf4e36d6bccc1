from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.cluster import DBSCAN

from tests.training.oracles import dense
from tests.training.test_jaccard import people
from training.clustering import (
    Clustering,
    auto_eps,
    auto_k,
    auto_min_samples,
    check_clustering,
    cluster_by_density,
    dbscan,
    kmeans,
)
from training.errors import ClusteringError
from training.jaccard import jaccard_distance


def sparse_distance(full):
    """A dense distance as the package stores it: what is below 1, zeros included."""
    rows, columns = np.nonzero(full < 1)
    return sparse.coo_array((full[rows, columns], (rows, columns)), shape=full.shape).tocsr()


def by_scikit_learn(full, eps, min_samples):
    return DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit(full).labels_


class TestDBSCAN:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize(("eps", "min_samples"), [(0.3, 4), (0.5, 2), (0.6, 4), (0.7, 10), (0.99, 1)])
    def test_gives_the_labels_of_scikit_learn(self, seed, eps, min_samples):
        distance = jaccard_distance(people(300, spread=1.2, seed=seed), 12, 4)
        expected = by_scikit_learn(dense(distance), eps, min_samples)
        np.testing.assert_array_equal(dbscan(distance, eps, min_samples), expected)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(1, 14), st.integers(1, 5), st.integers(0, 2**32 - 1), st.floats(0.05, 0.6))
    def test_gives_the_labels_of_scikit_learn_on_any_graph(self, count, min_samples, seed, share):
        # Borders between clusters, chains and ties come up only in graphs that are no metric space.
        rng = np.random.default_rng(seed)
        near = np.triu(rng.random((count, count)) < share, 1)
        full = np.where(near | near.T, 0.25, 1.0).astype(np.float32)
        np.fill_diagonal(full, 0)
        expected = by_scikit_learn(full, 0.5, min_samples)
        np.testing.assert_array_equal(dbscan(sparse_distance(full), 0.5, min_samples), expected)

    def test_a_pair_at_exactly_eps_is_near(self):
        full = np.array([[0, 0.5], [0.5, 0]], np.float32)
        assert dbscan(sparse_distance(full), 0.5, 2).tolist() == [0, 0]

    @pytest.mark.parametrize("eps", [0.0, 1.0, -1.0])
    def test_refuses_a_radius_that_means_nothing(self, eps):
        with pytest.raises(ValueError, match="eps"):
            dbscan(sparse_distance(np.zeros((1, 1), np.float32)), eps, 2)


class TestAutomaticSettings:
    def test_k_and_min_samples_follow_the_expected_images(self):
        assert auto_k(17) == (30, 6)
        assert auto_k(4) == (8, 3)
        assert auto_k(1.5) == (6, 2)
        assert [auto_min_samples(expected) for expected in (2, 7.9, 8, 17)] == [2, 2, 4, 4]

    @pytest.mark.parametrize("expected_images", [5, 6.5, 12])
    def test_eps_is_the_mean_of_the_nearest_fraction_of_pairs(self, expected_images):
        distance = jaccard_distance(people(200, persons=25, spread=1.3), 15, 5)
        pairs = np.sort(dense(distance)[np.triu_indices(200, 1)])
        rho = (expected_images - 1) / (200 - 1)
        expected = pairs[: round(rho * len(pairs))].mean()
        assert 0.4 < expected < 0.7  # else the limits would hide an error
        assert auto_eps(distance, expected_images) == pytest.approx(expected, abs=1e-6)

    def test_eps_stays_in_its_limits(self):
        nobody_near, all_alike = np.ones((10, 10), np.float32), np.zeros((10, 10), np.float32)
        np.fill_diagonal(nobody_near, 0)
        assert auto_eps(sparse_distance(nobody_near), 4) == 0.7
        assert auto_eps(sparse_distance(all_alike), 4) == 0.4


class TestKMeans:
    def test_finds_people_that_are_far_apart(self):
        persons = np.repeat(np.arange(5), 8)
        features = np.eye(8, dtype=np.float32)[persons]
        np.testing.assert_array_equal(kmeans(features, 5, seed=1), persons)

    def test_the_seed_decides(self):
        features = people(200, spread=2.0)
        once, again, other = (kmeans(features, 12, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(once, again)
        assert (once != other).any()

    def test_more_clusters_than_images_are_refused(self):
        with pytest.raises(ClusteringError, match="500 clusters of 20 images"):
            kmeans(people(20), 500, seed=0)


class TestCheck:
    def far_apart(self):
        full = np.full((6, 6), 0.8, np.float32)
        np.fill_diagonal(full, 0)
        return sparse_distance(full)

    def test_several_clusters_pass(self):
        check_clustering(Clustering(np.array([0, 0, 1, 1]), 2, 0.0, "DBSCAN", 0.5), self.far_apart())

    def test_all_noise_tells_distances_and_a_larger_eps(self):
        nothing = Clustering(np.full(6, -1), 0, 1.0, "DBSCAN, eps 0.500", 0.5)
        with pytest.raises(ClusteringError) as error:
            check_clustering(nothing, self.far_apart())
        assert str(error.value) == (
            "Clustering 6 target images gave no cluster, all is noise (DBSCAN, eps 0.500). Each image's"
            " nearest is at 0.80 / 0.80 / 0.80 (10, 50, 90 % of images). Try eps 0.85, min_samples 2, fewer"
            " expected images a person, or longer pre-training."
        )

    def test_one_cluster_tells_a_smaller_eps(self):
        one = Clustering(np.zeros(6, int), 1, 0.0, "DBSCAN, eps 0.900", 0.9)
        with pytest.raises(ClusteringError, match=r"a single cluster .* Try eps 0\.72"):
            check_clustering(one, self.far_apart())

    def test_one_cluster_of_kmeans(self):
        with pytest.raises(ClusteringError, match="Raise the number of clusters"):
            check_clustering(Clustering(np.zeros(6, int), 1, 0.0, "K-means, k 1"))


class TestCollapse:
    """What gives nothing to learn from at the radius asked for is clustered at the nearest one that does."""

    def pairs(self, near: float, far: float):
        """Eight people with two images each, ``near`` to each other and ``far`` from the others."""
        full = np.full((16, 16), far, np.float32)
        for person in range(8):
            full[2 * person : 2 * person + 2, 2 * person : 2 * person + 2] = near
        np.fill_diagonal(full, 0)
        return sparse_distance(full)

    def test_what_is_right_is_left_alone(self):
        found = cluster_by_density(self.pairs(0.4, 0.9), 0.5, 2)
        assert (found.clusters, found.eps, found.warning) == (8, 0.5, None)

    def test_all_noise_is_clustered_with_a_larger_radius(self):
        found = cluster_by_density(self.pairs(0.7, 0.97), 0.5, 2)
        assert found.clusters == 8
        assert found.eps is not None
        assert 0.7 <= found.eps < 0.75
        assert found.warning is not None
        assert "eps 0.500, min_samples 2 gave no cluster, all is noise; DBSCAN, eps 0.7" in found.warning

    def test_core_points_too_rare_are_taken_with_fewer_images(self):
        found = cluster_by_density(self.pairs(0.4, 0.97), 0.5, 4)
        assert found.clusters == 8
        assert "min_samples 2 is used" in str(found.warning)

    def test_a_single_cluster_is_taken_apart_with_a_smaller_radius(self):
        found = cluster_by_density(self.pairs(0.2, 0.45), 0.5, 2)
        assert found.clusters == 8
        assert found.eps is not None
        assert 0.2 <= found.eps < 0.45
        assert "a single cluster" in str(found.warning)

    def test_two_stray_pairs_are_not_taken_for_the_people(self):
        full = np.full((200, 200), 0.97, np.float32)
        for person in range(100):
            full[2 * person : 2 * person + 2, 2 * person : 2 * person + 2] = 0.52 if person < 2 else 0.7
        np.fill_diagonal(full, 0)
        found = cluster_by_density(sparse_distance(full), 0.5, 2)
        assert found.clusters == 100
        assert found.noise == 0

    def test_where_no_radius_helps_the_first_outcome_is_told(self):
        with pytest.raises(ClusteringError, match=r"a single cluster \(DBSCAN, eps 0\.500"):
            cluster_by_density(self.pairs(0.0, 0.0), 0.5, 2)
