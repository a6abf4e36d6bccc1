"""Images a second of stages 1 to 3 on this device, side by side with the obvious implementation.

    python -m tests.benchmarks.training_step [--preset paper] [--steps 20] [--json FILE]

Nothing is downloaded: images are generated and networks start from random weights. What the other side does is in
``obvious_training``; both compute the same losses. Where this device works in bfloat16 the loss after the same steps is
held against that in float32. On a CUDA machine ``--preset paper`` takes some minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from tests.benchmarks import obvious_training
from training.devices import lower_precision, open_device
from training.networks.backbones import DEPTHWISE
from training.networks.building import build_network
from training.networks.embedding import EmbeddingNetwork
from training.presets import preset
from training.pretraining import pretrain
from training.progress import Silent
from training.settings import Settings, TeacherStudentSettings
from training.speed import StepMeter
from training.style_transfer import train_style_transfer
from training.target import Circumstances, Target
from training.teacher_student import TeacherStudent

PEOPLE, VIEWS = 64, 8

# After so many steps the loss is held against that of a float32 run.
_COMPARED_STEPS = 3


class Losses(Silent):
    """Remembers the last loss that was reported."""

    loss = float("nan")

    def metric(self, **values: float) -> None:
        """Take note."""
        self.loss = values.get("loss", values.get("generator", self.loss))


def people(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Generated images uint8 [N, H, W, 3] of striped people, their identities and cameras."""
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(PEOPLE), VIEWS)
    colours = rng.integers(0, 256, (PEOPLE, 8, 1, 3)).repeat(height // 8, axis=1)
    images = colours[identities] + rng.normal(0, 20, (len(identities), height, width, 3))
    return images.clip(0, 255).astype(np.uint8), identities, np.tile(np.arange(VIEWS) % 2, PEOPLE)


class Bench:
    """One preset on one device."""

    def __init__(self, settings: Settings, steps: int) -> None:
        self.settings = settings
        self.steps = steps
        self.device = open_device(settings.device)
        self.bfloat16 = lower_precision(
            settings.precision, self.device, depthwise=settings.network.backbone in DEPTHWISE
        )
        self.images, self.identities, self.cameras = people(settings.network.height, settings.network.width)

    def network(self) -> EmbeddingNetwork:
        """The preset's network on the device, from random weights."""
        torch.manual_seed(0)
        return build_network(self.settings.network, pretrained=False).to(self.device)

    def style_transfer(self) -> tuple[StepMeter, float]:
        """Stage 1."""
        stage = dataclasses.replace(self.settings.style_transfer, epochs=1, iterations_per_epoch=self.steps)
        meter, losses = StepMeter(), Losses()
        train_style_transfer(
            self.images, self.images[::-1].copy(), stage, device=self.device,
            bfloat16=lower_precision(self.settings.precision, self.device), seed=0, reporter=losses, meter=meter,
        )  # fmt: skip
        return meter, losses.loss

    def pretraining(self) -> tuple[StepMeter, float]:
        """Stage 2."""
        stage = dataclasses.replace(
            self.settings.pretraining, epochs=1, iterations_per_epoch=self.steps, norms_from_target=False
        )
        meter, losses = StepMeter(), Losses()
        network = self.network().to(memory_format=torch.channels_last)
        pretrain(
            network, self.images, self.identities, self.cameras, stage, target=self.images, device=self.device,
            bfloat16=self.bfloat16, seed=0, checkpoint=None, reporter=losses, meter=meter,
        )  # fmt: skip
        return meter, losses.loss

    def adaptation(self) -> tuple[StepMeter, float]:
        """Stage 3 with all terms of eq 20."""
        stage = self.stage_3()
        meter, losses = StepMeter(), Losses()
        network = self.network().to(memory_format=torch.channels_last)
        known = dataclasses.replace(Circumstances.unknown(len(self.images)), cameras=self.cameras)
        TeacherStudent(
            (network, network), Target(self.images, known), stage, device=self.device, bfloat16=self.bfloat16,
            seed=0, reporter=losses, meter=meter,
        ).run()  # fmt: skip
        return meter, losses.loss

    def stage_3(self) -> TeacherStudentSettings:
        """Stage 3 with K-means and all terms of eq 20."""
        return dataclasses.replace(
            self.settings.teacher_student, epochs=1, iterations_per_epoch=self.steps, clustering="kmeans",
            kmeans_clusters=PEOPLE, head="classifier", proxy_weight=0.0, soft_identity_weight=0.5,
            soft_triplet_weight=0.8,
        )  # fmt: skip

    def obvious_style_transfer(self) -> StepMeter:
        """Stage 1 as the public codes do it."""
        return obvious_training.style_transfer(
            self.images, self.settings.style_transfer, steps=self.steps, device=self.device
        )

    def obvious_pretraining(self) -> StepMeter:
        """Stage 2 as the public codes do it."""
        data = obvious_training.Labelled(self.images, self.identities, self.cameras)
        return obvious_training.pretraining(
            self.network(), data, self.settings.pretraining, steps=self.steps, device=self.device
        )

    def obvious_adaptation(self) -> StepMeter:
        """Stage 3 as the public codes do it."""
        data = obvious_training.Labelled(self.images, self.identities, self.cameras)
        return obvious_training.adaptation(
            self.network(), data, self.stage_3(), steps=self.steps, device=self.device
        )


def measure(settings: Settings, steps: int, *, warm_up: bool = True) -> dict[str, dict[str, float]]:
    """Figures of each stage: ours, the obvious one's images a second, their ratio, bfloat16 against float32."""
    bench = Bench(settings, steps)
    found: dict[str, dict[str, float]] = {}
    stages: dict[str, tuple[Callable[[], tuple[StepMeter, float]], Callable[[], StepMeter]]] = {
        "style_transfer": (bench.style_transfer, bench.obvious_style_transfer),
        "pretraining": (bench.pretraining, bench.obvious_pretraining),
        "adaptation": (bench.adaptation, bench.obvious_adaptation),
    }
    for name, (ours, obvious) in stages.items():
        if warm_up:  # the first steps pay for kernels and caches
            ours()
        begun = time.perf_counter()
        meter, _ = ours()
        found[name] = meter.report(bench.device) | {"seconds": time.perf_counter() - begun}
        if warm_up:
            obvious()
        plain = obvious()
        found[name]["obvious_images_per_second"] = plain.images / plain.seconds
        found[name]["obvious_waiting"] = plain.waiting / plain.seconds
        found[name]["ratio"] = found[name]["images_per_second"] * plain.seconds / plain.images
        found[name]["loss"] = _loss(settings, name)
        found[name]["loss_float32"] = _loss(dataclasses.replace(settings, precision="float32"), name)
    return found


def _loss(settings: Settings, stage: str) -> float:
    """The loss of a stage after a few steps."""
    with (
        patch("training.pretraining.REPORT_EVERY", 0),
        patch("training.teacher_student.REPORT_EVERY", 0),
        patch("training.style_transfer._REPORT_EVERY", 0),
    ):
        loss: float = getattr(Bench(settings, _COMPARED_STEPS), stage)()[1]
    return loss


_COLUMNS = {
    "images_per_second": "images/s",
    "obvious_images_per_second": "obvious images/s",
    "ratio": "ratio",
    "waiting": "waiting",
    "obvious_waiting": "obvious waiting",
    "peak_memory": "MiB",
    "loss": "loss",
    "loss_float32": "loss in float32",
}


def as_table(found: dict[str, dict[str, float]]) -> str:
    """One line a stage."""
    lines = ["| stage | " + " | ".join(_COLUMNS.values()) + " |", "|---" * (len(_COLUMNS) + 1) + "|"]
    lines += [
        f"| {stage} | " + " | ".join(f"{figures[key]:.4g}" for key in _COLUMNS) + " |"
        for stage, figures in found.items()
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default=None, help="default: paper on a CUDA device, else compact")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    name = given.preset or ("paper" if torch.cuda.is_available() else "compact")
    found = measure(preset(name), given.steps)
    device = (
        torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f"{torch.get_num_threads()} CPU threads"
    )
    print(f"preset {name}, {device}, torch {torch.__version__}")
    print(as_table(found))
    if given.json:
        given.json.write_text(json.dumps({"preset": name, "device": device, "stages": found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
