"""People found as what moves in front of a fixed camera: background subtraction (Zivkovic, 2004), no weights needed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


class MotionDetector:
    """Boxes of person-like shape around what differs from the learnt background."""

    name = "motion"
    sure_score = 0.5

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the background: another clip follows."""
        self._background = cv2.createBackgroundSubtractorMOG2(
            history=300, varThreshold=25, detectShadows=True
        )

    def detect(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """People in a frame, uint8 RGB [H, W, 3]: float32 [K, 5], (left, top, width, height) in pixels, score."""
        mask = (self._background.apply(frame) == 255).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((13, 5), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        boxes = stats[1:, :4].astype(np.float32)
        tall = (boxes[:, 3] >= 0.05 * frame.shape[0]) & (boxes[:, 3] >= 1.2 * boxes[:, 2])
        boxes = boxes[tall]
        return np.column_stack((boxes, np.full(len(boxes), 0.8, np.float32))).astype(np.float32)
