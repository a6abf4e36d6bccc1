"""The places that the demo's cameras look at. Each painter returns a :class:`Scene` for its camera."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reid_desk.demo.backdrop import Backdrop, Scene, grid, times
from reid_desk.demo.people import Colour
from reid_desk.demo.raster import Light
from reid_desk.demo.settings import CameraSettings
from reid_desk.demo.view import Floats


def paint_scene(camera: CameraSettings, rng: np.random.Generator) -> Scene:
    """The scene that ``camera`` names."""
    return PAINTERS[camera.scene](Backdrop(camera, rng))


def _rgb(*values: float) -> Floats:
    return np.array(values, np.float32)


def _mix(base: Floats, other: Floats, share: Floats) -> Floats:
    return np.asarray(base + (other - base) * share[:, None], np.float32)


def _tiled(
    backdrop: Backdrop, colours: tuple[Colour, Colour], joint: Colour, size: tuple[float, float], gap: float
) -> Callable[[Floats, Floats], Floats]:
    """Tiles that vary between two colours, with worn patches."""
    light, dark, line = (_rgb(*colour) for colour in (*colours, joint))

    def surface(u: Floats, v: Floats) -> Floats:
        joints, number = grid(u, v, size, gap)
        colour = _mix(light, dark, number) * (1 + 0.025 * backdrop.clouds(u, v, 0.6))[:, None]
        colour = colour * (1 + 0.03 * backdrop.clouds(u, v, 4.0))[:, None]
        return _mix(colour, line, joints * 0.75)

    return surface


def _plaster(
    backdrop: Backdrop, colour: Colour, *, dado: Colour | None = None, height: float = 0.0
) -> Callable[[Floats, Floats], Floats]:
    """A painted wall, darker toward the ground, with a dado up to ``height`` metres."""
    upper, lower = _rgb(*colour), _rgb(*(dado or colour))

    def surface(u: Floats, z: Floats) -> Floats:
        below = (z < height).astype(np.float32)
        painted = _mix(np.broadcast_to(upper, (len(u), 3)), lower, below)
        grooves = below * (np.mod(u, 0.45) < 0.02)
        rail = (np.abs(z - height) < 0.035) * np.float32(height > 0)
        skirting = (z < 0.12).astype(np.float32)
        tone = 1 - 0.22 * np.exp(-z / 0.5) + 0.02 * backdrop.clouds(u, z, 1.5)
        tone = tone * (1 - 0.18 * grooves) * (1 + 0.2 * rail) * (1 - 0.25 * skirting)
        return np.asarray(painted * tone[:, None], np.float32)

    return surface


def _hall(backdrop: Backdrop) -> Scene:
    """A lobby: stone tiles, panelled walls, a double door, pictures, a window, a bench, plants."""
    depth = 10.6
    tiles = _tiled(backdrop, ((0.80, 0.74, 0.64), (0.70, 0.63, 0.53)), (0.5, 0.44, 0.37), (0.8, 0.8), 0.02)
    backdrop.floor(tiles)
    wall = _plaster(backdrop, (0.86, 0.81, 0.70), dado=(0.58, 0.42, 0.28), height=1.05)
    backdrop.wall(depth, wall)
    for x in (-5.0, 5.0):
        backdrop.side_wall(x, wall)
    _double_door(backdrop, -3.7, depth - 0.02)
    _picture(backdrop, -0.9, depth - 0.02, (0.70, 0.38, 0.26), (0.24, 0.40, 0.44))
    _picture(backdrop, 0.3, depth - 0.02, (0.28, 0.42, 0.36), (0.83, 0.66, 0.34))
    _window(backdrop, 2.0, depth - 0.02)
    _window(backdrop, 4.0, depth - 0.02)
    for x in (1.2, 3.3):
        backdrop.shade_ground(x, 7.6, (1.1, 1.4), -0.17)
    _bench(backdrop, -0.3, 9.8, (0.45, 0.29, 0.18))
    _plant(backdrop, -4.4, 9.9, 1.1)
    _plant(backdrop, 4.4, 9.8, 1.15)
    backdrop.begin_occluder()
    _plant(backdrop, -2.35, 4.4, 0.95)
    backdrop.end_occluder(4.4)
    return backdrop.finish(Light((-0.42, -0.5, 0.757), 0.52, 0.6), shadow=0.34, shadow_offset=(0.35, 0.1))


def _street(backdrop: Backdrop) -> Scene:
    """A shopping street: slabs, a brick house with lit windows, a door, an awning, trees, a lamp."""
    depth = 14.0
    backdrop.floor(_pavement(backdrop))
    backdrop.wall(depth, _bricks(backdrop))
    _shop_front(backdrop, -4.9, depth - 0.03, (0.62, 0.20, 0.18))
    _shop_front(backdrop, 2.0, depth - 0.03, (0.18, 0.40, 0.36))
    _double_door(backdrop, -0.7, depth - 0.03)
    for x in (-3.9, -2.4, 3.0, 4.6):
        backdrop.shade_ground(x, 13.2, (1.6, 1.3), -0.28)
    _tree(backdrop, -5.6, 12.4)
    _tree(backdrop, 5.7, 12.2)
    _bench(backdrop, 2.9, 12.9, (0.36, 0.30, 0.24))
    backdrop.begin_occluder()
    _bollard(backdrop, -2.3, 5.7)
    _bollard(backdrop, 0.1, 5.7)
    _bollard(backdrop, 2.5, 5.7)
    backdrop.end_occluder(5.7)
    return backdrop.finish(Light((0.35, -0.62, 0.70), 0.5, 0.62), shadow=0.4, shadow_offset=(-0.5, 0.15))


def _parking(backdrop: Backdrop) -> Scene:
    """The way into a car park: concrete, bay lines, a ramp's dark mouth, striped pillars, a parked car."""
    depth = 9.4
    backdrop.floor(_bays(backdrop))
    backdrop.wall(depth, _plaster(backdrop, (0.80, 0.81, 0.79), dado=(0.52, 0.62, 0.60), height=0.9))
    _ramp(backdrop, depth - 0.02)
    backdrop.panel((2.5, 3.3), (1.5, 2.3), depth - 0.02, (0.18, 0.34, 0.62))
    _letter_p(backdrop, 2.72, 1.6, depth - 0.04)
    _car(backdrop, -4.9, 7.9, (0.50, 0.20, 0.20))
    _pillar(backdrop, 1.6, 8.6)
    _pillar(backdrop, 4.4, 8.6)
    backdrop.begin_occluder()
    _pillar(backdrop, 2.3, 3.9)
    backdrop.end_occluder(3.9)
    return backdrop.finish(Light((-0.2, -0.75, 0.63), 0.5, 0.62), shadow=0.36)


