"""One pass over a clip: who was there, when, where, and their best crops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reid_desk.footage.appearance import changes, colours
from reid_desk.footage.clips import ClipInfo
from reid_desk.footage.crops import AnalysedCrop, CropChooser, Sighting, best, cut_out, visibilities
from reid_desk.footage.decode import Frame, frames
from reid_desk.footage.detectors import Detector
from reid_desk.footage.tracking import (
    BOX_DTYPE,
    Boxes,
    Tracker,
    TrackingSettings,
    interpolated,
    is_worth_keeping,
)

DEFAULT_ANALYSED_FPS = 10.0
"""Frames a second that are looked at unless told otherwise: walking people are followed well from 8 on."""

_CANDIDATES = 4  # crops kept while a track goes on, for each one wanted: it may turn out to be several people


@dataclass(frozen=True, eq=False)
class AnalysedTrack:
    """One person's detections in order, ``boxes`` [N] of ``tracking.BOX_DTYPE``, and their best ``crops``."""

    boxes: Boxes
    crops: list[AnalysedCrop]


@dataclass(frozen=True, eq=False)
class ClipAnalysis:
    """What one pass over a clip gave.

    ``tracks`` by time of their first box, ``frames`` up to the last one looked at, ``duration`` seconds, and
    ``warnings``: one line each about what could not be read.
    """

    tracks: list[AnalysedTrack]
    frames: int
    duration: float
    warnings: list[str]


def analyse(
    info: ClipInfo,
    detector: Detector,
    *,
    started_at: float,
    analysed_fps: float | None = None,
    crops_per_track: int = 8,
    tracking: TrackingSettings | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> ClipAnalysis:
    """Detect, follow and cut out the people of a clip, frame by frame in bounded memory.

    ``started_at`` is the UTC time of the first frame; ``analysed_fps`` how many frames a second are looked at
    at least (default ``DEFAULT_ANALYSED_FPS``; never more than the clip has). ``on_progress`` hears of frames
    done and their estimated number after each frame looked at; what it raises ends the analysis.

    Raises:
        FootageError: nothing of the clip can be decoded.
    """
    every = step(info.fps, analysed_fps or DEFAULT_ANALYSED_FPS)
    detector.reset()
    followed = _Followed(
        tracking or TrackingSettings(),
        fps=info.fps / every,
        sure_score=detector.sure_score,
        crops_per_track=crops_per_track,
    )
    warnings: list[str] = []
    done = 0
    last_offset = 0.0
    for frame in frames(info, every=every, on_warning=warnings.append):
        followed.add(frame, started_at + frame.time_offset, detector.detect(frame.image))
        done, last_offset = frame.index + 1, frame.time_offset
        if on_progress:
            on_progress(done, info.frames)
    return ClipAnalysis(followed.finish(), done, last_offset + 1 / info.fps, warnings)


def step(fps: float, analysed_fps: float) -> int:
    """Every how many frames of a clip with ``fps`` to look, to see at least ``analysed_fps`` a second."""
    return max(1, int(fps / analysed_fps + 1e-6))


@dataclass(eq=False)
class _Open:
    """A track that may go on: per detection its row of ``BOX_DTYPE``, its colours and its visibility."""

    crops: CropChooser
    rows: list[tuple[float, ...]] = field(default_factory=list)
    looks: list[NDArray[np.float32]] = field(default_factory=list)
    visibility: list[float] = field(default_factory=list)

    def persons(self) -> list[tuple[Boxes, list[AnalysedCrop]]]:
        """The boxes and crops of each person the tracker took for one and the same."""
        boxes = np.array(self.rows, dtype=BOX_DTYPE)
        crops = self.crops.crops()
        parts = np.split(boxes, changes(np.stack(self.looks), np.array(self.visibility, np.float32)))
        return [
            (part, [crop for crop in crops if part["frame"][0] <= crop.frame <= part["frame"][-1]])
            for part in parts
        ]


class _Followed:
    """All tracks of a clip, those that go on and those that are over."""

    def __init__(
        self, settings: TrackingSettings, *, fps: float, sure_score: float, crops_per_track: int
    ) -> None:
        self._settings = settings
        self._sure_score = sure_score
        self._tracker = Tracker(settings, fps=fps, sure_score=sure_score)
        self._crops_per_track = crops_per_track
        self._open: dict[int, _Open] = {}
        self._over: list[AnalysedTrack] = []
        self._frames: list[int] = []
        self._times: list[float] = []

    def add(self, frame: Frame, time: float, detections: NDArray[np.float32]) -> None:
        self._frames.append(frame.index)
        self._times.append(time)
        numbers = self._tracker.update(detections)
        height, width = frame.image.shape[:2]
        seen = visibilities(detections, width, height)
        for number, box, visibility in zip(numbers.tolist(), detections, seen.tolist(), strict=True):
            if number >= 0:
                self._add_box(number, frame, time, box, visibility)
        self._close_lost(time)

    def finish(self) -> list[AnalysedTrack]:
        for number in list(self._open):
            self._close(number)
        return sorted(self._over, key=lambda track: float(track.boxes["time"][0]))

    def _add_box(
        self, number: int, frame: Frame, time: float, box: NDArray[np.float32], visibility: float
    ) -> None:
        track = self._open.setdefault(number, _Open(CropChooser(_CANDIDATES * self._crops_per_track)))
        left, top, width, height, score = box.tolist()
        image = cut_out(frame.image, box)
        track.rows.append((frame.index, time, left, top, width, height, score))
        track.looks.append(colours(image))
        track.visibility.append(visibility)
        place = (left, top, width, height, score)
        track.crops.offer(Sighting(frame.index, time, place, visibility, image))

    def _close_lost(self, time: float) -> None:
        # Twice the tracker's patience: it alone decides when a track is over, this only frees memory.
        patience = 2 * self._settings.lost_after + 1
        for number in [n for n, track in self._open.items() if time - track.rows[-1][1] > patience]:
            self._close(number)

    def _close(self, number: int) -> None:
        for boxes, crops in self._open.pop(number).persons():
            if crops and is_worth_keeping(boxes, self._settings, sure_score=self._sure_score):
                filled = self._filled(boxes) if self._settings.interpolate else boxes
                self._over.append(AnalysedTrack(filled, best(crops, self._crops_per_track)))

    def _filled(self, boxes: Boxes) -> Boxes:
        return interpolated(boxes, np.array(self._frames, np.int32), np.array(self._times))
