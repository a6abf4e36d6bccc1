"""Read the ``settings.json`` of a run folder back, so that a run goes on with what it was begun with."""

from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.settings import Settings


def read_settings(file: Path) -> Settings:
    """The settings of the run in whose folder ``file`` lies.

    Raises:
        TrainingError: the file cannot be read, or holds other settings than this version knows.
    """
    try:
        settings: Settings = _built(Settings, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(
            f"{file} holds no settings that this version knows ({error}); start a new run"
        ) from error
    return settings


def _built(kind: type[Any], data: dict[str, Any]) -> Any:
    """A dataclass from what JSON made of it: dataclasses became dicts, tuples became lists."""
    hints = typing.get_type_hints(kind)
    names = {field.name for field in dataclasses.fields(kind)}
    if names != set(data):
        raise ValueError(f"missing or unknown: {', '.join(sorted(names ^ set(data)))}")
    values = {
        name: _built(hints[name], value) if dataclasses.is_dataclass(hints[name]) else _plain(value)
        for name, value in data.items()
    }
    return kind(**values)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
