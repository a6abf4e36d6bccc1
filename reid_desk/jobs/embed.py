"""Embed: crops that a model has not seen yet -> vectors in the site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reid_desk.errors import ModelError
from reid_desk.jobs.reporters import EventReporter
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Model, Run, Site

BATCH = 64
"""Crops between two writes: what a cancel or a crash may cost, about a second of work on a slow machine."""


def run(site: Site, _run: Run, arguments: Mapping[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Do the job; see :class:`reid_desk.jobs.spec.JobSpec` for its arguments.

    Returns ``{"model", "embedded", "in_use"}``.

    Raises:
        ReidDeskError: the site has no model, or the model cannot be used.
    """
    model = chosen_model(site, arguments.get("model"))
    work = bring_into_use if arguments.get("use") else embed_missing
    embedded = work(site, model, reporter)
    current = site.current_model()
    return {
        "model": model.id,
        "embedded": embedded,
        "in_use": current is not None and current.id == model.id,
    }


def chosen_model(site: Site, model_id: str | None) -> Model:
    """The model asked for, or the current one.

    Raises:
        ReidDeskError: there is no such model, or none at all.
    """
    if model_id is not None:
        return site.model(model_id)
    model = site.current_model()
    if model is None:
        raise ModelError("The site has no model yet. Adapt to the site first (reid-desk adapt).")
    return model


def bring_into_use(site: Site, model: Model, reporter: EventReporter) -> int:
    """Search with ``model`` as soon as every crop has a vector of it; return how many crops had none.

    Crops that an import adds meanwhile are embedded as well before searches change over.
    """
    embedded = embed_missing(site, model, reporter)
    while not site.use_complete_model(model.id):
        reporter.check_cancelled()
        embedded += embed_missing(site, model, reporter)
    reporter.message(f"The site is searched with {model.name} from now on.")
    return embedded


def embed_missing(site: Site, model: Model, reporter: EventReporter) -> int:
    """Store a vector of ``model`` for every crop that has none; return how many there were.

    Each batch is stored as it is done, so that nothing is computed twice after a cancel or a crash.
    """
    missing = site.missing_vectors(model.id)
    if len(missing) == 0:
        return 0
    reporter.phase("embed", f"Embedding {len(missing):,} crops")
    embedder = Embedder(model.path)
    for start in range(0, len(missing), BATCH):
        reporter.check_cancelled()
        batch = [int(crop_id) for crop_id in missing[start : start + BATCH]]
        images = site.crop_images(batch)
        there = [crop_id for crop_id in batch if crop_id in images]  # a clip may be removed meanwhile
        if there:
            vectors = embedder.embed([decode_image(images[crop_id]) for crop_id in there])
            site.store_vectors(model.id, there, vectors)
        reporter.progress(start + len(batch), len(missing))
    return len(missing)