def _plaza(backdrop: Backdrop) -> Scene:
    """A sunny square: pale slabs, a low wall, a hedge, the sky."""
    backdrop.picture[:] = _rgb(0.62, 0.80, 0.95)
    backdrop.floor(
        _tiled(backdrop, ((0.90, 0.87, 0.80), (0.84, 0.80, 0.72)), (0.66, 0.62, 0.55), (1.0, 0.6), -0.02)
    )
    for x in np.arange(-7, 7.2, 0.45):
        size = 0.75 + 0.15 * float(np.sin(x * 7.3))
        backdrop.disc(
            (float(x), 9.4, 0.95 + 0.2 * float(np.sin(x * 3.1))),
            size,
            (0.33, 0.56 + 0.05 * np.sin(x * 5), 0.26),
        )
    backdrop.box((-8, 8), (8.4, 8.8), (0, 0.62), (0.88, 0.83, 0.74))
    return backdrop.finish(Light((0.6, -0.55, 0.58), 0.5, 0.72), shadow=0.5, shadow_offset=(-0.9, 0.2))


def _studio(backdrop: Backdrop) -> Scene:
    """A photographer's white sweep."""
    backdrop.picture[:] = _rgb(0.95, 0.955, 0.96)
    backdrop.floor(
        lambda u, v: np.asarray(_rgb(0.93, 0.93, 0.935) * (1 - 0.1 * np.exp(-np.abs(v - 6.5)))[:, None])
    )
    backdrop.wall(6.5, lambda u, z: np.asarray(_rgb(0.95, 0.955, 0.965) * (1 - 0.1 * np.exp(-z))[:, None]))
    return backdrop.finish(Light((-0.35, -0.35, 0.87), 0.58, 0.52), shadow=0.25)


