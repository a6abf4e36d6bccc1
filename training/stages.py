"""Each stage by itself, for the command line: what ``adapt`` does in a row, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.adaptation import known_people, open_crops, open_source
from training.datasets import evaluation_split, open_dataset, open_target
from training.errors import TrainingError, WeightsError
from training.export import export_onnx, make_card, save_weights
from training.images import decode
from training.metrics import cmc_map
from training.model_file import ModelFile
from training.networks.building import build_network
from training.networks.embedding import EmbeddingNetwork
from training.progress import Reporter, Silent
from training.run import CHECKED_CROPS, open_run
from training.settings import NetworkSettings, Settings
from training.target import Target
from training.weights import read_state


def translate_source(
    source: Path, target: Path, out: Path, settings: Settings, *, resume: bool, reporter: Reporter
) -> int:
    """Stage 1: write every source image in the target's look to ``out/translated``, names and labels kept.

    Returns:
        The number of images.

    Raises:
        TrainingError: bad input, or ``out`` holds another run.
    """
    dataset, crops = open_source(source), open_crops(target)
    run = open_run(out, settings, {"source": dataset, "target": crops}, reporter=reporter, resume=resume)
    known, site = run.decode("source", known_people(dataset)), run.decode("target", crops.images)
    for image, sample in zip(run.translated(known, site), known.samples, strict=True):
        path = (out / "translated" / sample.path.relative_to(dataset.root)).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(image)).save(path)
    return len(known.images)


def pretrain_source(
    source: Path, target: Path | None, out: Path, settings: Settings, *, resume: bool, reporter: Reporter
) -> dict[str, Any]:
    """Stage 2: learn the people of ``source`` as it is; writes ``out/weights.safetensors`` and ``out/model.onnx``.

    Raises:
        TrainingError: bad input, or ``out`` holds another run.
    """
    dataset = open_source(source)
    crops = open_crops(target) if target else None
    inputs = {"source": dataset} | ({"target": crops} if crops else {})
    run = open_run(out, settings, inputs, reporter=reporter, resume=resume)
    known = run.decode("source", known_people(dataset))
    site = run.decode("target", crops.images) if crops else None
    network = run.pretrained("pretraining", known, known.images, site)
    run.export(network, "model.onnx", source=dataset.name, target=None, crops=site or known)
    save_weights(network, out / "weights.safetensors")
    return {"seconds": run.seconds, "out": str(out)}


def teach_target(
    weights: Path, target: Path, out: Path, settings: Settings, *, resume: bool, reporter: Reporter
) -> dict[str, Any]:
    """Stage 3: adapt the network in ``weights`` to ``target``; writes weights and model file into ``out``.

    Raises:
        TrainingError: bad input, weights that do not fit, or ``out`` holds another run.
    """
    if settings.teacher_student.source_weight:
        raise TrainingError(
            "teacher_student.source_weight keeps the source in the batches: use adapt, or set it to 0"
        )
    network = _load(weights, settings.network)
    crops = open_crops(target)
    run = open_run(out, settings, {"target": crops}, reporter=reporter, resume=resume)
    site = run.decode("target", crops.images)
    adapted = run.adapted(network.to(run.device), Target.of(site, crops.co_seen))
    run.export(adapted.network, "model.onnx", source=weights.stem, target=crops.name, crops=site)
    save_weights(adapted.network, out / "weights.safetensors")
    return {
        "seconds": run.seconds,
        "out": str(out),
        "history": [record.as_dict() for record in adapted.history],
    }


def evaluate_model(model: Path, data: Path, *, reporter: Reporter | None = None) -> dict[str, Any]:
    """CMC and mAP of an ONNX model file on a labelled data set.

    Returns:
        ``{"mAP", "rank1", "rank5", "rank10", "queries", "gallery", "note", ...}``.

    Raises:
        WeightsError: the file is no embedding network of ours.
        DatasetError: the data set cannot be evaluated on.
    """
    reporter = reporter or Silent()
    embedder = ModelFile(model)
    query, gallery, note = evaluation_split(open_dataset(data))
    reporter.phase("evaluate", "Measuring")
    parts = []
    for samples in (query, gallery):
        store = decode(samples, embedder.height, embedder.width, None, reporter)
        parts.append((embedder.embed(store.images), store.identities, store.cameras))
    (q, q_ids, q_cameras), (g, g_ids, g_cameras) = parts
    return cmc_map(q, g, q_ids, g_ids, q_cameras, g_cameras).as_dict() | {"note": note}


def export_weights(weights: Path, out: Path, settings: Settings, *, samples: Path) -> dict[str, Any]:
    """Write the network in ``weights`` as ``out/model.onnx``, checked on the crops in ``samples``; return its card.

    Raises:
        TrainingError: weights that do not fit, no crops, or the export disagrees with torch.
    """
    network = _load(weights, settings.network)
    crops = open_target(samples)
    size = settings.network
    store = decode(crops.images[:CHECKED_CROPS], size.height, size.width, None, Silent())
    card = make_card(network, size, preset=settings.preset, source=weights.stem, target=crops.name)
    return export_onnx(network, out / "model.onnx", card, samples=store.images)


def _load(weights: Path, settings: NetworkSettings) -> EmbeddingNetwork:
    network = build_network(settings, pretrained=False)
    try:
        network.load_state_dict(read_state(weights))
    except RuntimeError as error:
        raise WeightsError(
            f"the weights in {weights} do not fit the network of these settings; use the preset they were made with"
        ) from error
    return network
