"""The script that makes an environment and runs something in it; nothing is installed here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "packaging" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("command", "module"), [("reid-desk", "reid_desk"), ("training", "training")])
def test_commands_of_the_desk_and_of_training_run_where_they_were_called(
    script: ModuleType, command: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    called: list[object] = []
    monkeypatch.setattr(script, "install", called.append)
    monkeypatch.setattr(script, "run", lambda *arguments, folder: called.append((arguments, folder)) or 3)
    monkeypatch.chdir(tmp_path)
    assert script.main([command, "adapt", "--help"]) == 3
    assert called == ["run", (("-m", module, "adapt", "--help"), tmp_path)]


def test_an_unknown_command_is_answered_with_those_there_are(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
):
    assert script.main(["trian"]) == 2
    assert "python packaging/run.py training" in capsys.readouterr().err
