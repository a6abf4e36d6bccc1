"""Where a fixed camera stands and how the world falls into its picture.

World coordinates in metres: X to the right, Y away from the camera along the ground, Z up; the lens is at
(0, 0, mount). Picture coordinates in pixels: x to the right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.settings import CameraSettings

Floats = NDArray[np.floating[Any]]
"""Any float array; float32 where it is as large as a picture."""

NEAREST = 0.1
"""Metres; what is nearer, or behind the lens, is projected as if it were here."""


@dataclass(frozen=True)
class View:
    """A pinhole camera, tilted down by ``pitch`` radians."""

    width: int
    height: int
    focal: float
    mount: float
    pitch: float

    @classmethod
    def of(cls, camera: CameraSettings, *, scale: float = 1.0) -> View:
        """The view of ``camera``, with ``scale`` times its pixels."""
        focal = camera.width / 2 / math.tan(math.radians(camera.field_of_view) / 2)
        return cls(
            round(camera.width * scale),
            round(camera.height * scale),
            focal * scale,
            camera.mount,
            math.radians(camera.pitch),
        )

    def project(self, points: Floats) -> Floats:
        """Points [N, 3] of the world -> [N, 3]: x, y in pixels and the depth along the view in metres."""
        cosine, sine = math.cos(self.pitch), math.sin(self.pitch)
        below = self.mount - points[:, 2]
        depth = np.maximum(points[:, 1] * cosine + below * sine, NEAREST)
        down = below * cosine - points[:, 1] * sine
        x = self.width / 2 + self.focal * points[:, 0] / depth
        y = self.height / 2 + self.focal * down / depth
        return np.stack([x, y, depth], axis=1).astype(np.float32)

    def place(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """One point of the world, as :meth:`project` has it."""
        cosine, sine = math.cos(self.pitch), math.sin(self.pitch)
        below = self.mount - z
        depth = max(y * cosine + below * sine, NEAREST)
        down = below * cosine - y * sine
        return self.width / 2 + self.focal * x / depth, self.height / 2 + self.focal * down / depth, depth

    def rays(self) -> tuple[Floats, Floats, Floats]:
        """Directions (X, Y, Z) [H, W] of the rays through the pixels' centres."""
        across, down = np.meshgrid(
            (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal,
            (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.focal,
        )
        cosine, sine = np.float32(math.cos(self.pitch)), np.float32(math.sin(self.pitch))
        return across, cosine - down * sine, -sine - down * cosine

    def half_width(self, depth: float) -> float:
        """How far from the middle, in metres, the picture's edge is at ground depth ``depth``."""
        along = depth * math.cos(self.pitch) + self.mount * math.sin(self.pitch)
        return self.width / 2 / self.focal * along
