from __future__ import annotations

import faulthandler
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollBar,
    QTabBar,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

import resources
from reid_desk.errors import SiteError
from reid_desk.footage.clips import ClipSource, Refused
from reid_desk.ui import help as help_pages
from reid_desk.ui.actions import PAGES, SPECS, Actions, DeskState
from reid_desk.ui.app import App
from reid_desk.ui.crash_report import CrashReport
from reid_desk.ui.pages.import_sheet import ImportSheet
from reid_desk.ui.pages.source_sheet import SourceSheet
from reid_desk.ui.start_dialog import StartDialog
from reid_desk.ui.window import Window
from tests.ui.filled_site import draw_person
from training.datasets import open_dataset

_CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QProgressBar,
    QTabWidget,
    QAbstractScrollArea,
)


def controls(inside: QWidget) -> Iterator[QWidget]:
    """Every control that an operator meets in ``inside``; not the parts that Qt makes controls of."""
    for widget in inside.findChildren(QWidget):
        own_part = isinstance(widget, QScrollBar | QHeaderView | QTabBar) or widget.objectName().startswith(
            "qt_"
        )
        part_of_control = isinstance(widget.parent(), QComboBox | QAbstractSpinBox | QTabWidget | QHeaderView)
        list_of_combo = widget.inherits("QComboBoxListView") or widget.inherits("QComboBoxPrivateContainer")
        table_corner = widget.inherits("QTableCornerButton")
        menu_button = widget.inherits("QToolButton") and isinstance(widget.parent(), QTabBar)
        if isinstance(widget, _CONTROLS) and not (
            own_part or part_of_control or list_of_combo or table_corner or menu_button
        ):
            yield widget


def nameless(inside: QWidget) -> list[str]:
    return [
        f"{type(widget).__name__} {widget.objectName()} in {type(widget.parent()).__name__}"
        for widget in controls(inside)
        if not widget.accessibleName() and not (isinstance(widget, QAbstractButton) and widget.text())
    ]


@pytest.mark.parametrize("kind", ["empty_window", "filled_window"])
def test_every_control_has_a_name_for_those_who_cannot_see_it(
    kind: str, request: pytest.FixtureRequest, qtbot: QtBot
) -> None:
    window = request.getfixturevalue(kind)
    for name in PAGES:
        window.show_page(name)
        qtbot.wait(150)
        assert window.pages[name].accessibleName()
        assert len(list(controls(window.pages[name]))) >= 3
    assert nameless(window) == []


def test_every_control_of_the_sheets_has_a_name(filled_window: Window, desk_app: App, tmp_path: Path) -> None:
    clips = [ClipSource(tmp_path / f"cam{k}.mp4", "video") for k in range(3)]
    sheet = ImportSheet(clips, [Refused(tmp_path / "a.txt", "no footage")], ["Lobby"], filled_window)
    dataset = open_dataset(Path(filled_window.desk.summary.sources[0].path))
    source = SourceSheet(dataset, frozenset(), filled_window.desk.background, filled_window)
    for dialog in (sheet, source, StartDialog(desk_app.preferences), help_pages.about(filled_window)):
        assert nameless(dialog) == []
        assert list(controls(dialog))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_walked_with_the_tab_key(filled_window: Window, qtbot: QtBot, page: str) -> None:
    filled_window.show_page(page)
    filled_window.activateWindow()
    qtbot.wait(100)
    visited = []
    for _ in range(60):
        QTest.keyClick(QApplication.focusWidget() or filled_window, Qt.Key.Key_Tab)
        visited.append(QApplication.focusWidget())
    inside = {
        widget for widget in visited if widget is not None and filled_window.pages[page].isAncestorOf(widget)
    }
    wanted = {
        widget
        for widget in controls(filled_window.pages[page])
        if isinstance(widget, QPushButton) and widget.isVisible() and widget.isEnabled()
    }
    assert wanted <= inside
    assert filled_window.actions_[f"page.{page}"].associatedObjects()


@pytest.mark.parametrize("kind", ["empty_window", "filled_window"])
def test_every_page_fits_a_small_screen(kind: str, request: pytest.FixtureRequest, qtbot: QtBot) -> None:
    window = request.getfixturevalue(kind)
    window.actions_["search.details"].setChecked(True)
    for name in PAGES:
        window.show_page(name)
        qtbot.wait(50)
        smallest = window.minimumSizeHint()
        assert smallest.width() <= 1100, name
        assert smallest.height() <= 720, name


