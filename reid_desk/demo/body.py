"""One person's body at one moment: places its parts in a camera's picture and knows their order in depth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.gait import Pose, walking_pose
from reid_desk.demo.people import Colour, Person
from reid_desk.demo.raster import Texture, Tube
from reid_desk.demo.view import View

Point = NDArray[np.float64]


@dataclass(frozen=True)
class Stand:
    """Ground position in metres, heading (radians, 0 is to the right) and phase of the walk of a person."""

    x: float
    y: float
    heading: float
    phase: float


@dataclass(frozen=True)
class Part:
    """A painted tube; of two parts the one with more ``order`` lies in front. ``dim`` darkens it."""

    order: float
    tube: Tube
    texture: Texture
    dim: float = 1.0


class Body:
    """Collects the parts of one person. Points are own-frame: (forward, left, up) in shares of the height.

    Attributes:
        person: Whose body it is.
        pose: Where the joints are.
        facing: The angle around the body that faces the camera: 0 is the front, pi/2 the person's left.
        parts: What was added so far.
    """

    def __init__(self, person: Person, stand: Stand, view: View) -> None:
        self.person = person
        self.pose: Pose = walking_pose(person, stand.phase)
        self.parts: list[Part] = []
        self._stand = stand
        self._view = view
        toward = math.atan2(-stand.y, -stand.x)
        self.facing = (toward - stand.heading + math.pi) % (2 * math.pi) - math.pi
        self._front = math.cos(self.facing)
        self._side = math.sin(self.facing)
        depth = view.place(stand.x, stand.y, 0.5 * person.height)[2]
        self._scale = view.focal / depth * person.height

    def at(self, forward: float, left: float, up: float) -> Point:
        """A point of the trunk, which rises and sinks with the walk."""
        return np.array([forward, left, up + self.pose.lift])

    def nearness(self, point: Point) -> float:
        """How much nearer than the body's axis ``point`` is to the camera."""
        return float(self._front * point[0] + self._side * point[1])

    def seen(self, *halves: tuple[float, float]) -> tuple[float, ...]:
        """The half widths, seen from here, of ellipses given as (half width, half depth)."""
        return tuple(math.hypot(wide * self._front, deep * self._side) for wide, deep in halves)

    def add(
        self,
        ends: tuple[Point, Point],
        radii: tuple[float, ...],
        texture: Texture,
        *,
        caps: tuple[float, float] | None = None,
        order: float | None = None,
        dim: float = 1.0,
    ) -> None:
        """Add a tube between two points, the lower one first.

        Args:
            ends: Lower and upper end.
            radii: Half widths at equal steps from the lower to the upper end, shares of the height.
            texture: Its colours.
            caps: How far the rounded ends reach; as far as they are wide by default.
            order: Place among the other parts; by the tube's nearness by default.
            dim: Factor on its brightness.
        """
        low, high = self._screen(ends[0]), self._screen(ends[1])
        below, above = caps if caps is not None else (radii[0], radii[-1])
        scaled = tuple(radius * self._scale for radius in radii)
        tube = Tube(low, high, scaled, (below * self._scale, above * self._scale), self.facing)
        depth = self.nearness((ends[0] + ends[1]) / 2) if order is None else order
        self.parts.append(Part(depth, tube, texture, dim))

    def _screen(self, point: Point) -> tuple[float, float]:
        forward, left, up = (float(value) for value in point * self.person.height)
        cosine, sine = math.cos(self._stand.heading), math.sin(self._stand.heading)
        x = self._stand.x + forward * cosine - left * sine
        y = self._stand.y + forward * sine + left * cosine
        return self._view.place(x, y, up)[:2]


def darker(colour: Colour) -> Colour:
    """A seam or a shadow of ``colour``."""
    return (colour[0] * 0.68, colour[1] * 0.68, colour[2] * 0.7)


def lighter(colour: Colour) -> Colour:
    """A trim of ``colour``."""
    return (colour[0] * 0.7 + 0.3, colour[1] * 0.7 + 0.3, colour[2] * 0.7 + 0.3)
