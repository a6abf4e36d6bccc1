"""The cluster memory and the camera proxies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from training.heads import build_head
from training.memory import ClusterMemory
from training.pseudo_labels import split_by_camera
from training.settings import TeacherStudentSettings


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


def test_logits_are_cosines_over_the_temperature() -> None:
    centres, features = unit(4, 6), 7 * unit(3, 6, seed=1)
    logits = ClusterMemory(centres, temperature=0.05).logits(features)
    expected = [[float(f @ c / f.norm()) / 0.05 for c in centres] for f in features]
    torch.testing.assert_close(logits, torch.tensor(expected))


def test_only_the_batch_s_centres_move_and_stay_on_the_sphere() -> None:
    centres, features = unit(4, 6), 3 * unit(5, 6, seed=1)
    members = torch.tensor([2, 0, 2, 2, 0])
    memory = ClusterMemory(centres, momentum=0.25)
    memory.update(features, members)
    for cluster in range(4):
        own = F.normalize(features[members == cluster])
        expected = centres[cluster]
        if len(own):
            expected = F.normalize(0.25 * expected + 0.75 * F.normalize(own.sum(0), dim=0), dim=0)
        torch.testing.assert_close(memory.centres[cluster], expected)


def test_a_memory_leaves_what_it_was_made_from_as_it_was() -> None:
    centres = unit(4, 6)
    before = centres.clone()
    ClusterMemory(centres).update(unit(2, 6, seed=1), torch.tensor([0, 1]))
    assert torch.equal(centres, before)


def test_a_gradient_can_be_taken_after_the_memory_moved() -> None:
    memory = ClusterMemory(unit(4, 6))
    features = unit(2, 6, seed=1).requires_grad_()
    logits = memory.logits(features)
    memory.update(features, torch.tensor([0, 1]))
    logits.sum().backward()
    assert features.grad is not None


def test_clusters_are_taken_apart_by_camera_and_noise_stays_out() -> None:
    labels, cameras = np.array([0, 0, 1, -1, 1, 0]), np.array([5, 3, 3, 3, 3, 5])
    parts = split_by_camera(labels, cameras)
    assert parts.labels.tolist() == [1, 0, 2, -1, 2, 1]
    assert parts.clusters.tolist() == [0, 0, 1]
    assert parts.cameras.tolist() == [3, 5, 3]


def test_a_head_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="classifier, memory"):
        build_head(unit(2, 4), TeacherStudentSettings(head="none"))