def test_actions_are_complete_and_no_shortcut_is_given_twice(empty_window: Window) -> None:
    shortcuts = Counter(keys for spec in SPECS for keys in map(QKeySequence, spec.shortcuts))
    assert [keys.toString() for keys, count in shortcuts.items() if count > 1] == []
    for spec, action in empty_window.actions_:
        assert action.text()
        assert action.toolTip()
        assert all(not keys.isEmpty() for keys in action.shortcuts()), spec.name
    in_menus = {
        action.objectName() for menu in empty_window.menuBar().actions() for action in menu.menu().actions()
    }
    assert {spec.name for spec in SPECS} <= in_menus


def test_actions_can_be_done_exactly_when_they_make_sense(qtbot: QtBot, desk_app: App) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    actions = Actions(widget)

    def enabled(**state: object) -> set[str]:
        actions.refresh(DeskState(**state))
        return {spec.name for spec, action in actions if action.isEnabled()}

    assert "demo.try" in enabled()
    assert "demo.try" not in enabled(clips=1)
    assert "adapt.start" not in enabled(crops=9)
    assert "adapt.start" in enabled(crops=9, sources=1)
    assert "adapt.start" not in enabled(crops=9, sources=1, job=True)
    assert "job.cancel" in enabled(job=True) - enabled()
    assert "search.this" in enabled(page="search", selection=True, model=True)
    assert "search.this" not in enabled(page="search", selection=True)
    assert "footage.remove" not in enabled(page="footage", selection=True, importing=True)


