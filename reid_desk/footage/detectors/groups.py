"""Blobs that are several people taken apart, and pieces of one person joined, by how tall people are where
they stand.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from reid_desk.footage.detectors.person_height import PERSON_WIDTH, HeightModel

Box = tuple[float, float, float, float]
"""(left, top, width, height) in pixels of the mask."""

_SHORTEST_WHOLE = 0.7  # over the expected height
_TALLEST_WHOLE, _WIDEST_WHOLE = 1.15, 1.2  # joined pieces, over the expected height and width of a person
_LEAST_FILLED = 0.3  # of an expected person's box that moves
_MOST_IN_A_GROUP = 8
_FEWEST_PIXELS = 30  # of a piece worth a look
_MARGIN = 2  # pixels around a person who is taken out of a group


def joined(pieces: list[Box], heights: HeightModel) -> list[Box]:
    """Pieces that together are no larger than one person, joined; the lowest first."""
    boxes = sorted(pieces, key=lambda box: box[1] + box[3], reverse=True)
    while pair := _next_pair(boxes, heights):
        first, second = pair
        boxes[first] = _around(boxes[first], boxes.pop(second))
    return boxes


def taken_apart(mask: NDArray[np.uint8], group: Box, heights: HeightModel) -> list[tuple[Box, float]]:
    """The people in a group, each with how much of their box moves, 0..1.

    Where a head may be, a person of the height expected there is tried; the best-filled one is taken out, and
    so on. ``mask`` is 1 where the picture moves, uint8 [H, W].
    """
    left, top, width, height = (int(side) for side in group)
    part = mask[top : top + height, left : left + width].copy()
    people: list[tuple[Box, float]] = []
    while len(people) < _MOST_IN_A_GROUP and np.count_nonzero(part) >= _FEWEST_PIXELS:
        person, filled = _best_filled(part, top, heights)
        if filled < _LEAST_FILLED:
            break
        people.append(((left + person[0], top + person[1], person[2], person[3]), filled))
        _take_out(part, person)
    return people


def _next_pair(boxes: list[Box], heights: HeightModel) -> tuple[int, int] | None:
    for first, second in combinations(range(len(boxes)), 2):
        _, top, width, height = _around(boxes[first], boxes[second])
        expected = heights.at_foot(top + height)
        if height <= _TALLEST_WHOLE * expected and width <= _WIDEST_WHOLE * PERSON_WIDTH * expected:
            return first, second
    return None


def _around(first: Box, second: Box) -> Box:
    left, top = min(first[0], second[0]), min(first[1], second[1])
    right = max(first[0] + first[2], second[0] + second[2])
    bottom = max(first[1] + first[3], second[1] + second[3])
    return left, top, right - left, bottom - top


def _best_filled(part: NDArray[np.uint8], offset: int, heights: HeightModel) -> tuple[Box, float]:
    """The person who explains most of ``part``, whose first row is row ``offset`` of the mask, and how filled
    it is.
    """
    rows, columns = part.shape
    sums = np.pad(part.cumsum(axis=0, dtype=np.int64).cumsum(axis=1), ((1, 0), (1, 0)))
    centres = np.flatnonzero(part.any(axis=0))
    tops = _head_rows(part, centres, offset, heights)
    tall = np.minimum(heights.at_top(offset + tops.astype(np.float64)), rows - tops)
    wide = PERSON_WIDTH * tall
    left = np.clip(np.round(centres - wide / 2), 0, columns).astype(int)
    right = np.clip(np.round(centres + wide / 2), 0, columns).astype(int)
    bottom = np.minimum(rows, np.round(tops + tall)).astype(int)
    moving = sums[bottom, right] - sums[tops, right] - sums[bottom, left] + sums[tops, left]
    # What is left of a person who was taken out already has its top too low for where its feet are.
    whole = tall >= _SHORTEST_WHOLE * heights.at_feet(offset + tops + tall)
    filled = np.where(whole, moving / (wide * tall), 0.0)
    best = int(filled.argmax())
    box = (centres[best] - wide[best] / 2, tops[best], wide[best], bottom[best] - tops[best])
    return (float(box[0]), float(box[1]), float(box[2]), float(box[3])), float(filled[best])


def _head_rows(
    part: NDArray[np.uint8], centres: NDArray[np.intp], offset: int, heights: HeightModel
) -> NDArray[np.intp]:
    """The highest moving row within a third of a person's half width of each of ``centres``."""
    first = np.where(part.any(axis=0), part.argmax(axis=0), part.shape[0])
    reach = PERSON_WIDTH / 6 * heights.at_top(offset + first[centres].astype(np.float64))
    spans = zip(np.maximum(0, centres - reach).astype(int), (centres + reach).astype(int) + 1, strict=True)
    return np.array([first[low:high].min() for low, high in spans], dtype=np.intp)


def _take_out(part: NDArray[np.uint8], person: Box) -> None:
    left, top, width, height = person
    low, high = max(0, round(left) - _MARGIN), round(left + width) + _MARGIN
    part[max(0, int(top) - _MARGIN) : round(top + height), low:high] = 0
