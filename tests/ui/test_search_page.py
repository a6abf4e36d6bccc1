from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from reid_desk.site import Site
from reid_desk.ui.background import Background
from reid_desk.ui.models.crops import PAGE, CropsModel
from reid_desk.ui.models.roles import CameraRole, CropRole, ScoreRole, VerdictRole
from reid_desk.ui.pages.search import SearchPage
from reid_desk.ui.window import Window
from tests.ui.filled_site import draw_person


@pytest.fixture
def page(filled_window: Window, qtbot: QtBot) -> SearchPage:
    filled_window.show_page("search")
    page = filled_window.search
    qtbot.waitUntil(lambda: page.crops.rowCount() > 0)
    qtbot.waitUntil(lambda: page.crops.crop_at(0) is not None)
    return page


def found(page: SearchPage, qtbot: QtBot) -> list[object]:
    qtbot.waitUntil(lambda: page.results, timeout=30_000)
    return [page.matches.match_at(number) for number in range(page.matches.rowCount())]


def test_the_gallery_shows_every_crop_in_the_order_of_time(page: SearchPage, qtbot: QtBot) -> None:
    site = page.desk.site
    expected = site.crops()
    assert page.crops.rowCount() == len(expected)
    shown = [page.crops.index(number).data(CropRole).id for number in range(len(expected))]
    assert shown == [crop.id for crop in expected]
    assert page.crops.index(0).data(CameraRole) in {camera.name for camera in site.cameras()}
    qtbot.waitUntil(lambda: page.desk.thumbnails.get(shown[0], page._delegates[0].picture_height) is not None)