def _atrium(backdrop: Backdrop) -> Scene:
    """A bright hall of glass: white floor, tall panes."""
    backdrop.floor(
        _tiled(backdrop, ((0.92, 0.93, 0.93), (0.88, 0.89, 0.90)), (0.75, 0.77, 0.78), (0.6, 0.6), 0.015)
    )

    def panes(u: Floats, z: Floats) -> Floats:
        glass = _mix(
            np.broadcast_to(_rgb(0.72, 0.86, 0.90), (len(u), 3)), _rgb(0.93, 0.96, 0.97), np.clip(z / 3, 0, 1)
        )
        frame = ((np.mod(u, 1.4) < 0.07) | (np.mod(z, 1.3) < 0.06)).astype(np.float32)
        return _mix(glass, _rgb(0.55, 0.58, 0.60), frame)

    backdrop.wall(8.5, panes)
    _plant(backdrop, 2.6, 7.9, 1.1)
    return backdrop.finish(Light((0.2, -0.6, 0.77), 0.56, 0.56), shadow=0.25, shadow_offset=(0.2, 0.2))


def _pavement(backdrop: Backdrop) -> Callable[[Floats, Floats], Floats]:
    slabs = _tiled(backdrop, ((0.60, 0.59, 0.58), (0.52, 0.51, 0.50)), (0.36, 0.35, 0.35), (0.9, 0.6), -0.025)

    def surface(u: Floats, v: Floats) -> Floats:
        asphalt = _rgb(0.30, 0.30, 0.32) * (1 + 0.06 * backdrop.clouds(u, v, 0.12))[:, None]
        kerb = _rgb(0.70, 0.69, 0.66) * np.ones((len(u), 1), np.float32)
        road = np.where((v < 4.7)[:, None], asphalt, kerb)
        return np.asarray(np.where((v < 4.95)[:, None], road, slabs(u, v)), np.float32)

    return surface


def _bricks(backdrop: Backdrop) -> Callable[[Floats, Floats], Floats]:
    def surface(u: Floats, z: Floats) -> Floats:
        joints, number = grid(u, z, (0.3, 0.12), -0.018)
        brick = _mix(np.broadcast_to(_rgb(0.52, 0.34, 0.28), (len(u), 3)), _rgb(0.42, 0.27, 0.23), number)
        wall = _mix(brick, _rgb(0.58, 0.54, 0.50), joints * 0.6)
        plinth = _rgb(0.44, 0.43, 0.42) * np.ones((len(u), 1), np.float32)
        tone = 1 - 0.3 * np.exp(-z / 0.6) + 0.03 * backdrop.clouds(u, z, 1.2)
        return np.asarray(np.where((z < 0.35)[:, None], plinth, wall) * tone[:, None], np.float32)

    return surface


def _bays(backdrop: Backdrop) -> Callable[[Floats, Floats], Floats]:
    def surface(u: Floats, v: Floats) -> Floats:
        concrete = _rgb(0.77, 0.77, 0.74) * (1 + 0.05 * backdrop.clouds(u, v, 1.6))[:, None]
        concrete = concrete * (1 + 0.03 * backdrop.clouds(u, v, 0.15))[:, None]
        lines = ((np.abs(np.mod(u + v * 0.35, 2.6) - 1.3) < 0.055) & (v > 6.6)) | (np.abs(v - 6.6) < 0.055)
        seams = (np.mod(u, 3.0) < 0.02) | (np.mod(v, 3.0) < 0.02)
        concrete = concrete * (1 - 0.25 * seams)[:, None]
        return _mix(np.asarray(concrete, np.float32), _rgb(0.86, 0.74, 0.28), lines * np.float32(0.85))

    return surface


def _double_door(backdrop: Backdrop, x: float, y: float) -> None:
    backdrop.panel((x - 0.1, x + 1.9), (0, 2.3), y, (0.36, 0.24, 0.16))
    for start in (x, x + 0.92):
        backdrop.panel((start, start + 0.88), (0.02, 2.2), y - 0.01, (0.50, 0.33, 0.20))
        backdrop.panel((start + 0.16, start + 0.72), (1.0, 2.05), y - 0.02, (0.62, 0.70, 0.70))
        backdrop.panel((start + 0.16, start + 0.72), (0.2, 0.85), y - 0.02, (0.43, 0.28, 0.17))
    backdrop.panel((x + 0.84, x + 0.96), (1.0, 1.06), y - 0.03, (0.85, 0.75, 0.45))


