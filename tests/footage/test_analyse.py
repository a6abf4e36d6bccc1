from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_desk.footage.analyse import analyse, step
from reid_desk.footage.clips import probe
from reid_desk.footage.detectors import open_detector
from reid_desk.footage.tracking import TrackingSettings
from tests.benchmarks.box_matching import matches
from tests.footage.made_clips import Box, ground, walk, write_clip

STARTED = 1_700_000_000.0


class KnownDetector:
    """A detector that is told where people are, frame by frame."""

    name = "known"
    sure_score = 0.6

    def __init__(self, boxes: list[list[Box]], *, scores: float = 0.9, blind: range = range(0)) -> None:
        self._boxes, self._scores, self._blind = boxes, scores, blind
        self.seen = 0

    def detect(self, frame: np.ndarray) -> np.ndarray:
        assert frame.dtype == np.uint8
        number, self.seen = self.seen, self.seen + 1
        if number in self._blind:
            return np.zeros((0, 5), np.float32)
        return np.array([(*box, self._scores) for box in self._boxes[number]], np.float32).reshape(-1, 5)

    def reset(self) -> None:
        self.seen = 0


def two(frame: int) -> list[Box]:
    return [(10 + 4 * frame, 100, 30, 80), (280 - 4 * frame, 20, 24, 60)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[Box]]]:
    pictures, boxes = walk(50, two)
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", pictures), boxes


def test_gives_each_person_one_track_with_boxes_times_and_crops(clip: tuple[Path, list[list[Box]]]) -> None:
    path, boxes = clip
    analysis = analyse(probe(path), KnownDetector(boxes), started_at=STARTED, crops_per_track=5)
    assert (analysis.frames, analysis.duration, analysis.warnings) == (50, pytest.approx(5.0), [])
    assert len(analysis.tracks) == 2
    for track in analysis.tracks:
        person = 0 if track.boxes["width"][0] == 30 else 1
        assert track.boxes["frame"].tolist() == list(
            range(1, 50)
        )  # ByteTrack confirms at the second detection
        np.testing.assert_allclose(track.boxes["time"], STARTED + track.boxes["frame"] / 10)
        truth = np.array([boxes[frame][person] for frame in track.boxes["frame"]])
        np.testing.assert_allclose(track.boxes["left"], truth[:, 0])
        assert len(track.crops) == 5
        for crop in track.crops:
            assert (crop.left, crop.top) == tuple(boxes[crop.frame][person][:2])
            with Image.open(io.BytesIO(crop.jpeg)) as image:
                assert image.size == (crop.width, crop.height)


def test_a_gap_is_filled_unless_told_otherwise(clip: tuple[Path, list[list[Box]]]) -> None:
    path, boxes = clip
    blind = KnownDetector(boxes, blind=range(20, 25))
    filled = analyse(probe(path), blind, started_at=STARTED).tracks[0].boxes
    assert filled["frame"].tolist() == list(range(1, 50))
    assert np.flatnonzero(filled["score"] == 0).tolist() == [19, 20, 21, 22, 23]
    plain = analyse(
        probe(path), blind, started_at=STARTED, tracking=TrackingSettings(interpolate=False)
    ).tracks[0]
    assert len(plain.boxes) == 44


def test_what_is_never_sure_is_no_person(clip: tuple[Path, list[list[Box]]]) -> None:
    path, boxes = clip
    assert analyse(probe(path), KnownDetector(boxes, scores=0.4), started_at=STARTED).tracks == []


def test_looks_at_fewer_frames_when_told_to(clip: tuple[Path, list[list[Box]]]) -> None:
    path, boxes = clip
    detector = KnownDetector(boxes[::2])
    analysis = analyse(probe(path), detector, started_at=STARTED, analysed_fps=5)
    assert detector.seen == 25
    assert len(analysis.tracks) == 2
    assert set(np.diff(analysis.tracks[0].boxes["frame"])) == {2}


@pytest.mark.parametrize(
    ("fps", "analysed", "every"),
    [(25, 10, 2), (30, 10, 3), (25, 5, 5), (10, 10, 1), (29.97, 10, 2), (5, 10, 1)],
)
def test_never_looks_less_often_than_asked(fps: float, analysed: float, every: int) -> None:
    every_given = step(fps, analysed)
    assert every_given == every
    assert fps / every_given >= min(fps, analysed)


def test_tells_progress_and_stops_when_the_listener_raises(clip: tuple[Path, list[list[Box]]]) -> None:
    path, boxes = clip
    told: list[tuple[int, int | None]] = []

    class StopNow(Exception):  # noqa: N818
        pass

    def listen(done: int, total: int | None) -> None:
        told.append((done, total))
        if done == 7:
            raise StopNow

    detector = KnownDetector(boxes)
    with pytest.raises(StopNow):
        analyse(probe(path), detector, started_at=STARTED, on_progress=listen)
    assert told == [(n, 50) for n in range(1, 8)]
    assert detector.seen == 7


def test_a_clip_that_ends_early_is_analysed_as_far_as_it_goes(tmp_path: Path) -> None:
    pictures, boxes = walk(40, two)
    path = write_clip(tmp_path / "clip.mp4", pictures, options={"movflags": "faststart"})
    info = probe(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    analysis = analyse(info, KnownDetector(boxes), started_at=STARTED)
    assert 10 < analysis.frames < 38
    assert len(analysis.tracks) == 2
    assert "ends early" in analysis.warnings[0]


def test_the_motion_detector_follows_people_through_a_whole_clip(tmp_path: Path) -> None:
    pictures, boxes = walk(70, lambda frame: two(frame - 10))
    empty = [ground()] * 15
    info = probe(write_clip(tmp_path / "clip.mp4", empty + pictures))
    analysis = analyse(info, open_detector("motion"), started_at=STARTED)
    right = found = people = 0
    for frame, there in enumerate(boxes, start=15):
        ours = [track.boxes[track.boxes["frame"] == frame] for track in analysis.tracks]
        rows = np.array([row[2:6] for box in ours for row in box.tolist()]).reshape(-1, 4)
        inside = np.array([box for box in there if box[0] >= 0 and box[0] + box[2] <= 320]).reshape(-1, 4)
        right += len(matches(rows, inside))
        found, people = found + len(rows), people + len(inside)
    assert right / people > 0.65
    assert right / found > 0.7  # those who are half out of the picture are found but not counted


def test_a_track_that_goes_over_to_another_person_is_taken_apart(tmp_path: Path) -> None:
    place = (140, 80, 40, 100)
    pictures = [ground() for _ in range(50)]
    for number, picture in enumerate(pictures):
        coat, trousers = ((180, 30, 30), (30, 30, 120)) if number < 25 else ((40, 140, 60), (20, 20, 20))
        picture[80:130, 140:180], picture[130:180, 140:180] = coat, trousers
    boxes = [[place]] * 50
    analysis = analyse(
        probe(write_clip(tmp_path / "clip.mp4", pictures)), KnownDetector(boxes), started_at=STARTED
    )
    assert [(t.boxes["frame"][0], t.boxes["frame"][-1]) for t in analysis.tracks] == [(1, 24), (25, 49)]
    for track in analysis.tracks:
        assert track.crops
        assert {
            track.boxes["frame"][0] <= crop.frame <= track.boxes["frame"][-1] for crop in track.crops
        } == {True}
