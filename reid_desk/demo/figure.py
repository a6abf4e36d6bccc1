"""Draws one person, from any side, at any moment of the walk, as a sprite in a camera's picture."""

from __future__ import annotations

import math
from dataclasses import replace

from reid_desk.demo.belongings import add_bag, add_head
from reid_desk.demo.body import Body, Part, Stand
from reid_desk.demo.garments import add_arms, add_legs, add_trunk
from reid_desk.demo.people import Person
from reid_desk.demo.raster import Light, Sprite, paint_tube
from reid_desk.demo.view import View

MARGIN = 3
"""Empty pixels around a sprite, room for soft edges."""


def draw_person(person: Person, stand: Stand, view: View, light: Light) -> Sprite:
    """``person`` as seen by ``view``; the sprite may reach beyond the frame."""
    body = Body(person, stand, view)
    for add in (add_legs, add_trunk, add_arms, add_head, add_bag):
        add(body)
    sprite = _empty_sprite(body.parts)
    for part in sorted(body.parts, key=lambda part: part.order):
        lit = replace(light, ambient=light.ambient * part.dim, diffuse=light.diffuse * part.dim)
        paint_tube(sprite, part.tube, part.texture, lit)
    return sprite


def _empty_sprite(parts: list[Part]) -> Sprite:
    tubes = [(part.tube.low, part.tube.high, max(*part.tube.radii, *part.tube.caps)) for part in parts]
    left = math.floor(min(min(low[0], high[0]) - reach for low, high, reach in tubes)) - MARGIN
    top = math.floor(min(min(low[1], high[1]) - reach for low, high, reach in tubes)) - MARGIN
    right = math.ceil(max(max(low[0], high[0]) + reach for low, high, reach in tubes)) + MARGIN
    bottom = math.ceil(max(max(low[1], high[1]) + reach for low, high, reach in tubes)) + MARGIN
    return Sprite(left, top, right - left, bottom - top)
