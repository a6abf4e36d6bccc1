"""Tools to paint a scene in perspective: floors and walls by casting a ray a pixel, furniture as polygons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.people import Colour
from reid_desk.demo.raster import Light
from reid_desk.demo.settings import CameraSettings
from reid_desk.demo.view import Floats, View

Surface = Callable[[Floats, Floats], Floats]
"""Two coordinates on a plane in metres, [N] each -> colour [N, 3]."""

SUPERSAMPLING = 2
SUBPIXEL = 4
REMAP_WIDTH = 4096
CLOUD_PERIOD = 256
GLOW = 2.0
"""How much brighter than white a lamp may be, so that it survives a camera's cast."""
TOP_SHADE, SIDE_SHADE = 1.12, 0.78


@dataclass(frozen=True)
class Occluder:
    """What hides people who walk behind it: ``mask`` [H, W] 0..1 at ``depth`` metres."""

    depth: float
    mask: Floats


@dataclass(frozen=True)
class Scene:
    """What a camera sees when nobody is there.

    Attributes:
        picture: Float RGB [H, W, 3], 0..1.
        shadow: Darkness of people's shadows, 0..1.
        shadow_offset: Metres (x, y) by which the light throws the shadow of a person's middle to the side.
    """

    picture: Floats
    occluders: tuple[Occluder, ...]
    light: Light
    shadow: float
    shadow_offset: tuple[float, float]


