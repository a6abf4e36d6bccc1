"""A labelled data set becomes a source, or the evaluation set, of a site."""

from __future__ import annotations

from typing import Any

from reid_desk.site import Site
from training.datasets import Dataset, evaluation_split, require_source


def add_source(
    site: Site, dataset: Dataset, *, name: str | None = None, role: str = "source", replace: bool = False
) -> dict[str, Any]:
    """Note ``dataset`` down in the site; the images stay where they are.

    Returns ``{"name", "role", "path", "layout", "identities", "cameras", "images", "problems"}``.

    Raises:
        training.errors.DatasetError: nothing can be learnt from it, or nothing measured on it.
        SourceError: the site has one of that name, and ``replace`` is not set.
    """
    name = (name or dataset.name).strip()
    problems = list(dataset.problems)
    if role == "source":
        require_source(dataset)
    else:
        problems.append(evaluation_split(dataset)[2])
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
