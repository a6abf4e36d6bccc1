"""The best few crops of a track: spread over its time, sharp, large, and not hidden behind others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

JPEG_QUALITY = 92
_SHORTEST_INTERVAL = 0.5  # seconds between two crops at first; doubles as a track grows
_TALL_ENOUGH = 128  # pixels: the height that embedding networks of this desk see
_SHARP_ENOUGH = 300.0  # variance of the Laplacian of a crop scaled to _MEASURED_SIZE
_MEASURED_SIZE = (64, 128)  # width, height
_CUT_OFF = 0.5  # what a person who is cut by the frame's edge still counts


@dataclass(frozen=True)
class AnalysedCrop:
    """One person's image as JPEG bytes, and where it comes from.

    Frames count from 0, ``time`` is UTC seconds, the box is in pixels of the original frame; ``score`` and
    ``quality`` are 0..1.
    """

    frame: int
    time: float
    left: float
    top: float
    width: float
    height: float
    score: float
    quality: float
    jpeg: bytes


@dataclass(frozen=True, eq=False)
class Sighting:
    """One detection of a track as a candidate: place, time, how much of the person is seen (0..1), pixels."""

    frame: int
    time: float
    box: tuple[float, float, float, float, float]
    visibility: float
    image: NDArray[np.uint8]


class CropChooser:
    """Keeps the best crops of one track while it is followed: at most ``most`` JPEGs and one picture.

    Time is cut into intervals, of which each keeps its best crop. When there are too many, neighbours are
    joined and the interval doubles, so that a track of seconds and one of hours both give crops spread over
    all their time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._interval = _SHORTEST_INTERVAL
        self._began: float | None = None
        self._chosen: dict[int, AnalysedCrop] = {}
        self._current: Sighting | None = None
        self._current_slot = 0
        self._current_quality = -1.0

    def offer(self, sighting: Sighting) -> None:
        """Consider one more detection of the track; times must not decrease."""
        if self._began is None:
            self._began = sighting.time
        slot = int((sighting.time - self._began) / self._interval)
        if slot != self._current_slot:
            self._settle()
            slot = int((sighting.time - self._began) / self._interval)  # the interval may have doubled
        self._current_slot = slot
        best_possible = sighting.visibility * _size_factor(sighting.box) * sighting.box[4] ** 0.5
        if best_possible > self._current_quality:
            quality = best_possible * _sharpness_factor(sighting.image)
            if quality > self._current_quality:
                self._current, self._current_quality = sighting, quality

    def crops(self) -> list[AnalysedCrop]:
        """What was kept, in order of time."""
        self._settle()
        return sorted(self._chosen.values(), key=lambda crop: crop.time)

    def _settle(self) -> None:
        """Encode the best crop of the current interval and make room for the next."""
        if self._current is not None:
            crop = _encode(self._current, self._current_quality)
            self._keep(self._chosen, self._current_slot, crop)
        self._current, self._current_quality = None, -1.0
        while len(self._chosen) > self._most:
            self._interval *= 2
            joined: dict[int, AnalysedCrop] = {}
            for slot, crop in self._chosen.items():
                self._keep(joined, slot // 2, crop)
            self._chosen = joined

    @staticmethod
    def _keep(chosen: dict[int, AnalysedCrop], slot: int, crop: AnalysedCrop) -> None:
        if slot not in chosen or chosen[slot].quality < crop.quality:
            chosen[slot] = crop


def best(crops: Sequence[AnalysedCrop], limit: int) -> list[AnalysedCrop]:
    """At most ``limit`` of ``crops``, those of the highest quality, in order of time."""
    chosen = sorted(crops, key=lambda crop: crop.quality, reverse=True)[:limit]
    return sorted(chosen, key=lambda crop: crop.time)


def cut_out(image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A copy of what ``box`` (left, top, width, height, ...) holds of ``image``, uint8 RGB [h, w, 3], unscaled."""
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = int(np.ceil(box[0] + box[2])), int(np.ceil(box[1] + box[3]))
    return image[top : max(bottom, top + 1), left : max(right, left + 1)].copy()


def visibilities(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """How much of each person is seen, float32 [K] 0..1: boxes [K, 4+] less what others cover and edges cut.

    A person whose feet are lower in the frame stands nearer, so hides others and is not hidden by them.
    """
    if not len(boxes):
        return np.zeros(0, dtype=np.float32)
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    across = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    down = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    covered = (
        np.clip(across, 0, None) * np.clip(down, 0, None) / np.maximum(boxes[:, 2] * boxes[:, 3], 1)[:, None]
    )
    nearer = bottom[None, :] > bottom[:, None]
    hidden = covered * np.where(nearer, 1.0, 0.5)
    np.fill_diagonal(hidden, 0.0)
    cut = (left <= 1) | (top <= 1) | (right >= width - 1) | (bottom >= height - 1)
    seen: NDArray[np.float32] = np.clip(1 - hidden.max(axis=1), 0.05, 1) * np.where(cut, _CUT_OFF, 1.0)
    return seen.astype(np.float32)


def _size_factor(box: tuple[float, float, float, float, float]) -> float:
    return min(1.0, box[3] / _TALL_ENOUGH)


def _sharpness_factor(image: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(cv2.resize(image, _MEASURED_SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    variance = float(np.var(cv2.Laplacian(grey, cv2.CV_32F)))
    return math.sqrt(min(1.0, variance / _SHARP_ENOUGH))


def _encode(sighting: Sighting, quality: float) -> AnalysedCrop:
    bgr = cv2.cvtColor(sighting.image, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return AnalysedCrop(
        sighting.frame, sighting.time, *sighting.box, quality=min(1.0, max(0.0, quality)), jpeg=jpeg.tobytes()
    )
