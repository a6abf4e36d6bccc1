"""Who walks through the demo: bodies and clothes, drawn at random from a wardrobe.

Two wardrobes keep source and site apart: ``SUMMER`` (bright, short, plain) dresses the source's people,
``AUTUMN`` (muted, layered, patterned, with bags) those of the site.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace

import numpy as np

Colour = tuple[float, float, float]
"""Red, green, blue in 0..1."""


@dataclass(frozen=True)
class Fabric:
    """A cloth: ``pattern`` in ``second`` on ``base``; ``pitch`` is the pattern's period in metres."""

    base: Colour
    second: Colour
    pattern: str = "plain"
    pitch: float = 0.1


@dataclass(frozen=True)
class Person:
    """Everything that makes one person look like that person, from any side and in any camera.

    Attributes:
        identity: Number of the person, from 0.
        height: In metres.
        girth: Width of the body, 1 is average.
        skin: Colour of face and hands.
        hair: ``short``, ``long``, ``bun``, ``tail``, ``curls`` or ``none``.
        hat: ``none``, ``cap``, ``beanie`` or ``brim``.
        top: ``tee``, ``shirt``, ``hoodie``, ``jacket``, ``coat`` or ``dress``.
        bottom: ``trousers``, ``shorts`` or ``skirt``.
        bag: ``none``, ``backpack``, ``shoulder`` or ``tote``.
        pace: Walking speed in metres a second.
        swing: Liveliness of arms and legs, 1 is average.
    """

    identity: int
    height: float
    girth: float
    skin: Colour
    hair: str
    hair_colour: Colour
    hat: str
    hat_colour: Colour
    top: str
    top_fabric: Fabric
    inner_colour: Colour
    bottom: str
    bottom_fabric: Fabric
    shoe_colour: Colour
    bag: str
    bag_colour: Colour
    scarf: Colour | None
    pace: float
    swing: float

    @property
    def long_sleeves(self) -> bool:
        """Whether the arms are covered to the wrist."""
        return self.top not in {"tee", "dress"}


@dataclass(frozen=True)
class Wardrobe:
    """What people may wear: kinds with their weights, and ranges of saturation and brightness."""

    tops: dict[str, float]
    bottoms: dict[str, float]
    patterns: dict[str, float]
    bags: dict[str, float]
    hats: dict[str, float]
    saturation: tuple[float, float]
    brightness: tuple[float, float]
    neutral: float
    scarf: float


SUMMER = Wardrobe(
    tops={"tee": 0.6, "shirt": 0.2, "dress": 0.2},
    bottoms={"trousers": 0.4, "shorts": 0.4, "skirt": 0.2},
    patterns={"plain": 0.7, "stripes": 0.1, "print": 0.15, "dots": 0.05},
    bags={"none": 0.75, "tote": 0.15, "backpack": 0.1},
    hats={"none": 0.85, "cap": 0.1, "brim": 0.05},
    saturation=(0.55, 0.95),
    brightness=(0.6, 0.98),
    neutral=0.2,
    scarf=0.0,
)
AUTUMN = Wardrobe(
    tops={"jacket": 0.27, "coat": 0.2, "hoodie": 0.2, "shirt": 0.18, "tee": 0.08, "dress": 0.07},
    bottoms={"trousers": 0.76, "skirt": 0.17, "shorts": 0.07},
    patterns={"plain": 0.34, "stripes": 0.15, "check": 0.13, "block": 0.16, "band": 0.12, "pinstripe": 0.1},
    bags={"none": 0.37, "backpack": 0.28, "shoulder": 0.2, "tote": 0.15},
    hats={"none": 0.68, "beanie": 0.14, "cap": 0.12, "brim": 0.06},
    saturation=(0.3, 0.75),
    brightness=(0.22, 0.85),
    neutral=0.35,
    scarf=0.18,
)

SKIN: tuple[Colour, ...] = (
    (0.96, 0.81, 0.70),
    (0.91, 0.73, 0.60),
    (0.80, 0.60, 0.45),
    (0.64, 0.45, 0.32),
    (0.45, 0.30, 0.21),
)
HAIR: tuple[Colour, ...] = (
    (0.10, 0.08, 0.07),
    (0.22, 0.14, 0.09),
    (0.38, 0.24, 0.13),
    (0.55, 0.27, 0.13),
    (0.80, 0.64, 0.36),
    (0.66, 0.65, 0.64),
)
SHOES: tuple[Colour, ...] = ((0.12, 0.11, 0.12), (0.34, 0.22, 0.14), (0.88, 0.87, 0.84), (0.55, 0.16, 0.14))
BOTTOMS: tuple[Colour, ...] = (
    (0.16, 0.18, 0.24),
    (0.24, 0.32, 0.48),
    (0.42, 0.52, 0.66),
    (0.33, 0.31, 0.30),
    (0.62, 0.54, 0.42),
    (0.80, 0.77, 0.70),
    (0.35, 0.38, 0.26),
    (0.44, 0.20, 0.20),
)
HAIR_STYLES = {"short": 0.44, "long": 0.2, "bun": 0.1, "tail": 0.12, "curls": 0.09, "none": 0.05}
PATTERNS_OF = {"jacket": ("plain", "block", "band"), "coat": ("plain", "check", "pinstripe")}