class Backdrop:
    """A picture in the making, supersampled. Colours are float RGB 0..1, places in metres of the world."""

    def __init__(self, camera: CameraSettings, rng: np.random.Generator) -> None:
        self.view = View.of(camera, scale=SUPERSAMPLING)
        self.picture: Floats = np.zeros((self.view.height, self.view.width, 3), np.float32)
        self._rays = self.view.rays()
        self._reach: Floats = np.full((self.view.height, self.view.width), np.inf, np.float32)
        self._clouds = _cloud_tile(rng)
        self._mask: Floats | None = None
        self._occluders: list[Occluder] = []

    def floor(self, surface: Surface) -> None:
        """Cover the ground; ``surface`` is given (X, Y)."""
        across, ahead, up = self._rays
        reach = np.where(up < -1e-4, self.view.mount / np.maximum(-up, 1e-4), np.inf)
        self._cover(reach, lambda where: surface(reach[where] * across[where], reach[where] * ahead[where]))

    def wall(self, depth: float, surface: Surface) -> None:
        """Raise a wall across the picture at ``depth``; ``surface`` is given (X, Z)."""
        across, ahead, up = self._rays
        reach = np.float32(depth) / ahead
        height = self.view.mount + reach * up
        self._cover(
            np.where(height >= 0, reach, np.inf),
            lambda where: surface(reach[where] * across[where], height[where]),
        )

    def side_wall(self, x: float, surface: Surface) -> None:
        """Raise a wall along the view at ``x``; ``surface`` is given (Y, Z)."""
        across, ahead, up = self._rays
        reach = np.where(across * np.sign(x) > 1e-4, x / np.where(across == 0, 1e-4, across), np.inf)
        height = self.view.mount + reach * up
        self._cover(
            np.where(height >= 0, reach, np.inf).astype(np.float32),
            lambda where: surface(reach[where] * ahead[where], height[where]),
        )

    def clouds(self, u: Floats, v: Floats, size: float) -> Floats:
        """Smooth noise of unit variance with blobs of about ``size`` metres."""
        x = np.mod(u * np.float32(6 / size), CLOUD_PERIOD).astype(np.float32)
        y = np.mod(v * np.float32(6 / size), CLOUD_PERIOD).astype(np.float32)
        rows = -(-u.size // REMAP_WIDTH)
        padding = rows * REMAP_WIDTH - u.size
        across, down = (np.pad(axis, (0, padding)).reshape(rows, REMAP_WIDTH) for axis in (x, y))
        sampled = cv2.remap(self._clouds, across, down, cv2.INTER_LINEAR)
        return np.asarray(sampled.reshape(-1)[: u.size], np.float32)

    def polygon(self, points: Sequence[tuple[float, float, float]], colour: Colour) -> None:
        """Fill a flat convex polygon of world points."""
        corners = self.view.project(np.array(points, np.float32))[:, :2]
        fixed = np.rint((corners - 0.5) * 2**SUBPIXEL).astype(np.int32)
        cv2.fillConvexPoly(self.picture, fixed, colour, cv2.LINE_8, SUBPIXEL)
        if self._mask is not None:
            cv2.fillConvexPoly(self._mask, fixed, 1.0, cv2.LINE_8, SUBPIXEL)

    def panel(self, x: tuple[float, float], z: tuple[float, float], depth: float, colour: Colour) -> None:
        """Fill an upright rectangle that faces the camera."""
        (x0, x1), (z0, z1) = x, z
        self.polygon([(x0, depth, z0), (x1, depth, z0), (x1, depth, z1), (x0, depth, z1)], colour)

    def box(
        self, x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], colour: Colour
    ) -> None:
        """Draw an upright box: top, the side that shows, front."""
        (x0, x1), (y0, y1), (z0, z1) = x, y, z
        if z1 < self.view.mount:
            self.polygon([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], times(colour, TOP_SHADE))
        side = x0 if x0 > 0 else x1 if x1 < 0 else None
        if side is not None:
            corners = [(side, y0, z0), (side, y1, z0), (side, y1, z1), (side, y0, z1)]
            self.polygon(corners, times(colour, SIDE_SHADE))
        self.panel(x, z, y0, colour)

    def disc(
        self, place: tuple[float, float, float], radius: float, colour: Colour, *, flat: float = 1.0
    ) -> None:
        """Draw an ellipse ``radius`` metres wide and ``flat`` times as high, upright at ``place``."""
        x, y, depth = (float(value) for value in self.view.project(np.array([place], np.float32))[0])
        size = radius * self.view.focal / depth
        centre = (round(x * 2**SUBPIXEL), round(y * 2**SUBPIXEL))
        axes = (round(size * 2**SUBPIXEL), round(size * flat * 2**SUBPIXEL))
        for layer, value in ((self.picture, colour), (self._mask, (1.0,))):
            if layer is not None:
                cv2.ellipse(layer, centre, axes, 0, 0, 360, value, -1, cv2.LINE_8, SUBPIXEL)

    def shade_ground(self, x: float, y: float, radius: tuple[float, float], darkness: float) -> None:
        """Lay a soft shadow (or, below 0, a pool of light) on the ground around (x, y)."""
        across, ahead, up = self._rays
        reach = np.where(up < -1e-4, self.view.mount / np.maximum(-up, 1e-4), np.inf)
        on_floor = np.isclose(reach, self._reach, rtol=1e-3)
        far = ((reach * across - x) / radius[0]) ** 2 + ((reach * ahead - y) / radius[1]) ** 2
        factor = 1.0 - darkness * np.exp(-np.where(np.isfinite(far), far, 1e6)) * on_floor
        self.picture *= factor[..., None].astype(np.float32)

    def begin_occluder(self) -> None:
        """What is drawn from here on can hide people."""
        self._mask = np.zeros(self.picture.shape[:2], np.float32)

    def end_occluder(self, depth: float) -> None:
        """Close the occluder; it hides people farther away than ``depth``. Draw nothing over it later."""
        assert self._mask is not None, "begin_occluder comes first"
        self._occluders.append(Occluder(depth, self._shrunk(self._mask)))
        self._mask = None

    def finish(
        self, light: Light, *, shadow: float, shadow_offset: tuple[float, float] = (0.0, 0.0)
    ) -> Scene:
        """The scene, at the camera's own resolution, with corners a little darker."""
        picture = self._shrunk(np.clip(self.picture, 0.0, GLOW))
        height, width = picture.shape[:2]
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        vignette = (1.0 - 0.16 * (x * x + y * y) / 2).astype(np.float32)
        return Scene(picture * vignette[..., None], tuple(self._occluders), light, shadow, shadow_offset)

    def _shrunk(self, image: Floats) -> Floats:
        size = (self.view.width // SUPERSAMPLING, self.view.height // SUPERSAMPLING)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)

    def _cover(self, reach: Floats, colour: Callable[[NDArray[np.bool_]], Floats]) -> None:
        nearer = (reach < self._reach) & (reach > 0)
        if not nearer.any():
            return
        self.picture[nearer] = colour(nearer)
        self._reach[nearer] = reach[nearer]


def _cloud_tile(rng: np.random.Generator) -> Floats:
    """Smooth noise [257, 257] that repeats without a seam every 256 cells."""
    coarse = np.pad(rng.normal(0, 1, (CLOUD_PERIOD, CLOUD_PERIOD)).astype(np.float32), 16, mode="wrap")
    smooth = cv2.GaussianBlur(coarse, (0, 0), 3.0)[16 : 17 + CLOUD_PERIOD, 16 : 17 + CLOUD_PERIOD]
    return np.asarray(smooth / smooth.std(), np.float32)


def times(colour: Colour, factor: float) -> Colour:
    """``colour``, brighter or darker."""
    return (min(colour[0] * factor, 1.0), min(colour[1] * factor, 1.0), min(colour[2] * factor, 1.0))


def grid(u: Floats, v: Floats, size: tuple[float, float], joint: float) -> tuple[Floats, Floats]:
    """Tiles of ``size`` metres with joints ``joint`` wide -> share of joint [N], a number a tile 0..1 [N]."""
    row = np.floor(v / size[1])
    column = np.floor(u / size[0] + 0.5 * (row % 2) * (joint < 0))
    shifted = u / size[0] + 0.5 * (row % 2) * (joint < 0) - column
    width = abs(joint)
    gap = (shifted * size[0] < width) | ((v / size[1] - row) * size[1] < width)
    number = np.mod(np.sin(column * 127.1 + row * 311.7) * 43758.5453, 1.0)
    return gap.astype(np.float32), number.astype(np.float32)
