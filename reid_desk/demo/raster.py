"""A small anti-aliased painter of shaded round bodies: every limb, torso and head is a :func:`paint_tube`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reid_desk.demo.view import Floats

Texture = Callable[[Floats, Floats], Floats]
"""(t along the tube: 0 and 1 at its ends, beyond them in its caps [H, W]; angle around it, radians [H, W])
-> colour [H, W, 3]."""

STATIONS = 48
STEPS = np.linspace(0.0, 1.0, STATIONS)
ONE = np.float32(1.0)
RIM = 0.34


@dataclass(frozen=True)
class Light:
    """A light far away plus a sky: ``direction`` is (right, down, toward the viewer), of unit length."""

    direction: tuple[float, float, float]
    ambient: float
    diffuse: float


class Sprite:
    """A picture with alpha, premultiplied, that covers a rectangle of the frame.

    Attributes:
        left: Frame column of the sprite's first column.
        top: Frame row of the sprite's first row.
        colour: Premultiplied colour [H, W, 3], 0..1.
        alpha: Coverage [H, W], 0..1.
    """

    def __init__(self, left: int, top: int, width: int, height: int) -> None:
        self.left = left
        self.top = top
        self.colour: Floats = np.zeros((height, width, 3), np.float32)
        self.alpha: Floats = np.zeros((height, width), np.float32)

    def window(self, bounds: tuple[float, float, float, float]) -> tuple[slice, slice] | None:
        """Rows and columns of the sprite inside frame ``bounds`` (left, top, right, bottom)."""
        height, width = self.alpha.shape
        x0 = max(math.floor(bounds[0]) - self.left, 0)
        y0 = max(math.floor(bounds[1]) - self.top, 0)
        x1 = min(math.ceil(bounds[2]) + 1 - self.left, width)
        y1 = min(math.ceil(bounds[3]) + 1 - self.top, height)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def lay(self, where: tuple[slice, slice], colour: Floats, cover: Floats) -> None:
        """Lay ``colour`` [h, w, 3] over what is there, as far as ``cover`` [h, w] goes."""
        there, alpha = self.colour[where], self.alpha[where]
        there += (colour - there) * cover[..., None]
        alpha += (1.0 - alpha) * cover


@dataclass(frozen=True)
class Tube:
    """A round body seen from the side.

    Attributes:
        low: Frame position (x, y) of its lower end.
        high: Frame position of its upper end.
        radii: Half widths in pixels at equal steps from the lower to the upper end.
        caps: How far the rounded ends reach beyond ``low`` and ``high``, in pixels.
        facing: Angle around the body that faces the viewer: 0 is the front, pi/2 the person's left.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    radii: tuple[float, ...]
    caps: tuple[float, float]
    facing: float = 0.0


def paint_tube(sprite: Sprite, tube: Tube, texture: Texture, light: Light) -> None:
    """Paint ``tube`` into ``sprite``, lit by ``light``, with a soft darker rim."""
    reach = max(*tube.radii, *tube.caps) + 1.5
    (x0, y0), (x1, y1) = tube.low, tube.high
    where = sprite.window(
        (min(x0, x1) - reach, min(y0, y1) - reach, max(x0, x1) + reach, max(y0, y1) + reach)
    )
    if where is None:
        return
    rows, columns = where
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None] + np.float32(sprite.left + 0.5 - x0)
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(sprite.top + 0.5 - y0)
    length = max(math.hypot(x1 - x0, y1 - y0), 1e-3)
    ax, ay = (x1 - x0) / length, (y1 - y0) / length
    along: Floats = x * np.float32(ax) + y * np.float32(ay)
    across: Floats = y * np.float32(ax) - x * np.float32(ay)
    radius = _radius(tube, length, along)
    cover = _cover(tube, length, along, radius - np.abs(across))
    side = np.minimum(np.maximum(across / np.maximum(radius, np.float32(0.5)), -ONE), ONE)
    colour = texture(along / np.float32(length), np.float32(tube.facing) + np.arcsin(side))
    lit = colour * _shade(side, (-ay, ax), light)[..., None]
    sprite.lay(where, np.minimum(lit, ONE), cover)


def _radius(tube: Tube, length: float, along: Floats) -> Floats:
    """Half width at ``along`` pixels from the lower end, from a table over the whole tube."""
    start, stop = -tube.caps[0], length + tube.caps[1]
    stations = start + STEPS * (stop - start)
    radii = np.interp(stations / length, np.arange(len(tube.radii)) / max(len(tube.radii) - 1, 1), tube.radii)
    if tube.caps[0] > 0:
        radii *= np.sqrt(np.maximum(1.0 - np.square(np.maximum(-stations, 0.0) / tube.caps[0]), 0.0))
    if tube.caps[1] > 0:
        radii *= np.sqrt(np.maximum(1.0 - np.square(np.maximum(stations - length, 0.0) / tube.caps[1]), 0.0))
    position = (along - np.float32(start)) * np.float32((STATIONS - 1) / max(stop - start, 1e-3))
    index = np.minimum(np.maximum(position, 0.0), STATIONS - 1).astype(np.intp)
    table = radii.astype(np.float32)
    slope = np.zeros_like(table)
    slope[:-1] = table[1:] - table[:-1]
    return np.asarray(table[index] + slope[index] * (position - index))


def _cover(tube: Tube, length: float, along: Floats, inside: Floats) -> Floats:
    """Anti-aliased coverage: ``inside`` is how many pixels a place lies within the tube's width."""
    cover = inside + np.float32(0.5)
    np.minimum(cover, along + np.float32(tube.caps[0] + 0.5), out=cover)
    np.minimum(cover, np.float32(length + tube.caps[1] + 0.5) - along, out=cover)
    return np.asarray(np.minimum(np.maximum(cover, 0.0, out=cover), ONE, out=cover))


def _shade(side: Floats, across: tuple[float, float], light: Light) -> Floats:
    squared = side * side
    lateral = np.float32(across[0] * light.direction[0] + across[1] * light.direction[1])
    lit = side * lateral + np.sqrt(np.maximum(ONE - squared, 0.0)) * np.float32(light.direction[2])
    rim = ONE - np.float32(RIM) * squared * squared
    return np.asarray((np.float32(light.ambient) + np.float32(light.diffuse) * np.maximum(lit, 0.0)) * rim)