def test_the_rail_and_the_keyboard_lead_to_every_page(filled_window: Window, qtbot: QtBot) -> None:
    for number, name in enumerate(PAGES, 1):
        QTest.keyClick(filled_window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        assert filled_window.page.name == name
        assert filled_window.actions_[f"page.{name}"].isChecked()


@pytest.mark.parametrize("page", PAGES)
def test_f1_shows_the_help_of_the_page(filled_window: Window, qtbot: QtBot, page: str) -> None:
    filled_window.show_page(page)
    QTest.keyClick(filled_window, Qt.Key.Key_F1)
    dialog = filled_window.findChildren(help_pages.HelpDialog)[-1]
    heading = resources.read_text(f"help/{page}.md").splitlines()[0].removeprefix("# ")
    assert dialog.text.toPlainText().startswith(heading)
    dialog.close()


def test_the_shortcuts_are_listed(filled_window: Window) -> None:
    QTest.keyClick(filled_window, Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
    text = filled_window.findChildren(help_pages.HelpDialog)[-1].text.toPlainText()
    assert "Adapt to site" in text
    assert "Ctrl+Return" in text


def test_the_status_bar_tells_the_job_the_model_and_the_device(filled_window: Window, qtbot: QtBot) -> None:
    bar = filled_window.jobs
    assert bar.model.text() == "Adapted 2026-11-20 03:42"
    qtbot.waitUntil(lambda: bool(bar.device.text()), timeout=20_000)
    assert bar.device.accessibleName().startswith("Device: ")
    filled_window.desk.start_job("adapt", "Adapt to site", behaviour="slow")
    qtbot.waitUntil(lambda: "Learning the look of the site" in bar._text.toolTip(), timeout=20_000)
    qtbot.waitUntil(lambda: bar._bar.isVisible() and bar._bar.maximum() == 100)
    filled_window.actions_["job.cancel"].trigger()
    qtbot.waitUntil(lambda: "Nothing is running" in bar._text.toolTip(), timeout=20_000)


def test_jobs_wait_for_each_other_and_can_be_taken_out_of_the_queue(
    empty_window: Window, qtbot: QtBot
) -> None:
    desk = empty_window.desk
    first = desk.start_job("import", "First", behaviour="slow")
    second = desk.start_job("import", "Second", behaviour="normal")
    third = desk.start_job("import", "Third", behaviour="normal")
    qtbot.waitUntil(lambda: first.state == "running", timeout=20_000)
    assert (second.state, third.state) == ("queued", "queued")
    desk.jobs.cancel(third)
    assert third.state == "cancelled"
    desk.jobs.cancel(first)
    assert first.state == "cancelling"
    qtbot.waitUntil(lambda: second.state == "finished", timeout=20_000)
    assert first.state == "cancelled"
    assert desk.jobs.jobs() == []


def test_a_failed_job_says_what_happened_and_what_to_do(empty_window: Window, qtbot: QtBot) -> None:
    job = empty_window.desk.start_job("import", "Import of 1 clip", behaviour="failing")
    qtbot.waitUntil(lambda: job.state == "failed", timeout=20_000)
    assert empty_window.banner.isVisible()
    assert empty_window.banner.text == "Import of 1 clip: The disk is full. Free 2 GB."


def test_what_went_wrong_is_not_hidden_by_what_went_well(empty_window: Window, qtbot: QtBot) -> None:
    banner, desk = empty_window.banner, empty_window.desk
    failed = desk.start_job("import", "First", behaviour="failing")
    done = desk.start_job("import", "Second", behaviour="normal")
    qtbot.waitUntil(lambda: done.state == "finished", timeout=20_000)
    assert failed.state == "failed"
    assert banner.text == "First: The disk is full. Free 2 GB."
    banner._close()
    assert not banner.isVisible()
    desk.start_job("import", "Third", behaviour="normal")
    qtbot.waitUntil(banner.isVisible, timeout=20_000)
    assert banner.text == "Third: done."


def test_every_problem_can_be_read_the_newest_first(empty_window: Window) -> None:
    banner = empty_window.banner
    banner.note("Import: done.")
    for text in ("one", "two", "two"):
        empty_window.tell(text, "bad", f"details of {text}")
    assert (banner.text, banner._more.text()) == ("two", "1 more")
    banner._close()
    assert banner.text == "one"
    assert banner._details.toPlainText() == "details of one"
    assert banner._more.isHidden()
    banner._close()
    assert not banner.isVisible()


def test_a_crash_of_the_worker_can_be_copied(empty_window: Window, qtbot: QtBot) -> None:
    job = empty_window.desk.start_job("import", "Import", behaviour="crashing")
    qtbot.waitUntil(lambda: job.state == "failed", timeout=20_000)
    empty_window.banner._copy_details()
    assert "something broke" in QGuiApplication.clipboard().text()


def test_an_uncaught_exception_is_shown_and_the_desk_goes_on(
    desk_app: App, empty_window: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise RuntimeError("unforeseen")
    except RuntimeError as error:
        desk_app.show_crash(type(error), error, error.__traceback__)
    assert empty_window.banner.isVisible()
    assert "RuntimeError" in empty_window.banner.text
    assert "unforeseen" in empty_window.banner._details.toPlainText()
    assert "unforeseen" in capsys.readouterr().err
    empty_window.banner._close()
    assert not empty_window.banner.isVisible()


def test_closing_with_a_running_job_asks_and_closes_when_its_work_is_saved(
    empty_window: Window, desk_app: App, qtbot: QtBot
) -> None:
    job = empty_window.desk.start_job("adapt", "Adapt to site", behaviour="slow")
    qtbot.waitUntil(lambda: job.state == "running", timeout=20_000)
    assert not empty_window.close()
    box = empty_window.findChild(QMessageBox)
    assert "Adapt to site" in box.text()
    keep = next(button for button in box.buttons() if button.text() == "Keep it running")
    qtbot.mouseClick(keep, Qt.MouseButton.LeftButton)
    qtbot.wait(50)
    assert job.state == "running"
    empty_window.close()
    box = empty_window.findChildren(QMessageBox)[-1]
    stop = next(button for button in box.buttons() if button.text() == "Stop and close")
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not desk_app.windows, timeout=20_000)
    assert job.state == "cancelled"


def test_a_second_desk_on_the_same_site_is_refused(desk_app: App, filled_window: Window) -> None:
    with pytest.raises(SiteError, match="desk"):
        desk_app.open_site(filled_window.desk.site.path)


def test_another_site_opens_in_a_window_of_its_own(
    desk_app: App, empty_window: Window, filled: Path, tmp_path: Path
) -> None:
    empty_window.site_wanted.emit(str(filled))
    assert [window.desk.site.name for window in desk_app.windows] == ["site", "Harbour"]
    empty_window.site_wanted.emit(str(tmp_path / "nothing"))
    assert "nothing" in empty_window.banner.text


def test_the_window_remembers_its_size(
    desk_app: App, open_window: Callable[[Path], Window], tmp_path: Path, qtbot: QtBot
) -> None:
    window = open_window(tmp_path / "site")
    window.resize(1150, 730)
    qtbot.wait(50)
    window.close()
    again = desk_app.open_site(tmp_path / "site")
    assert again.size().toTuple() == (1150, 730)


def test_the_start_dialog_opens_creates_and_refuses(
    desk_app: App, filled: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    desk_app.preferences.remember_site(filled)
    desk_app.choose_site()
    dialog = desk_app.start_dialog
    assert dialog.recent.count() == 1
    dialog.chosen.emit(tmp_path / "nothing", "open")
    assert "nothing" in dialog._error.text()
    assert not dialog._error.isHidden()
    dialog.chosen.emit(tmp_path / "new", "create")
    assert desk_app.start_dialog is None
    assert [window.desk.site.path for window in desk_app.windows] == [tmp_path / "new"]
    assert desk_app.preferences.recent_sites() == [tmp_path / "new", filled.resolve()]


def test_the_demo_fills_a_new_site(desk_app: App, tmp_path: Path, qtbot: QtBot) -> None:
    desk_app.choose_site()
    desk_app.start_dialog.chosen.emit(tmp_path / "demo", "demo")
    window = desk_app.windows[0]
    assert window.page.name == "adapt"
    job = window.desk.jobs.current
    assert job.spec.kind == "demo"
    qtbot.waitUntil(lambda: job.state == "finished", timeout=20_000)


def test_a_crash_is_told_once_at_the_next_start(desk_app: App, empty_window: Window, tmp_path: Path) -> None:
    crashing = (
        "import ctypes, sys\nfrom pathlib import Path\nfrom reid_desk.ui.crash_report import CrashReport\n"
        "CrashReport(Path(sys.argv[1])).watch()\nctypes.string_at(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", crashing, str(tmp_path / "reports")],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode != 0
    orderly = CrashReport(tmp_path / "reports")
    text = orderly.take_earlier()
    assert "Segmentation fault" in text
    desk_app.tell_of_crash(text)
    assert "ended unexpectedly" in empty_window.banner.text
    assert orderly.take_earlier() == ""


def test_the_report_of_a_desk_that_still_writes_it_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crash-1.txt").write_text("half a report")
    (tmp_path / "crash-2.txt").write_text("a whole report")
    unlink = Path.unlink

    def as_windows_does(path: Path) -> None:
        if path.name == "crash-1.txt":
            raise PermissionError(13, "The process cannot access the file", str(path))
        unlink(path)

    monkeypatch.setattr("reid_desk.ui.crash_report._alive", lambda _process_id: False)
    monkeypatch.setattr(Path, "unlink", as_windows_does)
    assert CrashReport(tmp_path).take_earlier() == "a whole report"
    assert [path.name for path in tmp_path.iterdir()] == ["crash-1.txt"]


def test_an_orderly_end_leaves_no_report(tmp_path: Path) -> None:
    enabled = faulthandler.is_enabled()
    report = CrashReport(tmp_path)
    report.watch()
    assert CrashReport(tmp_path).take_earlier() == "", "the desk that watches is alive"
    report.end()
    if enabled:
        faulthandler.enable()
    assert list(tmp_path.iterdir()) == []


def test_what_is_dropped_on_the_window_goes_where_it_belongs(
    filled_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    draw_person(4, 1, 99).save(tmp_path / "suspect.png")
    filled_window.show_page("search")
    filled_window.take_dropped([tmp_path / "suspect.png"])
    qtbot.waitUntil(lambda: filled_window.search.results, timeout=30_000)
    filled_window.show_page("dashboard")
    filled_window.take_dropped([tmp_path / "suspect.png"])
    assert filled_window.page is filled_window.footage
    qtbot.waitUntil(lambda: "a single image is no clip" in filled_window.banner.text, timeout=30_000)
