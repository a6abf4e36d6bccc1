from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reid_desk.footage.tracking import (
    BOX_DTYPE,
    Boxes,
    Tracker,
    TrackingSettings,
    interpolated,
    is_worth_keeping,
)


def detections(*boxes: tuple[float, float, float, float, float]) -> np.ndarray:
    return np.array(boxes, np.float32).reshape(-1, 5)


def boxes_of(frames: list[int], scores: list[float] | None = None) -> Boxes:
    boxes = np.zeros(len(frames), BOX_DTYPE)
    boxes["frame"] = frames
    boxes["time"] = [100 + frame / 10 for frame in frames]
    boxes["left"] = [10 * frame for frame in frames]
    boxes["width"], boxes["height"] = 20, 50
    boxes["score"] = scores or [0.9] * len(frames)
    return boxes


def test_two_people_who_cross_keep_their_numbers() -> None:
    tracker = Tracker(TrackingSettings(), fps=10, sure_score=0.6)
    seen: list[list[int]] = []
    for frame in range(40):
        pair = detections((5.0 * frame, 100, 30, 80, 0.9), (200 - 5.0 * frame, 130, 30, 80, 0.9))
        order = [1, 0] if frame % 2 else [0, 1]  # a detector gives them in any order
        numbers = tracker.update(pair[order])
        seen.append([int(numbers[order.index(0)]), int(numbers[order.index(1)])])
    confirmed = [pair for pair in seen if -1 not in pair]
    assert len(confirmed) >= 38
    assert {tuple(pair) for pair in confirmed} == {tuple(confirmed[0])}
    assert confirmed[0][0] != confirmed[0][1]


def test_an_unsure_box_carries_a_track_on_but_begins_none() -> None:
    tracker = Tracker(TrackingSettings(), fps=10, sure_score=0.6)
    for _ in range(5):
        number = tracker.update(detections((50, 50, 30, 80, 0.9)))[0]
    numbers = tracker.update(detections((50, 50, 30, 80, 0.2), (200, 50, 30, 80, 0.2)))
    assert numbers.tolist() == [number, -1]


def test_nobody_in_a_frame_is_no_trouble() -> None:
    tracker = Tracker(TrackingSettings(), fps=10, sure_score=0.6)
    assert tracker.update(detections()).shape == (0,)
    tracker.update(detections((50, 50, 30, 80, 0.9)))
    assert tracker.update(detections()).shape == (0,)


@pytest.mark.parametrize(("gap", "same"), [(8, True), (14, False)])
def test_a_track_outlives_a_gap_of_less_than_its_patience(gap: int, same: bool) -> None:
    tracker = Tracker(TrackingSettings(lost_after=1.0), fps=10, sure_score=0.6)
    standing = detections((50, 50, 30, 80, 0.9))
    before = [tracker.update(standing)[0] for _ in range(10)][-1]
    for _ in range(gap):
        tracker.update(detections())
    after = [tracker.update(standing)[0] for _ in range(3)][-1]
    assert bool(before == after) is same


def test_gaps_are_filled_in_straight_lines_and_marked_by_score_0() -> None:
    boxes = boxes_of([2, 3, 7])
    frames = np.arange(12, dtype=np.int32)
    filled = interpolated(boxes, frames, 100 + frames / 10)
    assert filled["frame"].tolist() == [2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(filled["left"], [20, 30, 40, 50, 60, 70], rtol=1e-5)
    np.testing.assert_allclose(filled["score"], [0.9, 0.9, 0, 0, 0, 0.9])
    np.testing.assert_array_equal(filled[filled["score"] > 0], boxes)


def test_only_analysed_frames_are_filled() -> None:
    frames = np.arange(0, 40, 4, dtype=np.int32)
    filled = interpolated(boxes_of([4, 16]), frames, 100 + frames / 10)
    assert filled["frame"].tolist() == [4, 8, 12, 16]


@pytest.mark.parametrize(
    ("boxes", "worth"),
    [
        (boxes_of(list(range(10))), True),
        (boxes_of([0, 1, 2]), False),  # 0.2 seconds
        (boxes_of([0, 9]), False),  # two detections
        (boxes_of(list(range(10)), [0.9] * 4 + [0.3] * 6), False),  # mostly unsure
        (boxes_of(list(range(10)), [0.9] * 6 + [0.3] * 4), True),
    ],
)
def test_tracks_that_are_no_person_are_dropped(boxes: Boxes, worth: bool) -> None:
    assert is_worth_keeping(boxes, TrackingSettings(), sure_score=0.6) is worth


def test_tracking_does_not_load_torch() -> None:
    code = (
        "import sys; from reid_desk.footage.tracking import Tracker, TrackingSettings; "
        "Tracker(TrackingSettings(), fps=10, sure_score=0.6); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
