"""Stage 2: supervised pre-training on the (translated) source, eqs 7 to 9."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from training import processes
from training.augmentation import augment, normalise
from training.checkpoints import is_there, load_checkpoint, save_checkpoint
from training.devices import autocast
from training.features import batch_features
from training.losses import identity_loss, pretraining_loss, triplet_loss
from training.networks.embedding import EmbeddingNetwork, Features
from training.networks.normalisation import set_norm_group
from training.optimisation import build_optimiser, rate_factor, set_rate
from training.progress import Reporter
from training.randomness import start_epoch
from training.sampling import identity_batches
from training.settings import PretrainingSettings
from training.speed import StepMeter

# Seconds between two reports of figures: a reading of a figure waits for the device.
REPORT_EVERY = 1.0


def training_view(images: Tensor, generator: torch.Generator, *, erasing: float = 0.0) -> Tensor:
    """One augmented view of uint8 ``images`` [B, H, W, 3]: shifts of 10 pixels at a height of 256 (MMT)."""
    return augment(images, generator, padding=round(10 * images.shape[1] / 256), erasing_probability=erasing)


def triplet_features(pooled: Tensor, scale: float) -> Tensor:
    """What the triplet losses measure distances of: raw features, or L2-normalised ones times ``scale``."""
    return scale * F.normalize(pooled) if scale else pooled


def pretrain(
    network: EmbeddingNetwork,
    images: NDArray[np.uint8],
    identities: NDArray[np.int64],
    cameras: NDArray[np.int64],
    settings: PretrainingSettings,
    *,
    target: NDArray[np.uint8] | None,
    device: torch.device,
    bfloat16: bool,
    seed: int,
    checkpoint: Path | None,
    reporter: Reporter,
    meter: StepMeter | None = None,
) -> None:
    """Train ``network`` in place to tell the people of the source apart.

    Args:
        network: on ``device``.
        images: uint8 RGB [N, H, W, 3].
        identities: int64 [N], 0..C-1.
        cameras: int64 [N], -1 where not known.
        settings: of this stage.
        target: unlabelled images run through without loss so that the norms see them, or ``None``.
        device: where to compute.
        bfloat16: whether to use autocast.
        seed: of sampling and augmentation.
        checkpoint: file written after every epoch and continued from if it is there; ``None``: neither.
        reporter: told progress and losses; its cancellation error passes through.
        meter: measures the steps.
    """
    set_norm_group(network, settings.norm_group)
    classifier = nn.Linear(network.embedding_size, int(identities.max()) + 1, bias=False).to(device)
    nn.init.normal_(classifier.weight, std=0.001, generator=torch.Generator().manual_seed(seed))
    optimiser = build_optimiser(
        (network, classifier),
        name=settings.optimiser,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    stage: dict[str, nn.Module | torch.optim.Optimizer] = {
        "network": network,
        "classifier": classifier,
        "optimiser": optimiser,
    }
    meter = meter or StepMeter()
    first_epoch = _restore(checkpoint, stage)
    for epoch in range(first_epoch, settings.epochs):
        batches = _batches(
            images, identities, cameras, target, settings, seed=seed, epoch=epoch, device=device
        )
        batches = meter.steps(batches, images=settings.identities * settings.instances)
        _train_epoch(
            network, classifier, optimiser, batches, settings, epoch=epoch, device=device, bfloat16=bfloat16,
            reporter=reporter,
        )  # fmt: skip
        processes.average_norms(network)
        if checkpoint:
            save_checkpoint(
                checkpoint, {"epoch": epoch + 1} | {key: part.state_dict() for key, part in stage.items()}
            )
    if target is not None and settings.norms_from_target:
        take_norms_from(network, target, device=device, bfloat16=bfloat16, seed=seed)


@torch.no_grad()
def take_norms_from(
    network: EmbeddingNetwork,
    images: NDArray[np.uint8],
    *,
    device: torch.device,
    bfloat16: bool = False,
    batch_size: int = 64,
    seed: int = 0,
) -> None:
    """Replace the statistics of all batch norms by those of ``images`` (AdaBN, Li et al. 2016).

    Args:
        network: changed in place.
        images: uint8 RGB [N, H, W, 3]; with fewer than two nothing is changed.
        device: where the network is.
        bfloat16: whether to use autocast.
        batch_size: images a batch; the statistics are the mean over the batches.
        seed: of the order, which mixes the cameras in each batch.
    """
    if len(images) < 2:
        return
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for a plain mean over the batches
    training = network.training
    set_norm_group(network, 0, alone=True)  # every process sees all of the images
    network.train()
    order = np.random.default_rng(seed).permutation(len(images))
    for chosen in np.array_split(order, max(1, len(order) // batch_size)):
        with autocast(device, enabled=bfloat16):
            network.features(normalise(torch.from_numpy(images[np.sort(chosen)]).to(device)))
    network.train(training)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _restore(checkpoint: Path | None, stage: dict[str, nn.Module | torch.optim.Optimizer]) -> int:
    """Continue from ``checkpoint`` if it is there; the number of finished epochs."""
    if checkpoint is None or not is_there(checkpoint):
        return 0
    state = load_checkpoint(checkpoint)
    for key, part in stage.items():
        part.load_state_dict(state[key])
    return int(state["epoch"])


def _batches(
    images: NDArray[np.uint8],
    identities: NDArray[np.int64],
    cameras: NDArray[np.int64],
    target: NDArray[np.uint8] | None,
    settings: PretrainingSettings,
    *,
    seed: int,
    epoch: int,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Augmented source images, their labels, and augmented target images."""
    randomness = start_epoch(seed, "pretraining", epoch, device)
    for indices in identity_batches(
        identities,
        cameras,
        num_identities=settings.identities,
        num_instances=settings.instances,
        steps=settings.iterations_per_epoch,
        rng=randomness.sampling,
    ):
        raw = torch.from_numpy(images[indices]).to(device)
        batch = training_view(raw, randomness.augmentation, erasing=settings.erasing)
        unlabelled = None
        if target is not None and settings.target_images:
            count = min(settings.target_images, len(target))
            count -= count % processes.count()
            chosen = randomness.sampling.choice(len(target), count, replace=False)
            unlabelled = training_view(torch.from_numpy(target[chosen]).to(device), randomness.augmentation)
        yield batch, torch.from_numpy(identities[indices]).to(device), unlabelled


