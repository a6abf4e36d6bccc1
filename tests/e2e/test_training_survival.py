"""``python -m training adapt`` killed without warning at random moments: resumed, it ends as if nothing had been."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.training.small import TINY_OPTIONS, write_sets
from training.checkpoints import load_checkpoint
from training.weights import read_state

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("REID_DESK_TRAINING_KILLS", "2"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data"))


def arguments(data: Path, out: Path) -> list[str]:
    sets = ["--source", str(data / "source"), "--target", str(data / "target"), "--out", str(out)]
    return ["adapt", *sets, *TINY_OPTIONS, "--events"]


def adapt(data: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments(data, out), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def adapt_after(preparation: str, data: Path, out: Path) -> str:
    """The last line of a run that begins with some lines of Python; it must end as bad input does."""
    code = f"{preparation}\nimport sys\nfrom training.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments(data, out)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr.strip().splitlines()[-1]


def finish(run: subprocess.Popen[str]) -> None:
    _, complaints = run.communicate()
    assert run.returncode == 0, complaints


@pytest.mark.timeout(900)
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_weights(data: Path, tmp_path: Path) -> None:
    finish(adapt(data, tmp_path / "undisturbed"))
    chance = random.Random(os.environ.get("REID_DESK_TRAINING_KILLS_SEED", "0"))
    killed = 0
    for _ in range(KILLS):
        run = adapt(data, tmp_path / "disturbed", "--resume")
        assert run.stdout is not None
        for _line in run.stdout:  # the first event: torch is loaded and the run has begun
            break
        time.sleep(chance.uniform(0.0, 4.0))
        run.kill()
        run.communicate()
        killed += run.returncode != 0
    finish(adapt(data, tmp_path / "disturbed", "--resume"))
    assert killed > 0
    expected, resumed = (
        read_state(tmp_path / name / "weights.safetensors") for name in ("undisturbed", "disturbed")
    )
    for key, value in expected.items():
        assert torch.equal(value, resumed[key]), key


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
def test_a_full_disk_ends_in_one_line_and_the_run_can_go_on(data: Path, tmp_path: Path) -> None:
    # No file may grow longer, as on a disk without room: the checkpoint of stage 2 holds a ResNet-18.
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (20 * 2**20, resource.RLIM_INFINITY))"
    complaint = adapt_after(limit, data, tmp_path / "run")
    assert "pretraining.pt could not be written (File too large)" in complaint
    checkpoints = tmp_path / "run" / "checkpoints"
    assert [file.name for file in checkpoints.iterdir()] == ["style_transfer.pt"]  # nothing half-written
    load_checkpoint(checkpoints / "style_transfer.pt")
    finish(adapt(data, tmp_path / "run", "--resume"))


def test_too_little_memory_ends_in_one_line_and_the_run_can_go_on(data: Path, tmp_path: Path) -> None:
    full = (
        "import torch, training.pretraining as stage\n"
        "def full(*a, **k): raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')\n"
        "stage._train_epoch = full"
    )
    complaint = adapt_after(full, data, tmp_path / "run")
    assert complaint.startswith("training: error: there is too little memory")
    assert (tmp_path / "run" / "checkpoints" / "style_transfer.pt").exists()
    finish(adapt(data, tmp_path / "run", "--resume"))
