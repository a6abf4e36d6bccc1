"""Images whose file names tell person and camera."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.datasets.dataset import Sample
from training.datasets.files import image_files

NameParser = Callable[[str], tuple[int, int] | None]
"""Takes a file name, returns (identity, camera), or ``None`` for a name of another kind."""


@dataclass(frozen=True)
class NamedImages:
    """The images of a folder whose names were understood, and how many were not."""

    samples: tuple[Sample, ...]
    misnamed: int

    @property
    def mostly_understood(self) -> bool:
        """Whether more than half of the folder's images follow the naming."""
        return len(self.samples) > self.misnamed


def pattern_parser(pattern: str) -> NameParser:
    """A parser from a regular expression whose first two groups are identity and camera, as digits."""
    compiled = re.compile(pattern)

    def parse(name: str) -> tuple[int, int] | None:
        match = compiled.match(name)
        return (int(match[1]), int(match[2])) if match else None

    return parse


def read_named(folder: Path, parse: NameParser) -> NamedImages:
    """Read the images directly in ``folder`` with the persons and cameras that their names tell."""
    files = image_files(folder)
    samples = tuple(Sample(path, *parsed) for path in files if (parsed := parse(path.name)) is not None)
    return NamedImages(samples, len(files) - len(samples))


def misnamed_problem(folder: Path, images: NamedImages) -> tuple[str, ...]:
    """One line about the images left out for their names, if there are any."""
    if images.misnamed == 0:
        return ()
    return (f"{images.misnamed} images of {folder} were left out: their names tell no person and camera.",)
