"""Stage 3: two students and two mean teachers adapt to the unlabelled target (Algorithm 3, eqs 15 to 20).

Each epoch clusters the target with the teachers' features; the clusters are the hard labels. Each student learns
from them, from the *other* network's teacher's soft labels, and is drawn to the centres of its images' nearest
cluster-mates.
"""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from training import processes
from training.checkpoints import is_there, load_checkpoint, save_checkpoint
from training.clustering import Clustering
from training.errors import ClusteringError, TrainingError
from training.features import batch_features, embed
from training.heads import Head, build_head
from training.losses import (
    AdaptationTerms,
    AdaptationWeights,
    adaptation_loss,
    attraction_loss,
    camera_proxy_loss,
    identity_loss,
    soft_identity_loss,
    soft_triplet_loss,
    triplet_loss,
)
from training.memory import CameraProxies
from training.model_selection import Evidence, score
from training.networks.embedding import EmbeddingNetwork, Features
from training.networks.normalisation import set_norm_group
from training.optimisation import MeanTeacher, build_optimiser, rate_factor, set_rate
from training.pretraining import REPORT_EVERY, training_view, triplet_features
from training.progress import Reporter
from training.pseudo_labels import (
    CameraParts,
    cluster_centres,
    cluster_target,
    mate_centres,
    split_by_camera,
)
from training.randomness import start_epoch
from training.sampling import identity_batches
from training.settings import TeacherStudentSettings
from training.source_lesson import Source, SourceLesson
from training.speed import StepMeter
from training.target import Target


@dataclass(frozen=True)
class EpochRecord:
    """What an epoch's clustering gave: written into the report."""

    epoch: int
    clusters: int
    noise: float  # share of the target left out, 0..1
    eps: float | None
    scores: tuple[float, ...]  # the label-free score of each teacher, higher is better
    warning: str | None = None  # where the clusters are not those of the settings: what was done

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {
            "epoch": self.epoch,
            "clusters": self.clusters,
            "noise": self.noise,
            "eps": self.eps,
            "scores": list(self.scores),
            "warning": self.warning,
        }


@dataclass(frozen=True)
class Adapted:
    """The kept network, and how it came about.

    Attributes:
        network: the better teacher, in evaluation mode.
        history: one record an epoch.
        kept: which of the two it is, 0 or 1.
        scores: the label-free score of each at the end.
    """

    network: EmbeddingNetwork
    history: tuple[EpochRecord, ...]
    kept: int
    scores: tuple[float, ...]


@dataclass
class _Pair:
    """One student and its teacher."""

    student: EmbeddingNetwork
    teacher: EmbeddingNetwork

    def state_dict(self) -> dict[str, object]:
        return {"student": self.student.state_dict(), "teacher": self.teacher.state_dict()}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])


def _new_pair(network: EmbeddingNetwork, norm_group: int, *, compiled: bool) -> _Pair:
    student, teacher = copy.deepcopy(network), copy.deepcopy(network)
    for module in (student, teacher):
        set_norm_group(module, norm_group)
        module.train()
        if compiled:  # a copy never is
            module.backbone.compile()
    teacher.requires_grad_(False)
    return _Pair(student, teacher)


@dataclass(frozen=True)
class _Batch:
    """Positions, clusters and camera proxies of a batch's images, [B] each."""

    indices: NDArray[np.int64]
    labels: Tensor
    parts: Tensor


@dataclass
class _Lesson:
    """What one network learns against in one epoch."""

    head: Head
    mates: Tensor  # C(y) of eq 19 of this network's own features, [N, D]
    proxies: CameraProxies | None


