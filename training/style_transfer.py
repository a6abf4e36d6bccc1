"""Stage 1: source images take on the look of the target's and keep the person (SPGAN, section 3.1)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training import processes
from training.checkpoints import is_there, load_checkpoint, save_checkpoint
from training.colour import linear_colour_map
from training.devices import autocast
from training.errors import TrainingError
from training.networks.discriminators import PatchDiscriminator
from training.networks.generators import Generator
from training.networks.siamese import SiaNet
from training.optimisation import rate_factor
from training.progress import Reporter
from training.settings import StyleTransferSettings
from training.speed import StepMeter
from training.style_batches import DomainOrder, ImagePool, Images, random_views, to_unit_range
from training.style_losses import (
    adversarial_loss,
    cycle_loss,
    discriminator_loss,
    embed_together,
    identity_loss,
    preservation_loss,
    siamese_loss,
)
from training.translation import contact_sheet, memory_format, translate_batch

_REPORT_EVERY = 1.0  # seconds; reading a loss makes the host wait for the device
_PREVIEW_IMAGES = 12


def train_style_transfer(
    source: Images,
    target: Images,
    settings: StyleTransferSettings,
    *,
    device: torch.device | str,
    bfloat16: bool = False,
    compiled: bool = False,
    seed: int,
    checkpoint: Path | None = None,
    previews: Path | None = None,
    reporter: Reporter,
    meter: StepMeter | None = None,
) -> Generator:
    """Learn to give source images the look of the target (Algorithm 1).

    Args:
        source: uint8 RGB [N, H, W, 3]; may be memory-mapped.
        target: uint8 RGB [M, H, W, 3]; likewise.
        settings: of this stage.
        device: where to train.
        bfloat16: whether to use autocast.
        compiled: whether to run the networks through torch.compile.
        seed: of weights, order, views, pools and dropout.
        checkpoint: written after each epoch and on cancel. A run that finds it goes on from there, on a
            CPU to the very same result. ``None``: nothing is written.
        previews: folder for a contact sheet an epoch; ``None``: none are made.
        reporter: told of iterations, losses and sheets; asked for cancel each iteration.
        meter: measures the steps.

    Returns:
        G: source to target, in eval mode on ``device``.

    Raises:
        TrainingError: unusable images, a checkpoint of another run or on a full disk, or losses that diverge.
    """
    for name, images in (("source", source), ("target", target)):
        _check_images(name, images)
    device = torch.device(device)
    with _own_randomness(device, seed):
        training = _Training(source, target, settings, device, seed, bfloat16=bfloat16)
        if compiled:
            for network in training.networks.children():
                network.compile()
        if checkpoint is not None and is_there(checkpoint):
            training.resume(checkpoint)
        while training.iteration < training.total:
            _run_epoch(training, checkpoint, reporter, meter or StepMeter())
            _show(training, source, previews, reporter)
    generator = training.networks.to_target
    generator.eval()
    return generator


class _Networks(nn.Module):
    """G and F, D_Y and D_X, and SiaNet, under the names of what they do."""

    def __init__(self, settings: StyleTransferSettings) -> None:
        super().__init__()
        self.to_target = _generator(settings)
        self.to_source = _generator(settings)
        self.judge_target = PatchDiscriminator(filters=settings.discriminator_filters)
        self.judge_source = PatchDiscriminator(filters=settings.discriminator_filters)
        self.siamese = SiaNet(
            height=settings.height,
            width=settings.width,
            filters=settings.siamese_filters,
            dropout=settings.dropout,
        )


class _Training:
    """Everything that changes from one iteration to the next, and how it does."""

    def __init__(
        self,
        source: Images,
        target: Images,
        settings: StyleTransferSettings,
        device: torch.device,
        seed: int,
        *,
        bfloat16: bool,
    ) -> None:
        self.bfloat16 = bfloat16
        self.source, self.target = source, target
        self.settings, self.device = settings, device
        self.total = settings.epochs * settings.iterations_per_epoch
        self.iteration = 0
        self.losses: dict[str, Tensor] = {}
        self.networks = _networks(source, target, settings).to(device).to(memory_format=memory_format(device))
        self.optimisers = {
            "generator": self._adam("to_target", "to_source"),
            "discriminator": self._adam("judge_target", "judge_source"),
            "siamese": self._adam("siamese"),
        }
        self.pools = {"target": ImagePool(settings.pool_size), "source": ImagePool(settings.pool_size)}
        self.orders = (
            DomainOrder(len(source), settings.batch_size, 2 * seed),
            DomainOrder(len(target), settings.batch_size, 2 * seed + 1),
        )
        self.draws = torch.Generator().manual_seed(seed)
        self.origin = {"settings": asdict(settings), "seed": seed, "images": [len(source), len(target)]}

    @property
    def epoch(self) -> int:
        """Of the iteration that comes next, from 0."""
        return self.iteration // self.settings.iterations_per_epoch

    def step(self) -> None:
        """One iteration: the generators every n-th time, discriminators and SiaNet always."""
        rate = self.settings.learning_rate * rate_factor(
            self.iteration, self.total, schedule="linear", decay_from=self.settings.decay_from
        )
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate
        x = self._views(self.source, self.orders[0])
        y = self._views(self.target, self.orders[1])
        if self.iteration % self.settings.generator_every == 0:
            fakes = self._improve_generators(x, y)
        else:
            fakes = self._translate(x, y)
        self._improve_discriminators(x, y, fakes)
        self._improve_siamese(x, y, fakes)
        self.iteration += 1

    def _views(self, images: Images, order: DomainOrder) -> Tensor:
        batch = to_unit_range(images[order.batch(self.iteration)], self.device)
        s = self.settings
        views = random_views(batch, height=s.height, width=s.width, jitter=s.jitter, generator=self.draws)
        return processes.part(views).contiguous(memory_format=memory_format(self.device))

    def _translate(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad(), autocast(self.device, enabled=self.bfloat16):
            return self.networks.to_target(x), self.networks.to_source(y)

    def _improve_generators(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        n = self.networks
        with _frozen(n.judge_target, n.judge_source, n.siamese), autocast(self.device, enabled=self.bfloat16):
            fakes, identity = self._translate_and_keep(x, y)
            translated_x, translated_y = fakes
            adversarial = adversarial_loss(n.judge_target(translated_x))
            adversarial = adversarial + adversarial_loss(n.judge_source(translated_y))
            cycle = cycle_loss(n.to_source(translated_x), x) + cycle_loss(n.to_target(translated_y), y)
            # Eq 6; its last term sets in later.
            loss = adversarial + self.settings.cycle_weight * cycle + self.settings.identity_weight * identity
            if self.epoch >= self.settings.contrastive_from_epoch:
                embeddings = embed_together(n.siamese, x, y, fakes)
                preservation = preservation_loss(embeddings, margin=self.settings.margin)
                loss = loss + self.settings.contrastive_weight * preservation
            self._descend("generator", loss)
        return translated_x.detach(), translated_y.detach()

    def _translate_and_keep(self, x: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        n = self.networks
        if self.settings.identity_weight == 0:
            return (n.to_target(x), n.to_source(y)), x.new_zeros(())
        # Instance norm keeps images apart: one pass for the translation and the identity of eq 4.
        translated_x, unchanged_y = n.to_target(torch.cat([x, y])).chunk(2)
        translated_y, unchanged_x = n.to_source(torch.cat([y, x])).chunk(2)
        identity = identity_loss(unchanged_x, x) + identity_loss(unchanged_y, y)
        return (translated_x, translated_y), identity

    def _improve_discriminators(self, x: Tensor, y: Tensor, fakes: tuple[Tensor, Tensor]) -> None:
        n = self.networks
        fake_y, fake_x = self._earlier("target", fakes[0]), self._earlier("source", fakes[1])
        with autocast(self.device, enabled=self.bfloat16):
            loss = discriminator_loss(n.judge_target(y), n.judge_target(fake_y))
            loss = loss + discriminator_loss(n.judge_source(x), n.judge_source(fake_x))
        self._descend("discriminator", loss)

    def _earlier(self, pool: str, fakes: Tensor) -> Tensor:
        """This process's part of what the pool, the same on every process, gives for all ``fakes``."""
        return processes.part(self.pools[pool].exchange(processes.gathered(fakes), self.draws))

    def _improve_siamese(self, x: Tensor, y: Tensor, fakes: tuple[Tensor, Tensor]) -> None:
        with autocast(self.device, enabled=self.bfloat16):
            embeddings = embed_together(self.networks.siamese, x, y, fakes)
            loss = siamese_loss(embeddings, margin=self.settings.margin)
        self._descend("siamese", loss)

    def _descend(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        processes.average_gradients(self.optimisers[name])
        self.optimisers[name].step()
        self.losses[name] = loss.detach().clone()
        processes.average([self.losses[name]])

    def _adam(self, *names: str) -> torch.optim.Adam:
        parameters = [p for name in names for p in getattr(self.networks, name).parameters()]
        s = self.settings
        return torch.optim.Adam(parameters, s.learning_rate, betas=(s.beta1, s.beta2), foreach=True)

    def figures(self) -> dict[str, float]:
        """The latest losses and the epoch, from 1; waits for the device.

        Raises:
            TrainingError: a loss is not a number.
        """
        figures = {name: float(loss) for name, loss in self.losses.items()}
        if not all(math.isfinite(value) for value in figures.values()):
            raise TrainingError(
                "Style transfer diverged: a loss is no longer a number. "
                "Lower the learning rate and start again."
            )
        return {
            **figures,
            "epoch": float(1 + max(0, self.iteration - 1) // self.settings.iterations_per_epoch),
        }

    def save(self, path: Path) -> None:
        """Write all of it, atomically."""
        state = {
            "origin": self.origin,
            "iteration": self.iteration,
            "networks": self.networks.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "pools": {name: pool.state_dict() for name, pool in self.pools.items()},
            "losses": self.losses,
            "draws": self.draws.get_state(),
            "dropout": _dropout_state(self.device),
        }
        save_checkpoint(path, state)

    def resume(self, path: Path) -> None:
        """Go on where ``path`` was written.

        Raises:
            TrainingError: it was written with other settings, another seed or other images.
        """
        state = load_checkpoint(path, device=self.device)
        if state["origin"] != self.origin:
            raise TrainingError(
                f"The checkpoint {path} was written with other settings, another seed or other images. "
                "Use those again, or remove it to start this stage anew."
            )
        self.iteration = state["iteration"]
        self.losses = state["losses"]
        self.networks.load_state_dict(state["networks"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        for name, pool in self.pools.items():
            pool.load_state_dict(state["pools"][name])
        self.draws.set_state(state["draws"].cpu())
        _set_dropout_state(self.device, state["dropout"].cpu())


def _run_epoch(training: _Training, checkpoint: Path | None, reporter: Reporter, meter: StepMeter) -> None:
    end = (training.epoch + 1) * training.settings.iterations_per_epoch
    reported = time.monotonic()
    # Batches are drawn within the step: nothing is waited for that could be told apart.
    for _ in meter.steps(range(training.iteration, end), images=2 * training.settings.batch_size):
        try:
            reporter.check_cancelled()
        except Exception:
            if checkpoint is not None:
                training.save(checkpoint)
            raise
        training.step()
        if time.monotonic() - reported >= _REPORT_EVERY:
            _report(training, reporter)
            reported = time.monotonic()
    _report(training, reporter)
    if checkpoint is not None:
        training.save(checkpoint)


def _report(training: _Training, reporter: Reporter) -> None:
    reporter.progress(training.iteration, training.total)
    reporter.metric(**training.figures())


def _show(training: _Training, source: Images, previews: Path | None, reporter: Reporter) -> None:
    if previews is None or not processes.is_main():
        return
    chosen = np.linspace(0, len(source) - 1, min(_PREVIEW_IMAGES, len(source))).astype(int)
    images = np.asarray(source[chosen])
    path = previews / f"translation_{training.epoch:02d}.png"
    contact_sheet(
        images, translate_batch(training.networks.to_target, images, bfloat16=training.bfloat16), path
    )
    reporter.image("translation", path)


def _networks(source: Images, target: Images, settings: StyleTransferSettings) -> _Networks:
    networks = _Networks(settings)
    if settings.residual:
        colours = linear_colour_map(source, target)
        networks.to_target.start_from(colours)
        networks.to_source.start_from(colours.inverse())
    return networks


def _generator(settings: StyleTransferSettings) -> Generator:
    return Generator(blocks=settings.blocks, filters=settings.filters, residual=settings.residual)


def _check_images(name: str, images: Images) -> None:
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise TrainingError(
            f"The {name} images must be uint8 [N, H, W, 3], not {images.dtype} {list(images.shape)}."
        )
    if len(images) == 0:
        raise TrainingError(f"There are no {name} images to learn the style from; add some.")


@contextmanager
def _frozen(*networks: nn.Module) -> Iterator[None]:
    """Gradients pass through, none are kept."""
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)


@contextmanager
def _own_randomness(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch for this stage and give the caller its state back."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _dropout_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_dropout_state(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
