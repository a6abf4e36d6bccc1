"""Applies a camera's look to what it sees."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.settings import CameraLook
from reid_desk.demo.view import Floats

Image = NDArray[np.uint8]

LUMA = (0.299, 0.587, 0.114)
TILES = 6
CHROMA_NOISE = 0.4


class Sensor:
    """Turns a scene's colours (float RGB 0..1) into the picture that a camera with ``look`` gives."""

    def __init__(self, look: CameraLook, width: int, height: int, rng: np.random.Generator) -> None:
        self.look = look
        self._matrix = _colour_matrix(look)
        self._curve = _tone_curve(look)
        self._rng = rng
        self._noise = [_noise(look, width, height, rng) for _ in range(TILES)] if look.noise else []

    @property
    def reach(self) -> int:
        """How many pixels the blur carries a colour."""
        return int(np.ceil(3 * self.look.blur)) + 1

    def grade(self, scene: Floats) -> Image:
        """Colour cast, tone curve and blur of ``scene`` [H, W, 3]; no noise."""
        cast = cv2.transform(scene, self._matrix)
        picture = cv2.LUT(np.clip(cast * 255.0 + 0.5, 0, 255).astype(np.uint8), self._curve)
        if self.look.blur > 0:
            picture = cv2.GaussianBlur(picture, (0, 0), self.look.blur)
        return np.asarray(picture, np.uint8)

    def add_noise(self, picture: Image) -> Image:
        """``picture`` [H, W, 3] with fresh sensor noise; sizes up to the sensor's."""
        if not self._noise:
            return picture
        tile = self._noise[int(self._rng.integers(TILES))]
        height, width = picture.shape[:2]
        y = int(self._rng.integers(tile.shape[0] - height + 1))
        x = int(self._rng.integers(tile.shape[1] - width + 1))
        return np.asarray(cv2.add(picture, tile[y : y + height, x : x + width], dtype=cv2.CV_8U), np.uint8)


def _colour_matrix(look: CameraLook) -> Floats:
    grey = np.tile(np.array(LUMA, np.float32), (3, 1))
    mixed = grey * (1 - look.saturation) + np.eye(3, dtype=np.float32) * look.saturation
    return np.asarray(np.diag(look.gain) @ mixed, np.float32)


def _tone_curve(look: CameraLook) -> Image:
    value = (np.arange(256) / 255.0) ** look.gamma
    return np.clip(((value - 0.5) * look.contrast + 0.5) * 255 + 0.5, 0, 255).astype(np.uint8)


def _noise(look: CameraLook, width: int, height: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """Noise [height + 32, width + 32, 3], mostly of brightness, in grains of ``look.grain`` pixels."""
    rows, columns = (height + 32) // look.grain + 1, (width + 32) // look.grain + 1
    luma = rng.normal(0, look.noise, (rows, columns, 1))
    chroma = rng.normal(0, look.noise * CHROMA_NOISE, (rows, columns, 3))
    grains: Floats = np.asarray(luma + chroma, np.float32)
    if look.grain > 1:
        size = (columns * look.grain, rows * look.grain)
        grains = np.asarray(cv2.resize(grains, size, interpolation=cv2.INTER_LINEAR))
    return np.rint(grains[: height + 32, : width + 32]).astype(np.int16)
