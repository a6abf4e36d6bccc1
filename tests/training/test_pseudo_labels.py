from __future__ import annotations

import numpy as np
import pytest

from tests.training.oracles import dense_jaccard
from tests.training.test_clustering import by_scikit_learn
from tests.training.test_jaccard import people
from training.clustering import auto_k, auto_min_samples
from training.errors import ClusteringError, DivergedError
from training.pseudo_labels import cluster_centres, cluster_target, mate_centres, nearest_mates
from training.settings import TeacherStudentSettings


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
        with pytest.raises(DivergedError, match="diverged"):
            cluster_target(features, TeacherStudentSettings(), seed=0)

    def test_images_that_are_all_alike_are_a_single_cluster(self):
        with pytest.raises(ClusteringError, match="a single cluster"):
            cluster_target(np.tile(people(1), (40, 1)), TeacherStudentSettings(), seed=0)


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
