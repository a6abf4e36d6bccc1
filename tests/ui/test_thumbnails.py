from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import pytest
from PySide6.QtGui import QPixmap
from pytestqt.qtbot import QtBot

from reid_desk.ui.models import thumbnails as module
from reid_desk.ui.models.thumbnails import Thumbnails, decode
from tests.ui.filled_site import draw_person, jpeg_of

JPEG = jpeg_of(draw_person(1, 0, 0, height=160))


class Source:
    """Hands out the same picture for every crop, and notes what was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def fetch(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        self.gate.wait(10)
        self.asked += ids
        return {crop: JPEG for crop in ids if crop >= 0}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def pictures(qtbot: QtBot, source: Source) -> Thumbnails:
    made = Thumbnails(source.fetch)
    yield made
    source.gate.set()
    made.close()


def test_a_picture_is_decoded_at_the_size_shown() -> None:
    assert decode(JPEG, 80).size().toTuple() == (40, 80)
    assert decode(JPEG, 400).size().toTuple() == (80, 160), "no picture is blown up"
    assert decode(b"no picture", 80).isNull()


def test_a_picture_comes_later_and_then_at_once(qtbot: QtBot, pictures: Thumbnails, source: Source) -> None:
    assert pictures.get(7, 80) is None
    qtbot.waitUntil(lambda: pictures.get(7, 80) is not None)
    found = pictures.get(7, 80)
    assert isinstance(found, QPixmap)
    assert found.height() == 80
    assert source.asked == [7]


def test_views_repaint_once_for_many_pictures(qtbot: QtBot, pictures: Thumbnails) -> None:
    repaints = []
    pictures.changed.connect(lambda: repaints.append(1))
    for crop in range(20):
        pictures.get(crop, 80)
    qtbot.waitUntil(lambda: all(pictures.get(crop, 80) for crop in range(20)))
    qtbot.wait(50)
    assert 1 <= len(repaints) <= 3


def test_the_newest_request_is_served_first_and_the_oldest_dropped(
    qtbot: QtBot, pictures: Thumbnails, source: Source
) -> None:
    source.gate.clear()
    for crop in range(-2, 0):
        pictures.get(crop, 80)
        qtbot.wait(20)  # both threads are busy now
    for crop in range(3_000):
        pictures.get(crop, 80)
    source.gate.set()
    qtbot.waitUntil(lambda: pictures.get(2_999, 80) is not None)
    qtbot.waitUntil(lambda: len([crop for crop in source.asked if crop >= 0]) >= module._MOST_WAITING)
    qtbot.wait(50)
    served = [crop for crop in source.asked if crop >= 0]
    assert served[0] == 2_999
    assert len(served) == module._MOST_WAITING
    assert min(served) == 3_000 - module._MOST_WAITING


def test_the_cache_holds_no_more_bytes_than_it_may(
    qtbot: QtBot, pictures: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = 40 * 80 * 4
    monkeypatch.setattr(module, "_BUDGET_BYTES", 3 * one)
    for crop in range(5):
        pictures.get(crop, 80)
        qtbot.waitUntil(lambda crop=crop: (crop, 80) in pictures._cache)
    assert list(pictures._cache) == [(2, 80), (3, 80), (4, 80)]
    assert pictures._bytes == 3 * one


def test_a_crop_without_a_picture_is_asked_for_once(
    qtbot: QtBot, pictures: Thumbnails, source: Source
) -> None:
    pictures.get(-5, 80)
    qtbot.waitUntil(lambda: pictures.get(-5, 80) is not None)
    qtbot.wait(30)
    assert source.asked == [-5]
