"""Runs the real ``main()`` and works with its window as a person would, by mouse and keyboard events.

``python -m tests.e2e.window_scenario SITE RESULT SCENARIO`` writes what it saw to RESULT as JSON. ``STARTED`` in the
environment is when the process was started, in seconds since the epoch.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from reid_desk.ui import app as ui_app
from reid_desk.ui.pages.import_sheet import ImportSheet
from reid_desk.ui.window import Window

TICK_MS = 5
LONGEST_STEP_S = 120
Scenario = Iterator[Callable[[], bool]]
seen: dict[str, object] = {}


class FirstPaint(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint and "first_paint_s" not in seen:
            seen["first_paint_s"] = time.time() - float(os.environ.get("STARTED", time.time()))
            seen["first_paint_cpu_s"] = time.process_time()
        return False


class Stalls(QObject):
    """Measures the longest gap between two ticks of the event loop since the last :meth:`take`.

    ``own`` is the longest time that the window's own thread computed between two ticks: what a machine that does
    nothing else would see.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last = time.perf_counter()
        self._last_own = time.thread_time()
        self._longest = 0.0
        self.own = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        own = time.thread_time()
        self._longest = max(self._longest, now - self._last)
        self.own = max(self.own, 1000 * (own - self._last_own))
        self._last, self._last_own = now, own

    def take(self) -> float:
        longest, self._longest = self._longest, 0.0
        return 1000 * longest - TICK_MS


def search(window: Window, stalls: Stalls) -> Scenario:
    """Open Search, choose a crop by the keyboard, look at the details, go on from a possible match."""
    page = window.search
    window.activateWindow()
    yield window.isActiveWindow
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    yield lambda: page.isVisible() and page.crops.crop_at(0) is not None
    seen["modules"] = sorted({"torch", "cv2", "training.adaptation"} & set(sys.modules))
    where = page.gallery.visualRect(page.crops.index(0)).center()
    QTest.mouseClick(page.gallery.viewport(), Qt.MouseButton.LeftButton, pos=where)
    QTest.keyClick(page.gallery, Qt.Key.Key_Return)
    yield lambda: page.results
    seen["matches"] = page.matches.rowCount()
    seen["first"] = page.matches.match_at(0).track_id
    QTest.keyClick(page.answers, Qt.Key.Key_Space)
    yield lambda: page.details.isVisible() and not page.details._picture._image.isNull()
    QTest.keyClick(page.answers, Qt.Key.Key_Return)
    yield lambda: page._query.crop.track_id == seen["first"] and page.answers.isVisible()
    QTest.keyClick(page.answers, Qt.Key.Key_Escape)
    yield page.gallery.isVisible
    seen["longest_stall_ms"], seen["own_stall_ms"] = stalls.take(), stalls.own
    for name in ("footage", "adapt", "dashboard"):
        window.show_page(name)
        yield window.pages[name].isVisible
    window.grab().save(str(Path(sys.argv[2]).with_suffix(".png")))
    seen["modules_after"] = sorted({"torch", "cv2"} & set(sys.modules))


def gallery(window: Window, stalls: Stalls) -> Scenario:
    """Show the gallery of a large site and scroll through it."""
    page = window.search
    yield lambda: page.crops.rowCount() > 0
    stalls.take()
    began = time.perf_counter()
    window.show_page("search")
    page.repaint()
    seen["show_ms"] = 1000 * (time.perf_counter() - began)
    yield lambda: page.crops.crop_at(0) is not None
    height = page._delegates[0].picture_height
    yield lambda: page.desk.thumbnails.get(page.crops.crop_at(0).id, height) is not None
    seen["first_thumbnail_ms"] = 1000 * (time.perf_counter() - began)
    bar = page.gallery.verticalScrollBar()
    for step in range(1, 60):
        bar.setValue(bar.maximum() * step // 60)
        QApplication.processEvents()
    yield lambda: page.gallery.indexAt(page.gallery.rect().center()).isValid()
    seen["scroll_stall_ms"], seen["own_stall_ms"] = stalls.take(), stalls.own
    index = page.gallery.indexAt(page.gallery.rect().center())
    yield lambda: page.crops.crop_at(index.row()) is not None
    seen["crops"] = page.crops.rowCount()


def footage(window: Window, stalls: Stalls) -> Scenario:
    """Drop a folder of footage and let the real worker import it."""
    page = window.footage
    window.take_dropped([Path(os.environ["FOOTAGE"])])
    yield lambda: page.findChild(ImportSheet) is not None
    sheet = page.findChild(ImportSheet)
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    yield lambda: page.model.rowCount() > 0
    seen["at_once"] = page.model.row_at(0).state
    yield lambda: window.desk.jobs.current is None and page.model.row_at(0).state == "imported"
    seen["camera"] = page.model.row_at(0).camera
    seen["banner"] = window.banner.text


def job(window: Window, stalls: Stalls) -> Scenario:
    """Let a job flood the window with events and pictures for a while."""
    window.show_page("adapt")
    yield window.adapt.isVisible
    events = os.environ["EVENTS"]
    running = window.adapt.follow(window.desk.start_job("adapt", "Adapt", behaviour="replay", events=events))
    yield lambda: running.state == "running"
    until = time.monotonic() + 3
    yield lambda: window.adapt.cards[2]._plot.canvas is not None and time.monotonic() > until
    seen["first_plots_stall_ms"] = stalls.take()
    until = time.monotonic() + 2
    yield lambda: time.monotonic() > until
    seen["longest_stall_ms"], seen["own_stall_ms"] = stalls.take(), stalls.own
    window.actions_["job.cancel"].trigger()
    yield lambda: running.state == "cancelled"


def drive(steps: Scenario, app: QApplication) -> None:
    """Go through ``steps``, each of which waits until what it yields is true."""
    timer = QTimer(app)
    waiting: list[Callable[[], bool]] = [lambda: True]
    since = [time.monotonic()]

    def go_on() -> None:
        try:
            if waiting[0]():
                waiting[0] = next(steps)
                since[0] = time.monotonic()
            elif time.monotonic() > since[0] + LONGEST_STEP_S:
                line = steps.gi_frame.f_lineno if isinstance(steps, Generator) else 0
                raise TimeoutError(f"nothing came of line {line}")
        except StopIteration:
            timer.stop()
            for window in QApplication.topLevelWidgets():
                window.close()
        except Exception as error:
            seen["error"] = repr(error)
            timer.stop()
            app.exit(70)
            raise

    timer.timeout.connect(go_on)
    timer.start(TICK_MS)


def fake_command(job_file: Path) -> list[str]:
    return [sys.executable, "-S", str(Path(__file__).parents[1] / "ui" / "fake_worker.py"), str(job_file)]


def run() -> int:
    site, result, name = sys.argv[1:]
    original = QApplication.exec

    def exec_with_scenario() -> int:
        app = QApplication.instance()
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, Window))
        stalls = Stalls()
        steps = {"search": search, "gallery": gallery, "job": job, "footage": footage}[name](window, stalls)
        QTimer.singleShot(300, lambda: drive(steps, app))
        return original()

    QApplication.exec = staticmethod(exec_with_scenario)
    show, painted = Window.show, FirstPaint()

    def show_and_watch(window: Window) -> None:
        window.installEventFilter(painted)
        show(window)

    Window.show = show_and_watch
    if name == "job":
        ui_app.App.__init__.__kwdefaults__["worker"] = fake_command
    code = ui_app.main(Path(site))
    Path(result).write_text(json.dumps(seen | {"code": code}), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(run())
