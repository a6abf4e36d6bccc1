"""The three stages in a row, resumable, from two data sets to a model file and a report."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from training import processes
from training.datasets import (
    UNKNOWN,
    Dataset,
    Sample,
    evaluation_split,
    open_dataset,
    open_target,
    require_source,
    require_target,
)
from training.devices import open_device, require_compiler
from training.export import save_weights
from training.files import write_atomically
from training.metrics import RetrievalMetrics
from training.networks.building import build_network
from training.progress import Reporter
from training.run import TestImages, open_run
from training.settings import Settings
from training.source_lesson import Source
from training.target import Target


def adapt(
    source: Path,
    target: Path,
    out: Path,
    settings: Settings,
    *,
    test: Path | None = None,
    resume: bool = False,
    reporter: Reporter,
) -> dict[str, Any]:
    """Run all three stages and export the model.

    Args:
        source: a labelled data set, any layout of :func:`training.datasets.open_dataset`.
        target: unlabelled crops, see :func:`training.datasets.open_target`.
        out: the run folder; made if missing.
        settings: of all stages, see :func:`training.presets.preset`.
        test: a labelled data set to measure on. Its labels choose nothing. With it, a comparison model is trained
            on the untranslated source (``source_only``), and its time is counted apart.
        resume: continue the run in ``out`` where it stopped.
        reporter: told what happens; its cancellation error passes through, checkpoints intact.

    Returns:
        The report, as written to ``out/report.json``: metrics of ``source_only``, ``pretrained`` and ``adapted``
        (fractions 0..1, only with ``test``), ``seconds`` of each stage, the history of the clusterings.

    Raises:
        TrainingError: bad input or settings, in one line; ``out`` holds a run and ``resume`` is false, or the
            settings differ from those of the run to be resumed.
    """
    # What can be wrong with the input is found before the run folder is made.
    _require_able(settings)
    source_set, target_set = open_source(source), open_crops(target)
    split = evaluation_split(open_dataset(test)) if test else None
    run = open_run(
        out, settings, {"source": source_set, "target": target_set}, reporter=reporter, resume=resume
    )
    reporter.phase("prepare", "Reading the images")
    known, crops = run.decode("source", known_people(source_set)), run.decode("target", target_set.images)
    measured = (
        TestImages(run.decode("query", split[0]), run.decode("gallery", split[1]), split[2])
        if split
        else None
    )
    images = run.translated(known, crops) if settings.style_transfer_enabled else known.images
    metrics: dict[str, RetrievalMetrics] = {}
    if measured:
        source_only = run.pretrained("source_only", known, known.images, None)
        metrics["source_only"] = run.evaluate(source_only, measured)
        run.export(
            source_only,
            "source_only.onnx",
            source=source_set.name,
            target=None,
            crops=crops,
            metrics=metrics["source_only"],
        )
    pretrained = run.pretrained("pretraining", known, images, crops)
    if measured:
        metrics["pretrained"] = run.evaluate(pretrained, measured)
    adapted = run.adapted(
        pretrained,
        Target.of(crops, target_set.co_seen),
        Source(images, known.identities, known.cameras),
    )
    if measured:
        metrics["adapted"] = run.evaluate(adapted.network, measured)
    run.export(
        adapted.network,
        "model.onnx",
        source=source_set.name,
        target=target_set.name,
        crops=crops,
        metrics=metrics.get("adapted"),
    )
    history = [record.as_dict() for record in adapted.history]
    report = {name: each.as_dict() for name, each in metrics.items()} | {
        "evaluation": measured.note if measured else None,
        "seconds": run.seconds | {"total": sum(run.seconds.values()) - run.seconds.get("source_only", 0.0)},
        "speed": run.speed,
        "clusters": history[-1]["clusters"] if history else None,
        "history": history,
        "kept": {
            "network": adapted.kept,
            "scores": list(adapted.scores),
            "by": settings.teacher_student.selection,
        },
        "problems": [*source_set.problems, *target_set.problems, *known.problems, *crops.problems],
        "settings": dataclasses.asdict(settings),
    }
    text = json.dumps(report, indent=2)
    if processes.is_main():
        save_weights(adapted.network, out / "weights.safetensors")
        write_atomically(out / "report.json", text.encode())
        shutil.rmtree(out / "cache", ignore_errors=True)
    written: dict[str, Any] = json.loads(text)
    return written


def _require_able(settings: Settings) -> None:
    """Check now, before a run has begun, that this machine and its processes can do what the settings ask for.

    Raises:
        TrainingError: no such device, no compiler, no weights, no such network, or a batch that cannot be shared.
    """
    device = open_device(settings.device)
    if settings.compile:
        require_compiler(device)
    build_network(settings.network)
    for number, stage in ((2, settings.pretraining), (3, settings.teacher_student)):
        processes.require_parts(stage.identities * stage.instances, f"a batch of stage {number}")
    if settings.style_transfer_enabled:
        processes.require_parts(settings.style_transfer.batch_size, "a batch of stage 1")


def open_source(path: Path) -> Dataset:
    """A labelled data set that can be learnt from.

    Raises:
        DatasetError: it cannot.
    """
    dataset = open_dataset(path)
    require_source(dataset)
    return dataset


def open_crops(path: Path) -> Dataset:
    """Unlabelled crops, enough of them to adapt to.

    Raises:
        DatasetError: there are too few, or none.
    """
    dataset = open_target(path)
    require_target(dataset)
    return dataset


def known_people(dataset: Dataset) -> tuple[Sample, ...]:
    """The images whose person is known, people numbered 0..C-1."""
    numbers = {
        identity: n for n, identity in enumerate(sorted({s.identity for s in dataset.images} - {UNKNOWN}))
    }
    return tuple(
        dataclasses.replace(sample, identity=numbers[sample.identity])
        for sample in dataset.images
        if sample.identity in numbers
    )
