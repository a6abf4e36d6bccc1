"""What the public codes do, for :mod:`tests.benchmarks.training_step` to be held against.

Images augmented one by one with PIL in worker processes, float32, torch's default memory layout, optimisers and mean
teachers that go from parameter to parameter, every loss read at every step. In stage 1 every output is computed at
every iteration, each image of a pool is swapped by itself, and SiaNet sees one kind of image at a time.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from training.augmentation import IMAGENET_MEAN, IMAGENET_STD
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
from training.networks.discriminators import PatchDiscriminator
from training.networks.embedding import EmbeddingNetwork, Features
from training.networks.generators import Generator
from training.networks.siamese import SiaNet
from training.pretraining import triplet_features
from training.pseudo_labels import cluster_centres
from training.sampling import identity_batches
from training.settings import PretrainingSettings, StyleTransferSettings, TeacherStudentSettings
from training.speed import StepMeter
from training.style_losses import (
    Embeddings,
    adversarial_loss,
    cycle_loss,
    discriminator_loss,
    preservation_loss,
    siamese_loss,
)
from training.style_losses import identity_loss as kept_loss


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [N, H, W, 3] with their people and cameras, int64 [N]."""

    images: NDArray[np.uint8]
    identities: NDArray[np.int64]
    cameras: NDArray[np.int64]


class Views(Dataset[Tensor]):
    """One augmented view an image, as the public codes make it."""

    def __init__(self, images: NDArray[np.uint8], transform: transforms.Compose) -> None:
        self._images = [Image.fromarray(image) for image in images]
        self._transform = transform

    def __getitem__(self, index: int) -> Tensor:
        view: Tensor = self._transform(self._images[index])
        return view

    def __len__(self) -> int:
        return len(self._images)


def style_transfer(
    images: NDArray[np.uint8], settings: StyleTransferSettings, *, steps: int, device: torch.device
) -> StepMeter:
    """Stage 1 from random weights, the images and their mirror as the two domains."""
    s = settings
    torch.manual_seed(0)
    to_target, to_source = (
        Generator(blocks=s.blocks, filters=s.filters, residual=s.residual).to(device) for _ in range(2)
    )
    judges = [PatchDiscriminator(filters=s.discriminator_filters).to(device) for _ in range(2)]
    siamese = SiaNet(height=s.height, width=s.width, filters=s.siamese_filters, dropout=s.dropout).to(device)
    parts = ([to_target, to_source], judges, [siamese])
    optimisers = [
        torch.optim.Adam(
            [p for network in part for p in network.parameters()],
            s.learning_rate,
            betas=(s.beta1, s.beta2),
            foreach=False,
        )
        for part in parts
    ]
    pools: tuple[list[Tensor], list[Tensor]] = ([], [])
    enlarged = (round(s.height * s.jitter), round(s.width * s.jitter))
    look = transforms.Compose(
        [
            transforms.Resize(enlarged),
            transforms.RandomCrop((s.height, s.width)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.5,) * 3),
        ]
    )
    orders = [np.random.default_rng(n).integers(0, len(images), (steps, s.batch_size)) for n in range(2)]
    loaders = [
        DataLoader(Views(each, look), batch_sampler=order.tolist(), num_workers=1)
        for each, order in zip((images, images[::-1]), orders, strict=True)
    ]
    meter = StepMeter()
    for x, y in meter.steps(zip(*loaders, strict=True), images=2 * s.batch_size):
        x, y = x.to(device), y.to(device)  # noqa: PLW2901
        fake_y, fake_x = to_target(x), to_source(y)
        kept = kept_loss(to_target(y), y) + kept_loss(to_source(x), x)
        cycle = cycle_loss(to_source(fake_y), x) + cycle_loss(to_target(fake_x), y)
        adversarial = adversarial_loss(judges[0](fake_y)) + adversarial_loss(judges[1](fake_x))
        seen = Embeddings(siamese(x), siamese(y), siamese(fake_y), siamese(fake_x))
        preserved = s.contrastive_weight * preservation_loss(seen, margin=s.margin)
        _descend(optimisers[0], adversarial + s.cycle_weight * cycle + s.identity_weight * kept + preserved)
        pooled_y, pooled_x = (
            _exchange(pool, fake.detach(), s.pool_size)
            for pool, fake in zip(pools, (fake_y, fake_x), strict=True)
        )
        judged = discriminator_loss(judges[0](y), judges[0](pooled_y))
        _descend(optimisers[1], judged + discriminator_loss(judges[1](x), judges[1](pooled_x)))
        seen = Embeddings(siamese(x), siamese(y), siamese(fake_y.detach()), siamese(fake_x.detach()))
        _descend(optimisers[2], siamese_loss(seen, margin=s.margin))
    return meter


