"""What turns features into probabilities of clusters in stage 3: a classifier, or a memory of the centres."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from training.memory import ClusterMemory
from training.settings import TeacherStudentSettings


class Head(ABC):
    """One network's head for one epoch's clusters."""

    @abstractmethod
    def student(self, features: Tensor) -> Tensor:
        """Logits of the student's neck features: [N, D] -> [N, C]."""

    @abstractmethod
    def teacher(self, features: Tensor) -> Tensor:
        """Logits of the teacher's neck features: [N, D] -> [N, C]."""

    @abstractmethod
    def update(self, features: Tensor, labels: Tensor) -> None:
        """Take note of a batch: the student's neck features [N, D] and their clusters [N]."""

    def learns(self) -> nn.Module:
        """The part that the optimiser trains."""
        return nn.ModuleList()

    def follows(self) -> nn.Module:
        """The part that follows :meth:`learns` as the teacher does."""
        return nn.ModuleList()


class ClassifierHead(Head):
    """A linear classifier without bias whose rows start as the centres, and its mean teacher (MMT)."""

    def __init__(self, centres: Tensor) -> None:
        """Start from the clusters' ``centres`` [C, D], of unit length."""
        clusters, size = centres.shape
        self._student, self._teacher = (
            nn.Linear(size, clusters, bias=False, device=centres.device) for _ in range(2)
        )
        for classifier in (self._student, self._teacher):
            with torch.no_grad():
                classifier.weight.copy_(centres)
        self._teacher.requires_grad_(False)

    def student(self, features: Tensor) -> Tensor:
        """[N, D] -> [N, C]."""
        logits: Tensor = self._student(features)
        return logits

    def teacher(self, features: Tensor) -> Tensor:
        """[N, D] -> [N, C]."""
        logits: Tensor = self._teacher(features)
        return logits

    def update(self, features: Tensor, labels: Tensor) -> None:
        """Nothing: the optimiser moves a classifier."""

    def learns(self) -> nn.Module:
        """The student's classifier."""
        return self._student

    def follows(self) -> nn.Module:
        """The teacher's classifier."""
        return self._teacher


class MemoryHead(Head):
    """A :class:`training.memory.ClusterMemory` that the student moves and the teacher shares."""

    def __init__(self, centres: Tensor, *, temperature: float, momentum: float) -> None:
        """Start from the clusters' ``centres`` [C, D], of unit length."""
        self._memory = ClusterMemory(centres, temperature=temperature, momentum=momentum)

    def student(self, features: Tensor) -> Tensor:
        """[N, D] -> [N, C]."""
        return self._memory.logits(features)

    def teacher(self, features: Tensor) -> Tensor:
        """[N, D] -> [N, C]."""
        return self._memory.logits(features)

    def update(self, features: Tensor, labels: Tensor) -> None:
        """Move the centres towards the batch's features."""
        self._memory.update(features, labels)


def build_head(centres: Tensor, settings: TeacherStudentSettings) -> Head:
    """The head that ``settings`` name, from the clusters' ``centres`` [C, D].

    Raises:
        ValueError: no such head.
    """
    if settings.head == "classifier":
        return ClassifierHead(centres)
    if settings.head == "memory":
        return MemoryHead(centres, temperature=settings.memory_temperature, momentum=settings.memory_momentum)
    raise ValueError(f"no head {settings.head!r}; there are: classifier, memory")
