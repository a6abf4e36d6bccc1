"""Where a track goes over from one person to another: the colours of coat and trousers tell.

People who cross or pass behind a post are where a tracker mistakes one for the other. Each of them looks alike
before and after; a track that changed hands does not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_PARTS = ((0.15, 0.5), (0.5, 0.9))  # coat and trousers, from and to, of a person's height
_SIDES = (0.2, 0.8)  # of a person's width: what lies outside is mostly ground
_MEASURED_SIZE = (12, 16)  # width, height in pixels of a part
_CHANNELS = (
    (8, 0, 256),
    (12, 98, 158),
    (12, 98, 158),
)  # bins, from, to of L, a, b: colours lie near the middle
_HISTOGRAMS = len(_PARTS) * len(_CHANNELS)
_WINDOW = 10  # sightings before and after that are compared, about a second
_FEWEST = 4  # sightings on either side
_SEEN_WELL = 0.6  # visibility from which a sighting counts
_CHANGED = 0.3  # of the colours: total variation, 0 for the same and 1 for nothing in common


def colours(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How frequent lightness and colours are in coat and trousers of a person's image, uint8 RGB: float32 [64].

    Six histograms (L, a and b of CIELAB for either part), each with a sum of 1.
    """
    height, width = image.shape[:2]
    left, right = int(_SIDES[0] * width), max(int(_SIDES[1] * width), int(_SIDES[0] * width) + 1)
    histograms = []
    for low, high in _PARTS:
        top, bottom = int(low * height), max(int(high * height), int(low * height) + 1)
        part = cv2.resize(image[top:bottom, left:right], _MEASURED_SIZE, interpolation=cv2.INTER_AREA)
        pixels = cv2.cvtColor(part, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        for channel, (bins, first, last) in enumerate(_CHANNELS):
            inside = np.clip(pixels[:, channel], first, last - 1)
            histograms.append(np.histogram(inside, bins, (first, last))[0] / len(pixels))
    return np.concatenate(histograms).astype(np.float32)


def changes(looks: NDArray[np.float32], visibility: NDArray[np.float32]) -> list[int]:
    """At which sightings of a track another person begins, in order.

    Args:
        looks: ``colours`` of each sighting, in the order of time, [N, 64].
        visibility: how much of the person is seen each time, 0..1 [N]; hidden ones are not compared.
    """
    seen = np.flatnonzero(visibility >= _SEEN_WELL)
    if len(seen) < 2 * _FEWEST:
        return []
    differences = _differences(looks[seen])
    found: list[int] = []
    while differences.max() >= _CHANGED:
        place = int(differences.argmax())
        found.append(int(seen[place]))
        differences[max(0, place - _WINDOW) : place + _WINDOW] = 0
    return sorted(found)


def _differences(looks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Total variation, 0..1 [N], between the sightings before each place and those from it on."""
    count = len(looks)
    sums = np.vstack((np.zeros(looks.shape[1]), looks.cumsum(axis=0, dtype=np.float64)))
    places = np.arange(count)
    first, last = np.maximum(0, places - _WINDOW), np.minimum(count, places + _WINDOW)
    before = (sums[places] - sums[first]) / np.maximum(places - first, 1)[:, None]
    after = (sums[last] - sums[places]) / (last - places)[:, None]
    difference: NDArray[np.float64] = np.abs(after - before).sum(axis=1) / (2 * _HISTOGRAMS)
    difference[: min(_FEWEST, count)] = 0
    difference[max(0, count - _FEWEST + 1) :] = 0
    return difference
