"""Scores without labels: each against its definition, computed the slow way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, silhouette_score

from tests.training.oracles import dense
from training.errors import TrainingError
from training.jaccard import jaccard_distance
from training.model_selection import (
    SCORES,
    Evidence,
    cluster_separation,
    co_seen_separation,
    jaccard_silhouette,
    mutual_across_cameras,
    score,
    score_all,
    track_retrieval,
)
from training.target import Circumstances


def features_of(labels: np.ndarray, noise: float, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(labels.max() + 1, 16))[labels] + noise * rng.normal(size=(len(labels), 16))
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)


PEOPLE = np.repeat(np.arange(8), 6)
KNOWN = Circumstances(
    cameras=np.tile(np.repeat([0, 1], 3), 8),
    tracks=np.arange(48) // 3,
    co_seen=np.array([[0, 2], [1, 3], [4, 6], [8, 10]]),
)


@pytest.mark.parametrize("name", SCORES)
def test_every_score_prefers_features_that_tell_people_apart(name: str) -> None:
    evidence = Evidence(PEOPLE, KNOWN)
    good, fair, bad = (SCORES[name](features_of(PEOPLE, noise), evidence) for noise in (0.3, 0.8, 4.0))
    assert good >= fair > bad


def test_separation_prefers_tight_clusters() -> None:
    labels = np.repeat(np.arange(5), 6)
    scores = [cluster_separation(features_of(labels, noise), labels) for noise in (0.1, 0.5, 2.0)]
    assert scores == sorted(scores, reverse=True)


def test_separation_follows_its_definition_and_counts_noise_against() -> None:
    features = np.eye(4, dtype=np.float32)[[0, 0, 1, 1, 2]]
    assert cluster_separation(features, np.array([0, 0, 1, 1, -1])) == pytest.approx(0.8 * 1.0)


def test_silhouette_is_that_of_scikit_learn_with_noise_as_nothing() -> None:
    features = features_of(PEOPLE, 0.9)
    labels = np.where(np.arange(48) % 11 == 0, -1, PEOPLE)
    distance = jaccard_distance(features, 10, 3)
    inside = labels >= 0
    expected = silhouette_score(dense(distance)[np.ix_(inside, inside)], labels[inside], metric="precomputed")
    assert jaccard_silhouette(distance, labels) == pytest.approx(expected * inside.mean(), abs=1e-5)


def test_nearest_by_another_camera_is_mutual_where_people_are_told_apart() -> None:
    features = features_of(np.tile(np.arange(10), 2), 0.05)
    assert mutual_across_cameras(features, np.repeat([0, 1], 10)) == 1.0
    assert mutual_across_cameras(features, np.zeros(20, int)) is None
    assert mutual_across_cameras(features, np.full(20, -1)) is None


def test_halves_of_tracks_are_found_again() -> None:
    tracks = np.repeat(np.arange(6), 4)
    assert track_retrieval(features_of(tracks, 0.1), tracks) == 1.0
    assert track_retrieval(features_of(tracks, 0.1), np.arange(24)) is None
    # Two tracks whose later halves have changed places: each is ranked second of two.
    swapped = np.eye(2, dtype=np.float32)[[0, 0, 1, 1, 1, 1, 0, 0]]
    assert track_retrieval(swapped, np.repeat([0, 1], 4)) == pytest.approx(0.5)


def test_co_seen_separation_is_the_area_under_the_curve() -> None:
    features = features_of(PEOPLE, 1.5)
    tracks = KNOWN.tracks
    seen = {tuple(pair) for pair in KNOWN.co_seen.tolist()}
    truth, alike = [], []
    for i in range(48):
        for j in range(i + 1, 48):
            same = tracks[i] == tracks[j]
            if same or tuple(sorted((int(tracks[i]), int(tracks[j])))) in seen:
                truth.append(same)
                alike.append(features[i] @ features[j])
    assert co_seen_separation(features, KNOWN) == pytest.approx(roc_auc_score(truth, alike), abs=0.02)
    assert co_seen_separation(features, replace(KNOWN, co_seen=np.empty((0, 2), np.int64))) is None


def test_a_target_without_tracks_has_the_scores_that_need_none() -> None:
    found = score_all(features_of(PEOPLE, 0.3), Evidence(PEOPLE, Circumstances.unknown(48)))
    assert set(found) == {"cluster_separation", "jaccard_silhouette"}


def test_a_score_that_cannot_be_had_is_refused_in_one_line() -> None:
    features, evidence = features_of(PEOPLE, 0.3), Evidence(PEOPLE, Circumstances.unknown(48))
    assert score(features, evidence) == SCORES["jaccard_silhouette"](features, evidence)
    assert score(features, evidence, "cluster_separation") == cluster_separation(features, PEOPLE)
    for wanted in ("track_retrieval", "guess"):
        with pytest.raises(TrainingError, match=rf"{wanted}.*cluster_separation"):
            score(features, evidence, wanted)