def test_pages_are_read_only_when_they_come_into_sight(
    page: SearchPage, qtbot: QtBot, tmp_path: Path
) -> None:
    asked = []

    class Big:
        def count_crops(self, *, cameras: object) -> int:
            return 100_000

        def crops(self, *, offset: int, limit: int, cameras: object) -> list[object]:
            asked.append(offset)
            return [page.crops.crop_at(0)] * limit

    background = Background()
    model = CropsModel(Big(), background)
    with qtbot.waitSignal(model.counted):
        model.show(None, {})
    assert model.rowCount() == 100_000
    assert asked == []
    assert model.index(70_000).data(CropRole) is None
    qtbot.waitUntil(lambda: model.index(70_000).data(CropRole) is not None)
    assert asked == [70_000 // PAGE * PAGE]
    background.shut_down()


def test_enter_on_a_crop_ranks_the_others_and_leaves_out_its_own_track(
    page: SearchPage, qtbot: QtBot
) -> None:
    page.gallery.setFocus()
    page.gallery.setCurrentIndex(page.crops.index(3))
    query = page.crops.crop_at(3)
    QTest.keyClick(page.gallery, Qt.Key.Key_Return)
    matches = found(page, qtbot)
    assert matches
    assert query.track_id not in {match.track_id for match in matches}
    scores = [match.score for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert page.matches.index(0).data(ScoreRole) == scores[0]
    spoken = page.matches.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Possible match 1: ")
    assert "likeness" in spoken
    assert page._stack.currentWidget() is page.answers


def test_a_possible_match_becomes_the_next_query(page: SearchPage, qtbot: QtBot) -> None:
    page.gallery.setCurrentIndex(page.crops.index(0))
    page.search_selected()
    first = found(page, qtbot)[1].crop
    page.answers.setCurrentIndex(page.matches.index(1))
    page.answers.doubleClicked.emit(page.matches.index(1))
    assert page._query.crop == first
    qtbot.waitUntil(lambda: first.track_id not in {m.track_id for m in found(page, qtbot)})


def test_the_filters_answer_by_themselves(page: SearchPage, qtbot: QtBot) -> None:
    page.gallery.setCurrentIndex(page.crops.index(0))
    own = page.crops.crop_at(0).camera_id
    page.search_selected()
    found(page, qtbot)
    page.panel.hide_own.setChecked(True)
    qtbot.waitUntil(lambda: own not in {m.crop.camera_id for m in found(page, qtbot)})
    page.panel.hide_own.setChecked(False)
    item = page.panel.cameras.item(0)
    item.setCheckState(Qt.CheckState.Unchecked)
    left_out = item.data(Qt.ItemDataRole.UserRole)
    qtbot.waitUntil(lambda: left_out not in {m.crop.camera_id for m in found(page, qtbot)})
    page.panel.minimum.setValue(90)
    qtbot.waitUntil(lambda: all(m.score >= 0.9 for m in found(page, qtbot)))
    page.panel.minimum.setValue(0)
    page.panel.top.setValue(5)
    qtbot.waitUntil(lambda: len(found(page, qtbot)) == 5)


def test_filters_that_let_nothing_through_say_so(page: SearchPage, qtbot: QtBot) -> None:
    page.gallery.setCurrentIndex(page.crops.index(0))
    page.search_selected()
    found(page, qtbot)
    for number in range(page.panel.cameras.count()):
        page.panel.cameras.item(number).setCheckState(Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: page._stack.currentWidget() is page._nothing)


def test_a_picture_from_elsewhere_is_a_query(page: SearchPage, qtbot: QtBot, tmp_path: Path) -> None:
    draw_person(4, 1, 99).save(tmp_path / "suspect.png")
    page.search_file(tmp_path / "suspect.png")
    assert found(page, qtbot)
    assert page.panel._about.text() == "suspect.png"


def test_a_pasted_picture_is_a_query(page: SearchPage, qtbot: QtBot, tmp_path: Path) -> None:
    draw_person(4, 1, 99).save(tmp_path / "suspect.png")
    QGuiApplication.clipboard().setImage(QImage(str(tmp_path / "suspect.png")))
    page.actions_["search.paste"].trigger()
    assert found(page, qtbot)
    page.actions_["search.back"].trigger()
    assert not page.results
    assert page._stack.currentWidget() is page.gallery


def test_what_is_no_picture_is_refused_in_words(
    page: SearchPage, filled_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "letter.jpg").write_text("no picture")
    page.search_file(tmp_path / "letter.jpg")
    qtbot.waitUntil(filled_window.banner.isVisible)
    assert not page.results
    QGuiApplication.clipboard().setText("only words")
    page.actions_["search.paste"].trigger()
    assert "no picture in the clipboard" in filled_window.banner.text


def test_space_shows_the_details_of_the_selected_crop(page: SearchPage, qtbot: QtBot) -> None:
    page.gallery.setFocus()
    page.gallery.setCurrentIndex(page.crops.index(2))
    QTest.keyClick(page.gallery, Qt.Key.Key_Space)
    assert page.details.isVisible()
    crop = page.crops.crop_at(2)
    assert str(crop.track_id) == page.details._track.toolTip()
    assert "at" in page.details._place.toolTip()
    qtbot.waitUntil(lambda: not page.details._picture._image.isNull())
    page.gallery.setCurrentIndex(page.crops.index(5))
    assert str(page.crops.crop_at(5).track_id) == page.details._track.toolTip()
    QTest.keyClick(page.gallery, Qt.Key.Key_Space)
    assert not page.details.isVisible()


def test_thumbnails_change_their_size(page: SearchPage) -> None:
    before = page.gallery.gridSize()
    page.actions_["view.larger"].trigger()
    assert page.gallery.gridSize().height() > before.height()
    page.actions_["view.smaller"].trigger()
    assert page.gallery.gridSize() == before


def test_without_a_model_the_way_to_one_is_told(filled: Path, open_window: object, qtbot: QtBot) -> None:
    with Site.open(filled) as site, site._database.transaction() as connection:
        connection.execute("DELETE FROM settings WHERE name LIKE '%model%'")
    window = open_window(filled)
    window.show_page("search")
    page = window.search
    qtbot.waitUntil(lambda: page.crops.rowCount() > 0 and page.crops.crop_at(0) is not None)
    page.gallery.setCurrentIndex(page.crops.index(0))
    page.search_selected()
    assert "Adapt to the site first" in window.banner.text


def test_an_empty_site_says_what_to_do(empty_window: Window) -> None:
    empty_window.show_page("search")
    page = empty_window.search
    assert page._whole.currentWidget() is page._empty
    assert "Add footage" in page._empty._text.text()


def judge(page: SearchPage, qtbot: QtBot, key: Qt.Key) -> None:
    """Press a key on the answers, and wait for the answer that follows."""
    with qtbot.waitSignal(page.matches.modelReset, timeout=30_000):
        QTest.keyClick(page.answers, key)


def verdicts(page: SearchPage) -> dict[int, bool | None]:
    rows = range(page.matches.rowCount())
    return {page.matches.match_at(row).track_id: page.matches.index(row).data(VerdictRole) for row in rows}


def asked(page: SearchPage, qtbot: QtBot) -> list[int]:
    """Search for the first crop; the tracks found, best first."""
    page.gallery.setCurrentIndex(page.crops.index(0))
    page.search_selected()
    return [match.track_id for match in found(page, qtbot)]


def test_verdicts_are_shown_stored_and_rank_the_rest(page: SearchPage, qtbot: QtBot) -> None:
    tracks = asked(page, qtbot)
    page.answers.setCurrentIndex(page.matches.index(2))
    judge(page, qtbot, Qt.Key.Key_Y)
    page.answers.setCurrentIndex(page.matches.index(page.matches.row_of(tracks[0])))
    judge(page, qtbot, Qt.Key.Key_N)
    assert page.matches.match_at(0).track_id == tracks[2]
    assert page.matches.match_at(page.matches.rowCount() - 1).track_id == tracks[0]
    assert {track: said for track, said in verdicts(page).items() if said is not None} == {
        tracks[2]: True,
        tracks[0]: False,
    }
    assert page._judged_text._whole == "Same person: 1, different: 1"
    assert "Judged the same person" in page.matches.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    site, subject = page.desk.site, page._query.subject
    qtbot.waitUntil(lambda: len(site.verdicts(subject)) == 2)


def test_a_verdict_leads_to_the_next_match_that_is_not_judged(page: SearchPage, qtbot: QtBot) -> None:
    asked(page, qtbot)
    first = page.matches.match_at(0).track_id
    judge(page, qtbot, Qt.Key.Key_Y)
    row = page.answers.currentIndex().row()
    assert page.matches.match_at(row).track_id != first
    assert page.matches.index(row).data(VerdictRole) is None


def test_verdicts_are_undone_and_taken_back(page: SearchPage, qtbot: QtBot) -> None:
    tracks = asked(page, qtbot)
    judge(page, qtbot, Qt.Key.Key_Y)
    judge(page, qtbot, Qt.Key.Key_U)
    assert set(verdicts(page).values()) == {None}
    assert list(verdicts(page)) == tracks
    page.answers.setCurrentIndex(page.matches.index(0))
    judge(page, qtbot, Qt.Key.Key_N)
    page.answers.setCurrentIndex(page.matches.index(page.matches.row_of(tracks[0])))
    judge(page, qtbot, Qt.Key.Key_N)
    assert set(verdicts(page).values()) == {None}
    site, subject = page.desk.site, page._query.subject
    qtbot.waitUntil(lambda: not site.verdicts(subject))


def test_verdicts_are_there_again_when_the_person_is_searched_again(page: SearchPage, qtbot: QtBot) -> None:
    tracks = asked(page, qtbot)
    judge(page, qtbot, Qt.Key.Key_Y)
    site, subject = page.desk.site, page._query.subject
    qtbot.waitUntil(lambda: len(site.verdicts(subject)) == 1)
    page.back()
    page.gallery.setCurrentIndex(page.crops.index(0))
    with qtbot.waitSignal(page.matches.modelReset, timeout=30_000):
        page.search_selected()
    assert verdicts(page)[tracks[0]] is True


def test_what_is_judged_can_be_hidden(page: SearchPage, qtbot: QtBot) -> None:
    tracks = asked(page, qtbot)
    judge(page, qtbot, Qt.Key.Key_Y)
    with qtbot.waitSignal(page.matches.modelReset, timeout=30_000):
        page.panel.hide_judged.setChecked(True)
    assert tracks[0] not in verdicts(page)
    assert page.matches.rowCount() == len(tracks) - 1


def test_in_the_gallery_there_is_nothing_to_judge(page: SearchPage) -> None:
    page.gallery.setCurrentIndex(page.crops.index(0))
    for name in ("search.same", "search.different", "search.undo"):
        assert not page.actions_[name].isEnabled()
