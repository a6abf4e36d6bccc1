from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reid_desk.demo.truth import ClipTruth, match_boxes, match_tracks, read_truth, write_truth


@pytest.fixture
def truth() -> ClipTruth:
    """Persons 7 and 9 walk side by side, ten frames."""
    frame = np.repeat(np.arange(10), 2)
    identity = np.tile([7, 9], 10)
    left = np.where(identity == 7, 100.0, 200.0) + frame
    box = np.column_stack([left, np.full(20, 50.0), np.full(20, 40.0), np.full(20, 100.0)])
    return ClipTruth(frame, identity, box, np.ones(20))


def _track(truth: ClipTruth, identity: int, frames: slice = slice(None), shift: float = 0.0) -> np.ndarray:
    mine = truth.identity == identity
    rows = np.column_stack([truth.frame[mine], truth.box[mine]])[frames]
    rows[:, 1] += shift
    return rows


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rows = [("a.mp4", 3, 7, (1.0, 2.0, 30.0, 60.5), 0.75), ("b.mp4", 4, 8, (5.0, 6.0, 7.0, 8.0), 1.0)]
    write_truth(tmp_path / "truth.csv", rows)
    clips = read_truth(tmp_path / "truth.csv")
    assert set(clips) == {"a.mp4", "b.mp4"}
    assert clips["a.mp4"].box.tolist() == [[1.0, 2.0, 30.0, 60.5]]
    assert (clips["a.mp4"].frame[0], clips["a.mp4"].identity[0], clips["a.mp4"].visible[0]) == (3, 7, 0.75)


def test_a_box_belongs_to_the_person_it_overlaps_most(truth: ClipTruth) -> None:
    boxes = np.array(
        [[0, 104, 50, 40, 100], [0, 195, 55, 40, 100], [0, 150, 50, 40, 100], [99, 100, 50, 40, 100]]
    )
    assert match_boxes(boxes.astype(float), truth).tolist() == [7, 9, -1, -1]


def test_overlap_is_intersection_over_union(truth: ClipTruth) -> None:
    third = np.array([[0, 120.0, 50, 40, 100]])  # 20 of 60 columns are shared
    assert match_boxes(third, truth, iou=0.33).tolist() == [7]
    assert match_boxes(third, truth, iou=0.34).tolist() == [-1]


def test_tracks_are_matched_in_their_order(truth: ClipTruth) -> None:
    assert match_tracks([_track(truth, 9), _track(truth, 7, shift=5.0)], truth) == [9, 7]
    assert match_tracks({4: _track(truth, 7), 2: _track(truth, 9)}, truth) == [7, 9]


def test_a_track_that_changes_persons_is_nobody(truth: ClipTruth) -> None:
    mixed = np.vstack([_track(truth, 7, slice(0, 5)), _track(truth, 9, slice(5, 10))])
    assert match_tracks([mixed], truth) == [None]
    mostly = np.vstack([_track(truth, 7, slice(0, 8)), _track(truth, 9, slice(8, 10))])
    assert match_tracks([mostly], truth) == [7]


def test_a_track_that_hardly_meets_anybody_is_nobody(truth: ClipTruth) -> None:
    far = _track(truth, 7, shift=500.0)
    assert match_tracks([far, np.vstack([far, _track(truth, 7, slice(0, 2))])], truth) == [None, None]