def draw_people(
    count: int, wardrobe: Wardrobe, rng: np.random.Generator, *, lookalikes: float = 0.0, first: int = 0
) -> tuple[Person, ...]:
    """``count`` people numbered from ``first``; a share ``lookalikes`` of them are pairs of near doubles."""
    people: list[Person] = []
    doubles = round(count * lookalikes / 2)
    for number in range(count):
        if number >= count - doubles:
            original = people[number - (count - doubles)]
            people.append(_lookalike(original, first + number, wardrobe, rng))
        else:
            people.append(_draw_person(first + number, wardrobe, rng))
    return tuple(people)


def _draw_person(identity: int, wardrobe: Wardrobe, rng: np.random.Generator) -> Person:
    top = _pick(wardrobe.tops, rng)
    bottom = "skirt" if top == "dress" else _pick(wardrobe.bottoms, rng)
    fabric = _fabric(top, wardrobe, rng)
    shade = BOTTOMS[rng.integers(len(BOTTOMS))] if rng.random() < 0.75 else _colour(wardrobe, rng)
    below = Fabric(shade, _contrasting(shade, rng), _pick({"plain": 0.85, "side": 0.15}, rng), 0.1)
    return Person(
        identity=identity,
        height=float(np.clip(rng.normal(1.73, 0.1), 1.52, 1.96)),
        girth=float(np.clip(rng.normal(1.02, 0.14), 0.8, 1.38)),
        skin=SKIN[rng.integers(len(SKIN))],
        hair=_pick(HAIR_STYLES, rng),
        hair_colour=HAIR[rng.integers(len(HAIR))],
        hat=_pick(wardrobe.hats, rng),
        hat_colour=_colour(wardrobe, rng),
        top=top,
        top_fabric=fabric,
        inner_colour=_contrasting(fabric.base, rng),
        bottom=bottom,
        bottom_fabric=fabric if top == "dress" else below,
        shoe_colour=SHOES[rng.integers(len(SHOES))],
        bag=_pick(wardrobe.bags, rng),
        bag_colour=_contrasting(fabric.base, rng),
        scarf=_colour(wardrobe, rng) if rng.random() < wardrobe.scarf else None,
        pace=float(rng.uniform(1.05, 1.6)),
        swing=float(rng.uniform(0.8, 1.15)),
    )


def _lookalike(original: Person, identity: int, wardrobe: Wardrobe, rng: np.random.Generator) -> Person:
    """The same kind of clothes in nearly the same colours; another body, and one or two other belongings."""
    other = _draw_person(identity, wardrobe, rng)
    fabric = replace(original.top_fabric, base=_nearby(original.top_fabric.base, rng))
    changed = replace(
        original,
        identity=identity,
        height=other.height,
        skin=other.skin,
        top_fabric=fabric,
        pace=other.pace,
        swing=other.swing,
        shoe_colour=other.shoe_colour,
    )
    if rng.random() < 0.5:
        return replace(changed, bag=other.bag, bag_colour=other.bag_colour, scarf=other.scarf)
    below = original.bottom_fabric if original.top == "dress" else other.bottom_fabric
    return replace(changed, hair=other.hair, hat=other.hat, hat_colour=other.hat_colour, bottom_fabric=below)


def _fabric(top: str, wardrobe: Wardrobe, rng: np.random.Generator) -> Fabric:
    base = _colour(wardrobe, rng)
    allowed = PATTERNS_OF.get(top, tuple(wardrobe.patterns))
    weights = {name: wardrobe.patterns[name] for name in allowed if name in wardrobe.patterns}
    return Fabric(base, _contrasting(base, rng), _pick(weights, rng), float(rng.uniform(0.07, 0.14)))


def _colour(wardrobe: Wardrobe, rng: np.random.Generator) -> Colour:
    saturation = rng.uniform(*wardrobe.saturation) * (0.12 if rng.random() < wardrobe.neutral else 1.0)
    return colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(*wardrobe.brightness))


def _contrasting(base: Colour, rng: np.random.Generator) -> Colour:
    """A colour that stays apart from ``base`` in brightness, so that it shows in a grey picture too."""
    brightness = max(base)
    value = rng.uniform(0.72, 0.95) if brightness < 0.55 else rng.uniform(0.12, 0.32)
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.05, 0.7), value)


def _nearby(colour: Colour, rng: np.random.Generator) -> Colour:
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    return colorsys.hsv_to_rgb(
        (hue + rng.uniform(-0.04, 0.04)) % 1.0,
        saturation,
        float(np.clip(value + rng.uniform(-0.08, 0.08), 0, 1)),
    )


def _pick(weights: dict[str, float], rng: np.random.Generator) -> str:
    shares = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(weights), p=shares / shares.sum()))]
