"""Cloth, skin and hair as textures around a body: what colour is at height ``t`` and at angle ``around``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from reid_desk.demo.people import Colour, Fabric
from reid_desk.demo.raster import Texture
from reid_desk.demo.view import Floats


@dataclass(frozen=True)
class Detail:
    """A patch of another colour on a cloth.

    Attributes:
        colour: Of the patch.
        low: Where along the tube it begins.
        high: Where it ends.
        centre: Its middle around the body, radians.
        width: How far it reaches to either side of ``centre``, radians.
        slant: How far ``centre`` moves from the patch's lower to its upper edge (a strap).
    """

    colour: Colour
    low: float
    high: float
    centre: float = 0.0
    width: float = math.pi
    slant: float = 0.0


def plain(colour: Colour) -> Texture:
    """One colour all over."""
    value = np.array(colour, np.float32)

    def texture(t: Floats, around: Floats) -> Floats:
        return np.broadcast_to(value, (*t.shape, 3))

    return texture


def cloth(fabric: Fabric, length: float, *, girth: float = 1.0, details: tuple[Detail, ...] = ()) -> Texture:
    """``fabric`` on a body ``length`` metres long and ``girth`` metres around, with ``details`` on it."""
    base, second = np.array(fabric.base, np.float32), np.array(fabric.second, np.float32)

    def texture(t: Floats, around: Floats) -> Floats:
        share = _pattern(fabric, t * np.float32(length), t, around, girth)
        colour: Floats = base + (second - base) * share[..., None]
        colour = colour * _folds(t, around)[..., None]
        for detail in details:
            colour = _lay_detail(colour, detail, t, around)
        return colour

    return texture


def sleeve_of(fabric: Fabric) -> Fabric:
    """The cloth of a sleeve: patterns that belong to the chest stay there."""
    if fabric.pattern in {"print", "band"}:
        return replace(fabric, pattern="plain")
    if fabric.pattern == "block":
        return replace(fabric, pattern="plain", base=fabric.base)
    return fabric


def _pattern(fabric: Fabric, metres: Floats, t: Floats, around: Floats, girth: float) -> Floats:
    """The share of the second colour: ``metres`` along the cloth, ``t`` along the body, ``around`` it."""
    along, arc = metres / fabric.pitch, around * np.float32(girth / (2 * math.pi)) / fabric.pitch
    share: Floats
    match fabric.pattern:
        case "stripes":
            share = _wave(along)
        case "pinstripe":
            share = _wave(arc * 2, duty=-0.5)
        case "check":
            share = 0.5 * _wave(along) + 0.5 * _wave(arc)
        case "dots":
            share = _soft((_wave(along, sharpness=1) + _wave(arc, sharpness=1) - 1.35) * 6)
        case "block":
            share = _soft((0.55 - t) * 40)
        case "band":
            share = _soft((0.085 - np.abs(t - 0.66)) * 40)
        case "print":
            share = _soft((0.2 - np.hypot((t - 0.64) * 1.1, _turn(around) * 0.42)) * 30)
        case "side":
            share = _soft((0.35 - np.abs(np.abs(_turn(around)) - math.pi / 2)) * 8)
        case "plain":
            share = np.zeros_like(t)
        case unknown:
            raise ValueError(f"no pattern {unknown!r}")
    return share


def _soft(value: Floats) -> Floats:
    """An edge: 0 below 0, 1 above 1."""
    return np.minimum(np.maximum(value, 0.0), 1.0)


def _wave(phase: Floats, *, duty: float = 0.0, sharpness: float = 3.0) -> Floats:
    """A softened square wave of period 1, in 0..1."""
    return _soft((np.sin(phase * np.float32(2 * math.pi)) + duty) * sharpness / 2 + 0.5)


def _folds(t: Floats, around: Floats) -> Floats:
    """Faint creases, so that cloth is not plastic."""
    creases = np.sin(t * np.float32(17) + np.float32(2.3) * np.sin(around * np.float32(2)))
    return np.asarray(1.0 + np.float32(0.045) * creases)


def _lay_detail(colour: Floats, detail: Detail, t: Floats, around: Floats) -> Floats:
    centre = detail.centre + detail.slant * (t - detail.low) / max(detail.high - detail.low, 1e-6)
    share = _soft((detail.width - np.abs(_turn(around - centre))) * 14)
    share = share * _soft((t - detail.low) * 40 + 0.5) * _soft((detail.high - t) * 40 + 0.5)
    return np.asarray(colour + (np.array(detail.colour, np.float32) - colour) * share[..., None])


def _turn(angle: Floats) -> Floats:
    """Angles brought to -pi..pi."""
    return np.asarray((angle + np.float32(math.pi)) % np.float32(2 * math.pi) - np.float32(math.pi))


def head_texture(skin: Colour, hair: Colour, *, bald: bool) -> Texture:
    """A head: hair with a hairline that is high in front and low behind, and the hint of a face."""
    skin_value, hair_value = np.array(skin, np.float32), np.array(hair, np.float32)

    def texture(t: Floats, around: Floats) -> Floats:
        angle = np.abs(_turn(around))
        colour: Floats = skin_value * (1.0 - 0.1 * np.clip(0.2 - t, 0, 1))[..., None]
        eyes = np.clip(1.4 - np.hypot((t - 0.45) / 0.2, (angle - 0.42) / 0.15), 0, 1) * np.float32(0.8)
        mouth = np.clip(1.4 - np.hypot((t + 0.42) / 0.1, angle / 0.28), 0, 1) * np.float32(0.35)
        dark = np.maximum(eyes, mouth)[..., None]
        colour = colour * (1 - dark) + np.array((0.16, 0.09, 0.08), np.float32) * dark
        if bald:
            return colour
        hairline = 1.45 - 2.6 * np.clip((angle - 0.75) / 1.5, 0, 1)
        share = np.clip((t - hairline) * 5, 0, 1)[..., None]
        return np.asarray(colour + (hair_value - colour) * share)

    return texture
