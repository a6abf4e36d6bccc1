"""Detections of consecutive frames joined into tracks (ByteTrack, Zhang et al., 2022, arXiv:2110.06864)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BOX_DTYPE = np.dtype(
    [
        ("frame", np.int32),
        ("time", np.float64),
        ("left", np.float32),
        ("top", np.float32),
        ("width", np.float32),
        ("height", np.float32),
        ("score", np.float32),
    ]
)
"""One box of a track: frame from 0, UTC seconds, pixels of the original frame, score 0..1 (0: interpolated).
"""

Boxes = NDArray[np.void]


@dataclass(frozen=True)
class TrackingSettings:
    """How detections become tracks."""

    lost_after: float = (
        1.0  # seconds without a detection after which a track is over (ByteTrack: 30 frames at 30 fps)
    )
    minimum_overlap: float = 0.1  # intersection over union of a box with where its track is expected
    confirmed_after: int = 2  # consecutive detections that make a track
    shortest: float = 0.5  # seconds; shorter tracks are dropped
    fewest_boxes: int = 3  # tracks with fewer detections are dropped
    interpolate: bool = True  # fill the gaps inside a track in straight lines


class Tracker:
    """Gives each detection of a frame the number of its track; frames come in order."""

    def __init__(self, settings: TrackingSettings, *, fps: float, sure_score: float) -> None:
        """``fps`` is analysed frames a second; from ``sure_score`` on a detection may begin a track."""
        from trackers import ByteTrackTracker  # noqa: PLC0415 - takes two seconds to load

        self._tracker = ByteTrackTracker(
            lost_track_buffer=max(1, round(settings.lost_after * 30)),  # counted in frames of 30 fps
            frame_rate=fps,
            track_activation_threshold=sure_score,
            high_conf_det_threshold=sure_score,
            minimum_consecutive_frames=settings.confirmed_after,
            minimum_iou_threshold=settings.minimum_overlap,
        )

    def update(self, detections: NDArray[np.float32]) -> NDArray[np.int64]:
        """Track numbers, int64 [K], of detections (left, top, width, height, score), float32 [K, 5]; -1: no
        track.
        """
        import supervision  # noqa: PLC0415 - comes with trackers

        corners = np.hstack((detections[:, :2], detections[:, :2] + detections[:, 2:4]))
        given = supervision.Detections(
            xyxy=corners, confidence=detections[:, 4], data={"row": np.arange(len(detections))}
        )
        tracked = self._tracker.update(given)
        numbers = np.full(len(detections), -1, dtype=np.int64)
        if tracked.tracker_id is not None and len(tracked):
            numbers[np.asarray(tracked.data["row"])] = tracked.tracker_id
        return numbers


def interpolated(boxes: Boxes, frames: NDArray[np.int32], times: NDArray[np.float64]) -> Boxes:
    """``boxes`` of one track with its gaps filled in straight lines.

    ``frames`` and ``times`` are those of all analysed frames; filled boxes have score 0.
    """
    inside = (frames >= boxes["frame"][0]) & (frames <= boxes["frame"][-1])
    filled = np.zeros(int(inside.sum()), dtype=BOX_DTYPE)
    filled["frame"], filled["time"] = frames[inside], times[inside]
    for side in ("left", "top", "width", "height"):
        filled[side] = np.interp(filled["time"], boxes["time"], boxes[side])
    filled["score"][np.isin(filled["frame"], boxes["frame"])] = boxes["score"]
    return filled


def is_worth_keeping(boxes: Boxes, settings: TrackingSettings, *, sure_score: float) -> bool:
    """Whether the detections of a track make a person: enough of them, long enough, and most of them sure.

    Things that look a little like people (a sign, a coat stand) now and then pass for one; most of the time
    they do not.
    """
    seconds = float(boxes["time"][-1] - boxes["time"][0])
    mostly_sure = float(np.median(boxes["score"])) >= sure_score
    return len(boxes) >= settings.fewest_boxes and seconds >= settings.shortest and mostly_sure
