"""A demo site small enough for tests, made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reid_desk.demo import DemoFootage, DemoSettings, generate
from reid_desk.demo.settings import HALL, PARKING, SOURCE_CAMERAS

SMALL = DemoSettings(
    people=2,
    lookalikes=0.0,
    second_pass=0.0,
    fps=5,
    lead_in=0.6,
    cameras=(replace(HALL, width=400, height=226), replace(PARKING, width=240, height=180)),
    source_people=3,
    source_images=2,
    source_cameras=SOURCE_CAMERAS[:2],
    processes=1,
)


class Recorder:
    """Keeps what it is told; asks to stop after ``stop_after`` reports of progress."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.phases: list[str] = []
        self.done: list[tuple[int, int | None]] = []
        self._stop_after = stop_after

    def phase(self, name: str, text: str) -> None:
        self.phases.append(name)

    def progress(self, done: int, total: int | None) -> None:
        self.done.append((done, total))

    def metric(self, **values: float) -> None:
        raise AssertionError("rendering has no metrics")

    def image(self, name: str, path: Path) -> None:
        raise AssertionError("rendering has no previews")

    def message(self, text: str, *, level: str = "info") -> None:
        raise AssertionError("nothing goes wrong here")

    def check_cancelled(self) -> None:
        if self._stop_after is not None and len(self.done) >= self._stop_after:
            raise StopAskedForError


class StopAskedForError(Exception):
    """What this recorder raises when asked to stop."""


@pytest.fixture(scope="session")
def settings() -> DemoSettings:
    return SMALL


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoFootage:
    return generate(tmp_path_factory.mktemp("demo"), seed=3, settings=SMALL, reporter=Recorder())
