"""What can be set: one frozen dataclass a stage, each field with its unit and source on its line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StyleTransferSettings:
    """Stage 1, SPGAN. The defaults are the ``paper`` preset; equation numbers are the paper's."""

    blocks: int = 9  # residual blocks of each generator; CycleGAN for 256-pixel images
    filters: int = 64  # channels of the generators' first layer; CycleGAN
    discriminator_filters: int = 64  # channels of the discriminators' first layer; CycleGAN
    siamese_filters: int = 64  # channels of SiaNet's first layer; SPGAN
    residual: bool = False  # True: starts as the identity and learns a change; ours, for short runs
    epochs: int = 30  # epochs; design, `paper`
    iterations_per_epoch: int = 2000  # batches an epoch; design, `paper`
    batch_size: int = 8  # images of each domain; SPGAN
    height: int = 256  # pixels after the crop; SPGAN
    width: int = 128  # pixels after the crop; SPGAN
    jitter: float = 286 / 256  # enlargement before the random crop, 1 = none; SPGAN: 286x144 -> 256x128
    learning_rate: float = 2e-4  # Adam, all networks; CycleGAN
    beta1: float = 0.5  # Adam; CycleGAN
    beta2: float = 0.999  # Adam; CycleGAN
    decay_from: float = 0.5  # fraction of all iterations after which the rate falls linearly to 0; CycleGAN
    pool_size: int = 50  # earlier fakes kept for each discriminator, images; CycleGAN
    cycle_weight: float = 10.0  # lambda 1 of eq 6; SPGAN
    identity_weight: float = 5.0  # lambda 2 of eq 6; SPGAN
    contrastive_weight: float = 2.0  # lambda 3 of eq 6; SPGAN
    margin: float = 2.0  # m of eq 5, in [0, 2]; SPGAN
    dropout: float = 0.5  # SiaNet, before its last layer; SPGAN
    generator_every: int = 2  # generators learn every n-th iteration; SPGAN
    contrastive_from_epoch: int = 1  # from 0: first epoch whose generators see eq 5; SPGAN: the second
