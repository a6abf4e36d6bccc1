"""Where the people are in a frame. Two detectors behind one protocol.

``motion`` finds what moves in front of a fixed camera and needs no weights; ``yolox`` is a network that knows
people and needs its weights once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from reid_desk.errors import FootageError

DetectorName = Literal["motion", "yolox"]
NAMES: tuple[DetectorName, ...] = ("motion", "yolox")


class Detector(Protocol):
    """Finds people in the frames of one clip, given in order.

    Attributes:
        name: what the detector is called in settings and in the site.
        sure_score: from this score on, a box may begin a track by itself; weaker ones only carry a track on.
    """

    name: str
    sure_score: float

    def detect(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """People in a frame, uint8 RGB [H, W, 3]: float32 [K, 5] of (left, top, width, height) pixels, score."""

    def reset(self) -> None:
        """Forget all earlier frames: another clip follows."""


def open_detector(name: str = "yolox", weights: Path | None = None) -> Detector:
    """The detector called ``name``; ``weights`` is the network's file where it is at hand (``yolox`` only).

    Raises:
        FootageError: no detector of that name, or its weights cannot be had or are no person detector.
    """
    if name == "motion":
        from reid_desk.footage.detectors.motion import MotionDetector  # noqa: PLC0415 - loads cv2

        return MotionDetector()
    if name == "yolox":
        from reid_desk.footage.detectors.weights import find_weights  # noqa: PLC0415 - loads pooch
        from reid_desk.footage.detectors.yolox import YoloxDetector  # noqa: PLC0415 - loads onnxruntime

        return YoloxDetector(weights or find_weights("yolox_nano"))
    raise FootageError(f"There is no detector called {name!r}. Choose one of: {', '.join(NAMES)}.")
