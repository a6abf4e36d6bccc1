"""How well boxes agree with labelled boxes: shared by the footage benchmarks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Boxes = NDArray[np.floating]


@dataclass(frozen=True)
class BoxFigures:
    """How right boxes and their identities are, at one intersection over union, over all frames.

    ``purity`` is the share of right boxes that show the person whom their track shows most: a search answers with
    tracks, and what is impure in one misleads it, while a person in two tracks is merely found twice.
    """

    precision: float
    recall: float
    purity: float
    idf1: float
    id_switches: int
    boxes: int
    labelled: int


def overlaps(first: Boxes, second: Boxes) -> Boxes:
    """Intersection over union, [N, M], of boxes (left, top, width, height, ...) [N, 4+] and [M, 4+]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum((first[:, :2] + first[:, 2:4])[:, None], (second[:, :2] + second[:, 2:4])[None])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = first[:, 2:4].prod(axis=1)[:, None] + second[:, 2:4].prod(axis=1)[None]
    return shared / np.maximum(areas - shared, 1e-9)


def matches(first: Boxes, second: Boxes, minimum: float = 0.5) -> list[tuple[int, int]]:
    """The best one-to-one pairs of rows that overlap by at least ``minimum``."""
    if not len(first) or not len(second):
        return []
    shared = overlaps(first, second)
    rows, columns = linear_sum_assignment(np.where(shared >= minimum, shared, 0), maximize=True)
    return [(r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if shared[r, c] >= minimum]


def compare(found: Mapping[int, Boxes], truth: Mapping[int, Boxes], minimum: float = 0.5) -> BoxFigures:
    """Compare boxes of each frame, [N, 5] (left, top, width, height, identity), with labelled ones alike."""
    import motmetrics

    accumulator = motmetrics.MOTAccumulator()
    shown: dict[int, Counter[int]] = defaultdict(Counter)
    total_found = total_true = 0
    nothing = np.zeros((0, 5))
    for frame in sorted(set(found) | set(truth)):
        ours, theirs = found.get(frame, nothing), truth.get(frame, nothing)
        for mine, true in matches(ours, theirs, minimum):
            shown[int(ours[mine, 4])][int(theirs[true, 4])] += 1
        total_found, total_true = total_found + len(ours), total_true + len(theirs)
        shared = overlaps(theirs, ours)
        accumulator.update(
            theirs[:, 4].astype(int),
            ours[:, 4].astype(int),
            np.where(shared >= minimum, 1 - shared, np.nan),
            frameid=frame,
        )
    summary = motmetrics.metrics.create().compute(accumulator, metrics=["idf1", "num_switches"])
    right = sum(people.total() for people in shown.values())
    return BoxFigures(
        precision=right / max(1, total_found),
        recall=right / max(1, total_true),
        purity=sum(max(people.values()) for people in shown.values()) / max(1, right),
        idf1=float(summary["idf1"].iloc[0]),
        id_switches=int(summary["num_switches"].iloc[0]),
        boxes=total_found,
        labelled=total_true,
    )
