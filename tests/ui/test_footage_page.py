from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMessageBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from reid_desk.site import Site
from reid_desk.ui.job_runner import JobOutcome
from reid_desk.ui.models.clips import CAMERA, CROPS, NAME, STATE, ClipsModel, ProgressRole, StateRole
from reid_desk.ui.pages.clip_sheet import ClipSheet
from reid_desk.ui.pages.footage import FootagePage
from reid_desk.ui.pages.import_sheet import ImportPlan, ImportSheet
from reid_desk.ui.pages.source_sheet import SourcePlan, SourceSheet
from reid_desk.ui.window import Window
from tests.ui.filled_site import draw_person
from tests.ui.videos import write_video
from training.datasets import open_dataset


def drop(page: FootagePage, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where, action = QPointF(300, 300), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        page.window().centralWidget(), QDragEnterEvent(where.toPoint(), action, data, buttons, keys)
    )
    QApplication.sendEvent(page.window().centralWidget(), QDropEvent(where, action, data, buttons, keys))


def sheet_of(page: FootagePage, qtbot: QtBot) -> ImportSheet:
    qtbot.waitUntil(lambda: page.findChild(ImportSheet) is not None, timeout=30_000)
    return page.findChild(ImportSheet)


def shown(model: ClipsModel, column: int) -> list[str]:
    return [model.index(row, column).data() for row in range(model.rowCount())]


def test_an_empty_site_shows_the_guide_and_the_way_to_the_demo(empty_window: Window) -> None:
    page = empty_window.footage
    assert page._stack.currentWidget() is page.guide
    assert empty_window.actions_["demo.try"].isEnabled()


