"""Stage 3: what an epoch does to students, teachers and classifiers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.small import person, tiny_settings
from training.errors import ClusteringError, DivergedError, TrainingError
from training.networks.building import build_network
from training.optimisation import MeanTeacher
from training.progress import Silent
from training.pseudo_labels import centred_by_camera
from training.settings import TeacherStudentSettings
from training.source_lesson import Source
from training.target import Circumstances, Target
from training.teacher_student import TeacherStudent

SETTINGS = tiny_settings().teacher_student
BEYOND = replace(
    SETTINGS, epochs=2, iterations_per_epoch=3, clustering="kmeans", kmeans_clusters=5, head="memory",
    proxy_weight=0.5, smoothing=0.0, camera_aware=True, keep_optimiser=True, soft_identity_weight=0.0,
    soft_triplet_weight=0.0, erasing=0.0,
)  # fmt: skip


def labelled(people: range) -> Source:
    images = [np.asarray(person(i, camera, view)) for i in people for camera in range(2) for view in range(2)]
    cameras = np.tile(np.repeat(np.arange(2), 2), len(people))
    return Source(np.stack(images), np.repeat(np.arange(len(people)), 4), cameras)


def teach(
    settings: TeacherStudentSettings, *, people: int = 6, source: Source | None = None
) -> TeacherStudent:
    torch.manual_seed(0)
    network = build_network(tiny_settings().network)
    images = np.stack(
        [
            np.asarray(person(i, camera, view))
            for i in range(people)
            for camera in range(2)
            for view in range(3)
        ]
    )
    cameras = np.tile(np.repeat(np.arange(2), 3), people).astype(np.int64)
    known = replace(Circumstances.unknown(len(images)), cameras=cameras)
    return TeacherStudent(
        [network] * settings.networks, Target(images, known), settings, device=torch.device("cpu"),
        bfloat16=False, seed=0, reporter=Silent(), source=source,
    )  # fmt: skip


def test_students_learn_and_teachers_follow_them_at_a_distance() -> None:
    stage = teach(
        replace(SETTINGS, epochs=1, iterations_per_epoch=4, clustering="kmeans", kmeans_clusters=5, alpha=0.9)
    )
    before = [p.clone() for p in stage.pairs[0].student.parameters()]
    stage.run()
    pair = stage.pairs[0]
    for old, student, teacher in zip(
        before, pair.student.parameters(), pair.teacher.parameters(), strict=True
    ):
        if not student.requires_grad:
            continue
        moved, followed = (student - old).norm(), (teacher - old).norm()
        assert moved > 0
        assert followed <= moved * 1.5
    assert not any(p.requires_grad for p in pair.teacher.parameters())


def test_one_network_alone_learns_from_itself() -> None:
    stage = teach(replace(BEYOND, networks=1, soft_identity_weight=0.5, soft_triplet_weight=0.8))
    before = [p.clone() for p in stage.pairs[0].student.parameters()]
    adapted = stage.run()
    assert len(stage.pairs) == len(adapted.scores) == 1
    assert adapted.kept == 0
    assert any(
        not torch.equal(a, b) for a, b in zip(before, stage.pairs[0].student.parameters(), strict=True)
    )


def test_the_two_networks_see_different_views_and_grow_apart() -> None:
    stage = teach(replace(SETTINGS, epochs=1, iterations_per_epoch=2, clustering="kmeans", kmeans_clusters=5))
    stage.run()
    first, second = (pair.student.backbone.stem[0].weight for pair in stage.pairs)
    assert not torch.equal(first, second)


def test_an_epoch_of_k_means_leaves_nobody_out() -> None:
    stage = teach(replace(SETTINGS, epochs=1, iterations_per_epoch=1, clustering="kmeans", kmeans_clusters=5))
    stage.run()
    assert stage.history[0].clusters == 5
    assert stage.history[0].noise == 0


def test_memory_and_proxies_are_learnt_from_and_reported() -> None:
    stage, seen = teach(BEYOND), {}

    class Recorder(Silent):
        def metric(self, **values: float) -> None:
            seen.update(values)

    stage._reporter = Recorder()
    stage.run()
    assert seen["proxies"] > 0
    assert "soft_identity" not in seen
    assert all(np.isfinite(value) for value in seen.values())


def test_a_teacher_without_a_say_takes_the_norm_statistics_of_its_student() -> None:
    stage = teach(replace(BEYOND, alpha=0.0))
    stage.run()
    pair = stage.pairs[0]
    torch.testing.assert_close(pair.teacher.neck.running_mean, pair.student.neck.running_mean)
    assert not torch.equal(pair.teacher.neck.running_mean, torch.zeros(512))


def test_a_source_that_is_kept_is_learnt_from_and_leaves_the_norms_to_the_target() -> None:
    # Nothing is learnt, so that the second step's target batch can be compared too.
    settings = replace(BEYOND, epochs=1, iterations_per_epoch=2, learning_rate=0.0, weight_decay=0.0)
    settings = replace(settings, memory_momentum=1.0)
    norms, figures = [], []
    for weight, source in ((0.0, None), (1.0, labelled(range(20, 26)))):
        stage = teach(replace(settings, source_weight=weight), source=source)
        seen: dict[str, float] = {}

        class Recorder(Silent):
            def metric(self, **values: float) -> None:
                seen.update(values)  # noqa: B023

        stage._reporter = Recorder()
        stage.run()
        norms.append(stage.pairs[0].student.neck.running_mean.clone())
        figures.append(seen)
    torch.testing.assert_close(norms[0], norms[1], rtol=0, atol=0)
    assert figures[1]["loss"] == pytest.approx(figures[0]["loss"] + 2 * figures[1]["source"], rel=1e-5)
    assert figures[1]["source"] > 0


def test_a_source_to_keep_must_be_there() -> None:
    with pytest.raises(TrainingError, match="source_weight"):
        teach(replace(BEYOND, source_weight=1.0))


@pytest.mark.parametrize(("keep", "weight"), [(False, 0.0), (True, 0.0), (True, 0.5)])
def test_a_resumed_run_is_the_same_to_the_bit(keep: bool, weight: float, tmp_path: Path) -> None:
    settings = replace(BEYOND, keep_optimiser=keep, optimiser="adamw", source_weight=weight)
    source = labelled(range(20, 26))
    whole = teach(settings, source=source)
    whole.run()
    stopped = teach(settings, source=source)

    def stop(stage: TeacherStudent, epoch: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.run(tmp_path / "stage.pt", stop)
    resumed = teach(settings, source=source)
    resumed.run(tmp_path / "stage.pt")
    for a, b in zip(whole.pairs[0].student.parameters(), resumed.pairs[0].student.parameters(), strict=True):
        assert torch.equal(a, b)


def test_every_term_of_equation_20_reaches_the_loss() -> None:
    stage = teach(replace(SETTINGS, epochs=1, iterations_per_epoch=1, clustering="kmeans", kmeans_clusters=5))
    seen: dict[str, float] = {}

    class Recorder(Silent):
        def metric(self, **values: float) -> None:
            seen.update(values)

    stage._reporter = Recorder()
    stage.run()
    weights = SETTINGS
    expected = 2 * (
        weights.identity_weight * (0.5 * seen["identity"] + 0.5 * seen["soft_identity"])
        + weights.triplet_weight * (0.2 * seen["triplet"] + 0.8 * seen["soft_triplet"])
        + 0.1 * seen["attraction"]
    )
    assert seen["loss"] == pytest.approx(expected, rel=1e-4)


class Listener(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def message(self, text: str, *, level: str = "info") -> None:
        if level == "warning":
            self.warnings.append(text)


def test_a_radius_that_gives_no_clusters_is_widened_and_said() -> None:
    stage = teach(replace(SETTINGS, epochs=1, eps=0.001, min_samples=4))
    stage._reporter = listener = Listener()
    stage.run()
    assert stage.history[0].clusters >= 2
    assert "eps 0.001, min_samples 4 gave a single cluster, nearly all is noise" in listener.warnings[0]


def test_where_nothing_can_be_clustered_at_first_the_run_ends() -> None:
    stage = teach(SETTINGS)
    stage._images = np.zeros_like(stage._images)
    with pytest.raises(ClusteringError, match="a single cluster"):
        stage.run()


def collapse(stage: TeacherStudent, _epoch: int) -> None:
    for pair in stage.pairs:
        pair.teacher.neck.weight.data.zero_()


def test_where_a_later_epoch_collapses_the_clusters_before_it_are_kept_also_over_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MeanTeacher, "update", lambda _: None)
    begun = teach(replace(SETTINGS, epochs=1))
    begun.scores = lambda: (0.0, 0.0)  # type: ignore[method-assign]
    begun.run(tmp_path / "checkpoint.pt")
    collapse(begun, 1)
    begun._save(tmp_path / "checkpoint.pt")
    resumed = teach(replace(SETTINGS, epochs=2))
    resumed._reporter = listener = Listener()
    resumed.run(tmp_path / "checkpoint.pt")
    assert "The clusters of the epoch before are kept." in listener.warnings[0]
    first, second = resumed.history
    assert second.clusters == first.clusters
    assert first.warning is None
    assert "before are kept" in str(second.warning)


def test_a_network_that_diverged_ends_the_run_whatever_was_clustered_before() -> None:
    stage = teach(replace(SETTINGS, epochs=2))

    def diverge(stage: TeacherStudent, _epoch: int) -> None:
        for pair in stage.pairs:
            pair.teacher.neck.weight.data.fill_(torch.nan)

    with pytest.raises(DivergedError, match="diverged"):
        stage.run(on_epoch=diverge)


def test_centring_takes_off_what_a_camera_adds_to_all_its_images() -> None:
    rng = np.random.default_rng(0)
    people = rng.normal(size=(20, 32)).astype(np.float32)
    cameras = np.repeat(np.arange(2), 20)
    shift = 3 * rng.normal(size=(2, 32)).astype(np.float32)
    features = np.concatenate([people, people]) + shift[cameras]
    features /= np.linalg.norm(features, axis=1, keepdims=True)

    def found(x: np.ndarray) -> float:
        similar = x @ x.T
        np.fill_diagonal(similar, -1)
        return float(np.mean(similar.argmax(1) == (np.arange(40) + 20) % 40))

    assert found(features) < 0.5
    assert found(centred_by_camera(features, cameras)) > 0.9
    np.testing.assert_allclose(np.linalg.norm(centred_by_camera(features, cameras), axis=1), 1, rtol=1e-5)
