"""Images a second of stages 1 to 3 on this device, stages 2 and 3 beside the obvious implementation.

    python -m tests.benchmarks.training_step [--preset paper] [--steps 20] [--json FILE]

Nothing is downloaded: images are generated and networks start from random weights. The obvious implementation is what
the public codes do: images augmented one by one with PIL in worker processes, float32, torch's default memory layout,
an optimiser and mean teachers that go from parameter to parameter. Both sides compute the same losses. On a CUDA
machine bfloat16 is held against float32 besides: the loss after the same steps.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from training.adaptation import build_network
from training.augmentation import IMAGENET_MEAN, IMAGENET_STD
from training.devices import lower_precision, open_device
from training.heads import ClassifierHead
from training.losses import (
    AdaptationTerms,
    AdaptationWeights,
    adaptation_loss,
    attraction_loss,
    identity_loss,
    pretraining_loss,
    soft_identity_loss,
    soft_triplet_loss,
    triplet_loss,
)
from training.networks.backbones import DEPTHWISE
from training.networks.embedding import EmbeddingNetwork, Features
from training.presets import preset
from training.pretraining import pretrain, triplet_features
from training.progress import Silent
from training.pseudo_labels import cluster_centres
from training.sampling import identity_batches
from training.settings import Settings
from training.speed import StepMeter
from training.style_transfer import train_style_transfer
from training.target import Circumstances, Target
from training.teacher_student import TeacherStudent

PEOPLE, VIEWS = 64, 8


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


class Views(Dataset[Tensor]):
    """One augmented view an image, as the public codes make it."""

    def __init__(self, images: NDArray[np.uint8], *, erasing: float) -> None:
        height, width = images.shape[1:3]
        padding = round(10 * height / 256)
        self._images = [Image.fromarray(image) for image in images]
        self._transform = transforms.Compose(
            [
                transforms.RandomHorizontalFlip(),
                transforms.Pad(padding),
                transforms.RandomCrop((height, width)),
                transforms.ToTensor(),
                transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
                transforms.RandomErasing(p=erasing),
            ]
        )

    def __getitem__(self, index: int) -> Tensor:
        view: Tensor = self._transform(self._images[index])
        return view

    def __len__(self) -> int:
        return len(self._images)


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
        stage = self._stage_3()
        meter, losses = StepMeter(), Losses()
        network = self.network().to(memory_format=torch.channels_last)
        known = dataclasses.replace(Circumstances.unknown(len(self.images)), cameras=self.cameras)
        TeacherStudent(
            (network, network), Target(self.images, known), stage, device=self.device, bfloat16=self.bfloat16,
            seed=0, reporter=losses, meter=meter,
        ).run()  # fmt: skip
        return meter, losses.loss

    def _stage_3(self) -> Any:
        return dataclasses.replace(
            self.settings.teacher_student, epochs=1, iterations_per_epoch=self.steps, clustering="kmeans",
            kmeans_clusters=PEOPLE, head="classifier", proxy_weight=0.0, soft_identity_weight=0.5,
            soft_triplet_weight=0.8,
        )  # fmt: skip

    def obvious_pretraining(self) -> StepMeter:
        """Stage 2 as the public codes do it."""
        stage = self.settings.pretraining
        network = self.network().train()
        classifier = nn.Linear(network.embedding_size, PEOPLE, bias=False).to(self.device)
        optimiser = torch.optim.Adam([*network.parameters(), *classifier.parameters()], foreach=False)
        meter = StepMeter()
        loader = self._loader(stage.identities, stage.instances, erasing=stage.erasing)
        for batch, labels in meter.steps(loader, images=stage.identities * stage.instances):
            if stage.target_images:
                with torch.no_grad():
                    network.features(batch)
            features = network.features(batch)
            loss = pretraining_loss(
                identity_loss(classifier(features.neck), labels),
                triplet_loss(triplet_features(features.pooled, stage.triplet_scale), labels),
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            float(loss.detach())  # shown at every step
        return meter

    def obvious_adaptation(self) -> StepMeter:
        """Stage 3 as the public codes do it."""
        stage = self._stage_3()
        network = self.network().train()
        students = [network, copy.deepcopy(network)]
        teachers = [copy.deepcopy(network).requires_grad_(False) for _ in students]
        with torch.no_grad():
            features = np.concatenate(
                [network(self._plain(part)).cpu().numpy() for part in np.array_split(self.images, 8)]
            )
        centres = torch.from_numpy(cluster_centres(features, self.identities)).to(self.device)
        heads = [ClassifierHead(centres) for _ in students]
        learnt = [p for each in (*students, *(head.learns() for head in heads)) for p in each.parameters()]
        optimiser = torch.optim.Adam(learnt, foreach=False)
        meter = StepMeter()
        loader = zip(
            *(self._loader(stage.identities, stage.instances, erasing=stage.erasing) for _ in students),
            strict=True,
        )
        for views in meter.steps(loader, images=stage.identities * stage.instances):
            labels = views[0][1]
            seen = [student.features(view) for student, (view, _) in zip(students, views, strict=True)]
            with torch.no_grad():
                taught = [teacher.features(view) for teacher, (view, _) in zip(teachers, views, strict=True)]
            loss = sum(
                self._eq_20(seen[i], taught[1 - i], heads[i], heads[1 - i], labels, centres) for i in (0, 1)
            )
            assert isinstance(loss, Tensor)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            for teacher, student in zip(teachers, students, strict=True):
                for mean, value in zip(teacher.parameters(), student.parameters(), strict=True):
                    mean.data.mul_(stage.alpha).add_(value.data, alpha=1 - stage.alpha)
            float(loss.detach())
        return meter

    def _eq_20(
        self, student: Features, teacher: Features, own: ClassifierHead, other: ClassifierHead, labels: Tensor,
        centres: Tensor,
    ) -> Tensor:  # fmt: skip
        scale = self.settings.teacher_student.triplet_scale
        ranked, logits = triplet_features(student.pooled, scale), own.student(student.neck)
        terms = AdaptationTerms(
            identity_loss(logits, labels),
            triplet_loss(ranked, labels),
            attraction_loss(student.neck, centres[labels]),
            soft_identity_loss(logits, other.teacher(teacher.neck).detach()),
            soft_triplet_loss(ranked, triplet_features(teacher.pooled, scale), labels),
        )
        return adaptation_loss(AdaptationWeights(), terms)

    def _loader(self, identities: int, instances: int, *, erasing: float) -> Iterator[tuple[Tensor, Tensor]]:
        batches = list(
            identity_batches(
                self.identities, self.cameras, steps=self.steps, rng=np.random.default_rng(0),
                num_identities=identities, num_instances=instances,
            )
        )  # fmt: skip
        views = Views(self.images, erasing=erasing)
        loader = DataLoader(views, batch_sampler=[batch.tolist() for batch in batches], num_workers=2)
        for batch, chosen in zip(loader, batches, strict=True):
            yield batch.to(self.device), torch.from_numpy(self.identities[chosen]).to(self.device)

    def _plain(self, images: NDArray[np.uint8]) -> Tensor:
        mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
        return ((torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std).to(self.device)


def measure(settings: Settings, steps: int, *, warm_up: bool = True) -> dict[str, dict[str, float]]:
    """Figures of each stage: ours, the obvious one's images a second, their ratio, bfloat16 against float32."""
    bench = Bench(settings, steps)
    found: dict[str, dict[str, float]] = {}
    stages: dict[str, tuple[Callable[[], tuple[StepMeter, float]], Callable[[], StepMeter] | None]] = {
        "style_transfer": (bench.style_transfer, None),
        "pretraining": (bench.pretraining, bench.obvious_pretraining),
        "adaptation": (bench.adaptation, bench.obvious_adaptation),
    }
    for name, (ours, obvious) in stages.items():
        if warm_up:  # the first steps pay for kernels and caches
            ours()
        begun = time.perf_counter()
        meter, loss = ours()
        found[name] = meter.report(bench.device) | {"seconds": time.perf_counter() - begun}
        if obvious is not None:
            plain = obvious()
            found[name]["obvious_images_per_second"] = plain.images / plain.seconds
            found[name]["ratio"] = found[name]["images_per_second"] * plain.seconds / plain.images
        if bench.bfloat16 or name == "style_transfer":
            exact = Bench(dataclasses.replace(settings, precision="float32"), steps)
            found[name]["loss"], found[name]["loss_float32"] = loss, getattr(exact, name)()[1]
    return found


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
    for stage, figures in found.items():
        print(f"{stage:16s} " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    if given.json:
        given.json.write_text(json.dumps({"preset": name, "device": device, "stages": found}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
