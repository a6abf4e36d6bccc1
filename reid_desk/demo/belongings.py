"""Head, hair, hat, scarf and bag."""

from __future__ import annotations

import math

import numpy as np

from reid_desk.demo.body import Body, darker, lighter
from reid_desk.demo.fabrics import Detail, cloth, head_texture, plain
from reid_desk.demo.gait import CHIN, NECK
from reid_desk.demo.people import Colour, Fabric
from reid_desk.demo.raster import Texture


def add_head(body: Body) -> None:
    """Neck, face and what is worn around and on them."""
    person = body.person
    neck = (body.at(0.002, 0, NECK - 0.03), body.at(0.01, 0, CHIN + 0.02))
    body.add(neck, (0.034, 0.029), plain(darker_skin(person.skin)), order=0.004)
    width = body.seen((0.054, 0.062))[0]
    face = head_texture(person.skin, person.hair_colour, bald=person.hair == "none")
    ends = (body.at(0.016, 0, 0.912), body.at(0.01, 0, 0.949))
    body.add(ends, (width * 0.92, width), face, caps=(0.054, 0.056), order=0.01)
    if person.top == "hoodie":
        radii = body.seen((0.072, 0.042)) * 2
        hood = plain(darker(person.top_fabric.base))
        body.add((body.at(-0.035, 0, 0.815), body.at(-0.045, 0, 0.84)), radii, hood, caps=(0.03, 0.03))
    if person.scarf is not None:
        ends = (body.at(0.006, 0, 0.828), body.at(0.006, 0, 0.852))
        body.add(ends, (0.058, 0.048), plain(person.scarf), caps=(0.022, 0.016), order=0.012)
    _add_hair(body)
    _add_hat(body)


def add_bag(body: Body) -> None:
    """The bag on the back, at the side or in the right hand."""
    match body.person.bag:
        case "backpack":
            _add_backpack(body)
        case "shoulder":
            _add_shoulder_bag(body)
        case "tote":
            _add_tote(body)


def darker_skin(skin: Colour) -> Colour:
    """Skin in the shadow of the chin."""
    return (skin[0] * 0.86, skin[1] * 0.82, skin[2] * 0.8)


def _add_hair(body: Body) -> None:
    hair = plain(body.person.hair_colour)
    match body.person.hair:
        case "long":
            radii = body.seen((0.058, 0.03), (0.066, 0.046), (0.06, 0.05))
            body.add((body.at(-0.036, 0, 0.8), body.at(-0.018, 0, 0.95)), radii, hair, caps=(0.025, 0.05))
        case "bun":
            body.add((body.at(-0.056, 0, 0.982), body.at(-0.056, 0, 0.992)), (0.029, 0.029), hair)
        case "tail":
            ends = (body.at(-0.088, 0, 0.845), body.at(-0.064, 0, 0.955))
            body.add(ends, (0.012, 0.025, 0.02), hair)
        case "curls":
            radii = body.seen((0.074, 0.064), (0.08, 0.07))
            ends = (body.at(-0.022, 0, 0.92), body.at(-0.022, 0, 0.962))
            body.add(ends, radii, hair, caps=(0.05, 0.058))


def _add_hat(body: Body) -> None:
    person = body.person
    hat, dome = plain(person.hat_colour), body.seen((0.058, 0.066))[0]
    match person.hat:
        case "beanie":
            fold = _leather(person.hat_colour, Detail(lighter(person.hat_colour), -1.0, 0.3))
            ends = (body.at(0.008, 0, 0.955), body.at(0.004, 0, 0.99))
            body.add(ends, (dome, dome * 0.92), fold, caps=(0.006, 0.042), order=0.02)
        case "cap":
            ends = (body.at(0.008, 0, 0.966), body.at(0.006, 0, 0.98))
            body.add(ends, (dome, dome), hat, caps=(0.004, 0.042), order=0.02)
            visor, order = body.seen((0.044, 0.012)) * 2, 0.02 + 0.05 * math.cos(body.facing)
            ends = (body.at(0.092, 0, 0.957), body.at(0.044, 0, 0.966))
            body.add(ends, visor, hat, caps=(0.01, 0.01), order=order)
        case "brim":
            ends = (body.at(0.006, 0, 0.975), body.at(0.006, 0, 0.996))
            body.add(ends, (dome, dome * 0.9), hat, caps=(0.01, 0.03), order=0.02)
            ends = (body.at(0.006, 0, 0.964), body.at(0.006, 0, 0.97))
            rim = plain(darker(person.hat_colour))
            body.add(ends, (0.104, 0.104), rim, caps=(0.012, 0.012), order=0.021)


def _add_backpack(body: Body) -> None:
    person = body.person
    back = -0.062 * person.girth - 0.04
    radii = body.seen((0.078, 0.05), (0.08, 0.052), (0.066, 0.04))
    bag = _leather(person.bag_colour, Detail(darker(person.bag_colour), 0.08, 0.42, math.pi, 1.0))
    body.add((body.at(back, 0, 0.6), body.at(back, 0, 0.775)), radii, bag, caps=(0.02, 0.03))


def _add_shoulder_bag(body: Body) -> None:
    person = body.person
    side = 0.1 * person.girth + 0.02
    radii = body.seen((0.028, 0.07), (0.026, 0.064))
    bag = _leather(person.bag_colour, Detail(darker(person.bag_colour), 0.55, 1.2))
    ends = (body.at(-0.01, side, 0.47), body.at(-0.01, side, 0.55))
    body.add(ends, radii, bag, caps=(0.012, 0.012), order=0.16 * math.sin(body.facing))


def _add_tote(body: Body) -> None:
    person, hand = body.person, body.pose.arms[1].tip
    low, high = hand - np.array([0.0, 0.0, 0.2]), hand - np.array([0.0, 0.0, 0.055])
    radii = body.seen((0.026, 0.08), (0.022, 0.075))
    bag = _leather(person.bag_colour, Detail(lighter(person.bag_colour), 0.35, 0.6))
    order = 0.002 - 0.14 * math.sin(body.facing)
    body.add((low, high), radii, bag, caps=(0.008, 0.004), order=order)
    handle = plain(darker(person.bag_colour))
    body.add((high, hand), (0.012, 0.008), handle, caps=(0, 0), order=order - 0.001)


def _leather(colour: Colour, detail: Detail) -> Texture:
    return cloth(Fabric(colour, colour), 0.3, details=(detail,))
