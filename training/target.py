"""What stage 3 is given of the target: images, and what is known of them without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.datasets import UNKNOWN
from training.images import ImageStore

Integers = NDArray[np.int64]


def _no_pairs() -> Integers:
    return np.empty((0, 2), np.int64)


@dataclass(frozen=True)
class Circumstances:
    """What is known of N images without knowing whom they show.

    Attributes:
        cameras: int64 [N], -1 where not known.
        tracks: int64 [N], -1 where not known. Images of one track show one person.
        co_seen: int64 [M, 2], pairs of tracks that show two people, because one frame shows both.
    """

    cameras: Integers
    tracks: Integers
    co_seen: Integers = field(default_factory=_no_pairs)

    @classmethod
    def unknown(cls, count: int) -> Circumstances:
        """Nothing is known of ``count`` images."""
        return cls(np.full(count, UNKNOWN, np.int64), np.full(count, UNKNOWN, np.int64))


@dataclass(frozen=True)
class Target:
    """Unlabelled images, uint8 RGB [N, H, W, 3], and their circumstances."""

    images: NDArray[np.uint8]
    circumstances: Circumstances

    @classmethod
    def of(cls, store: ImageStore, co_seen: Sequence[tuple[int, int]] = ()) -> Target:
        """The decoded images of a target data set, with its pairs of tracks that were seen together."""
        pairs = np.array(co_seen, np.int64).reshape(-1, 2)
        return cls(store.images, Circumstances(store.cameras, store.tracks, pairs))
