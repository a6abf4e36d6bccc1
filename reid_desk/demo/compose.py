"""Puts people into a scene: shadows on the ground, near people before far ones, and who hides whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reid_desk.demo.backdrop import Scene
from reid_desk.demo.body import Stand
from reid_desk.demo.figure import draw_person
from reid_desk.demo.people import Person
from reid_desk.demo.raster import Sprite
from reid_desk.demo.view import Floats, View

Slices = tuple[slice, slice]

SOLID = 0.5
CONTACT = (0.26, 0.16)
"""Half axes in metres of the shadow right under a person."""


@dataclass(frozen=True)
class Seen:
    """A person in a frame.

    Attributes:
        identity: Number of the person.
        box: Left, top, width, height in pixels of what lies in the frame, hidden or not.
        visible: Share of the whole person that is neither outside the frame nor hidden, 0..1.
    """

    identity: int
    box: tuple[float, float, float, float]
    visible: float


@dataclass(frozen=True)
class Composition:
    """A frame before the camera's look: the changed part of the scene, and who is in it.

    Attributes:
        picture: Float RGB [H, W, 3].
        changed: Rows and columns that differ from the empty scene, one pair a person.
    """

    picture: Floats
    changed: tuple[Slices, ...]
    seen: tuple[Seen, ...]


def compose(scene: Scene, view: View, people: Sequence[tuple[Person, Stand]]) -> Composition:
    """The scene with ``people`` in it."""
    picture = scene.picture.copy()
    ordered = sorted(people, key=lambda entry: -entry[1].y)
    sprites = [draw_person(person, stand, view, scene.light) for person, stand in ordered]
    changed: list[Slices] = []
    for _, stand in ordered:
        where = _lay_shadow(picture, scene, view, stand)
        changed += [where] if where else []
    for (_, stand), sprite in zip(ordered, sprites, strict=True):
        where = _lay_sprite(picture, scene, stand, sprite)
        changed += [where] if where else []
    return Composition(picture, tuple(changed), _who_is_seen(scene, ordered, sprites))


def _lay_sprite(picture: Floats, scene: Scene, stand: Stand, sprite: Sprite) -> Slices | None:
    both = _overlap(sprite, picture.shape[:2])
    if both is None:
        return None
    frame, inside = both
    hidden = _hidden_by_furniture(scene, stand.y, frame)
    show = 1.0 if hidden is None else (1.0 - hidden)[..., None]
    picture[frame] = (
        picture[frame] * (1.0 - sprite.alpha[inside][..., None] * show) + sprite.colour[inside] * show
    )
    return frame


def _lay_shadow(picture: Floats, scene: Scene, view: View, stand: Stand) -> Slices | None:
    """A dark soft spot under the person and a fainter, longer one away from the light."""
    height, width = picture.shape[:2]
    shift = np.array(scene.shadow_offset)
    ground = np.array([[stand.x, stand.y, 0.0], [stand.x + shift[0], stand.y + shift[1], 0.0]], np.float32)
    (x0, y0, depth), (x1, y1, _) = view.project(ground)
    scale = view.focal / float(depth)
    flat = float(view.project(ground[:1] + np.array([0, 0.5, 0], np.float32))[0, 1] - y0) / (-0.5 * scale)
    reach_x = (CONTACT[0] * 2.4 + abs(shift[0]) * 1.6) * scale
    reach_y = max((CONTACT[1] * 2.4 + abs(shift[1]) * 1.6) * scale * max(flat, 0.15), 3.0)
    left, right = max(int(min(x0, x1) - reach_x), 0), min(int(max(x0, x1) + reach_x) + 1, width)
    top, bottom = max(int(min(y0, y1) - reach_y), 0), min(int(max(y0, y1) + reach_y) + 1, height)
    if left >= right or top >= bottom:
        return None
    frame = (slice(top, bottom), slice(left, right))
    y, x = np.ogrid[top:bottom, left:right]
    radius = (CONTACT[0] * scale, CONTACT[1] * scale * max(flat, 0.15) + 1.0)
    stretch = 1.0 + abs(float(shift[0]))
    dark = scene.shadow * np.exp(-(((x - x0) / radius[0]) ** 2) - ((y - y0) / radius[1]) ** 2)
    long = (
        0.6
        * scene.shadow
        * np.exp(-(((x - x1) / (radius[0] * stretch)) ** 2) - ((y - y1) / (radius[1] * 1.3)) ** 2)
    )
    shade = (1.0 - dark) * (1.0 - long)
    hidden = _hidden_by_furniture(scene, stand.y, frame)
    if hidden is not None:
        shade = shade + (1.0 - shade) * hidden
    picture[frame] *= shade[..., None].astype(np.float32)
    return frame


def _hidden_by_furniture(scene: Scene, depth: float, frame: Slices) -> Floats | None:
    masks = [occluder.mask[frame] for occluder in scene.occluders if occluder.depth < depth]
    masks = [mask for mask in masks if mask.any()]
    return np.maximum.reduce(masks) if masks else None


def _who_is_seen(
    scene: Scene, ordered: Sequence[tuple[Person, Stand]], sprites: Sequence[Sprite]
) -> tuple[Seen, ...]:
    covered: Floats = np.zeros(scene.picture.shape[:2], np.float32)
    seen: list[Seen] = []
    for (person, stand), sprite in zip(reversed(ordered), reversed(sprites), strict=True):
        both = _overlap(sprite, covered.shape)
        if both is None:
            continue
        frame, inside = both
        alpha = sprite.alpha[inside]
        box = _solid_box(alpha, frame)
        if box is None:
            continue
        hidden = covered[frame]
        furniture = _hidden_by_furniture(scene, stand.y, frame)
        if furniture is not None:
            hidden = np.maximum(hidden, furniture)
        share = float((alpha * (1.0 - hidden)).sum() / sprite.alpha.sum())
        seen.append(Seen(person.identity, box, share))
        covered[frame] = np.maximum(covered[frame], alpha)
    return tuple(seen)


def _solid_box(alpha: Floats, frame: Slices) -> tuple[float, float, float, float] | None:
    solid = alpha > SOLID
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return None
    left, top = frame[1].start + columns[0], frame[0].start + rows[0]
    return (float(left), float(top), float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1))


def _overlap(sprite: Sprite, size: tuple[int, ...]) -> tuple[Slices, Slices] | None:
    """The sprite's part of a frame of ``size`` (height, width): in the frame's indices, in the sprite's."""
    height, width = sprite.alpha.shape
    top, left = max(sprite.top, 0), max(sprite.left, 0)
    bottom, right = min(sprite.top + height, size[0]), min(sprite.left + width, size[1])
    if top >= bottom or left >= right:
        return None
    frame = (slice(top, bottom), slice(left, right))
    inside = (slice(top - sprite.top, bottom - sprite.top), slice(left - sprite.left, right - sprite.left))
    return frame, inside