def _train_epoch(
    network: EmbeddingNetwork,
    classifier: nn.Linear,
    optimiser: torch.optim.Optimizer,
    batches: Iterator[tuple[Tensor, Tensor, Tensor | None]],
    settings: PretrainingSettings,
    *,
    epoch: int,
    device: torch.device,
    bfloat16: bool,
    reporter: Reporter,
) -> None:
    network.train()
    total = settings.epochs * settings.iterations_per_epoch
    reported = 0.0
    for step, (batch, labels, unlabelled) in enumerate(batches):
        reporter.check_cancelled()
        iteration = epoch * settings.iterations_per_epoch + step
        factor = rate_factor(
            iteration,
            total,
            warmup=settings.warmup_iterations,
            schedule=settings.schedule,
            steps=settings.steps,
        )
        set_rate(optimiser, settings.learning_rate * factor)
        features = batch_features(network, batch, device=device, bfloat16=bfloat16)
        if unlabelled is not None:
            with torch.no_grad(), autocast(device, enabled=bfloat16):
                network.features(processes.part(unlabelled))
        losses = _losses(features, classifier, labels, settings)
        optimiser.zero_grad(set_to_none=True)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        processes.average_gradients(optimiser)
        optimiser.step()
        reporter.progress(iteration + 1, total)
        if time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            reporter.metric(
                epoch=epoch + 1, **{name: float(value.detach()) for name, value in losses.items()}
            )


def _losses(
    features: Features, classifier: nn.Linear, labels: Tensor, settings: PretrainingSettings
) -> dict[str, Tensor]:
    logits = classifier(features.neck)
    identity = identity_loss(logits, labels, smoothing=settings.smoothing)
    triplet = triplet_loss(
        triplet_features(features.pooled, settings.triplet_scale), labels, margin=settings.triplet_margin
    )
    return {
        "loss": pretraining_loss(identity, triplet, weight=settings.identity_weight),
        "identity": identity,
        "triplet": triplet,
        "accuracy": (logits.detach().argmax(1) == labels).float().mean(),
    }
