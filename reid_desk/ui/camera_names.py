"""Guesses which camera recorded a clip, from what recorders and people put into names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_NUMBERED = re.compile(
    r"(?<![a-z])(camera|cam|channel|ch|kamera|view)[ _-]?0*(\d+)(?![a-z\d])", re.IGNORECASE
)
_DATE_OR_TIME = re.compile(r"\d{2,4}[-_.:]?\d{2}[-_.:]?\d{2}|(?<!\d)\d{6,}(?!\d)")
_TOO_GENERAL = frozenset(
    {"", "clip", "video", "footage", "record", "recording", "export", "output", "movie", "vid", "rec", "img"}
)


def guess_camera(path: Path, known: Sequence[str]) -> str:
    """Return the likely name of the camera that recorded ``path``; ``known`` are the site's cameras.

    A known name in the file's or its folder's name wins (the longest one), then a numbered word such as
    ``cam3``, then what is left of the file's name without dates and times, then the folder's name.
    """
    places = (path.stem, path.parent.name)
    for place in places:
        inside = [name for name in known if _contains(place, name)]
        if inside:
            return max(inside, key=len)
    for place in places:
        found = _NUMBERED.search(place)
        if found:
            return f"Camera {found.group(2)}"
    for place in places:
        rest = re.sub(r"[\s_.\-]+", " ", _DATE_OR_TIME.sub(" ", place)).strip()
        without_numbers = re.sub(r"\b\d+\b", "", rest).strip()
        if without_numbers.lower() not in _TOO_GENERAL:
            return _sentence_case(without_numbers)
    return known[0] if len(known) == 1 else "Camera 1"


def _contains(place: str, name: str) -> bool:
    plain_place, plain_name = _plain(place), _plain(name)
    return bool(re.search(rf"(?<![^ ]){re.escape(plain_name)}(?![^ ])", plain_place)) if plain_name else False


def _plain(text: str) -> str:
    """Lower case, numbers without leading zeros and apart from words, everything else a space."""
    spaced = re.sub(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])", " ", text.lower().replace("_", " "))
    return " ".join(part.lstrip("0") or part for part in re.split(r"[\W]+", spaced) if part)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