class TeacherStudent:
    """Algorithm 3.

    Attributes:
        pairs: the two networks, each a student with its teacher. One alone is its own other: self-training with a
            mean teacher, the baseline that the method is compared with.
        history: one record a finished epoch.
    """

    def __init__(
        self,
        networks: Sequence[EmbeddingNetwork],
        target: Target,
        settings: TeacherStudentSettings,
        *,
        device: torch.device,
        bfloat16: bool,
        compiled: bool = False,
        seed: int,
        reporter: Reporter,
        source: Source | None = None,
        meter: StepMeter | None = None,
    ) -> None:
        """Begin with a student and a teacher from each of ``networks``.

        Args:
            networks: one or two, of stage 2; copied.
            target: the unlabelled crops.
            settings: of this stage.
            device: where to compute.
            bfloat16: whether to use autocast.
            compiled: whether to run the backbones through torch.compile.
            seed: of sampling, augmentation and K-means.
            reporter: told progress and losses; its cancellation error passes through.
            source: what is kept in the batches if ``settings.source_weight`` asks for it.
            meter: measures the steps.

        Raises:
            TrainingError: the source is asked for and not given.
        """
        self._source = None
        if settings.source_weight:
            if source is None:
                raise TrainingError(
                    "teacher_student.source_weight keeps the source in the batches, and there is none here; set it to 0"
                )
            self._source = SourceLesson(source, settings, device=device, bfloat16=bfloat16, reporter=reporter)
        self._meter = meter or StepMeter()
        self.pairs = tuple(_new_pair(network, settings.norm_group, compiled=compiled) for network in networks)
        self.history: list[EpochRecord] = []
        self._images = target.images
        self._known = target.circumstances
        self._settings = settings
        self._device = device
        self._bfloat16 = bfloat16
        self._seed = seed
        self._reporter = reporter
        self._teachers_speak = settings.soft_identity_weight > 0 or settings.soft_triplet_weight > 0
        self._optimiser: torch.optim.Optimizer | None = None
        self._weights = AdaptationWeights(
            settings.soft_identity_weight,
            settings.soft_triplet_weight,
            settings.identity_weight,
            settings.triplet_weight,
        )
        self._clustering: Clustering | None = None  # the latest that gave something to learn from
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
        if checkpoint and is_there(checkpoint):
            self._restore(checkpoint)
        for epoch in range(len(self.history), self._settings.epochs):
            self._run_epoch(epoch)
            if checkpoint:
                self._save(checkpoint)
            if on_epoch:
                on_epoch(self, epoch + 1)
        scores = self.scores()
        kept = int(np.argmax(scores))
        return Adapted(self.pairs[kept].teacher.eval(), tuple(self.history), kept, scores)

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

    def scores(self) -> tuple[float, ...]:
        """The label-free score of each teacher as it is now, on one clustering of their mean features."""
        features, evidence = self.evidence()
        return self._scores(features, evidence)

    def evidence(self) -> tuple[list[NDArray[np.float32]], Evidence]:
        """Each teacher's features as they are now, and what label-free scores are taken on."""
        features = self.teacher_features()
        clustering = self._cluster(features, epoch=self._settings.epochs)
        return features, Evidence(clustering.labels, self._known)

    def _scores(self, features: list[NDArray[np.float32]], evidence: Evidence) -> tuple[float, ...]:
        return processes.from_main(
            lambda: tuple(score(each, evidence, self._settings.selection) for each in features)
        )

    def _cluster(self, features: list[NDArray[np.float32]], *, epoch: int) -> Clustering:
        """Cluster the target; where that gives nothing, go on with the clusters of the epoch before."""
        try:
            clustering = processes.from_main(
                lambda: cluster_target(
                    _mean(features),
                    self._settings,
                    circumstances=self._known,
                    seed=self._seed + epoch,
                    device=str(self._device),
                    check_cancelled=self._reporter.check_cancelled,
                )
            )
        except ClusteringError as error:
            if self._clustering is None:
                raise
            warning = f"{error} The clusters of the epoch before are kept."
            self._reporter.message(warning, level="warning")
            return dataclasses.replace(self._clustering, warning=warning)
        if clustering.warning:
            self._reporter.message(clustering.warning, level="warning")
        self._clustering = clustering
        return clustering

    def _run_epoch(self, epoch: int) -> None:
        features = self.teacher_features()
        clustering = self._cluster(features, epoch=epoch)
        scores = self._scores(features, Evidence(clustering.labels, self._known))
        record = EpochRecord(
            epoch + 1, clustering.clusters, clustering.noise, clustering.eps, scores, clustering.warning
        )
        self._reporter.metric(
            epoch=record.epoch, clusters=record.clusters, noise=record.noise, score=max(scores)
        )
        parts = split_by_camera(clustering.labels, self._known.cameras)
        lessons = [self._lesson(each, clustering.labels, parts) for each in features]
        self._train_epoch(epoch, clustering.labels, parts.labels, lessons)
        for pair in self.pairs:
            processes.average_norms(pair.student)
            processes.average_norms(pair.teacher)
        self.history.append(record)

    def _lesson(
        self, features: NDArray[np.float32], labels: NDArray[np.int64], parts: CameraParts
    ) -> _Lesson:
        """What the network with these teacher ``features`` [N, D] learns against while ``labels`` [N] hold."""
        settings = self._settings
        head = build_head(self._tensor(cluster_centres(features, labels)), settings)
        mates = self._tensor(mate_centres(features, labels, n=settings.attraction_mates))
        if not settings.proxy_weight:
            return _Lesson(head, mates, None)
        proxies = CameraProxies(
            self._tensor(cluster_centres(features, parts.labels)),
            torch.from_numpy(parts.clusters).to(self._device),
            torch.from_numpy(parts.cameras).to(self._device),
            temperature=settings.proxy_temperature,
            momentum=settings.memory_momentum,
        )
        return _Lesson(head, mates, proxies)

    def _train_epoch(
        self, epoch: int, labels: NDArray[np.int64], parts: NDArray[np.int64], lessons: list[_Lesson]
    ) -> None:
        settings = self._settings
        randomness = start_epoch(self._seed, "teacher_student", epoch, self._device)
        students = [pair.student for pair in self.pairs]
        if self._source is not None:
            self._source.start_epoch(students, self._seed, epoch)
        optimisers = self._optimisers(lessons)
        teachers = self._mean_teachers(lessons)
        labels_there, parts_there = (torch.from_numpy(each).to(self._device) for each in (labels, parts))
        chosen = identity_batches(
            labels,
            self._known.cameras,
            num_identities=settings.identities,
            num_instances=settings.instances,
            steps=settings.iterations_per_epoch,
            rng=randomness.sampling,
        )
        batches = ((indices, self._views(indices, randomness.augmentation)) for indices in chosen)
        for indices, views in self._meter.steps(batches, images=settings.identities * settings.instances):
            self._reporter.check_cancelled()
            total = settings.epochs * settings.iterations_per_epoch
            factor = rate_factor(self._iterations, total, schedule=settings.schedule)
            losses = self._losses(
                views, _Batch(indices, labels_there[indices], parts_there[indices]), lessons
            )
            if self._source is not None:
                of_source = self._source.losses(students)
                losses["source"] = of_source.detach().mean()
                losses["loss"] = losses["loss"] + settings.source_weight * of_source.sum()
            for optimiser in optimisers:
                set_rate(optimiser, settings.learning_rate * factor)
                optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            for optimiser in optimisers:
                processes.average_gradients(optimiser)
                optimiser.step()
            for teacher in teachers:
                teacher.update()
            self._iterations += 1
            self._report(epoch, losses)

    def _views(self, indices: NDArray[np.int64], generator: torch.Generator) -> list[Tensor]:
        """A view of its own for each network."""
        raw = torch.from_numpy(self._images[indices]).to(self._device)
        return [training_view(raw, generator, erasing=self._settings.erasing) for _ in self.pairs]

    def _mean_teachers(self, lessons: list[_Lesson]) -> list[MeanTeacher]:
        return [
            MeanTeacher(
                nn.ModuleList([pair.teacher, lesson.head.follows()]),
                nn.ModuleList([pair.student, lesson.head.learns()]),
                alpha=self._settings.alpha,
                buffers=not self._teachers_speak,
                iteration=self._iterations,
            )
            for pair, lesson in zip(self.pairs, lessons, strict=True)
        ]

    def _optimisers(self, lessons: list[_Lesson]) -> list[torch.optim.Optimizer]:
        """One for the students, new every epoch unless it is to be kept, and one for heads that learn."""
        settings = self._settings

        def build(modules: list[nn.Module]) -> torch.optim.Optimizer:
            return build_optimiser(
                modules,
                name=settings.optimiser,
                learning_rate=settings.learning_rate,
                weight_decay=settings.weight_decay,
            )

        if self._optimiser is None or not settings.keep_optimiser:
            self._optimiser = build([pair.student for pair in self.pairs])
        heads = [lesson.head.learns() for lesson in lessons]
        learning = any(True for head in heads for _ in head.parameters())
        return [self._optimiser, build(heads)] if learning else [self._optimiser]

    def _losses(self, views: list[Tensor], batch: _Batch, lessons: list[_Lesson]) -> dict[str, Tensor]:
        """Eq 20 over all students, and its parts (means over them) for the plots."""
        students, teachers = self._forward(views)
        parts = [
            self._terms(
                students[this], teachers[other] if teachers else None, batch, lessons[this], lessons[other]
            )
            for this, other in ((this, (this + 1) % len(students)) for this in range(len(students)))
        ]
        terms = {field.name for field in dataclasses.fields(AdaptationTerms)}
        losses = [
            adaptation_loss(self._weights, AdaptationTerms(**{k: part[k] for k in part.keys() & terms}))
            for part in parts
        ]
        if self._settings.proxy_weight:
            losses += [self._settings.proxy_weight * part["proxies"] for part in parts]
        shown = {key: torch.stack([part[key].detach() for part in parts]).mean() for key in parts[0]}
        return {"loss": torch.stack(losses).sum()} | shown

    def _terms(
        self, student: Features, teacher: Features | None, batch: _Batch, lesson: _Lesson, other: _Lesson
    ) -> dict[str, Tensor]:
        """The terms of eq 20 that have a weight, for one student and the other network's teacher."""
        settings = self._settings
        scale = settings.triplet_scale
        ranked = triplet_features(student.pooled, scale)
        logits = lesson.head.student(student.neck)
        terms = {
            "identity": identity_loss(logits, batch.labels, smoothing=settings.smoothing),
            "triplet": triplet_loss(ranked, batch.labels, margin=settings.triplet_margin),
            "attraction": attraction_loss(student.neck, other.mates[batch.indices]),
        }
        if teacher is not None:
            with torch.no_grad():
                teacher_logits = other.head.teacher(teacher.neck)
            terms["soft_identity"] = soft_identity_loss(logits, teacher_logits)
            terms["soft_triplet"] = soft_triplet_loss(
                ranked, triplet_features(teacher.pooled, scale), batch.labels
            )
        if lesson.proxies is not None:
            proxies = lesson.proxies
            terms["proxies"] = camera_proxy_loss(
                proxies.logits(student.neck), batch.parts, proxies.clusters, proxies.cameras
            )
            proxies.update(student.neck, batch.parts)
        lesson.head.update(student.neck, batch.labels)
        return terms

    def _forward(self, views: list[Tensor]) -> tuple[list[Features], list[Features]]:
        """Features of both students and, if they have a say, of both teachers, each network on its own view."""

        def run(network: EmbeddingNetwork, view: Tensor) -> Features:
            return batch_features(network, view, device=self._device, bfloat16=self._bfloat16)

        students = [run(pair.student, view) for pair, view in zip(self.pairs, views, strict=True)]
        if not self._teachers_speak:
            return students, []
        with torch.no_grad():
            return students, [run(pair.teacher, view) for pair, view in zip(self.pairs, views, strict=True)]

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
                "source": self._source and self._source.state_dict(),
                "clustering": self._clustering and _plain(self._clustering),
                "optimiser": self._optimiser.state_dict()
                if self._optimiser and self._settings.keep_optimiser
                else None,
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
        if self._source is not None:
            self._source.load_state_dict(state["source"])
        self._clustering = _clustering_from(state["clustering"])
        if state["optimiser"] is not None:
            self._optimisers([])
            assert self._optimiser is not None
            self._optimiser.load_state_dict(state["optimiser"])


def _mean(features: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The normalised mean of both teachers' features."""
    return F.normalize(torch.from_numpy(np.mean(features, axis=0))).numpy()


def _plain(clustering: Clustering) -> dict[str, object]:
    """As a checkpoint keeps it."""
    return dataclasses.asdict(clustering) | {"labels": torch.from_numpy(clustering.labels)}


def _clustering_from(state: dict[str, Any] | None) -> Clustering | None:
    return Clustering(**(state | {"labels": state["labels"].numpy()})) if state else None
