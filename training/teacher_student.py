"""Stage 3: two students and two mean teachers adapt to the unlabelled target (Algorithm 3, eqs 15 to 20).

Each epoch clusters the target with the teachers' features; the clusters are the hard labels. Each student learns
from them, from the *other* network's teacher's soft labels, and is drawn to the centres of its images' nearest
cluster-mates.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from training.checkpoints import load_checkpoint, save_checkpoint
from training.devices import autocast
from training.features import embed
from training.losses import (
    AdaptationWeights,
    adaptation_loss,
    attraction_loss,
    identity_loss,
    soft_identity_loss,
    soft_triplet_loss,
    triplet_loss,
)
from training.model_selection import cluster_separation
from training.networks.embedding import EmbeddingNetwork, Features
from training.networks.normalisation import set_norm_group
from training.optimisation import MeanTeacher, build_optimiser, rate_factor, set_rate
from training.pretraining import REPORT_EVERY, training_view, triplet_features
from training.progress import Reporter
from training.pseudo_labels import (
    Clustering,
    centred_by_camera,
    cluster_centres,
    cluster_target,
    mate_centres,
)
from training.randomness import start_epoch
from training.sampling import identity_batches
from training.settings import TeacherStudentSettings


@dataclass(frozen=True)
class EpochRecord:
    """What an epoch's clustering gave: written into the report."""

    epoch: int
    clusters: int
    noise: float  # share of the target left out, 0..1
    eps: float | None
    scores: tuple[float, float]  # label-free score of each teacher, higher is better

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {
            "epoch": self.epoch,
            "clusters": self.clusters,
            "noise": self.noise,
            "eps": self.eps,
            "scores": list(self.scores),
        }


@dataclass(frozen=True)
class Adapted:
    """The kept network, and the history of the clusterings."""

    network: EmbeddingNetwork
    history: tuple[EpochRecord, ...]


@dataclass
class _Pair:
    """One student, its teacher, and their classifiers."""

    student: EmbeddingNetwork
    teacher: EmbeddingNetwork
    student_classifier: nn.Linear
    teacher_classifier: nn.Linear

    def state_dict(self) -> dict[str, object]:
        return {"student": self.student.state_dict(), "teacher": self.teacher.state_dict()}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])

    def classify_with(self, centres: Tensor) -> None:
        """New classifiers from the normalised cluster centres [C, D]."""
        for classifier in (self.student_classifier, self.teacher_classifier):
            classifier.out_features = len(centres)
            classifier.weight = nn.Parameter(centres.clone())
        self.teacher_classifier.requires_grad_(False)

    def mean_teacher(self, alpha: float) -> MeanTeacher:
        return MeanTeacher(
            nn.ModuleList([self.teacher, self.teacher_classifier]),
            nn.ModuleList([self.student, self.student_classifier]),
            alpha=alpha,
        )


def _new_pair(network: EmbeddingNetwork, norm_group: int) -> _Pair:
    student, teacher = copy.deepcopy(network), copy.deepcopy(network)
    for module in (student, teacher):
        set_norm_group(module, norm_group)
        module.train()
    teacher.requires_grad_(False)
    device = network.neck.weight.device
    classifiers = [nn.Linear(network.embedding_size, 1, bias=False, device=device) for _ in range(2)]
    return _Pair(student, teacher, *classifiers)


