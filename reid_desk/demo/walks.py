"""Who passes which camera, when, and along which path."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.body import Stand
from reid_desk.demo.gait import stride_length
from reid_desk.demo.people import Person
from reid_desk.demo.settings import CameraSettings, DemoSettings
from reid_desk.demo.view import View

OUTSIDE = 0.8
"""Metres beyond the picture's edge at which people appear and vanish."""
SAMPLES = 120
CANDIDATES = 4
"""Paths drawn for each pass; the one that meets the fewest people is walked, so that crossings are occasional."""
ELBOW_ROOM = 0.7
"""Metres that two people need between them, seen from the camera, not to hide each other."""


@dataclass(frozen=True)
class Walk:
    """One person's pass along a path on the ground.

    Attributes:
        start: Seconds after the clip's start.
        path: Points (x, y) [SAMPLES, 2] in metres.
        lengths: Metres walked at each of the points.
        phase: Phase of the walking cycle at the start, radians.
    """

    person: Person
    start: float
    path: NDArray[np.float64]
    lengths: NDArray[np.float64]
    phase: float

    @property
    def end(self) -> float:
        """Seconds after the clip's start at which the person is gone."""
        return self.start + float(self.lengths[-1]) / self.person.pace

    def places(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the person is at ``times`` [N]: [N, 2]; at the path's end before and after the pass."""
        walked = (times - self.start) * self.person.pace
        return np.stack([np.interp(walked, self.lengths, self.path[:, axis]) for axis in (0, 1)], axis=1)

    def at(self, time: float) -> Stand | None:
        """Where the person is at ``time``, or ``None`` before and after the pass."""
        walked = (time - self.start) * self.person.pace
        if not 0 <= walked <= self.lengths[-1]:
            return None
        x, y = (float(value) for value in self.places(np.array([time]))[0])
        here = int(np.clip(np.searchsorted(self.lengths, walked), 1, SAMPLES - 1))
        dx, dy = self.path[here] - self.path[here - 1]
        cycle = 2 * math.pi * walked / stride_length(self.person)
        return Stand(x, y, math.atan2(dy, dx), self.phase + cycle)


def plan_walks(
    people: tuple[Person, ...], camera: CameraSettings, settings: DemoSettings, rng: np.random.Generator
) -> tuple[Walk, ...]:
    """Everybody passes ``camera`` once, some a second time, in about the order of their numbers."""
    order = [(number + rng.normal(0, 3.0), person) for number, person in enumerate(people)]
    again = rng.permutation(len(people))[: round(settings.second_pass * len(people))]
    for number in again:
        later = (number + len(people) * rng.uniform(0.35, 0.65)) % (len(people) + 1)
        order.append((float(later), people[int(number)]))
    walks: list[Walk] = []
    start = settings.lead_in
    for _, person in sorted(order, key=lambda entry: entry[0]):
        candidates = [_walk(person, start, camera, rng) for _ in range(CANDIDATES)]
        walk = min(candidates, key=lambda candidate: _meetings(candidate, walks))
        walks.append(walk)
        start += (walk.end - walk.start) / settings.together * rng.uniform(0.6, 1.4)
    return tuple(walks)


def duration(walks: tuple[Walk, ...]) -> float:
    """Seconds until the last person is gone."""
    return max((walk.end for walk in walks), default=0.0) + 0.5


def _meetings(walk: Walk, others: list[Walk]) -> int:
    """At how many of :data:`SAMPLES` moments somebody else is seen in the same direction."""
    times = np.linspace(walk.start, walk.end, SAMPLES)
    x, y = walk.places(times).T
    count = 0
    for other in others:
        if other.end > walk.start:
            there = other.places(times)
            near = np.abs(x / y - there[:, 0] / there[:, 1]) * np.minimum(y, there[:, 1]) < ELBOW_ROOM
            count += int((near & (times < other.end)).sum())
    return count


def _walk(person: Person, start: float, camera: CameraSettings, rng: np.random.Generator) -> Walk:
    path = _curve(_control_points(camera, rng))
    steps = np.hypot(*np.diff(path, axis=0).T)
    return Walk(
        person, start, path, np.concatenate([[0.0], np.cumsum(steps)]), float(rng.uniform(0, 2 * math.pi))
    )


def _control_points(camera: CameraSettings, rng: np.random.Generator) -> NDArray[np.float64]:
    """A crossing from side to side, an approach from afar, or the way back."""
    view = View.of(camera)
    side = 1.0 if rng.random() < 0.5 else -1.0
    near, far = camera.near, camera.far
    if rng.random() < 0.45:
        first, last = rng.uniform(near, far, 2)
        return np.array(
            [
                [-side * (view.half_width(first) + OUTSIDE), first],
                [-side, first + rng.normal(0, 0.3)],
                [side, last + rng.normal(0, 0.3)],
                [side * (view.half_width(last) + OUTSIDE), last],
            ]
        )
    distant, close = far - rng.uniform(0, 0.1) * (far - near), near + rng.uniform(0, 0.25) * (far - near)
    turn, reach = rng.uniform(-1.2, 1.2), view.half_width(near)
    exit_side = side if rng.random() < 0.7 else -side
    points = np.array(
        [
            [-side * (view.half_width(distant) + OUTSIDE), distant],
            [(turn - 0.1 * side) * reach * 0.5, distant + 0.4],
            [turn * reach * 0.4, close],
            [exit_side * (view.half_width(close) + OUTSIDE), close],
        ]
    )
    return points if rng.random() < 0.5 else points[::-1].copy()


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic Bezier curve of four control points."""
    t = np.linspace(0.0, 1.0, SAMPLES)[:, None]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return np.asarray(sum(weight * point for weight, point in zip(weights, points, strict=True)))
