"""Who is where in the demo's clips, and which person a track of the desk's own making follows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("clip", "frame", "identity", "left", "top", "width", "height", "visible")
Rows = NDArray[np.float64]


@dataclass(frozen=True)
class ClipTruth:
    """The people of one clip, one entry for each person and frame.

    Attributes:
        frame: Frame number, counted from 0, [N].
        identity: Number of the person [N].
        box: Left, top, width, height in pixels of the frame [N, 4].
        visible: Share of the person that is in the frame and not hidden, 0..1 [N].
    """

    frame: NDArray[np.int64]
    identity: NDArray[np.int64]
    box: Rows
    visible: Rows


def write_truth(
    path: Path, rows: Iterable[tuple[str, int, int, tuple[float, float, float, float], float]]
) -> None:
    """Write (clip, frame, identity, box, visible) rows as CSV with the columns :data:`COLUMNS`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for clip, frame, identity, box, visible in rows:
            writer.writerow([clip, frame, identity, *(f"{value:g}" for value in box), f"{visible:.3f}"])


def read_truth(path: Path) -> dict[str, ClipTruth]:
    """The truth of every clip, by the clip's file name."""
    clips: dict[str, list[list[float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            clips.setdefault(row["clip"], []).append([float(row[name]) for name in COLUMNS[1:]])
    return {clip: _clip_truth(np.array(rows)) for clip, rows in clips.items()}


def match_boxes(boxes: Rows, truth: ClipTruth, *, iou: float = 0.5) -> NDArray[np.int64]:
    """The person in each of ``boxes`` [K, 5] (frame, left, top, width, height): [K], -1 for nobody.

    A box belongs to the person of its frame whose box it overlaps most, where the overlap (intersection over
    union) is at least ``iou``.
    """
    found = np.full(len(boxes), -1, np.int64)
    for number, (frame, *box) in enumerate(boxes):
        here = np.flatnonzero(truth.frame == round(float(frame)))
        if not len(here):
            continue
        overlaps = _overlaps(np.array(box), truth.box[here])
        best = int(overlaps.argmax())
        if overlaps[best] >= iou:
            found[number] = truth.identity[here[best]]
    return found


def match_tracks(
    tracks: Mapping[int, Rows] | Sequence[Rows],
    truth: ClipTruth,
    *,
    iou: float = 0.5,
    majority: float = 0.7,
    coverage: float = 0.3,
) -> list[int | None]:
    """The person whom each track follows, in the order of ``tracks``; ``None`` where that is not clear.

    Args:
        tracks: The boxes of each track [K, 5]: frame, left, top, width, height in pixels of the frame.
        truth: The people of the same clip.
        iou: Least overlap for a box to belong to a person.
        majority: Least share of the matched boxes that must belong to the one person.
        coverage: Least share of the track's boxes that must match anybody.
    """
    every = tracks.values() if isinstance(tracks, Mapping) else tracks
    return [_one_person(match_boxes(boxes, truth, iou=iou), majority, coverage) for boxes in every]


def _one_person(identities: NDArray[np.int64], majority: float, coverage: float) -> int | None:
    matched = identities[identities >= 0]
    if len(matched) == 0 or len(matched) < coverage * len(identities):
        return None
    identity, count = Counter(matched.tolist()).most_common(1)[0]
    return int(identity) if count >= majority * len(matched) else None


def _clip_truth(rows: Rows) -> ClipTruth:
    return ClipTruth(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2:6], rows[:, 6])


def _overlaps(box: Rows, others: Rows) -> Rows:
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    return np.asarray(shared / (np.prod(box[2:]) + np.prod(others[:, 2:], axis=1) - shared))