def _window(backdrop: Backdrop, x: float, y: float) -> None:
    backdrop.panel((x - 0.9, x + 0.9), (1.15, 3.2), y, (0.93, 0.90, 0.84))
    for start in (x - 0.82, x + 0.04):
        for low, high in ((1.25, 2.05), (2.12, 3.12)):
            backdrop.panel((start, start + 0.78), (low, high), y - 0.01, (0.96, 0.95, 0.86))
    backdrop.panel((x - 1.0, x + 1.0), (1.08, 1.16), y - 0.05, (0.80, 0.75, 0.66))


def _picture(backdrop: Backdrop, x: float, y: float, first: Colour, second: Colour) -> None:
    backdrop.panel((x - 0.42, x + 0.42), (1.35, 2.4), y, (0.25, 0.18, 0.13))
    backdrop.panel((x - 0.36, x + 0.36), (1.41, 2.34), y - 0.01, (0.92, 0.89, 0.82))
    backdrop.panel((x - 0.26, x + 0.26), (1.52, 2.22), y - 0.02, first)
    backdrop.disc((x + 0.02, y - 0.03, 1.95), 0.14, second)
    backdrop.panel((x - 0.26, x + 0.26), (1.52, 1.72), y - 0.03, second)


def _bench(backdrop: Backdrop, x: float, y: float, wood: Colour) -> None:
    backdrop.shade_ground(x, y + 0.1, (1.2, 0.4), 0.35)
    for leg in (x - 0.85, x + 0.75):
        backdrop.box((leg, leg + 0.1), (y, y + 0.4), (0, 0.42), (0.22, 0.21, 0.2))
    backdrop.box((x - 1.0, x + 1.0), (y, y + 0.45), (0.42, 0.48), wood)
    for low in (0.58, 0.74):
        backdrop.panel((x - 1.0, x + 1.0), (low, low + 0.1), y + 0.45, times(wood, 0.92))


def _plant(backdrop: Backdrop, x: float, y: float, size: float) -> None:
    backdrop.shade_ground(x, y, (0.5 * size, 0.35 * size), 0.4)
    pot, leaf = (0.62, 0.33, 0.22), (0.24, 0.43, 0.22)
    lean = np.linspace(-1.0, 1.0, 9)
    for order, angle in enumerate(lean[np.argsort(-np.abs(lean))]):
        tip = (x + 0.55 * size * float(angle), y, (1.25 - 0.35 * float(angle) ** 2) * size)
        middle = (tip[0] * 0.45 + x * 0.55, y, 0.42 * size + 0.55 * (tip[2] - 0.42 * size))
        wide = 0.075 * size
        shade = times(leaf, 0.8 + 0.09 * (order % 5))
        backdrop.polygon(
            [
                (x, y, 0.4 * size),
                (middle[0] - wide, y, middle[2] + wide),
                tip,
                (middle[0] + wide, y, middle[2] - wide),
            ],
            shade,
        )
    low, high = 0.16 * size, 0.22 * size
    backdrop.polygon(
        [(x - low, y, 0), (x + low, y, 0), (x + high, y, 0.42 * size), (x - high, y, 0.42 * size)], pot
    )
    backdrop.panel((x - high * 1.1, x + high * 1.1), (0.36 * size, 0.45 * size), y, times(pot, 1.15))


def _shop_front(backdrop: Backdrop, x: float, y: float, awning: Colour) -> None:
    backdrop.panel((x, x + 3.6), (0.3, 2.9), y, (0.20, 0.18, 0.17))
    for pane in range(3):
        start = x + 0.12 + pane * 1.16
        backdrop.panel((start, start + 1.06), (0.45, 2.3), y - 0.01, (1.35, 1.04, 0.7))
        backdrop.panel((start, start + 1.06), (0.45, 0.95), y - 0.02, (1.15, 0.78, 0.46))
        backdrop.disc((start + 0.5, y - 0.03, 1.3), 0.2, (0.95, 0.5, 0.30))
    for stripe in range(9):
        colour = awning if stripe % 2 == 0 else (0.88, 0.84, 0.76)
        start = x + stripe * 0.4
        backdrop.polygon(
            [(start, y, 2.95), (start + 0.4, y, 2.95), (start + 0.4, y - 1.0, 2.45), (start, y - 1.0, 2.45)],
            colour,
        )


