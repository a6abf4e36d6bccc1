"""Which images make a batch: some people, some images of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

Integers = NDArray[np.int64]


def identity_batches(
    labels: Integers,
    cameras: Integers,
    *,
    steps: int,
    rng: np.random.Generator,
    num_identities: int = 16,
    num_instances: int = 4,
) -> Iterator[Integers]:
    """Yield ``steps`` batches of ``num_identities`` people with ``num_instances`` images each.

    All people come up before one comes again. Images of one person are drawn from different cameras first,
    and repeat where there are too few. With fewer people than ``num_identities``, people repeat within a
    batch, so that every batch has the same size.

    Args:
        labels: [N] identities or pseudo-labels; -1 is noise and never drawn.
        cameras: [N] cameras; -1 is unknown.
        steps: number of batches.
        rng: makes the choice; the same state gives the same batches.
        num_identities: people in a batch.
        num_instances: images of each.

    Yields:
        [num_identities * num_instances] positions in ``labels``, the images of one person side by side.

    Raises:
        TrainingError: fewer than two labels are left to learn from.
    """
    people = _positions_by_label(labels)
    if len(people) < 2:
        raise TrainingError(
            f"There are {len(people)} labelled people to learn from and at least two are needed:"
            " give more images, or a larger eps where these are clusters."
        )
    for chosen in _people(len(people), num_identities, steps, rng):
        images = [_images(people[person], cameras, num_instances, rng) for person in chosen]
        yield np.concatenate(images)


def _positions_by_label(labels: Integers) -> list[Integers]:
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, starts) if len(order) else []


def _people(count: int, num_identities: int, steps: int, rng: np.random.Generator) -> Iterator[Integers]:
    queue = np.empty(0, np.int64)
    for _ in range(steps):
        while len(queue) < num_identities:
            fresh = rng.permutation(count)
            # Who is still waiting goes last, so that nobody is twice in the batch that spans two rounds.
            waiting = np.isin(fresh, queue)
            queue = np.concatenate([queue, fresh[~waiting], fresh[waiting]])
        yield queue[:num_identities]
        queue = queue[num_identities:]


def _images(positions: Integers, cameras: Integers, count: int, rng: np.random.Generator) -> Integers:
    shuffled = rng.permutation(positions)
    by_round = shuffled[np.argsort(_round(cameras[shuffled]), kind="stable")]
    return np.resize(by_round, count)


def _round(cameras: Integers) -> Integers:
    """How often each image's camera has come up before it; unknown cameras count as all different."""
    rounds = np.zeros(len(cameras), np.int64)
    for camera in np.unique(cameras[cameras >= 0]):
        same = np.flatnonzero(cameras == camera)
        rounds[same] = np.arange(len(same))
    return rounds
