"""People found as what moves in front of a fixed camera (Zivkovic, 2004, mixtures of Gaussians); no weights
needed.

The picture less the learnt background gives blobs. How tall a person is at each height of the picture is
learnt from the blobs that stand alone; with that, the pieces of one person are joined and groups are taken
apart.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_desk.footage.detectors.groups import Box, joined, taken_apart
from reid_desk.footage.detectors.person_height import PERSON_WIDTH, HeightModel

_FOREGROUND = 255  # in MOG2's mask; shadows are 127
_MOST_ROWS = 600  # taller frames are scaled down: more pixels cost time and tell no more about motion
_SHORTEST = 0.05  # of the frame's height: smaller blobs are leaves, birds and noise
_FEWEST_PIXELS = 30  # of a piece worth a look
_LOWEST_SCORE = 0.3
_SCORE_BEFORE_MODEL = 0.6  # nothing is known yet of how tall people are
_SHORT, _WIDE = 0.7, 1.6  # over the expected height and width: no person below, a group above
_LIGHT_CHANGED = 0.4  # of the frame moves: not people, but the light or the camera
_RELEARNING = 0.1  # a frame, of the background after such a change


class MotionDetector:
    """Boxes of person-like size around what differs from the learnt background. For fixed cameras only."""

    name = "motion"
    sure_score = 0.5

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the background and how tall people are: another clip follows."""
        # A long memory, of which much is left to things that came to rest: who waits is still there.
        self._background = cv2.createBackgroundSubtractorMOG2(
            history=2000, varThreshold=20, detectShadows=True
        )
        self._background.setBackgroundRatio(0.8)
        self._light_changed = False
        self._heights = HeightModel()

    def detect(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """People in a frame, uint8 RGB [H, W, 3]: float32 [K, 5] of (left, top, width, height) pixels, score."""
        scale = min(1.0, _MOST_ROWS / frame.shape[0])
        if scale < 1:
            frame = np.asarray(
                cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
            )
        mask = self._moving(frame)
        people = self._people(mask, _blobs(mask))
        found = np.array([(*box, score) for box, score in people], dtype=np.float32).reshape(-1, 5)
        found[:, :4] /= scale
        return found

    def _moving(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """1 where a frame differs from the background by more than shadow and light do, uint8 [H, W]."""
        rate = _RELEARNING if self._light_changed else -1  # -1: by the length of the memory
        mask = (self._background.apply(frame, learningRate=rate) == _FOREGROUND).astype(np.uint8)
        self._light_changed = bool(mask.mean() > _LIGHT_CHANGED)
        if self._light_changed:
            return np.zeros_like(mask)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8)
        # Tall and narrow: heads, coats and legs grow together, people side by side do not.
        return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((17, 3), np.uint8)).astype(np.uint8)

    def _people(self, mask: NDArray[np.uint8], blobs: NDArray[np.float32]) -> list[tuple[Box, float]]:
        rows, columns = mask.shape
        tall_enough = blobs[blobs[:, 3] >= _SHORTEST * rows]
        for _, top, _, height, _ in tall_enough[_stand_alone(tall_enough, rows, columns)]:
            self._heights.learn(float(top + height), float(height))
        if not self._heights.known:
            upright = tall_enough[tall_enough[:, 3] >= 1.2 * tall_enough[:, 2]]
            return [(_box(blob), _SCORE_BEFORE_MODEL) for blob in upright]
        people: list[tuple[Box, float]] = []
        for box in joined([_box(blob) for blob in blobs], self._heights):
            if box[3] >= _SHORTEST * rows:
                people += self._persons_in(mask, box)
        return people

    def _persons_in(self, mask: NDArray[np.uint8], box: Box) -> list[tuple[Box, float]]:
        _, top, width, height = box
        expected = self._heights.at_foot(top + height)
        if height < _SHORT * expected:
            return []
        if width > _WIDE * PERSON_WIDTH * expected or height > self._heights.trust * expected:
            return [(who, min(0.9, filled + 0.3)) for who, filled in taken_apart(mask, box, self._heights)]
        return [(box, max(_LOWEST_SCORE, 1 - abs(math.log(height / expected))))]


def _blobs(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Connected pieces of a mask, float32 [K, 5]: left, top, width, height, area, all in pixels."""
    _, _, found, _ = cv2.connectedComponentsWithStats(mask)
    return found[1:][found[1:, cv2.CC_STAT_AREA] >= _FEWEST_PIXELS].astype(np.float32)


def _box(blob: NDArray[np.float32]) -> Box:
    return float(blob[0]), float(blob[1]), float(blob[2]), float(blob[3])


def _stand_alone(blobs: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.bool_]:
    """Which blobs are surely one whole person: upright, well filled, away from the edges."""
    left, top, width, height, area = blobs.T
    inside = (left > 2) & (top > 2) & (left + width < columns - 2) & (top + height < rows - 2)
    upright = (height > 1.8 * width) & (height < 3.8 * width)
    alone: NDArray[np.bool_] = inside & upright & (area > 0.45 * width * height)
    return alone