def _tree(backdrop: Backdrop, x: float, y: float) -> None:
    backdrop.shade_ground(x, y, (0.9, 0.6), 0.4)
    backdrop.box((x - 0.5, x + 0.5), (y - 0.4, y + 0.4), (0, 0.4), (0.46, 0.42, 0.38))
    backdrop.panel((x - 0.07, x + 0.07), (0.4, 2.0), y, (0.28, 0.20, 0.14))
    for number in range(16):
        angle = number * 2.4
        reach = 0.24 * number**0.5
        place = (x + reach * float(np.cos(angle)), y, 2.5 + reach * float(np.sin(angle)) * 0.8)
        backdrop.disc(place, 0.42, times((0.30, 0.36, 0.20), 0.75 + 0.03 * number))


def _bollard(backdrop: Backdrop, x: float, y: float) -> None:
    backdrop.shade_ground(x, y, (0.25, 0.18), 0.4)
    backdrop.panel((x - 0.08, x + 0.08), (0, 0.85), y, (0.24, 0.25, 0.27))
    backdrop.panel((x - 0.08, x - 0.03), (0, 0.85), y, (0.34, 0.35, 0.37))
    backdrop.panel((x - 0.08, x + 0.08), (0.66, 0.74), y, (0.85, 0.84, 0.8))
    backdrop.disc((x, y, 0.86), 0.09, (0.3, 0.31, 0.33))


def _ramp(backdrop: Backdrop, y: float) -> None:
    backdrop.panel((-3.4, 0.6), (0, 2.5), y, (0.13, 0.13, 0.14))
    backdrop.polygon([(-3.4, y, 0), (0.6, y, 0), (0.1, y, 0.9), (-2.9, y, 0.9)], (0.26, 0.26, 0.26))
    for stripe in range(10):
        colour = (0.88, 0.74, 0.18) if stripe % 2 == 0 else (0.14, 0.14, 0.14)
        start = -3.4 + stripe * 0.4
        backdrop.panel((start, start + 0.4), (2.5, 2.72), y, colour)


def _letter_p(backdrop: Backdrop, x: float, z: float, y: float) -> None:
    white = (0.93, 0.93, 0.93)
    backdrop.panel((x, x + 0.1), (z, z + 0.6), y, white)
    backdrop.panel((x, x + 0.35), (z + 0.5, z + 0.6), y, white)
    backdrop.panel((x, x + 0.35), (z + 0.25, z + 0.34), y, white)
    backdrop.panel((x + 0.27, x + 0.37), (z + 0.25, z + 0.6), y, white)


def _car(backdrop: Backdrop, x: float, y: float, paint: Colour) -> None:
    backdrop.shade_ground(x + 1.3, y + 0.2, (1.6, 0.8), 0.5)
    backdrop.box((x, x + 2.5), (y, y + 1.2), (0.25, 0.85), paint)
    cabin = [
        (x + 0.1, y + 0.1, 0.85),
        (x + 2.0, y + 0.1, 0.85),
        (x + 1.6, y + 0.2, 1.4),
        (x + 0.3, y + 0.2, 1.4),
    ]
    backdrop.polygon(cabin, times(paint, 0.85))
    glass = [
        (x + 0.3, y + 0.05, 0.9),
        (x + 1.75, y + 0.05, 0.9),
        (x + 1.5, y + 0.15, 1.32),
        (x + 0.42, y + 0.15, 1.32),
    ]
    backdrop.polygon(glass, (0.24, 0.29, 0.32))
    backdrop.panel((x + 2.3, x + 2.48), (0.55, 0.7), y - 0.01, (0.95, 0.92, 0.75))
    for wheel in (x + 0.45, x + 2.0):
        backdrop.disc((wheel, y - 0.02, 0.3), 0.3, (0.10, 0.10, 0.11))
        backdrop.disc((wheel, y - 0.03, 0.3), 0.15, (0.55, 0.55, 0.56))


def _pillar(backdrop: Backdrop, x: float, y: float) -> None:
    backdrop.shade_ground(x, y, (0.5, 0.35), 0.4)
    backdrop.box((x - 0.2, x + 0.2), (y, y + 0.4), (0, 4.0), (0.62, 0.63, 0.62))
    for stripe in range(5):
        colour = (0.88, 0.74, 0.18) if stripe % 2 == 0 else (0.15, 0.15, 0.15)
        backdrop.panel((x - 0.2, x + 0.2), (0.1 + stripe * 0.2, 0.3 + stripe * 0.2), y - 0.01, colour)


PAINTERS: dict[str, Callable[[Backdrop], Scene]] = {
    "hall": _hall,
    "street": _street,
    "parking": _parking,
    "plaza": _plaza,
    "studio": _studio,
    "atrium": _atrium,
}
