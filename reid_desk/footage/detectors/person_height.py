"""How tall a person is at each height of a fixed camera's picture, learnt from those who stand alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

PERSON_WIDTH = 0.4
"""A walking person's width over their height, as cameras at roof height see it."""

_ENOUGH = 40  # people seen before the model speaks
_REFIT_EVERY = 100  # people
_REMEMBERED = 400  # people; the fit compares every two of them
_STEEPEST = 0.95  # pixels of height a row further down: at 1, a camera at eye level sees all heads in one row
_SHORTEST = 8.0  # pixels


class HeightModel:
    """A straight line: height in pixels = slope x foot (row of the feet) + base.

    A ground plane under a level camera gives exactly that. The line is the one of Theil and Sen, which groups
    and halves of people do not bend.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._samples = np.zeros((_REMEMBERED, 2), dtype=np.float64)
        self._slope = 0.0
        self._base = 0.0

    @property
    def known(self) -> bool:
        """Whether enough people were seen to say anything."""
        return self._seen >= _ENOUGH

    def learn(self, foot: float, height: float) -> None:
        """One person who stands alone, with the row of their feet and their height in pixels."""
        # The newest replace the oldest: cameras get moved, and the first minutes may show only one corner.
        self._samples[self._seen % _REMEMBERED] = foot, height
        self._seen += 1
        if self.known and self._seen % _REFIT_EVERY in (0, _ENOUGH):
            self._fit(self._samples[: self._seen])

    @property
    def trust(self) -> float:
        """How far a height may be off, as a factor above 1, because the feet were not seen where they are.

        Where the line is steep, legs that melt into the ground make a person look far away.
        """
        return 1.2 / (1 - self._slope / 2)

    def at_foot(self, foot: float) -> float:
        """Height in pixels of a person whose feet are in this row."""
        return float(self.at_feet(np.array(foot)))

    def at_feet(self, feet: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights in pixels of people whose feet are in these rows."""
        height: NDArray[np.float64] = np.maximum(_SHORTEST, self._slope * feet + self._base)
        return height

    def at_top(self, top: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights in pixels of people whose heads are in these rows: (slope x top + base) / (1 - slope)."""
        height: NDArray[np.float64] = np.maximum(
            _SHORTEST, (self._slope * top + self._base) / (1 - self._slope)
        )
        return height

    def _fit(self, samples: NDArray[np.float64]) -> None:
        feet, heights = samples.T
        low, high = np.percentile(feet, [10, 90])
        # Where everybody stands in one row, that says nothing about other rows.
        spread = high - low >= 0.3 * np.median(heights)
        slope = float(stats.theilslopes(heights, feet).slope) if spread else 0.0
        self._slope = min(max(slope, 0.0), _STEEPEST)
        self._base = float(np.median(heights - self._slope * feet))