def test_dropped_clips_are_asked_about_and_have_lines_at_once(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page = empty_window.footage
    first = write_video(tmp_path / "footage" / "cam1_0800.mp4")
    write_video(tmp_path / "footage" / "cam2_0800.mp4")
    (tmp_path / "footage" / "broken.mp4").write_bytes(b"")
    drop(page, tmp_path / "footage")
    sheet = sheet_of(page, qtbot)
    plan = sheet.plan()
    assert set(plan.cameras) == {"Camera 1", "Camera 2"}
    assert plan.cameras["Camera 1"] == (first,)
    assert plan.detector == "motion"
    sheet._agree()
    assert page._stack.currentWidget() is page.tabs
    assert shown(page.model, NAME) == ["cam1_0800.mp4", "cam2_0800.mp4"]
    assert page.model.index(0, STATE).data(StateRole) == "waiting"
    jobs = page.desk.jobs.jobs()
    assert [job.spec.arguments["camera"] for job in jobs] == ["Camera 1", "Camera 2"]
    assert jobs[0].spec.arguments["paths"] == [str(first)]
    qtbot.waitUntil(lambda: not page.desk.jobs.jobs(), timeout=30_000)


@pytest.mark.parametrize("name", ["adapt", "search", "dashboard"])
def test_what_is_dropped_on_another_page_is_footage_whatever_tab_was_left_open(
    filled_window: Window, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    page = filled_window.footage
    page.tabs.setCurrentWidget(page.sources)
    filled_window.show_page(name)
    assert "footage" in filled_window._invitation()
    filled_window.take_dropped([write_video(tmp_path / "footage" / "cam1_0800.mp4").parent])
    sheet_of(page, qtbot)
    assert filled_window.page is page
    assert not page.on_sources


def test_no_clip_is_listed_inside_another_that_would_take_it_along(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    outer = tmp_path / "frames"
    for folder in (outer, outer / "cam2", outer / "cam3"):
        folder.mkdir()
        for number in range(2):
            draw_person(number, 0, 0, height=64).save(folder / f"{number}.jpg")
    drop(empty_window.footage, outer)
    sheet = sheet_of(empty_window.footage, qtbot)
    assert sheet.plan().cameras == {"Camera 2": (outer / "cam2",), "Camera 3": (outer / "cam3",)}
    said = [text.toPlainText() for text in sheet.findChildren(QPlainTextEdit)]
    assert said == [
        "frames: these frames lie beside folders that are clips of their own. Move them into a folder of their own."
    ]


def test_what_cannot_be_imported_is_said_with_the_reason(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no footage")
    drop(empty_window.footage, tmp_path / "notes.txt")
    qtbot.waitUntil(empty_window.banner.isVisible)
    assert "notes.txt" in empty_window.banner.text
    assert empty_window.footage.model.rowCount() == 0


def test_several_clips_are_named_together(empty_window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_video(tmp_path / "x" / name)
    drop(empty_window.footage, tmp_path / "x")
    sheet = sheet_of(empty_window.footage, qtbot)
    sheet.name_selected("Back door")
    assert list(sheet.plan().cameras) == ["Back door"]
    sheet._table.selectRow(1)
    sheet.name_selected("Roof")
    assert {name: [path.name for path in paths] for name, paths in sheet.plan().cameras.items()} == {
        "Back door": ["a.mp4", "c.mp4"],
        "Roof": ["b.mp4"],
    }
    sheet.choose_detector("yolox")
    assert sheet.plan().detector == "yolox"


def test_a_line_follows_its_clip_through_the_import(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page = empty_window.footage
    seen = []
    page.model.dataChanged.connect(
        lambda *_: seen.append(
            (page.model.index(0, STATE).data(StateRole), page.model.index(0, STATE).data(ProgressRole))
        )
    )
    [job] = page.start_import(ImportPlan({"Lobby": (tmp_path / "a.mp4",)}, "motion"))
    qtbot.waitUntil(lambda: job.state == "finished", timeout=30_000)
    assert ("importing", 0.0) in seen
    assert ("importing", 1.0) in seen


def test_a_cancelled_import_leaves_its_line_and_says_so(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page = empty_window.footage
    page.desk.start_job("import", "other", behaviour="slow")
    [job] = page.start_import(ImportPlan({"Lobby": (tmp_path / "a.mp4",)}, "motion"))
    page.desk.jobs.cancel(job)
    assert shown(page.model, STATE) == ["Cancelled"]


def begin_clip(site: Site, path: Path) -> None:
    site.begin_clip(
        "Lobby", path, sha256="0" * 64, size=1, started_at=1e9, started_from="given", fps=25.0, width=64, height=64,
        detector="motion",
    )  # fmt: skip


def test_a_clip_whose_worker_died_is_not_importing_for_ever(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page, site = empty_window.footage, empty_window.desk.site
    qtbot.wait(300)  # what was left over is looked for at the start too
    site.update_run(site.start_run("import", {}).id, "running")
    begin_clip(site, tmp_path / "a.mp4")
    page.desk.start_job("import", "Import", behaviour="killed")
    qtbot.waitUntil(lambda: shown(page.model, STATE) == ["Failed"], timeout=30_000)


def test_a_clip_left_over_is_shown_as_failed_at_the_start(
    open_window: Callable[[Path], Window], qtbot: QtBot, tmp_path: Path
) -> None:
    with Site.create(tmp_path / "site") as site:
        begin_clip(site, tmp_path / "a.mp4")
    page = open_window(tmp_path / "site").footage
    qtbot.waitUntil(lambda: shown(page.model, STATE) == ["Failed"], timeout=30_000)


def test_an_imported_clip_keeps_its_line_until_the_site_is_read_again(
    empty_window: Window, tmp_path: Path
) -> None:
    page = empty_window.footage
    path = write_video(tmp_path / "cam1_0800.mp4")
    page.model.add_waiting({path: "Camera 1"})
    clips = [{"path": str(path), "state": "imported"}]
    page._import_ended([path], JobOutcome("finished", result={"clips": clips}))
    assert shown(page.model, NAME) == ["cam1_0800.mp4"]
    assert page.model.index(0, STATE).data(StateRole) == "imported"
    site = page.desk.site
    clip = site.begin_clip(
        "Camera 1", path, sha256="0" * 64, size=1, started_at=1e9, started_from="given", fps=25.0, width=64,
        height=48, detector="motion",
    )  # fmt: skip
    site.finish_clip(clip, [], duration=1.0, frames=25)
    page.model.set_clips(site.clips())
    assert shown(page.model, NAME) == ["cam1_0800.mp4"]
    page.model.set_clips([])
    assert page.model.rowCount() == 0


def test_clips_left_out_of_an_import_are_told_although_it_is_done(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page, result = empty_window.footage, {"refused": [{"path": str(tmp_path / "a.mp4"), "reason": "cut off"}]}
    job = empty_window.desk.start_job("import", "Import", behaviour="normal", result=result)
    job.ended.connect(lambda outcome: page._import_ended([tmp_path / "a.mp4"], outcome))
    qtbot.waitUntil(lambda: job.state == "finished", timeout=30_000)
    qtbot.wait(100)
    assert empty_window.banner.text == "1 file left out"
    assert "cut off" in empty_window.banner._details.toPlainText()


def test_cameras_are_listed_with_counts_and_pictures_and_filter_the_clips(
    filled_window: Window, qtbot: QtBot
) -> None:
    page = filled_window.footage
    assert [page.cameras.index(row).data() for row in range(4)] == [
        "All cameras",
        "Car park",
        "Lobby",
        "North gate",
    ]
    assert page.model.rowCount() == 6
    qtbot.waitUntil(lambda: page.cameras.row_at(1).picture is not None)
    page._list.setCurrentIndex(page.cameras.index(2))
    assert set(shown(page.model, CAMERA)) == {"Lobby"}
    assert all(int(count) > 0 for count in shown(page.model, CROPS))


def clip_sheet(page: FootagePage, qtbot: QtBot, *rows: int) -> ClipSheet:
    page._table.clearSelection()
    page._table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
    for row in rows:
        page._table.selectRow(row)
    page.actions_["footage.correct"].trigger()
    qtbot.waitUntil(lambda: page.findChild(ClipSheet) is not None)
    return page.findChild(ClipSheet)


def test_a_clip_s_camera_and_start_are_corrected_and_put_back(filled_window: Window, qtbot: QtBot) -> None:
    page, site = filled_window.footage, filled_window.desk.site
    before = site.clip(page.model.row_at(0).clip_id)
    sheet = clip_sheet(page, qtbot, 0)
    assert sheet.camera.currentText() == before.camera
    sheet.camera.setCurrentText("Back door")
    sheet.started.setDateTime(sheet.started.dateTime().addSecs(3600))
    sheet._agree()
    qtbot.waitUntil(lambda: site.clip(before.id).camera == "Back door")
    assert site.clip(before.id).started_at == pytest.approx(before.started_at + 3600, abs=1)
    assert site.clip(before.id).started_from == "given"
    qtbot.waitUntil(lambda: "Back door" in shown(page.model, CAMERA))
    page.desk.undo.undo()
    qtbot.waitUntil(lambda: site.clip(before.id).camera == before.camera)
    assert site.clip(before.id).started_at == pytest.approx(before.started_at)


def test_many_clips_get_one_camera_and_keep_their_starts(filled_window: Window, qtbot: QtBot) -> None:
    page, site = filled_window.footage, filled_window.desk.site
    before = [site.clip(page.model.row_at(row).clip_id) for row in (0, 2, 4)]
    sheet = clip_sheet(page, qtbot, 0, 2, 4)
    assert not sheet.started.isVisibleTo(sheet)
    sheet.camera.setCurrentText("Lobby")
    sheet._agree()
    qtbot.waitUntil(lambda: {site.clip(clip.id).camera for clip in before} == {"Lobby"})
    for clip in before:
        assert site.clip(clip.id).started_at == clip.started_at
        assert site.clip(clip.id).started_from == clip.started_from


def test_nothing_is_written_where_nothing_was_corrected(filled_window: Window, qtbot: QtBot) -> None:
    page = filled_window.footage
    clip_sheet(page, qtbot, 0)._agree()
    assert not page.desk.undo.canUndo()


def test_clips_are_removed_after_a_question(filled_window: Window, qtbot: QtBot) -> None:
    page = filled_window.footage
    page._table.selectRow(0)
    assert filled_window.actions_["footage.remove"].isEnabled()
    filled_window.actions_["footage.remove"].trigger()
    box = page.findChild(QMessageBox)
    remove = next(button for button in box.buttons() if button.text() == "Remove")
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.model.rowCount() == 5, timeout=30_000)
    assert len(page.desk.site.clips()) == 5


def test_the_model_keeps_failed_clips_with_their_reason(qtbot: QtBot, tmp_path: Path) -> None:
    model = ClipsModel()
    model.add_waiting({tmp_path / "a.mp4": "Lobby"})
    model.update_waiting(tmp_path / "a.mp4", state="failed", message="The file is cut off.")
    assert model.index(0, STATE).data() == "Failed"
    assert "cut off" in model.index(0, STATE).data(Qt.ItemDataRole.ToolTipRole)
    model.drop_waiting([tmp_path / "a.mp4"])
    assert model.rowCount() == 0


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "labelled"
    for identity in range(4):
        for camera in range(2):
            for k in range(2):
                place = folder / f"{identity:04}" / f"c{camera}"
                place.mkdir(parents=True, exist_ok=True)
                draw_person(identity, camera, k, height=64).save(place / f"{k}.jpg")
    return folder


def test_a_dropped_folder_becomes_a_labelled_source(
    empty_window: Window, qtbot: QtBot, labelled: Path
) -> None:
    sources = empty_window.footage.sources
    sources.take([labelled])
    qtbot.waitUntil(lambda: sources.findChild(SourceSheet) is not None)
    sheet = sources.findChild(SourceSheet)
    qtbot.waitUntil(lambda: sheet._samples.rowCount() == 16)
    sheet.name.setText("street")
    sheet._agree()
    qtbot.waitUntil(lambda: sources.model.rowCount() == 1)
    source = empty_window.desk.summary.sources[0]
    assert (source.name, source.identities, source.cameras, source.images) == ("street", 4, 2, 16)


@pytest.mark.parametrize("role", ["source", "evaluation"])
def test_a_set_that_cannot_serve_its_purpose_is_refused_in_words(
    empty_window: Window, qtbot: QtBot, tmp_path: Path, role: str
) -> None:
    for identity in range(4):
        place = tmp_path / "single" / f"{identity:04}" / "c0"
        place.mkdir(parents=True)
        draw_person(identity, 0, 0, height=64).save(place / "0.jpg")
    sources = empty_window.footage.sources
    sources.add(SourcePlan(open_dataset(tmp_path / "single"), "single", role))
    qtbot.waitUntil(empty_window.banner.isVisible, timeout=30_000)
    assert {"source": "cannot be a source", "evaluation": "cannot be evaluated on"}[
        role
    ] in empty_window.banner.text
    assert empty_window.desk.site.sources(role=role) == []


def test_a_source_is_removed_after_a_question(filled_window: Window, qtbot: QtBot) -> None:
    page, action = filled_window.footage, filled_window.actions_["source.remove"]
    filled_window.show_page("footage")
    page._table.selectRow(0)
    assert not action.isEnabled()
    page.tabs.setCurrentWidget(page.sources)
    assert not filled_window.actions_["footage.remove"].isEnabled(), "the clips are out of sight"
    page.sources._table.selectRow(1)
    assert action.isEnabled()
    action.trigger()
    box = page.findChild(QMessageBox)
    assert "harbour-staff" in box.text()
    remove = next(button for button in box.buttons() if button.text() == "Remove")
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.sources.model.rowCount() == 1, timeout=30_000)
    assert page.desk.site.sources(role="evaluation") == []
    filled_window.show_page("adapt")
    assert not action.isEnabled()


def test_a_folder_without_labels_is_refused_in_words(
    empty_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    empty_window.footage.sources.take([tmp_path])
    qtbot.waitUntil(empty_window.banner.isVisible)
    assert "holds no images" in empty_window.banner.text


def test_the_selected_source_shows_samples_and_problems(filled_window: Window, qtbot: QtBot) -> None:
    sources = filled_window.footage.sources
    assert sources.model.rowCount() == 2
    qtbot.waitUntil(lambda: sources._samples.rowCount() > 0)
    sources._table.selectRow(1)
    qtbot.waitUntil(lambda: "harbour-staff" in sources._about.text())
    qtbot.waitUntil(lambda: bool(sources._problems.text()))
