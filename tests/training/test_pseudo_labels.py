from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.cluster import DBSCAN

from tests.training.oracles import dense, dense_jaccard
from tests.training.test_jaccard import people
from training.errors import ClusteringError
from training.jaccard import jaccard_distance
from training.pseudo_labels import (
    Clustering,
    auto_eps,
    auto_k,
    auto_min_samples,
    check_clustering,
    cluster_centres,
    cluster_target,
    dbscan,
    kmeans,
    mate_centres,
    nearest_mates,
)
from training.settings import TeacherStudentSettings


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


class TestClusterTarget:
    @pytest.mark.parametrize("expected_images", [4, 12, 17])
    def test_gives_the_labels_of_the_dense_reference(self, expected_images):
        features = people(400, persons=40, spread=0.9, seed=3)
        found = cluster_target(features, TeacherStudentSettings(expected_images=expected_images), seed=0)
        full = dense_jaccard(features, *auto_k(expected_images))
        pairs = np.sort(full[np.triu_indices(400, 1)])
        eps = float(np.clip(pairs[: round((expected_images - 1) * 200)].mean(), 0.4, 0.7))
        assert found.eps == pytest.approx(eps, abs=1e-5)
        expected = by_scikit_learn(full, eps, auto_min_samples(expected_images))
        np.testing.assert_array_equal(found.labels, expected)
        assert found.clusters == expected.max() + 1 > 20
        assert found.noise == np.mean(expected == -1)

    def test_finds_people_that_are_far_apart(self):
        rng = np.random.default_rng(0)
        persons = np.repeat(np.arange(12), 10)
        features = np.eye(16, dtype=np.float32)[persons] + 0.05 * rng.normal(size=(120, 16)).astype(
            np.float32
        )
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        found = cluster_target(features, TeacherStudentSettings(expected_images=10), seed=0)
        np.testing.assert_array_equal(found.labels, persons)

    def test_settings_given_by_hand_are_used(self):
        chosen = TeacherStudentSettings(k1=9, k2=2, eps=0.55, min_samples=3)
        features = people(200, spread=0.9)
        found = cluster_target(features, chosen, seed=0)
        assert found.eps == 0.55
        assert found.method == "DBSCAN, eps 0.550, min_samples 3, k1 9, k2 2"
        expected = by_scikit_learn(dense_jaccard(features, 9, 2), 0.55, 3)
        np.testing.assert_array_equal(found.labels, expected)

    def test_kmeans_has_no_noise(self):
        chosen = TeacherStudentSettings(clustering="kmeans", kmeans_clusters=15)
        found = cluster_target(people(200), chosen, seed=0)
        assert (found.clusters, found.noise, found.eps) == (15, 0.0, None)

    def test_diverged_features_are_refused(self):
        features = people(50)
        features[7, 3] = np.nan
        with pytest.raises(ClusteringError, match="diverged"):
            cluster_target(features, TeacherStudentSettings(), seed=0)

    def test_images_that_are_all_alike_are_a_single_cluster(self):
        with pytest.raises(ClusteringError, match="a single cluster"):
            cluster_target(np.tile(people(1), (40, 1)), TeacherStudentSettings(), seed=0)


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


class TestCentres:
    def test_are_the_normalised_means_without_noise(self):
        features = people(60)
        labels = np.random.default_rng(0).integers(-1, 5, 60)
        for label, centre in enumerate(cluster_centres(features, labels)):
            mean = features[labels == label].mean(axis=0)
            np.testing.assert_allclose(centre, mean / np.linalg.norm(mean), atol=1e-6)

    def test_of_noise_alone_are_none(self):
        assert cluster_centres(people(4), np.full(4, -1)).shape == (0, 32)


class TestMates:
    def naive(self, features, labels, n):
        """The mean of the n nearest others of the cluster, or of the whole cluster where there are fewer."""
        centres = features.copy()
        for i in np.flatnonzero(labels >= 0):
            others = [j for j in np.flatnonzero(labels == labels[i]) if j != i]
            nearest = sorted(others, key=lambda j: -features[i] @ features[j])[:n]
            centres[i] = features[nearest if len(others) >= n else [*others, i]].mean(axis=0)
        return centres

    @pytest.mark.parametrize("n", [1, 3, 6, 40])
    @pytest.mark.parametrize("rows", [1, 5, 4096])
    def test_centres_equal_the_naive_loop(self, monkeypatch, n, rows):
        monkeypatch.setattr("training.pseudo_labels._MATE_ROWS", rows)
        features = people(150)
        labels = np.random.default_rng(2).integers(-1, 12, 150)
        np.testing.assert_allclose(
            mate_centres(features, labels, n), self.naive(features, labels, n), atol=1e-6
        )

    def test_are_of_the_own_cluster_and_never_the_image_itself(self):
        features = people(150)
        labels = np.random.default_rng(2).integers(-1, 8, 150)
        mates = nearest_mates(features, labels, n=4)
        for i, row in enumerate(mates):
            if labels[i] == -1:
                assert (row == -1).all()
            else:
                assert (labels[row] == labels[i]).all()
                assert i not in row
                assert len(set(row)) == 4

    def test_a_small_cluster_gives_all_its_images(self):
        mates = nearest_mates(people(4), np.array([0, -1, 0, 0]), n=5)
        assert [sorted(row) for row in mates[[0, 2, 3]].tolist()] == [[-1, -1, 0, 2, 3]] * 3
