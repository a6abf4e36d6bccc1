"""The three stages in a row, in one run folder, resumable.

A run folder holds ``settings.json``, ``source.json`` and ``target.json`` (what it began with), ``progress.json``
(seconds and speed of each stage), ``cache/`` (decoded and translated images, removed at the end), ``checkpoints/``,
``previews/``, and in the end ``model.onnx``, ``card.json``, ``weights.safetensors`` and ``report.json``.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training import processes
from training.checkpoints import is_there
from training.datasets import (
    UNKNOWN,
    Dataset,
    Sample,
    evaluation_split,
    fingerprint,
    open_dataset,
    open_target,
    require_source,
    require_target,
)
from training.devices import lower_precision, open_device, require_compiler
from training.errors import TrainingError
from training.export import export_onnx, make_card, save_weights
from training.features import embed
from training.files import write_atomically
from training.images import ImageStore, decode
from training.metrics import RetrievalMetrics, cmc_map
from training.networks.backbones import DEPTHWISE, AttentionSettings, build_backbone
from training.networks.embedding import EmbeddingNetwork
from training.pretraining import pretrain
from training.progress import Reporter
from training.settings import NetworkSettings, Settings
from training.source_lesson import Source
from training.speed import StepMeter
from training.style_transfer import train_style_transfer
from training.target import Target
from training.teacher_student import Adapted, TeacherStudent
from training.translation import translate
from training.weights import read_state

# Crops that an exported model is checked on against torch.
CHECKED_CROPS = 32


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


@dataclass(frozen=True)
class TestImages:
    """Queries and gallery of the labelled set that a run is measured on."""

    __test__ = False  # to pytest: this is no test

    query: ImageStore
    gallery: ImageStore
    note: str


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


def open_run(
    out: Path, settings: Settings, inputs: Mapping[str, Dataset], *, reporter: Reporter, resume: bool = False
) -> Run:
    """Start a run in folder ``out``, or continue the one that is there.

    Args:
        out: the run folder; made if missing.
        settings: of the run; where they were ``resume``d with weights from another place, that does not matter.
        inputs: the data sets that the run learns from, by what they are to it.
        reporter: told what happens.
        resume: whether a run that is there is continued.

    Raises:
        TrainingError: ``out`` holds a run and ``resume`` is false, or holds one with other settings or other images,
            or cannot be written.
    """
    processes.from_main(lambda: _begin(out, settings, inputs, resume=resume))
    return Run(out, settings, reporter)


def _begin(out: Path, settings: Settings, inputs: Mapping[str, Dataset], *, resume: bool) -> None:
    begun = (out / "settings.json").exists()
    if begun and not resume:
        raise TrainingError(f"{out} holds a run already; resume it with --resume, or choose another folder")
    _same_as_begun(out / "settings.json", _what_matters(settings), "settings")
    for name, dataset in inputs.items():
        _same_as_begun(out / f"{name}.json", {"images": fingerprint(dataset)}, f"{name} images")


def _what_matters(settings: Settings) -> dict[str, Any]:
    """All settings but where the weights lie, and which device computes how: those may change when a run is resumed."""
    wanted: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return wanted | {"device": "auto", "compile": False, "network": wanted["network"] | {"weights": None}}


def _same_as_begun(file: Path, wanted: dict[str, Any], what: str) -> None:
    """Note in ``file`` what a run begins with, or check that it goes on with the same."""
    if not file.exists():
        write_atomically(file, json.dumps(wanted, indent=2).encode())
    elif json.loads(file.read_text(encoding="utf-8")) != wanted:
        raise TrainingError(
            f"the run in {file.parent} was started with other {what}; resume it with the same ones,"
            " or start anew in another folder"
        )


def build_network(settings: NetworkSettings, *, pretrained: bool = True) -> EmbeddingNetwork:
    """The embedding network that ``settings`` describe; ``pretrained``: with ImageNet weights.

    Raises:
        WeightsError: the weights cannot be had.
        TrainingError: the settings do not go together.
    """
    attention = AttentionSettings(
        settings.transformer_blocks, settings.transformer_heads, settings.transformer_sigmoid
    )
    try:
        backbone = build_backbone(
            settings.backbone,
            height=settings.height,
            width=settings.width,
            last_stride=settings.last_stride,
            attention=attention,
            pretrained=pretrained,
            weights=Path(settings.weights) if settings.weights else None,
        )
    except ValueError as error:
        raise TrainingError(f"the network of these settings cannot be built: {error}") from error
    return EmbeddingNetwork(backbone, pooling=settings.pooling)


class Run:
    """The stages of one run folder. Each stage's result is kept, so that it is not computed twice.

    Attributes:
        out: the run folder.
        seconds: what each stage has taken so far, over all resumptions.
        speed: images a second, share of time waiting for data, and peak memory of each stage, as last measured.
    """

    def __init__(self, out: Path, settings: Settings, reporter: Reporter) -> None:
        self.out = out
        self.settings = settings
        self.device = open_device(settings.device)
        self.bfloat16 = lower_precision(
            settings.precision, self.device, depthwise=settings.network.backbone in DEPTHWISE
        )
        self._reporter = reporter
        self._progress = out / "progress.json"
        kept = json.loads(self._progress.read_text(encoding="utf-8")) if self._progress.exists() else {}
        self.seconds: dict[str, float] = kept.get("seconds", {})
        self.speed: dict[str, dict[str, float]] = kept.get("speed", {})

    def decode(self, name: str, samples: tuple[Sample, ...]) -> ImageStore:
        """Images at the network's size, kept under ``name`` while the run lasts.

        Raises:
            DatasetError: too many of them cannot be read.
        """
        size = self.settings.network
        with processes.main_first():
            return decode(
                samples, size.height, size.width, self.out / "cache" / f"{name}.npy", self._reporter
            )

    def translated(self, source: ImageStore, target: ImageStore) -> NDArray[np.uint8]:
        """Stage 1: the source images in the look of the target, uint8 [N, H, W, 3]."""
        file = self.out / "cache" / "translated.npy"
        if not processes.from_main(file.exists):
            self._translate(source, target, file)
        translated: NDArray[np.uint8] = np.load(file, mmap_mode="r")
        if len(translated) != len(source.images):
            raise TrainingError(
                f"of the source, {len(source.images)} images can be read and {len(translated)} could when they"
                f" were translated; mend the source, or remove {file} to translate it again"
            )
        return translated

    def _translate(self, source: ImageStore, target: ImageStore, file: Path) -> None:
        """Learn the look of ``target`` and write the images of ``source`` in it to ``file``."""
        bfloat16 = lower_precision(self.settings.precision, self.device)
        with self._timed("style_transfer") as meter:
            self._reporter.phase("style_transfer", "Learning the look of the site")
            generator = train_style_transfer(
                source.images,
                target.images,
                self.settings.style_transfer,
                device=self.device,
                bfloat16=bfloat16,
                compiled=self.settings.compile,
                seed=self.settings.seed,
                checkpoint=self._checkpoint("style_transfer.pt"),
                previews=self.out / "previews",
                reporter=self._reporter,
                meter=meter,
            )
            self._reporter.phase("translate", "Giving the source the look of the site")
            with processes.main_first():
                if not file.exists():
                    translate(
                        generator,
                        source.images,
                        device=self.device,
                        bfloat16=bfloat16,
                        out=file,
                        reporter=self._reporter,
                    )

    def pretrained(
        self, name: str, source: ImageStore, images: NDArray[np.uint8], target: ImageStore | None
    ) -> EmbeddingNetwork:
        """Stage 2 on ``images``, the source's, translated or not; kept under ``name``.

        ``target``: crops that the norms see, or ``None``: no look at the target (the comparison model).
        """
        text = (
            "Learning to tell people apart" if target else "Training the comparison model on the source alone"
        )
        self._reporter.phase(name, text)
        kept = self._checkpoint(f"{name}.safetensors")
        done = is_there(kept)
        network = self._network(pretrained=not done)
        if done:
            network.load_state_dict(read_state(kept))
            return network
        with self._timed(name) as meter:
            pretrain(
                network,
                images,
                source.identities,
                source.cameras,
                self.settings.pretraining,
                target=target.images if target else None,
                device=self.device,
                bfloat16=self.bfloat16,
                seed=self.settings.seed,
                checkpoint=self._checkpoint(f"{name}.pt"),
                reporter=self._reporter,
                meter=meter,
            )
        if processes.is_main():
            save_weights(network, kept)
            self._checkpoint(f"{name}.pt").unlink(missing_ok=True)
        return network

    def adapted(self, network: EmbeddingNetwork, target: Target, source: Source | None = None) -> Adapted:
        """Stage 3, from ``network`` of stage 2; ``source`` is what that one learnt from.

        Raises:
            ClusteringError: nothing to learn from could be found among the target's crops.
            TrainingError: the settings keep the source in the batches and there is none.
        """
        self._reporter.phase("adaptation", "Adapting to the people of the site")
        with self._timed("adaptation") as meter:
            return TeacherStudent(
                [network] * self.settings.teacher_student.networks,
                target,
                self.settings.teacher_student,
                device=self.device,
                bfloat16=self.bfloat16,
                compiled=self.settings.compile,
                seed=self.settings.seed,
                reporter=self._reporter,
                source=source,
                meter=meter,
            ).run(self._checkpoint("teacher_student.pt"))

    def evaluate(self, network: EmbeddingNetwork, test: TestImages) -> RetrievalMetrics:
        """CMC and mAP of ``network`` on ``test``."""
        self._reporter.phase("evaluate", "Measuring")
        query, gallery = (
            embed(network, part.images, device=self.device, bfloat16=self.bfloat16, reporter=self._reporter)
            for part in (test.query, test.gallery)
        )
        return cmc_map(
            query,
            gallery,
            test.query.identities,
            test.gallery.identities,
            test.query.cameras,
            test.gallery.cameras,
        )

    def export(
        self,
        network: EmbeddingNetwork,
        name: str,
        *,
        source: str,
        target: str | None,
        crops: ImageStore,
        metrics: RetrievalMetrics | None = None,
    ) -> None:
        """Write ``network`` as ``name`` (ONNX) with its card into the run folder, checked on some of ``crops``."""
        if not processes.is_main():
            return
        self._reporter.phase("export", "Writing the model file")
        card = make_card(
            network,
            self.settings.network,
            preset=self.settings.preset,
            source=source,
            target=target,
            metrics=metrics.as_dict() if metrics else None,
        )
        export_onnx(network, self.out / name, card, samples=np.asarray(crops.images[:CHECKED_CROPS]))

    def _network(self, *, pretrained: bool) -> EmbeddingNetwork:
        # What has no weights of its own (resnet18) starts from the run's seed.
        torch.manual_seed(self.settings.seed)
        network = build_network(self.settings.network, pretrained=pretrained).to(self.device)
        if self.settings.compile:
            network.backbone.compile()
        return network.to(memory_format=torch.channels_last)

    def _checkpoint(self, name: str) -> Path:
        folder = self.out / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    @contextmanager
    def _timed(self, stage: str) -> Iterator[StepMeter]:
        """Count the time that the block takes, also when it is cut short, and measure its steps."""
        start, meter = time.perf_counter(), StepMeter()
        try:
            yield meter
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
            if meter.images:
                self.speed[stage] = meter.report(self.device)
            if processes.is_main():
                write_atomically(
                    self._progress, json.dumps({"seconds": self.seconds, "speed": self.speed}).encode()
                )