def pretraining(
    network: EmbeddingNetwork,
    data: Labelled,
    settings: PretrainingSettings,
    *,
    steps: int,
    device: torch.device,
) -> StepMeter:
    """Stage 2."""
    network.train()
    classifier = nn.Linear(network.embedding_size, int(data.identities.max()) + 1, bias=False).to(device)
    optimiser = torch.optim.Adam([*network.parameters(), *classifier.parameters()], foreach=False)
    meter = StepMeter()
    batches = _batches(data, settings, steps=steps, device=device)
    for batch, labels in meter.steps(batches, images=settings.identities * settings.instances):
        if settings.target_images:
            with torch.no_grad():
                network.features(batch)
        features = network.features(batch)
        loss = pretraining_loss(
            identity_loss(classifier(features.neck), labels),
            triplet_loss(triplet_features(features.pooled, settings.triplet_scale), labels),
        )
        _descend(optimiser, loss)
    return meter


def adaptation(
    network: EmbeddingNetwork,
    data: Labelled,
    settings: TeacherStudentSettings,
    *,
    steps: int,
    device: torch.device,
) -> StepMeter:
    """Stage 3, the people in place of clusters."""
    students = [network.train(), copy.deepcopy(network)]
    teachers = [copy.deepcopy(network).requires_grad_(False) for _ in students]
    with torch.no_grad():
        plain = [_plain(part, device) for part in np.array_split(data.images, 8)]
        features = np.concatenate([network(part).cpu().numpy() for part in plain])
    centres = torch.from_numpy(cluster_centres(features, data.identities)).to(device)
    heads = [ClassifierHead(centres) for _ in students]
    learnt = [p for each in (*students, *(head.learns() for head in heads)) for p in each.parameters()]
    optimiser = torch.optim.Adam(learnt, foreach=False)
    meter = StepMeter()
    loader = zip(*(_batches(data, settings, steps=steps, device=device) for _ in students), strict=True)
    for views in meter.steps(loader, images=settings.identities * settings.instances):
        labels = views[0][1]
        seen = [student.features(view) for student, (view, _) in zip(students, views, strict=True)]
        with torch.no_grad():
            taught = [teacher.features(view) for teacher, (view, _) in zip(teachers, views, strict=True)]
        losses = [
            _eq_20(seen[i], taught[1 - i], heads[i], heads[1 - i], labels, centres, settings.triplet_scale)
            for i in (0, 1)
        ]
        _descend(optimiser, losses[0] + losses[1])
        for teacher, student in zip(teachers, students, strict=True):
            for mean, value in zip(teacher.parameters(), student.parameters(), strict=True):
                mean.data.mul_(settings.alpha).add_(value.data, alpha=1 - settings.alpha)
    return meter


def _eq_20(
    student: Features, teacher: Features, own: ClassifierHead, other: ClassifierHead, labels: Tensor,
    centres: Tensor, scale: float,
) -> Tensor:  # fmt: skip
    ranked, logits = triplet_features(student.pooled, scale), own.student(student.neck)
    terms = AdaptationTerms(
        identity_loss(logits, labels),
        triplet_loss(ranked, labels),
        attraction_loss(student.neck, centres[labels]),
        soft_identity_loss(logits, other.teacher(teacher.neck).detach()),
        soft_triplet_loss(ranked, triplet_features(teacher.pooled, scale), labels),
    )
    return adaptation_loss(AdaptationWeights(), terms)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    float(loss.detach())  # shown at every step


def _exchange(pool: list[Tensor], fakes: Tensor, size: int) -> Tensor:
    """CycleGAN's pool: one image after the other."""
    answers = []
    for fake in fakes:
        if len(pool) < size:
            pool.append(fake.clone())
            answers.append(fake)
        elif random.random() < 0.5:
            place = random.randrange(size)
            answers.append(pool[place])
            pool[place] = fake.clone()
        else:
            answers.append(fake)
    return torch.stack(answers)


def _batches(
    data: Labelled,
    settings: PretrainingSettings | TeacherStudentSettings,
    *,
    steps: int,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    batches = list(
        identity_batches(
            data.identities, data.cameras, steps=steps, rng=np.random.default_rng(0),
            num_identities=settings.identities, num_instances=settings.instances,
        )
    )  # fmt: skip
    height, width = data.images.shape[1:3]
    look = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.Pad(round(10 * height / 256)),
            transforms.RandomCrop((height, width)),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
            transforms.RandomErasing(p=settings.erasing),
        ]
    )
    loader = DataLoader(
        Views(data.images, look), batch_sampler=[batch.tolist() for batch in batches], num_workers=2
    )
    for batch, chosen in zip(loader, batches, strict=True):
        yield batch.to(device), torch.from_numpy(data.identities[chosen]).to(device)


def _plain(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std).to(device)
