import errno
import os
import pickle
from pathlib import Path

import pytest
import torch

from training.checkpoints import load_checkpoint, save_checkpoint
from training.errors import TrainingError


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "run" / "stage.pt"
    state = {"weights": {"w": torch.arange(6.0)}, "epoch": 3, "rng": torch.get_rng_state(), "best": None}
    save_checkpoint(path, state)
    loaded = load_checkpoint(path)
    assert loaded["epoch"] == 3
    assert loaded["best"] is None
    assert torch.equal(loaded["weights"]["w"], torch.arange(6.0))
    assert torch.equal(loaded["rng"], state["rng"])
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_keeps_the_previous_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "stage.pt"
    save_checkpoint(path, {"epoch": 1})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), full)
    with pytest.raises(TrainingError, match=r"No space left on device.*what was there before is kept"):
        save_checkpoint(path, {"epoch": 2})
    monkeypatch.undo()
    assert load_checkpoint(path)["epoch"] == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_error_while_torch_writes_is_a_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "stage.pt"
    save_checkpoint(path, {"epoch": 1})
    (tmp_path / "stage.pt.partial").symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="No space left on device"):
        save_checkpoint(path, {"weights": torch.zeros(100_000)})
    assert load_checkpoint(path)["epoch"] == 1


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stage.pt"
    save_checkpoint(path, {"weights": torch.zeros(10_000)})
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(TrainingError, match="damaged"):
        load_checkpoint(path)


def test_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="could not be read"):
        load_checkpoint(tmp_path / "none.pt")


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(marker),)

    path = tmp_path / "stage.pt"
    path.write_bytes(pickle.dumps(Attack(), protocol=2))
    with pytest.raises(TrainingError):
        load_checkpoint(path)
    torch.save({"x": Attack()}, path)
    with pytest.raises(TrainingError):
        load_checkpoint(path)
    assert not marker.exists()
