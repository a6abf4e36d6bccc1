"""Random numbers that a resumed run draws again exactly.

Every epoch of every stage starts from a seed of its own, made of the run's seed, the stage and the epoch. So a
checkpoint at the end of an epoch needs no random states, and resuming gives bit-identical results on a CPU.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class EpochRandomness:
    """The random generators of one epoch: for sampling (numpy) and for augmentation (torch, on the device)."""

    sampling: np.random.Generator
    augmentation: torch.Generator


def draw_beside(seed: int, purpose: str, epoch: int, device: torch.device) -> EpochRandomness:
    """Generators for something that is drawn beside a stage's own batches, and must not change those."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), epoch])
    sampling, augmentation = sequence.spawn(2)
    generator = torch.Generator(device=device)
    generator.manual_seed(int(augmentation.generate_state(1)[0]))
    return EpochRandomness(np.random.default_rng(sampling), generator)


def start_epoch(seed: int, stage: str, epoch: int, device: torch.device) -> EpochRandomness:
    """Seed everything random for ``epoch`` of ``stage``, torch's own generator (dropout) included."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(stage.encode()), epoch])
    sampling, augmentation, whole = sequence.spawn(3)
    torch.manual_seed(int(whole.generate_state(1)[0]))
    generator = torch.Generator(device=device)
    generator.manual_seed(int(augmentation.generate_state(1)[0]))
    return EpochRandomness(np.random.default_rng(sampling), generator)
