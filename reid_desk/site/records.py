"""What a site holds, as plain values.

Times are UTC seconds since the epoch; boxes are ``left, top, width, height`` in pixels of the original
frame; scores lie in 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FINAL_STATES = frozenset({"finished", "failed", "cancelled", "interrupted"})
RUN_STATES = frozenset({"queued", "starting", "running", "cancelling"}) | FINAL_STATES


@dataclass(frozen=True, slots=True)
class Camera:
    """A viewpoint of the site."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Clip:
    """One video file, or folder of frames, that a camera recorded; referenced, never altered.

    Attributes:
        started_from: what ``started_at`` rests on: ``given``, ``metadata``, ``file name``, ``file time``.
        duration, frames: ``None`` until the clip is imported.
        state: ``importing``, ``imported`` or ``failed``; ``message`` says why it failed.
        detector: name of the detector that found its people.
        tracks, crops: how many of each the clip holds.
    """

    id: int
    camera_id: int
    camera: str
    path: str
    sha256: str
    size: int
    started_at: float
    started_from: str
    fps: float
    width: int
    height: int
    duration: float | None
    frames: int | None
    state: str
    message: str | None
    detector: str
    tracks: int
    crops: int
    imported_at: float | None


@dataclass(frozen=True, slots=True)
class Track:
    """One person's consecutive detections in one clip; ``length`` counts its boxes."""

    id: int
    clip_id: int
    camera_id: int
    first_frame: int
    last_frame: int
    started_at: float
    ended_at: float
    length: int


@dataclass(frozen=True, slots=True)
class Box:
    """Where a track's person is in one frame."""

    frame: int
    time: float
    left: float
    top: float
    width: float
    height: float
    score: float


@dataclass(frozen=True, slots=True)
class Crop:
    """One person's image cut out of a frame; its JPEG bytes come from ``Site.crop_image``."""

    id: int
    track_id: int
    clip_id: int
    camera_id: int
    frame: int
    time: float
    left: float
    top: float
    width: float
    height: float
    score: float
    quality: float


@dataclass(frozen=True, slots=True)
class NewCrop:
    """A crop about to be stored, with its JPEG bytes."""

    frame: int
    time: float
    left: float
    top: float
    width: float
    height: float
    score: float
    quality: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class NewTrack:
    """A track about to be stored: its boxes in the order of time, and the best few of its crops."""

    boxes: Sequence[Box]
    crops: Sequence[NewCrop]


@dataclass(frozen=True, slots=True, eq=False)
class CropTable:
    """Crops as columns, for ranking: int64 ``[N]`` ids and float64 ``[N]`` times."""

    crop_id: npt.NDArray[np.int64]
    track_id: npt.NDArray[np.int64]
    camera_id: npt.NDArray[np.int64]
    time: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.crop_id)


@dataclass(frozen=True, slots=True)
class Source:
    """A labelled data set that the site knows; ``role`` is ``source`` or ``evaluation``."""

    id: int
    name: str
    path: str
    layout: str
    identities: int
    cameras: int
    images: int
    role: str
    added_at: float


@dataclass(frozen=True, slots=True)
class Model:
    """An embedding network of the site; ``path`` is its ``model.onnx``, ``card`` says what it is."""

    id: str
    name: str
    path: Path
    card: Mapping[str, Any]
    run_id: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a job, with its folder of events, checkpoints and previews.

    Attributes:
        state: ``queued``, ``starting``, ``running``, ``cancelling``, or a final one: ``finished``,
            ``failed``, ``cancelled``, ``interrupted``.
        pid: process that works on it.
        finished_at: ``None`` until the state is final.
    """

    id: str
    kind: str
    state: str
    spec: Mapping[str, Any]
    report: Mapping[str, Any] | None
    message: str | None
    pid: int | None
    started_at: float
    finished_at: float | None
    folder: Path


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a model ranks a labelled set.

    ``metrics`` holds ``mAP``, ``rank1``, ``rank5``, ``rank10`` and where known ``cmc`` (from rank 1 on) and
    the numbers of ``queries`` and ``gallery`` images.
    """

    id: int
    model_id: str
    label: str
    dataset: str
    metrics: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True, slots=True)
class Revision:
    """Tells cheaply whether what is searched has changed.

    Attributes:
        crops: grows with every change to the site's crops.
        vectors: grows when crops get vectors by the current model.
        rewritten: grows when crops or vectors that were there are removed or replaced; as long as it stays,
            what was read before is still right, only not complete.
        model_id: the current model.
    """

    crops: int
    vectors: int
    rewritten: int
    model_id: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom somebody is looking for: a track of the site, or a picture from elsewhere.

    Attributes:
        track_id: the track, or ``None``.
        image: SHA-256 of the picture's file, or ``None``.
    """

    track_id: int | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an operator said of a possible match.

    Attributes:
        track_id: of the match.
        crop_id: the crop of it that was looked at.
        same: whether it shows the person looked for.
        judged_at: UTC seconds since the epoch.
    """

    track_id: int
    crop_id: int
    same: bool
    judged_at: float
