"""Optimisers, learning-rate schedules and mean teachers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import nn


def build_optimiser(
    modules: Iterable[nn.Module], *, name: str, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """An optimiser over everything in ``modules`` that learns.

    Args:
        modules: networks and classifiers.
        name: "adam" (decay as L2 in the gradient, as the public codes have it) or "adamw" (decoupled).
        learning_rate: of all parameters.
        weight_decay: of all parameters.

    Raises:
        ValueError: no such optimiser.
    """
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    if name == "adam":
        return torch.optim.Adam(parameters, lr=learning_rate, weight_decay=weight_decay, foreach=True)
    if name == "adamw":
        return torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, foreach=True)
    raise ValueError(f"no optimiser {name!r}; there are: adam, adamw")


def rate_factor(
    iteration: int,
    total: int,
    *,
    warmup: int = 0,
    schedule: str = "constant",
    steps: Sequence[float] = (),
    decay_from: float = 0.0,
) -> float:
    """What the learning rate is multiplied with at ``iteration`` (from 0) of ``total``.

    Linear from 0 over ``warmup`` iterations; then "constant", "steps" (x0.1 after each fraction in ``steps``), "linear"
    (1 up to the fraction ``decay_from``, then evenly to 0) or "cosine" (to 0 at the end).

    Raises:
        ValueError: no such schedule.
    """
    if iteration < warmup:
        return (iteration + 1) / warmup
    if schedule == "constant":
        return 1.0
    if schedule == "steps":
        return float(0.1 ** sum(iteration >= step * total for step in steps))
    if schedule == "linear":
        return min(1.0, (total - iteration) / max(1e-12, (1 - decay_from) * total))
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (iteration - warmup) / max(1, total - warmup)))
    raise ValueError(f"no schedule {schedule!r}; there are: constant, steps, linear, cosine")


def set_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """Use ``learning_rate`` from the next step on."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate


class MeanTeacher:
    """Eq 15: the teacher's parameters follow the student's, once an iteration.

    ``E_t = a E_(t-1) + (1 - a) theta`` with ``a = min(1 - 1 / (t + 1), alpha)``, so that the first iterations
    average evenly.
    """

    def __init__(
        self,
        teacher: nn.Module,
        student: nn.Module,
        *,
        alpha: float,
        buffers: bool = False,
        iteration: int = 0,
    ) -> None:
        """Let ``teacher`` follow ``student``, a module of the same make.

        Args:
            teacher: changed in place.
            student: followed.
            alpha: momentum, 0..1.
            buffers: whether norm statistics follow too. A teacher that is run on the batches has its own: it stays
                in training mode. One that is not run has none but the student's.
            iteration: t of the first update.
        """
        self.alpha = alpha
        self.iteration = iteration
        self._teacher, self._student = (
            [each.data for each in module.parameters()]
            + [each for each in module.buffers() if buffers and each.is_floating_point()]
            for module in (teacher, student)
        )

    @torch.no_grad()
    def update(self) -> None:
        """Take one step towards the student."""
        momentum = min(1 - 1 / (self.iteration + 1), self.alpha)
        torch._foreach_lerp_(self._teacher, self._student, 1 - momentum)
        self.iteration += 1
