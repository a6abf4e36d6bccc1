"""The step report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from tests.benchmarks.training_step import as_table, measure
from tests.training.small import tiny_settings
from training.speed import StepMeter


def slow(count: int) -> Iterator[int]:
    for number in range(count):
        time.sleep(0.03)
        yield number


def test_waiting_for_data_is_told_from_work() -> None:
    meter = StepMeter()
    seen = []
    for number in meter.steps(slow(4), images=16):
        seen.append(number)
        time.sleep(0.01)
    assert seen == [0, 1, 2, 3]
    assert meter.images == 64
    report = meter.report(torch.device("cpu"))
    assert 0.5 < report["waiting"] < 0.95
    assert report["images_per_second"] == pytest.approx(64 / meter.seconds)
    assert report["peak_memory"] > 50


def test_a_stage_that_made_no_step_has_nothing_to_report() -> None:
    assert StepMeter().report(torch.device("cpu"))["images_per_second"] == 0


def test_the_benchmark_of_steps_runs_on_any_machine() -> None:
    tiny = tiny_settings()
    few = {"identities": 4, "instances": 4, "iterations_per_epoch": 1, "epochs": 1}
    settings = replace(
        tiny,
        pretraining=replace(tiny.pretraining, **few),
        teacher_student=replace(tiny.teacher_student, **few),
    )
    found = measure(settings, steps=1, warm_up=False)
    assert set(found) == {"style_transfer", "pretraining", "adaptation"}
    assert all(figures["images_per_second"] > 0 for figures in found.values())
    assert all(figures["ratio"] > 0 for figures in found.values())
    # The tiny settings ask for float32: what is compared are two runs of the same.
    assert all(figures["loss"] == pytest.approx(figures["loss_float32"]) for figures in found.values())
    assert as_table(found).count("\n") == 4
