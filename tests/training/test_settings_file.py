from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.presets import NAMES, preset
from training.settings_file import read_settings


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_read_back_as_they_were_written(tmp_path: Path, name: str):
    settings = preset(name, seed=7)
    (tmp_path / "settings.json").write_text(json.dumps(asdict(settings)))
    assert read_settings(tmp_path / "settings.json") == settings


def test_settings_of_another_version_are_refused_in_one_line(tmp_path: Path):
    file = tmp_path / "settings.json"
    changed = asdict(preset("smoke"))
    changed["pretraining"]["luck"] = 1
    for text in ("", "[]", json.dumps({}), json.dumps(changed)):
        file.write_text(text)
        with pytest.raises(TrainingError, match=r"settings\.json holds no settings that this version knows"):
            read_settings(file)
    with pytest.raises(TrainingError, match="luck"):
        read_settings(file)
