"""How a person walks: joints in the person's own frame for any moment of the walking cycle.

Own frame: (forward, left, up) in shares of the body's height, with the lower foot on the ground.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid_desk.demo.people import Person

THIGH, SHANK, UPPER_ARM, FOREARM = 0.24, 0.232, 0.155, 0.135
HIP, SHOULDER, NECK, CHIN, CROWN = 0.515, 0.805, 0.835, 0.868, 1.0
REACH = 0.32
"""Angle of the thigh at full stride, in radians, for an average walker."""


@dataclass(frozen=True)
class Limb:
    """An arm or a leg: ``root``, ``middle``, ``end``, ``tip`` (fingers or toes), each (forward, left, up)."""

    root: NDArray[np.float64]
    middle: NDArray[np.float64]
    end: NDArray[np.float64]
    tip: NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """One moment of a walk; ``lift`` is how much the trunk stands higher than at rest (mostly below 0)."""

    legs: tuple[Limb, Limb]
    arms: tuple[Limb, Limb]
    lift: float


def stride_length(person: Person) -> float:
    """Metres walked in one full cycle (two steps)."""
    return 4 * (THIGH + SHANK) * person.height * math.sin(REACH * person.swing)


def walking_pose(person: Person, phase: float) -> Pose:
    """The pose at ``phase`` of the cycle (radians); at 0 the left leg passes the right one, going forward."""
    legs = tuple(_leg(side, phase + shift, person) for side, shift in ((1, 0.0), (-1, math.pi)))
    arms = tuple(_arm(side, phase + shift, person) for side, shift in ((1, math.pi), (-1, 0.0)))
    lift = -min(float(min(limb.end[2] - 0.036, limb.tip[2] - 0.012)) for limb in legs)
    return Pose(
        legs=(_raised(legs[0], lift), _raised(legs[1], lift)),
        arms=(_raised(arms[0], lift), _raised(arms[1], lift)),
        lift=lift,
    )


def _leg(side: int, phase: float, person: Person) -> Limb:
    thigh = REACH * person.swing * math.sin(phase) + 0.06
    flex = 0.1 + 0.9 * person.swing * max(0.0, math.cos(phase + 0.35)) ** 2
    hip = np.array([0.0, side * 0.048 * person.girth, HIP])
    knee = hip + THIGH * _swung(thigh)
    ankle = knee + SHANK * _swung(thigh - flex)
    tilt = 0.55 * (thigh - flex)
    toe = ankle + np.array([0.105 * math.cos(tilt), side * 0.012, 0.105 * math.sin(tilt) - 0.022])
    return Limb(hip, knee, ankle, toe)


def _arm(side: int, phase: float, person: Person) -> Limb:
    carries = person.bag == "tote" and side < 0
    swing = (0.1 if carries else 0.42) * person.swing * math.sin(phase)
    bend = 0.08 if carries else 0.3 + 0.25 * max(0.0, math.sin(phase))
    out = np.array([0.0, side, 0.0])
    shoulder = np.array([0.0, side * (0.092 + 0.012 * (person.girth - 1)) * person.girth, SHOULDER - 0.02])
    elbow = shoulder + UPPER_ARM * _swung(swing - 0.05) + 0.018 * out
    wrist = elbow + FOREARM * _swung(swing + bend) + 0.004 * out
    fingers = wrist + 0.04 * _swung(swing + bend)
    return Limb(shoulder, elbow, wrist, fingers)


def _swung(angle: float) -> NDArray[np.float64]:
    return np.array([math.sin(angle), 0.0, -math.cos(angle)])


def _raised(limb: Limb, lift: float) -> Limb:
    up = np.array([0.0, 0.0, lift])
    return Limb(limb.root + up, limb.middle + up, limb.end + up, limb.tip + up)
