"""Footage to tracks: how right and how fast, for both detectors.

What is compared with the labels are the boxes of the tracks that would be stored, not what the detector said.

Run with: python -m pytest tests/benchmarks/test_footage.py -s [--benchmark-json=footage.json]
Each figure is also printed as one line of JSON. The detector's weights are taken from the file that
REID_DESK_YOLOX_WEIGHTS names, or from ../shared/models.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from reid_desk.footage.analyse import AnalysedTrack, ClipAnalysis, analyse
from reid_desk.footage.clips import ClipInfo, probe
from reid_desk.footage.decode import frames
from reid_desk.footage.detectors import Detector, open_detector
from tests.benchmarks.box_matching import Boxes, compare

SHARED = Path(__file__).parents[2].parent / "shared"
CLIP = SHARED / "data" / "footage" / "vtest.avi"
LABELS = CLIP.with_name("vtest_gt.txt")
WEIGHTS = Path(os.environ.get("REID_DESK_YOLOX_WEIGHTS", SHARED / "models" / "yolox_nano.onnx"))
LARGE_SECONDS = 10

Benchmark = Callable[..., Any]

pytestmark = [
    pytest.mark.skipif(not CLIP.is_file(), reason=f"{CLIP} is not there: real footage for measuring"),
    pytest.mark.timeout(0),  # a benchmark takes as long as it takes
]


@dataclass(frozen=True)
class Speed:
    """How fast a clip was analysed.

    ``times_real_time`` is seconds of footage per second of work; ``cpu_seconds`` of all threads together tell
    the cost on a machine that is busy with other things too; ``detector_ms`` is the time of each frame looked at.
    """

    seconds: float
    cpu_seconds: float
    analysed_fps: float
    times_real_time: float
    detector_ms: float


class Timed:
    """A detector that also tells how long it took."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.name, self.sure_score = detector.name, detector.sure_score
        self.seconds, self.frames = 0.0, 0

    def detect(self, frame: np.ndarray) -> np.ndarray:
        began = time.perf_counter()
        found = self._detector.detect(frame)
        self.seconds += time.perf_counter() - began
        self.frames += 1
        return found

    def reset(self) -> None:
        self._detector.reset()


def opened(name: str) -> Timed:
    if name == "yolox" and not WEIGHTS.is_file():
        pytest.skip(f"{WEIGHTS} is not there: the weights of the detector yolox")
    return Timed(open_detector(name, WEIGHTS if name == "yolox" else None))


def analysed(benchmark: Benchmark, info: ClipInfo, detector: Timed, fps: float) -> tuple[ClipAnalysis, Speed]:
    began, cpu_began = time.perf_counter(), time.process_time()
    analysis: ClipAnalysis = benchmark.pedantic(
        lambda: analyse(info, detector, started_at=0.0, analysed_fps=fps), rounds=1
    )
    seconds = time.perf_counter() - began
    return analysis, Speed(
        round(seconds, 2),
        round(time.process_time() - cpu_began, 2),
        round(detector.frames / seconds, 1),
        round(analysis.duration / seconds, 2),
        round(1000 * detector.seconds / detector.frames, 2),
    )


def labels() -> dict[int, Boxes]:
    """Frame from 0 -> (left, top, width, height, identity)."""
    rows = np.loadtxt(LABELS, delimiter=",")
    return {int(frame) - 1: rows[rows[:, 0] == frame][:, [2, 3, 4, 5, 1]] for frame in np.unique(rows[:, 0])}


def by_frame(tracks: list[AnalysedTrack]) -> dict[int, Boxes]:
    """Frame from 0 -> (left, top, width, height, number of the track)."""
    found: dict[int, list[tuple[float, ...]]] = {}
    for number, track in enumerate(tracks):
        for row in track.boxes.tolist():
            found.setdefault(row[0], []).append((*row[2:6], number))
    return {frame: np.array(rows) for frame, rows in found.items()}


@pytest.mark.parametrize("name", ["yolox", "motion"])
def test_every_frame_of_a_real_clip(benchmark: Benchmark, name: str) -> None:
    detector = opened(name)
    analysis, speed = analysed(benchmark, probe(CLIP), detector, fps=10)
    figures = compare(by_frame(analysis.tracks), labels())
    crops = sum(len(track.crops) for track in analysis.tracks)
    report(benchmark, "vtest", name, speed, **asdict(figures), tracks=len(analysis.tracks), crops=crops)
    assert figures.precision >= (0.9 if name == "yolox" else 0.8)
    assert figures.recall >= (0.85 if name == "yolox" else 0.65)


@pytest.fixture(scope="module")
def large_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same scene as 1080p H.264 at 25 frames a second."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for frame in frames(probe(CLIP)):
            if frame.index == 25 * LARGE_SECONDS:
                break
            picture = cv2.resize(frame.image, (1920, 1080), interpolation=cv2.INTER_CUBIC)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", ["yolox", "motion"])
def test_1080p_at_25_frames_a_second_of_which_5_are_looked_at(
    benchmark: Benchmark, large_clip: Path, name: str
) -> None:
    detector = opened(name)
    analysis, speed = analysed(benchmark, probe(large_clip), detector, fps=5)
    report(benchmark, "1080p", name, speed, tracks=len(analysis.tracks))
    assert detector.frames == 5 * LARGE_SECONDS


def report(benchmark: Any, clip: str, detector: str, speed: Speed, **figures: float) -> None:
    rounded = {name: round(value, 4) for name, value in figures.items()}
    benchmark.extra_info.update(clip=clip, detector=detector, **rounded, **asdict(speed))
    print("\n" + json.dumps(benchmark.extra_info))
