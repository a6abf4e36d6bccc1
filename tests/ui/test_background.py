from __future__ import annotations

import threading
import time

import pytest
from pytestqt.qtbot import QtBot

from reid_desk.ui.background import Background, Latest


@pytest.fixture
def background(qtbot: QtBot) -> Background:
    made = Background()
    yield made
    made.shut_down()


def test_the_result_comes_back_on_the_thread_that_asked(qtbot: QtBot, background: Background) -> None:
    seen = []
    background.run(threading.get_ident, lambda worker: seen.append((worker, threading.get_ident())))
    qtbot.waitUntil(lambda: bool(seen))
    worker, here = seen[0]
    assert worker != here == threading.get_ident()


def test_an_error_comes_back_instead_of_the_result(qtbot: QtBot, background: Background) -> None:
    errors, results = [], []
    background.run(lambda: 1 / 0, results.append, errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], ZeroDivisionError)
    assert results == []


def test_an_error_that_nobody_takes_is_not_lost(qtbot: QtBot, background: Background) -> None:
    with qtbot.captureExceptions() as caught:
        background.run(lambda: 1 / 0, lambda _: None)
        qtbot.waitUntil(lambda: bool(caught))
    assert caught[0][0] is ZeroDivisionError


def test_only_the_newest_question_is_answered(qtbot: QtBot, background: Background) -> None:
    latest, answers = Latest(background), []
    gate = threading.Event()
    latest.run(lambda: gate.wait(5) and "old", answers.append)
    latest.run(lambda: "new", answers.append)
    qtbot.waitUntil(lambda: answers == ["new"])
    gate.set()
    qtbot.wait(50)
    assert answers == ["new"]


def test_nothing_is_delivered_after_the_end(qtbot: QtBot, background: Background) -> None:
    answers = []
    background.run(lambda: time.sleep(0.05), answers.append)
    background.shut_down()
    qtbot.wait(50)
    assert answers == []
    background.run(lambda: 1, answers.append)
    qtbot.wait(20)
    assert answers == []
