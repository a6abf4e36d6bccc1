"""Market-1501, and all that took over its folders and its names (``0002_c1s1_000451_03.jpg``).

Protocol: person -1 is junk (bad detections) and is left out everywhere; person 0 is a distractor, which
stays in the gallery, matches nobody, and is left out of training. Source: Zheng et al. 2015.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training.datasets.dataset import UNKNOWN, Dataset, Sample
from training.datasets.names import NamedImages, NameParser, misnamed_problem, pattern_parser, read_named

LAYOUT = "Market-1501"
TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"

_JUNK = -1
_DISTRACTOR = 0

# CUHK03-NP has no sequence number after the camera.
parse_name = pattern_parser(r"(-?\d+)_c(\d+)(?:s\d+)?_")


def read(root: Path) -> Dataset | None:
    """Read ``root`` if it has Market-1501's folders or holds images with its names, else return ``None``."""
    return read_folders(root, LAYOUT, parse_name) or read_flat(root, LAYOUT, parse_name)


def read_folders(root: Path, layout: str, parse: NameParser) -> Dataset | None:
    """Read any of ``bounding_box_train``, ``query`` and ``bounding_box_test`` in ``root``."""
    parts = {name: _part(root / name, parse) for name in (TRAIN, QUERY, GALLERY)}
    if not any(part.mostly_understood for part in parts.values()):
        return None
    problems = [line for name, part in parts.items() for line in misnamed_problem(root / name, part)]
    query = _without(parts[QUERY].samples, {_JUNK})
    # Own data in these folders may well number its people from 0.
    distractors = {_DISTRACTOR} - {sample.identity for sample in query}
    gallery = tuple(
        replace(sample, identity=UNKNOWN) if sample.identity in distractors else sample
        for sample in _without(parts[GALLERY].samples, {_JUNK})
    )
    if bool(query) != bool(gallery):
        problems.append(f"{root} has only one of {QUERY} and {GALLERY}: its own split cannot be used.")
    has_split = bool(query and gallery)
    return Dataset(
        name=root.name,
        layout=layout,
        root=root,
        images=_without(parts[TRAIN].samples, {_JUNK}),
        query=query if has_split else None,
        gallery=gallery if has_split else None,
        problems=tuple(problems),
    )


def read_flat(root: Path, layout: str, parse: NameParser) -> Dataset | None:
    """Read the images directly in ``root`` if most of their names are understood."""
    images = read_named(root, parse)
    if not images.mostly_understood:
        return None
    kept = _without(images.samples, _outside_training(root, images))
    problems = list(misnamed_problem(root, images))
    if len(kept) < len(images.samples):
        problems.append(
            f"{len(images.samples) - len(kept)} junk images and distractors (persons -1 and 0) were left out."
        )
    return Dataset(root.name, layout, root, kept, problems=tuple(problems))


def _outside_training(root: Path, images: NamedImages) -> set[int]:
    """Person 0 is a distractor only where Market-1501's test folder is recognised, by name or by its junk."""
    people = {sample.identity for sample in images.samples}
    return {_JUNK, _DISTRACTOR} if root.name == GALLERY or _JUNK in people else {_JUNK}


def _part(folder: Path, parse: NameParser) -> NamedImages:
    return read_named(folder, parse) if folder.is_dir() else NamedImages((), 0)


def _without(samples: tuple[Sample, ...], identities: set[int]) -> tuple[Sample, ...]:
    return tuple(sample for sample in samples if sample.identity not in identities)
