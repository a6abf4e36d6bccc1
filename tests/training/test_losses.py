"""Each loss against a closed form or a slow, plain computation of its equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from training.losses import (
    AdaptationTerms,
    AdaptationWeights,
    adaptation_loss,
    attraction_loss,
    camera_proxy_loss,
    euclidean_distances,
    hardest_pairs,
    identity_loss,
    pretraining_loss,
    soft_identity_loss,
    soft_triplet_loss,
    triplet_loss,
)

LABELS = torch.tensor([0, 0, 1, 1, 2, 2, 2, 1])


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def slow_hardest(features: torch.Tensor) -> list[tuple[int, int, float, float]]:
    """Farthest positive and nearest negative of each image, by looking at every pair."""
    found = []
    for i, anchor in enumerate(features):
        distances = [float(np.linalg.norm((anchor - other).numpy())) for other in features]
        positive = max((j for j in range(8) if LABELS[j] == LABELS[i]), key=lambda j: distances[j])
        negative = min((j for j in range(8) if LABELS[j] != LABELS[i]), key=lambda j: distances[j])
        found.append((positive, negative, distances[positive], distances[negative]))
    return found


def test_distances_are_euclidean(features: torch.Tensor) -> None:
    distances = euclidean_distances(features)
    expected = torch.cdist(features, features)
    off_diagonal = ~torch.eye(8, dtype=torch.bool)
    torch.testing.assert_close(distances[off_diagonal], expected[off_diagonal])


def test_gradient_is_finite_where_two_features_are_equal() -> None:
    features = torch.ones(4, 3, requires_grad=True)
    triplet_loss(features, torch.tensor([0, 0, 1, 1])).backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()


def test_hardest_pairs_are_those_of_an_exhaustive_search(features: torch.Tensor) -> None:
    pairs = hardest_pairs(euclidean_distances(features), LABELS)
    slow = slow_hardest(features)
    assert pairs.positive.tolist() == [each[0] for each in slow]
    assert pairs.negative.tolist() == [each[1] for each in slow]


def test_identity_loss_of_even_logits_is_the_logarithm_of_the_classes() -> None:
    assert identity_loss(torch.zeros(3, 7), torch.tensor([0, 3, 6])).item() == pytest.approx(math.log(7))


def test_identity_loss_mixes_the_label_with_the_even_distribution(features: torch.Tensor) -> None:
    log_p = torch.log_softmax(features, 1)
    wanted = torch.full((8, 5), 0.1 / 5, dtype=torch.float64)
    wanted[torch.arange(8), LABELS] += 0.9
    expected = -(wanted * log_p).sum(1).mean()
    torch.testing.assert_close(identity_loss(features, LABELS, smoothing=0.1), expected)


def test_softmax_triplet_follows_its_formula(features: torch.Tensor) -> None:
    expected = np.mean(
        [-math.log(math.exp(an) / (math.exp(ap) + math.exp(an))) for _, _, ap, an in slow_hardest(features)]
    )
    assert triplet_loss(features, LABELS).item() == pytest.approx(expected)


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
def test_hinge_triplet_follows_equation_8(features: torch.Tensor, margin: float) -> None:
    expected = np.mean([max(0.0, ap + margin - an) for _, _, ap, an in slow_hardest(features)])
    assert triplet_loss(features, LABELS, margin=margin).item() == pytest.approx(expected)


def test_pretraining_loss_weighs_as_equation_9() -> None:
    assert pretraining_loss(torch.tensor(2.0), torch.tensor(5.0), weight=0.3).item() == pytest.approx(
        0.7 * 5 + 0.3 * 2
    )


def test_soft_identity_is_the_cross_entropy_to_the_teacher(features: torch.Tensor) -> None:
    teacher = features.flip(0)
    expected = 0.0
    for i in range(8):
        p = np.exp(teacher[i].numpy()) / np.exp(teacher[i].numpy()).sum()
        q = np.exp(features[i].numpy()) / np.exp(features[i].numpy()).sum()
        expected -= float((p * np.log(q)).sum()) / 8
    assert soft_identity_loss(features, teacher).item() == pytest.approx(expected)


def test_soft_triplet_is_the_binary_cross_entropy_of_equation_17(features: torch.Tensor) -> None:
    teacher = features * 0.5 + 0.1 * features.flip(1)
    expected = 0.0
    for i, (positive, negative, ap, an) in enumerate(slow_hardest(features)):
        tau = math.exp(an) / (math.exp(ap) + math.exp(an))
        t_ap = float((teacher[i] - teacher[positive]).norm())
        t_an = float((teacher[i] - teacher[negative]).norm())
        wanted = math.exp(t_an) / (math.exp(t_ap) + math.exp(t_an))
        expected -= (wanted * math.log(tau) + (1 - wanted) * math.log(1 - tau)) / 8
    assert soft_triplet_loss(features, teacher, LABELS).item() == pytest.approx(expected, abs=1e-6)


def test_no_gradient_reaches_the_teachers(features: torch.Tensor) -> None:
    student, teacher = features.clone().requires_grad_(), features.flip(0).clone().requires_grad_()
    loss = soft_identity_loss(student, teacher) + soft_triplet_loss(student, teacher, LABELS)
    (loss + attraction_loss(student, teacher)).backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert student.grad.abs().sum() > 0


def test_attraction_is_the_mean_squared_distance_to_the_centres(features: torch.Tensor) -> None:
    centres = features.flip(0)
    unit = F.normalize(features)
    expected = np.mean([float(((unit[i] - centres[i]) ** 2).sum()) for i in range(8)])
    assert attraction_loss(features, centres).item() == pytest.approx(expected)


def test_adaptation_loss_weighs_as_equation_20() -> None:
    parts = dict(
        zip(
            ("identity", "soft_identity", "triplet", "soft_triplet", "attraction"),
            torch.tensor([1.0, 2, 3, 4, 5]),
            strict=True,
        )
    )
    weights = AdaptationWeights(soft_identity=0.4, soft_triplet=0.7, identity=0.3, triplet=0.5)
    expected = 0.3 * (0.6 * 1 + 0.4 * 2) + 0.5 * (0.3 * 3 + 0.7 * 4) + 0.2 * 5
    assert adaptation_loss(weights, AdaptationTerms(**parts)).item() == pytest.approx(expected)


def test_a_term_that_is_left_out_gives_its_share_to_the_hard_one() -> None:
    terms = AdaptationTerms(*torch.tensor([1.0, 3, 5]))
    assert adaptation_loss(AdaptationWeights(), terms).item() == pytest.approx(0.45 * 1 + 0.45 * 3 + 0.1 * 5)


def test_camera_proxies_attract_within_the_camera_and_across(features: torch.Tensor) -> None:
    # Clusters 0 and 1 are seen by two cameras, cluster 2 by one.
    logits = torch.randn(8, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    clusters, cameras = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 0, 1, 1])
    own = torch.tensor([0, 1, 2, 3, 4, 4, 0, 2])
    expected = 0.0
    for i in range(8):
        row = logits[i].tolist()
        camera, cluster = int(cameras[own[i]]), int(clusters[own[i]])
        rivals = [math.exp(row[p]) for p in range(5) if cameras[p] == camera]
        expected -= math.log(math.exp(row[own[i]]) / sum(rivals)) / 8
        positive = [p for p in range(5) if clusters[p] == cluster]
        hardest = sorted((p for p in range(5) if p not in positive), key=lambda p: -row[p])[:2]
        total = sum(math.exp(row[p]) for p in positive + hardest)
        expected -= 0.5 * sum(math.log(math.exp(row[p]) / total) for p in positive) / len(positive) / 8
    assert camera_proxy_loss(logits, own, clusters, cameras, hardest=2).item() == pytest.approx(expected)


def test_camera_proxies_without_any_other_cluster_still_give_a_finite_loss() -> None:
    loss = camera_proxy_loss(
        torch.randn(3, 1), torch.zeros(3, dtype=torch.long), torch.zeros(1), torch.zeros(1)
    )
    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_default_weights_leave_a_tenth_to_the_attraction() -> None:
    assert AdaptationWeights().attraction == pytest.approx(0.1)
