"""A labelled data set becomes a source, or the evaluation set, of a site."""

from __future__ import annotations

import math
from typing import Any

from reid_desk.errors import ReidDeskError, SourceError
from reid_desk.search import decode_image
from reid_desk.site import Site
from training.datasets import Dataset, Sample, evaluation_split, require_source

OPENED = 100
"""Images of a data set that are opened before it is added; an adaptation opens all, and leaves out what is broken."""


def add_source(
    site: Site, dataset: Dataset, *, name: str | None = None, role: str = "source", replace: bool = False
) -> dict[str, Any]:
    """Note ``dataset`` down in the site; the images stay where they are.

    Returns ``{"name", "role", "path", "layout", "identities", "cameras", "images", "problems"}``.

    Raises:
        training.errors.DatasetError: nothing can be learnt from it, or nothing measured on it.
        SourceError: its images cannot be read, or the site has one of that name, and ``replace`` is not set.
    """
    name = (name or dataset.name).strip()
    problems = check_source(dataset, role)
    root = dataset.root.resolve()
    counts = {"identities": dataset.identities, "cameras": dataset.cameras, "images": len(dataset.images)}
    site.add_source(name, root, dataset.layout, **counts, role=role, replace=replace)
    return {
        "name": name,
        "role": role,
        "path": str(root),
        "layout": dataset.layout,
        **counts,
        "problems": problems,
    }


def check_source(dataset: Dataset, role: str) -> list[str]:
    """What has to be known of ``dataset`` in ``role``, one line each.

    Raises:
        training.errors.DatasetError: nothing can be learnt from it, or nothing measured on it.
        SourceError: most of its images cannot be read.
    """
    problems = list(dataset.problems)
    if role == "source":
        require_source(dataset)
    else:
        problems.append(evaluation_split(dataset)[2])
    return problems + _unreadable(dataset)


def _unreadable(dataset: Dataset) -> list[str]:
    """Open some of the images, from all over the data set, and tell how many cannot be read."""
    images = [*dataset.images, *(dataset.query or ()), *(dataset.gallery or ())]
    looked_at = images[:: math.ceil(len(images) / OPENED)]
    broken = [told for told in map(_why_unreadable, looked_at) if told]
    if not broken:
        return []
    text = f"{len(broken)} of {len(looked_at)} images that were opened cannot be read; the first: {broken[0]}"
    if 2 * len(broken) > len(looked_at):
        raise SourceError(f"{dataset.root}: {text} Unpack the data set again.")
    return [text]


def _why_unreadable(sample: Sample) -> str:
    try:
        decode_image(sample.path)
    except ReidDeskError as error:
        return str(error)
    return ""
