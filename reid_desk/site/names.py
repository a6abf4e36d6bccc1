"""What people may call their cameras and data sets."""

from __future__ import annotations

import unicodedata

from reid_desk.errors import ReidDeskError, SiteError

LONGEST_NAME = 100
_NO_CHARACTERS = {"Cc", "Cs"}  # controls such as line ends, and what is no character at all


def checked_name(name: str, what: str, error: type[ReidDeskError] = SiteError) -> str:
    """``name`` without blanks around it, if it can be shown in a line; ``what`` is what it is the name of.

    Raises:
        error: it is blank, longer than ``LONGEST_NAME`` characters, or holds control characters.
    """
    name = name.strip()
    if not name:
        raise error(f"A {what} needs a name; give it one.")
    if len(name) > LONGEST_NAME:
        raise error(
            f"The name of a {what} has at most {LONGEST_NAME} characters, not {len(name)}; shorten it."
        )
    if any(unicodedata.category(character) in _NO_CHARACTERS for character in name):
        raise error(f"The name of a {what} cannot be {name!a}; leave out what is no letter or digit.")
    return name
