"""``accelerate launch -m training adapt`` with two processes on a CPU: the same clusters and losses as one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.small import TINY_OPTIONS, write_sets

ROOT = Path(__file__).parents[2]
ONE = [sys.executable]
# accelerate's word for several processes on one machine is --multi_gpu; with gloo it needs no GPU.
TWO = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
TWO += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
# Each process draws dropout for its own part, so that SiaNet would be another one. Adam's first steps follow the sign
# of a gradient: at a low rate the sign of what is all but nothing, which is chance, moves nothing.
OPTIONS = [*TINY_OPTIONS, "--device", "cpu", "--style-transfer.dropout", "0", "--events"]
OPTIONS += ["--pretraining.learning-rate", "1e-5", "--teacher-student.learning-rate", "1e-5"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data"))


def adapt(launcher: list[str], data: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    if launcher is TWO:
        launcher = [*launcher, "--main_process_port", str(free_port())]
    sets = ["--source", str(data / "source"), "--target", str(data / "target"), "--out", str(out)]
    return subprocess.run(
        [*launcher, "-m", "tests.e2e.training_told_all", "adapt", *sets, *OPTIONS, *more],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def figures(run: subprocess.CompletedProcess[str]) -> list[tuple[str, dict[str, float]]]:
    """All figures of all steps, with the phase they were told in."""
    told: list[tuple[str, dict[str, float]]] = []
    phase = ""
    for line in run.stdout.splitlines():
        event: dict[str, Any] = json.loads(line) if line.startswith('{"event') else {}
        phase = event["name"] if event.get("event") == "phase" else phase
        if event.get("event") == "metric":
            told.append((phase, event["values"]))
    return told


@pytest.mark.timeout(600)
def test_two_processes_find_the_same_clusters_and_losses_as_one(data: Path, tmp_path: Path) -> None:
    runs = [adapt(launcher, data, tmp_path / str(n)) for n, launcher in enumerate((ONE, TWO))]
    for run in runs:
        assert run.returncode == 0, run.stderr
    alone, shared = (figures(run) for run in runs)
    assert [phase for phase, _ in shared] == [phase for phase, _ in alone]
    steps = [phase for phase, values in alone if "clusters" not in values]
    assert steps.count("pretraining") == steps.count("adaptation") == 3 * 4
    for (phase, expected), (_, values) in zip(alone, shared, strict=True):
        assert values == pytest.approx(expected, rel=2e-2, abs=2e-3), phase
    assert (tmp_path / "1" / "model.onnx").exists()


def test_a_batch_that_cannot_be_shared_is_refused_at_once(data: Path, tmp_path: Path) -> None:
    run = adapt(TWO, data, tmp_path / "out", "--style-transfer.batch-size", "3")
    assert run.returncode != 0
    assert run.stderr.count("cannot be shared evenly by 2 processes") == 1
    assert "Traceback" not in run.stderr.split("training: error")[0]
