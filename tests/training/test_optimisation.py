"""Schedules, optimisers and the mean teacher."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.optimisation import MeanTeacher, build_optimiser, rate_factor


def test_warm_up_is_linear_and_ends_at_the_full_rate() -> None:
    factors = [rate_factor(i, 100, warmup=10, schedule="cosine") for i in range(11)]
    assert factors[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert factors[10] == pytest.approx(1)


def test_cosine_ends_near_zero_and_never_rises() -> None:
    factors = [rate_factor(i, 100, warmup=10, schedule="cosine") for i in range(10, 100)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] < 0.001


def test_steps_divide_by_ten_at_their_fractions() -> None:
    factors = [rate_factor(i, 80, schedule="steps", steps=(0.5, 0.875)) for i in (39, 40, 69, 70)]
    assert factors == pytest.approx([1, 0.1, 0.1, 0.01])


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_what_does_not_learn_is_not_optimised(name: str) -> None:
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    optimiser = build_optimiser([layer], name=name, learning_rate=0.1, weight_decay=0)
    assert [id(p) for group in optimiser.param_groups for p in group["params"]] == [id(layer.weight)]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="adamw"):
        build_optimiser([nn.Linear(1, 1)], name="sgdx", learning_rate=0.1, weight_decay=0)
    with pytest.raises(ValueError, match="cosine"):
        rate_factor(0, 1, schedule="stairs")


def test_mean_teacher_follows_equation_15() -> None:
    student, teacher = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    follow = MeanTeacher(teacher, student, alpha=0.75)
    expected = teacher.weight.item()
    for step in range(8):
        nn.init.constant_(student.weight, float(step))
        follow.update()
        momentum = min(1 - 1 / (step + 1), 0.75)
        expected = momentum * expected + (1 - momentum) * step
        assert teacher.weight.item() == pytest.approx(expected)


def test_mean_teacher_keeps_its_own_norm_statistics() -> None:
    student, teacher = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    student(torch.randn(8, 2) + 5)
    MeanTeacher(teacher, student, alpha=0.5).update()
    assert teacher.running_mean is not None
    assert teacher.running_mean.eq(0).all()
