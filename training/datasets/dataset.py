"""What a data set is: images with person and camera, and what learning and evaluation ask of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from training.errors import DatasetError

UNKNOWN = -1
SMALLEST_TARGET = 8


@dataclass(frozen=True)
class Sample:
    """One image: where it lies, whom it shows, which camera took it and on which track (-1: not known)."""

    path: Path
    identity: int = UNKNOWN
    camera: int = UNKNOWN
    track: int = UNKNOWN


@dataclass(frozen=True)
class Dataset:
    """Images of people, in a fixed order.

    Attributes:
        name: the folder's name.
        layout: how the folder is laid out, in words.
        root: the folder.
        images: what can be learnt from; without identities in a target.
        query: the data set's own queries, or ``None`` where it has no split of its own.
        gallery: the data set's own gallery, or ``None``; distractors have identity -1.
        co_seen: pairs of tracks that were seen in one frame, so that they are two people.
        problems: what was left out or has to be known, one line each.
    """

    name: str
    layout: str
    root: Path
    images: tuple[Sample, ...]
    query: tuple[Sample, ...] | None = None
    gallery: tuple[Sample, ...] | None = None
    co_seen: tuple[tuple[int, int], ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def identities(self) -> int:
        """Number of different people in ``images``."""
        return len({sample.identity for sample in self.images} - {UNKNOWN})

    @property
    def cameras(self) -> int:
        """Number of different known cameras in ``images``."""
        return len({sample.camera for sample in self.images} - {UNKNOWN})


def fingerprint(dataset: Dataset) -> str:
    """The same for the same images, persons, cameras and tracks in the same order, wherever the folder lies.

    Files are told apart by name and size.
    """
    digest = hashlib.sha256()
    for sample in dataset.images:
        path = sample.path.relative_to(dataset.root).as_posix()
        size = sample.path.stat().st_size if sample.path.exists() else -1
        digest.update(f"{path}\t{size}\t{sample.identity}\t{sample.camera}\t{sample.track}\n".encode())
    return digest.hexdigest()


def require_source(dataset: Dataset) -> None:
    """Check that people can be told apart by learning from ``dataset``.

    Raises:
        DatasetError: fewer than two people have two images each.
    """
    images = Counter(sample.identity for sample in dataset.images if sample.identity != UNKNOWN)
    usable = sum(count >= 2 for count in images.values())
    if usable < 2:
        raise DatasetError(
            f"{dataset.root} cannot be a source: a source needs at least two people with two images each,"
            f" and this {dataset.layout} folder has {usable} (of {len(images)} people in"
            f" {len(dataset.images)} images); choose a larger data set."
        )


def require_target(dataset: Dataset) -> None:
    """Check that ``dataset`` has enough crops to look for clusters in.

    Raises:
        DatasetError: there are fewer than eight.
    """
    if len(dataset.images) < SMALLEST_TARGET:
        raise DatasetError(
            f"{dataset.root} cannot be a target: {len(dataset.images)} crops are too few to adapt to, at"
            f" least {SMALLEST_TARGET} are needed; import more footage."
        )
