"""The source kept in the batches of stage 3, so that what its labels taught is not forgotten.

Beyond the paper: SpCL (Ge et al. 2020) keeps the source beside the target, each with norms of its own. Here only the
statistics are apart: a source batch is normalised by its own and leaves no trace in the running ones, which stay the
target's. Scale and shift are shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.features import batch_features, embed
from training.losses import identity_loss, pretraining_loss, triplet_loss
from training.memory import ClusterMemory
from training.networks.embedding import EmbeddingNetwork
from training.networks.normalisation import statistics_kept
from training.pretraining import training_view, triplet_features
from training.progress import Reporter
from training.pseudo_labels import cluster_centres
from training.randomness import draw_beside
from training.sampling import identity_batches
from training.settings import TeacherStudentSettings


@dataclass(frozen=True)
class Source:
    """Labelled images.

    Attributes:
        images: uint8 RGB [N, H, W, 3]; may be memory-mapped.
        identities: int64 [N], 0..C-1.
        cameras: int64 [N], -1 where not known.
    """

    images: NDArray[np.uint8]
    identities: NDArray[np.int64]
    cameras: NDArray[np.int64]


class SourceLesson:
    """What each student goes on learning from the source: eq 9, against a memory of the source people's centres."""

    def __init__(
        self,
        source: Source,
        settings: TeacherStudentSettings,
        *,
        device: torch.device,
        bfloat16: bool,
        reporter: Reporter,
    ) -> None:
        self._source = source
        self._settings = settings
        self._device = device
        self._bfloat16 = bfloat16
        self._reporter = reporter
        self._memories: list[ClusterMemory] = []
        self._views = torch.Generator(device=device)
        self._batches: Iterator[NDArray[np.int64]] = iter(())

    def start_epoch(self, students: Sequence[EmbeddingNetwork], seed: int, epoch: int) -> None:
        """Draw the epoch's batches; before the first epoch, when students are alike, take the centres they see."""
        if not self._memories:
            features = embed(
                students[0],
                self._source.images,
                device=self._device,
                bfloat16=self._bfloat16,
                reporter=self._reporter,
            )
            centres = torch.from_numpy(cluster_centres(features, self._source.identities))
            self._remember([centres for _ in students])
        settings = self._settings
        randomness = draw_beside(seed, "source", epoch, self._device)
        self._views = randomness.augmentation
        self._batches = identity_batches(
            self._source.identities,
            self._source.cameras,
            num_identities=settings.identities,
            num_instances=settings.instances,
            steps=settings.iterations_per_epoch,
            rng=randomness.sampling,
        )

    def losses(self, students: Sequence[EmbeddingNetwork]) -> Tensor:
        """Eq 9 of each of ``students`` on the next batch, each on a view of its own: [S]."""
        settings = self._settings
        indices = next(self._batches)
        raw = torch.from_numpy(self._source.images[indices]).to(self._device)
        labels = torch.from_numpy(self._source.identities[indices]).to(self._device)
        losses = []
        for student, memory in zip(students, self._memories, strict=True):
            view = training_view(raw, self._views)
            with statistics_kept(student):
                features = batch_features(student, view, device=self._device, bfloat16=self._bfloat16)
            ranked = triplet_features(features.pooled, settings.triplet_scale)
            identity = identity_loss(memory.logits(features.neck), labels, smoothing=0.0)
            losses.append(
                pretraining_loss(identity, triplet_loss(ranked, labels, margin=settings.triplet_margin))
            )
            memory.update(features.neck, labels)
        return torch.stack(losses)

    def state_dict(self) -> list[Tensor]:
        """What a checkpoint keeps: the centres of each student's memory."""
        return [memory.centres for memory in self._memories]

    def load_state_dict(self, state: list[Tensor]) -> None:
        """Take over what :meth:`state_dict` gave."""
        self._remember(state)

    def _remember(self, centres: list[Tensor]) -> None:
        settings = self._settings
        self._memories = [
            ClusterMemory(
                each.to(self._device),
                temperature=settings.memory_temperature,
                momentum=settings.memory_momentum,
            )
            for each in centres
        ]
