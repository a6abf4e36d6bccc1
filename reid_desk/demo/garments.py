"""Legs, trunk and arms in their clothes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from reid_desk.demo.body import Body, darker, lighter
from reid_desk.demo.fabrics import Detail, cloth, plain, sleeve_of
from reid_desk.demo.gait import HIP, SHOULDER, Limb
from reid_desk.demo.people import Person
from reid_desk.demo.raster import Texture

STRAP = 0.13
FAR_DIMMING = 0.8
LAYER = {"coat": 1.14, "jacket": 1.08, "hoodie": 1.1}
"""How much wider than a shirt a garment makes the trunk."""
SLEEVE = {"coat": 1.3, "jacket": 1.22, "hoodie": 1.22}


def add_legs(body: Body) -> None:
    """Shoes, and legs in trousers, in shorts or bare."""
    person = body.person
    girth = 0.5 + 0.5 * person.girth
    skin, fabric = plain(person.skin), cloth(person.bottom_fabric, 0.9, girth=0.5)
    bare = person.bottom == "skirt"
    lower = fabric if person.bottom == "trousers" else skin
    shank = (0.034, 0.038, 0.043) if person.bottom == "trousers" else (0.021, 0.031, 0.033)
    thigh = (0.034 * girth, 0.048 * girth) if bare else (0.043 * girth, 0.054 * girth)
    for leg in body.pose.legs:
        near = body.nearness(leg.root)
        dim = FAR_DIMMING if near < -0.015 else 1.0
        order = -0.05 + 0.1 * near
        heel = leg.end + np.array([-0.018, 0.0, -0.016])
        shoe = plain(person.shoe_colour)
        body.add((heel, leg.tip), (0.022, 0.024, 0.016), shoe, caps=(0.018, 0.014), order=order, dim=dim)
        body.add((leg.end, leg.middle), shank, lower, order=order + 0.001, dim=dim)
        body.add((leg.middle, leg.root), thigh, skin if bare else fabric, order=order + 0.002, dim=dim)


def add_trunk(body: Body) -> None:
    """The top, from the hips to the shoulders, and what hangs below it."""
    person = body.person
    girth, layer = person.girth, LAYER.get(person.top, 1.0)
    halves = (
        (0.083 * girth, 0.066 * girth),
        (0.077 * girth**1.3, 0.062 * girth**1.5),
        (0.083 * girth, 0.064 * girth),
        (0.091 * girth, 0.068 * girth),
        (0.095 * girth**0.6, 0.061),
        (0.066, 0.042),
    )
    radii = tuple(layer * radius for radius in body.seen(*halves))
    texture = cloth(person.top_fabric, 0.54, girth=0.95, details=_trunk_details(person))
    ends = (body.at(0, 0, HIP - 0.025), body.at(0, 0, SHOULDER + 0.022))
    body.add(ends, radii, texture, caps=(0.012, 0.02), order=0.0)
    if person.bottom == "skirt":
        _add_skirt(body)
    else:
        _add_seat(body)
    if person.top == "coat":
        _add_coat_tails(body)


def add_arms(body: Body) -> None:
    """Hands, and arms in long or short sleeves."""
    person = body.person
    wide = SLEEVE.get(person.top, 1.0) * (0.6 + 0.4 * person.girth)
    textures = plain(person.skin), cloth(sleeve_of(person.top_fabric), 0.5, girth=0.35)
    for arm in body.pose.arms:
        near = body.nearness(arm.root)
        order = 0.7 * near + 0.5 * body.nearness(arm.middle)
        _add_arm(body, arm, textures, wide=wide, order=order, dim=FAR_DIMMING if near < -0.03 else 1.0)


def _add_arm(
    body: Body, arm: Limb, textures: tuple[Texture, Texture], *, wide: float, order: float, dim: float
) -> None:
    skin, sleeve = textures
    body.add((arm.tip, arm.end), (0.014, 0.019), skin, order=order, dim=dim)
    if body.person.long_sleeves:
        lower, upper = (0.023 * wide, 0.028 * wide), (0.028 * wide, 0.035 * wide)
        body.add((arm.end, arm.middle), lower, sleeve, order=order + 0.001, dim=dim)
        body.add((arm.middle, arm.root), upper, sleeve, order=order + 0.002, dim=dim)
        return
    body.add((arm.end, arm.middle), (0.016, 0.022), skin, order=order + 0.001, dim=dim)
    body.add((arm.middle, arm.root), (0.022, 0.027), skin, order=order + 0.002, dim=dim)
    cuff = arm.root + 0.62 * (arm.middle - arm.root)
    body.add((cuff, arm.root), (0.034, 0.035), sleeve, caps=(0.004, 0.033), order=order + 0.003, dim=dim)


def _add_skirt(body: Body) -> None:
    girth, stride = body.person.girth, _stride(body)
    radii = body.seen(
        (0.115 * girth, 0.085 + 0.42 * stride),
        (0.105 * girth, 0.08 + 0.15 * stride),
        (0.084 * girth, 0.066),
    )
    texture = cloth(body.person.bottom_fabric, 0.4)
    body.add((body.at(0, 0, 0.3), body.at(0, 0, HIP + 0.01)), radii, texture, caps=(0.01, 0), order=-0.02)


def _add_seat(body: Body) -> None:
    girth = body.person.girth
    radii = body.seen((0.07 * girth, 0.06), (0.084 * girth, 0.066 * girth))
    texture = cloth(replace(body.person.bottom_fabric, pattern="plain"), 0.3)
    ends = (body.at(0, 0, HIP - 0.03), body.at(0, 0, HIP + 0.01))
    body.add(ends, radii, texture, caps=(0.03, 0), order=-0.02)


def _add_coat_tails(body: Body) -> None:
    girth, fabric, layer = body.person.girth, body.person.top_fabric, LAYER["coat"]
    radii = body.seen(
        (0.11 * girth, 0.085 + 0.22 * _stride(body)), (layer * 0.085 * girth, layer * 0.067 * girth)
    )
    opening = Detail(darker(fabric.base), -0.2, 0.9, 0.0, 0.07)
    texture = cloth(fabric, 0.32, girth=0.95, details=(opening,))
    body.add((body.at(0, 0, 0.33), body.at(0, 0, HIP)), radii, texture, caps=(0.008, 0.02), order=-0.01)


def _stride(body: Body) -> float:
    return max(abs(float(leg.end[0])) for leg in body.pose.legs)


def _trunk_details(person: Person) -> tuple[Detail, ...]:
    """Openings, collars, pockets, belts and straps."""
    base, inner = person.top_fabric.base, person.inner_colour
    details: list[Detail] = []
    match person.top:
        case "jacket":
            details += [Detail(inner, 0.02, 1.2, 0.0, 0.3), Detail(darker(base), -0.2, 0.07)]
        case "coat":
            details += [Detail(inner, 0.68, 1.2, 0.0, 0.34), Detail(darker(base), -0.2, 0.68, 0.0, 0.07)]
        case "hoodie":
            details += [Detail(darker(base), 0.14, 0.36, 0.0, 0.62), Detail(darker(base), -0.2, 0.06)]
            details.append(Detail(darker(base), 0.86, 1.2, math.pi, 1.2))
        case "shirt":
            details += [Detail(lighter(base), -0.2, 1.2, 0.0, 0.07), Detail(lighter(base), 0.95, 1.2)]
        case _:
            details.append(Detail(person.skin, 0.97, 1.3, 0.0, 0.6))
    if person.top in {"tee", "shirt"} and person.bottom != "skirt":
        details.append(Detail(darker(person.bottom_fabric.base), -0.2, 0.055))
    if person.bag == "backpack":
        details += [Detail(person.bag_colour, 0.45, 1.2, side * 0.75, STRAP) for side in (-1, 1)]
    if person.bag == "shoulder":
        details.append(Detail(person.bag_colour, 0.1, 1.2, 1.25, STRAP, slant=-2.0))
        details.append(Detail(person.bag_colour, 0.1, 1.2, 1.9, STRAP, slant=2.0))
    return tuple(details)
