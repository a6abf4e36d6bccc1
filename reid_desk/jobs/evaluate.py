"""Evaluate: a labelled set and a model of the site -> CMC and mAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_desk.errors import ReidDeskError, SourceError
from reid_desk.jobs.embed import BATCH, chosen_model
from reid_desk.jobs.reporters import EventReporter
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Model, Run, Site
from training.datasets import Sample, evaluation_split, open_dataset
from training.metrics import cmc_map

LABEL = "measured"


def run(site: Site, _run: Run, arguments: Mapping[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Do the job; see :class:`reid_desk.jobs.spec.JobSpec` for its arguments.

    Returns the metrics with ``model``, ``data`` (a name) and ``note`` (how queries were chosen).

    Raises:
        ReidDeskError: there is no model or nothing labelled to measure it on, or most of that cannot be read.
        training.errors.DatasetError: the labelled set cannot be read or has no true matches.
    """
    model = chosen_model(site, arguments.get("model"))
    name, folder = _data(site, arguments.get("data"))
    return {"model": model.id, "data": name, **evaluate(site, model, name, folder, reporter)}


def evaluate(site: Site, model: Model, name: str, folder: Path, reporter: EventReporter) -> dict[str, Any]:
    """Measure ``model`` on the labelled images in ``folder`` and keep the figures in the site."""
    reporter.phase("prepare", f"Reading {name}")
    query, gallery, note = evaluation_split(open_dataset(folder))
    samples = (*query, *gallery)
    kept, vectors = _embed(Embedder(model.path), samples, reporter)
    first = int(np.searchsorted(kept, len(query)))  # of the gallery's
    identities, cameras = (
        np.array([getattr(samples[place], field) for place in kept], np.int64)
        for field in ("identity", "camera")
    )
    metrics = cmc_map(
        vectors[:first],
        vectors[first:],
        query_ids=identities[:first],
        gallery_ids=identities[first:],
        query_cameras=cameras[:first],
        gallery_cameras=cameras[first:],
    )
    site.add_evaluation(model.id, LABEL, name, metrics.as_dict())
    return {**metrics.as_dict(), "note": note}


def _data(site: Site, given: str | None) -> tuple[str, Path]:
    if given is not None:
        return Path(given).resolve().name, Path(given)
    source = site.evaluation_set()
    if source is None:
        raise SourceError(
            "The site has no labelled set to measure on. "
            "Add one (reid-desk source add --role evaluation), or name a folder (--data)."
        )
    return source.name, Path(source.path)


def _embed(
    embedder: Embedder, samples: Sequence[Sample], reporter: EventReporter
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places in ``samples`` of the images that can be read, and their vectors.

    Raises:
        SourceError: more than half of them cannot be read.
    """
    reporter.phase("embed", f"Embedding {len(samples):,} images")
    kept: list[int] = []
    batches = [np.empty((0, embedder.size), np.float32)]
    broken = ""
    for start in range(0, len(samples), BATCH):
        reporter.check_cancelled()
        images = []
        for place, sample in enumerate(samples[start : start + BATCH], start):
            try:
                images.append(decode_image(sample.path))
                kept.append(place)
            except ReidDeskError as error:
                broken = str(error)
        if images:
            batches.append(embedder.embed(images))
        reporter.progress(min(start + BATCH, len(samples)), len(samples))
    missing = len(samples) - len(kept)
    if 2 * missing > len(samples):
        raise SourceError(f"{missing} of {len(samples)} images of the labelled set cannot be read: {broken}")
    if missing:
        reporter.message(f"{missing} of {len(samples)} images were left out: {broken}", level="warning")
    return np.array(kept, np.int64), np.concatenate(batches)
