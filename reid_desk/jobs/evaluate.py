"""Evaluate: a labelled set and a model of the site -> CMC and mAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_desk.errors import SourceError
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
        ReidDeskError: there is no model or nothing labelled to measure it on.
        training.errors.DatasetError: the labelled set cannot be read or has no true matches.
    """
    model = chosen_model(site, arguments.get("model"))
    name, folder = _data(site, arguments.get("data"))
    return {"model": model.id, "data": name, **evaluate(site, model, name, folder, reporter)}


def evaluate(site: Site, model: Model, name: str, folder: Path, reporter: EventReporter) -> dict[str, Any]:
    """Measure ``model`` on the labelled images in ``folder`` and keep the figures in the site."""
    reporter.phase("prepare", f"Reading {name}")
    query, gallery, note = evaluation_split(open_dataset(folder))
    embedder = Embedder(model.path)
    vectors = _embed(embedder, [*query, *gallery], reporter)
    metrics = cmc_map(
        vectors[: len(query)],
        vectors[len(query) :],
        query_ids=_labels(query, "identity"),
        gallery_ids=_labels(gallery, "identity"),
        query_cameras=_labels(query, "camera"),
        gallery_cameras=_labels(gallery, "camera"),
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


def _embed(embedder: Embedder, samples: Sequence[Sample], reporter: EventReporter) -> NDArray[np.float32]:
    reporter.phase("embed", f"Embedding {len(samples):,} images")
    batches = []
    for start in range(0, len(samples), BATCH):
        reporter.check_cancelled()
        batch = samples[start : start + BATCH]
        batches.append(embedder.embed([decode_image(sample.path) for sample in batch]))
        reporter.progress(start + len(batch), len(samples))
    return np.concatenate(batches)


def _labels(samples: Sequence[Sample], field: str) -> NDArray[np.int64]:
    return np.array([getattr(sample, field) for sample in samples], dtype=np.int64)
