"""One run folder: what it was begun with, and its stages, each computed once and kept.

A run folder holds ``settings.json``, ``source.json`` and ``target.json`` (what it began with), ``progress.json``
(seconds and speed of each stage), ``cache/`` (decoded and translated images, removed at the end), ``checkpoints/``,
``previews/``, and in the end ``model.onnx``, ``card.json``, ``weights.safetensors`` and ``report.json``.
"""

from __future__ import annotations

import dataclasses
import json
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
    Dataset,
    Sample,
    fingerprint,
)
from training.devices import lower_precision, open_device
from training.errors import TrainingError
from training.export import export_onnx, make_card, save_weights
from training.features import embed
from training.files import write_atomically
from training.images import ImageStore, decode
from training.metrics import RetrievalMetrics, cmc_map
from training.networks.backbones import DEPTHWISE
from training.networks.building import build_network
from training.networks.embedding import EmbeddingNetwork
from training.pretraining import pretrain
from training.progress import Reporter
from training.settings import Settings
from training.source_lesson import Source
from training.speed import StepMeter
from training.style_transfer import train_style_transfer
from training.target import Target
from training.teacher_student import Adapted, TeacherStudent
from training.translation import translate
from training.weights import read_state

# Crops that an exported model is checked on against torch.
CHECKED_CROPS = 32


@dataclass(frozen=True)
class TestImages:
    """Queries and gallery of the labelled set that a run is measured on."""

    __test__ = False  # to pytest: this is no test

    query: ImageStore
    gallery: ImageStore
    note: str


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
