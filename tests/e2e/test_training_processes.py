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

from tests.training.small import TINY_OPTIONS, write_crops, write_people

ROOT = Path(__file__).parents[2]
ONE = [sys.executable]
# accelerate's word for several processes on one machine is --multi_gpu; with gloo it needs no GPU.
TWO = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
TWO += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
# What dropout hits differs from process to process, and with it SiaNet. Adam's first steps follow the sign of a
# gradient: at a low rate the sign of what is all but nothing, which is chance, moves nothing.
OPTIONS = [*TINY_OPTIONS, "--device", "cpu", "--style-transfer.dropout", "0", "--events"]
OPTIONS += ["--pretraining.learning-rate", "1e-5", "--teacher-student.learning-rate", "1e-5"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_people(folder / "source", range(6))
    write_crops(folder / "target", range(10, 16))
    return folder


def adapt(launcher: list[str], data: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    if launcher is TWO:
        launcher = [*launcher, "--main_process_port", str(free_port())]
    sets = ["--source", str(data / "source"), "--target", str(data / "target"), "--out", str(out)]
    return subprocess.run(
        [*launcher, "-m", "training", "adapt", *sets, *OPTIONS, *more],
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


def first_figures(run: subprocess.CompletedProcess[str]) -> dict[str, dict[str, float]]:
    """The first figures that each epoch of each stage told: later ones depend on the clock."""
    first: dict[str, dict[str, float]] = {}
    phase = ""
    for line in run.stdout.splitlines():
        event: dict[str, Any] = json.loads(line) if line.startswith('{"event') else {}
        if event.get("event") == "phase":
            phase = event["name"]
        if event.get("event") == "metric":
            values = event["values"]
            kind = "clusters" if "clusters" in values else "losses"
            first.setdefault(f"{phase} {values['epoch']:.0f} {kind}", values)
    return first


@pytest.mark.timeout(600)
def test_two_processes_find_the_same_clusters_and_losses_as_one(data: Path, tmp_path: Path) -> None:
    runs = [adapt(launcher, data, tmp_path / str(n)) for n, launcher in enumerate((ONE, TWO))]
    for run in runs:
        assert run.returncode == 0, run.stderr
    alone, shared = (first_figures(run) for run in runs)
    assert shared.keys() == alone.keys()
    assert {"style_transfer 1 losses", "pretraining 3 losses", "adaptation 1 clusters"} <= alone.keys()
    for name, figures in alone.items():
        assert shared[name] == pytest.approx(figures, rel=1e-3, abs=1e-3), name
    reports = [json.loads((tmp_path / str(n) / "report.json").read_text()) for n in range(2)]
    assert [record["clusters"] for record in reports[1]["history"]] == [
        record["clusters"] for record in reports[0]["history"]
    ]
    assert (tmp_path / "1" / "model.onnx").exists()


def test_a_batch_that_cannot_be_shared_is_refused_at_once(data: Path, tmp_path: Path) -> None:
    run = adapt(TWO, data, tmp_path / "out", "--style-transfer.batch-size", "3")
    assert run.returncode != 0
    assert "cannot be shared evenly by 2 processes" in run.stderr