class TeacherStudent:
    """Algorithm 3.

    Attributes:
        pairs: the two networks, each a student with its teacher.
        history: one record a finished epoch.
    """

    def __init__(
        self,
        networks: tuple[EmbeddingNetwork, EmbeddingNetwork],
        images: NDArray[np.uint8],
        cameras: NDArray[np.int64],
        settings: TeacherStudentSettings,
        *,
        device: torch.device,
        bfloat16: bool,
        seed: int,
        reporter: Reporter,
    ) -> None:
        self.pairs = tuple(_new_pair(network, settings.norm_group) for network in networks)
        self.history: list[EpochRecord] = []
        self._images = images
        self._cameras = cameras
        self._settings = settings
        self._device = device
        self._bfloat16 = bfloat16
        self._seed = seed
        self._reporter = reporter
        self._weights = AdaptationWeights(
            settings.soft_identity_weight,
            settings.soft_triplet_weight,
            settings.identity_weight,
            settings.triplet_weight,
        )
        self._iterations = 0
        self._reported = 0.0

    def run(
        self, checkpoint: Path | None = None, on_epoch: Callable[[TeacherStudent, int], None] | None = None
    ) -> Adapted:
        """Run the epochs that are left; return the better teacher by the label-free score.

        Args:
            checkpoint: file written after every epoch and continued from if it is there.
            on_epoch: called after each epoch with its number, from 1 (for experiments).

        Raises:
            ClusteringError: an epoch's clustering gives nothing to learn from.
        """
        if checkpoint and checkpoint.exists():
            self._restore(checkpoint)
        for epoch in range(len(self.history), self._settings.epochs):
            self._run_epoch(epoch)
            if checkpoint:
                self._save(checkpoint)
            if on_epoch:
                on_epoch(self, epoch + 1)
        kept = int(np.argmax(self.scores()))
        return Adapted(self.pairs[kept].teacher.eval(), tuple(self.history))

    def teacher_features(self) -> list[NDArray[np.float32]]:
        """Each teacher's embeddings of the target, [N, D] each."""
        return [
            embed(
                pair.teacher,
                self._images,
                device=self._device,
                bfloat16=self._bfloat16,
                reporter=self._reporter,
            )
            for pair in self.pairs
        ]

    def scores(self) -> tuple[float, float]:
        """The label-free score of each teacher as it is now, on one clustering of their mean features."""
        features = self.teacher_features()
        labels = self._cluster(features, epoch=self._settings.epochs).labels
        first, second = (cluster_separation(each, labels) for each in features)
        return first, second

    def _cluster(self, features: list[NDArray[np.float32]], *, epoch: int) -> Clustering:
        mean = _mean(features)
        if self._settings.camera_centred:
            mean = centred_by_camera(mean, self._cameras)
        return cluster_target(mean, self._settings, seed=self._seed + epoch)

    def _run_epoch(self, epoch: int) -> None:
        features = self.teacher_features()
        clustering = self._cluster(features, epoch=epoch)
        scores = tuple(cluster_separation(each, clustering.labels) for each in features)
        record = EpochRecord(
            epoch + 1, clustering.clusters, clustering.noise, clustering.eps, (scores[0], scores[1])
        )
        self._reporter.metric(
            epoch=record.epoch, clusters=record.clusters, noise=record.noise, score=max(record.scores)
        )
        mates = [
            self._tensor(mate_centres(f, clustering.labels, n=self._settings.attraction_mates))
            for f in features
        ]
        for pair, each in zip(self.pairs, features, strict=True):
            pair.classify_with(self._tensor(cluster_centres(each, clustering.labels)))
        self._train_epoch(epoch, clustering.labels, mates)
        self.history.append(record)

    def _train_epoch(self, epoch: int, labels: NDArray[np.int64], mates: list[Tensor]) -> None:
        settings = self._settings
        randomness = start_epoch(self._seed, "teacher_student", epoch, self._device)
        optimiser = build_optimiser(
            [module for pair in self.pairs for module in (pair.student, pair.student_classifier)],
            name=settings.optimiser,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        teachers = [pair.mean_teacher(settings.alpha) for pair in self.pairs]
        for teacher in teachers:
            teacher.iteration = self._iterations
        for indices in identity_batches(
            labels,
            self._cameras,
            num_identities=settings.identities,
            num_instances=settings.instances,
            steps=settings.iterations_per_epoch,
            rng=randomness.sampling,
        ):
            self._reporter.check_cancelled()
            total = settings.epochs * settings.iterations_per_epoch
            factor = rate_factor(self._iterations, total, schedule=settings.schedule)
            set_rate(optimiser, settings.learning_rate * factor)
            raw = torch.from_numpy(self._images[indices]).to(self._device)
            views = [
                training_view(raw, randomness.augmentation, erasing=settings.erasing) for _ in self.pairs
            ]
            losses = self._losses(
                views,
                torch.from_numpy(labels[indices]).to(self._device),
                [centre[indices] for centre in mates],
            )
            optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            for teacher in teachers:
                teacher.update()
            self._iterations += 1
            self._report(epoch, losses)

    def _losses(self, views: list[Tensor], labels: Tensor, mates: list[Tensor]) -> dict[str, Tensor]:
        """Eq 20 over both students, and its parts (means over both) for the plots."""
        students, teachers = self._forward(views)
        parts: list[dict[str, Tensor]] = []
        for this, other in ((0, 1), (1, 0)):
            pair = self.pairs[this]
            student, teacher = students[this], teachers[other]
            scale = self._settings.triplet_scale
            ranked = triplet_features(student.pooled, scale)
            logits = pair.student_classifier(student.neck)
            with torch.no_grad():
                teacher_logits = self.pairs[other].teacher_classifier(teacher.neck)
            parts.append(
                {
                    "identity": identity_loss(logits, labels, smoothing=self._settings.smoothing),
                    "soft_identity": soft_identity_loss(logits, teacher_logits),
                    "triplet": triplet_loss(ranked, labels, margin=self._settings.triplet_margin),
                    "soft_triplet": soft_triplet_loss(
                        ranked, triplet_features(teacher.pooled, scale), labels
                    ),
                    "attraction": attraction_loss(student.neck, mates[other]),
                }
            )
        loss = torch.stack([adaptation_loss(self._weights, **part) for part in parts]).sum()
        return {"loss": loss} | {key: (parts[0][key] + parts[1][key]).detach() / 2 for key in parts[0]}

    def _forward(self, views: list[Tensor]) -> tuple[list[Features], list[Features]]:
        """Features of both students and of both teachers, each network on its own view of the images."""
        with autocast(self._device, enabled=self._bfloat16):
            students = [pair.student.features(view) for pair, view in zip(self.pairs, views, strict=True)]
            with torch.no_grad():
                teachers = [pair.teacher.features(view) for pair, view in zip(self.pairs, views, strict=True)]
        return students, teachers

    def _report(self, epoch: int, losses: dict[str, Tensor]) -> None:
        settings = self._settings
        self._reporter.progress(self._iterations, settings.epochs * settings.iterations_per_epoch)
        if time.monotonic() - self._reported > REPORT_EVERY:
            self._reported = time.monotonic()
            self._reporter.metric(
                epoch=epoch + 1, **{name: float(value.detach()) for name, value in losses.items()}
            )

    def _tensor(self, array: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    def _save(self, checkpoint: Path) -> None:
        save_checkpoint(
            checkpoint,
            {
                "pairs": [pair.state_dict() for pair in self.pairs],
                "history": [record.as_dict() for record in self.history],
                "iterations": self._iterations,
            },
        )

    def _restore(self, checkpoint: Path) -> None:
        state = load_checkpoint(checkpoint)
        for pair, saved in zip(self.pairs, state["pairs"], strict=True):
            pair.load_state_dict(saved)
        self.history = [
            EpochRecord(**(record | {"scores": tuple(record["scores"])})) for record in state["history"]
        ]
        self._iterations = int(state["iterations"])


def _mean(features: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The normalised mean of both teachers' features."""
    return F.normalize(torch.from_numpy(np.mean(features, axis=0))).numpy()
