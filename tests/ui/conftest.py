"""One application, one desk a test; the worker is a fake one that speaks the protocol."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from reid_desk.ui.app import App
from reid_desk.ui.preferences import Preferences
from reid_desk.ui.window import Window
from tests.ui.filled_site import fill

_SCREEN = {"name": "screen", "x": 0, "y": 0, "width": 1920, "height": 1200, "logicalDpi": 96, "dpr": 1}
_SCREENS = Path(tempfile.mkdtemp(prefix="reid-desk-tests-")) / "screens.json"
_SCREENS.write_text(json.dumps({"screens": [_SCREEN | {"logicalBaseDpi": 96}]}))
os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={_SCREENS}")
os.environ["LC_ALL"] = "C.UTF-8"

FAKE_WORKER = Path(__file__).with_name("fake_worker.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The offscreen platform has no window manager to tell a smallest size to, and says so each time.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", extend=True))


def fake_command(job_file: Path) -> list[str]:
    return [sys.executable, "-S", str(FAKE_WORKER), str(job_file)]


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(QSettings(str(tmp_path / "preferences.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def desk_app(
    qapp: QApplication, qtbot: QtBot, preferences: Preferences, monkeypatch: pytest.MonkeyPatch
) -> Iterator[App]:
    monkeypatch.delenv("REID_DESK_APPEARANCE", raising=False)
    app = App(qapp, preferences, worker=fake_command)
    yield app
    for window in list(app.windows):
        jobs = window.desk.jobs
        jobs.cancel_all()
        jobs.kill()
        qtbot.waitUntil(lambda jobs=jobs: jobs.current is None)
        window.close()
    if app.start_dialog is not None:
        app.start_dialog.deleteLater()
    app.appearance.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "harbour"
    fill(folder, people=9, crops=2, clips=2)
    return folder


@pytest.fixture
def filled(filled_folder: Path, tmp_path: Path) -> Path:
    """A filled site of the test's own."""
    return Path(shutil.copytree(filled_folder, tmp_path / "harbour"))


@pytest.fixture
def open_window(desk_app: App, qtbot: QtBot) -> Callable[[Path], Window]:
    def open_and_show(path: Path) -> Window:
        window = desk_app.open_site(path, create=not (path / "site.db").exists())
        window.resize(1280, 800)
        qtbot.waitExposed(window)
        return window

    return open_and_show


@pytest.fixture
def empty_window(open_window: Callable[[Path], Window], tmp_path: Path) -> Window:
    return open_window(tmp_path / "site")


@pytest.fixture
def filled_window(open_window: Callable[[Path], Window], filled: Path) -> Window:
    return open_window(filled)
