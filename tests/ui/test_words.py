from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import resources
from reid_desk.ui import words
from reid_desk.ui.app import App
from reid_desk.ui.camera_names import guess_camera


@pytest.mark.usefixtures("desk_app")
@pytest.mark.parametrize(
    ("say", "one", "many"),
    [
        (words.clips, "1 clip", "1,200 clips"),
        (words.crops, "1 crop", "1,200 crops"),
        (words.tracks, "1 track", "1,200 tracks"),
        (words.cameras, "1 camera", "1,200 cameras"),
        (words.images, "1 image", "1,200 images"),
        (words.people, "1 person", "1,200 people"),
        (words.matches, "1 possible match", "1,200 possible matches"),
        (words.queries, "1 query", "1,200 queries"),
        (words.left_out, "1 file left out", "1,200 files left out"),
        (words.problems, "1 problem", "1,200 problems"),
        (words.clusters, "1 cluster", "1,200 clusters"),
    ],
)
def test_numbers_agree_with_their_nouns(say: object, one: str, many: str) -> None:
    assert say(1) == one
    assert say(1200) == many


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, words.NOTHING), (42.4, "0:42"), (725, "12:05"), (3723, "1:02:03")]
)
def test_lengths(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


def test_the_promise_of_time_is_no_finer_than_it_can_be_kept(desk_app: App) -> None:
    assert words.time_left(None) == ""
    assert words.time_left(20) == "less than a minute left"
    assert words.time_left(61) == "about 1 minute left"
    assert words.time_left(290) == "about 5 minutes left"
    assert words.time_left(7300) == "about 2 hours left"


def test_likeness_is_told_in_three_bands() -> None:
    assert [words.band_word(score) for score in (0.95, 0.6, 0.1)] == ["strong", "fair", "weak"]


@pytest.mark.parametrize(
    ("path", "known", "camera"),
    [
        ("exports/cam3_20261120_0800.mp4", [], "Camera 3"),
        ("exports/CAM_03.avi", [], "Camera 3"),
        ("Channel 12/20261120080000.mp4", [], "Camera 12"),
        ("x/ch07-2026-11-20.mkv", [], "Camera 7"),
        ("x/north_gate_2026-11-20.mp4", [], "North gate"),
        ("x/North-Gate 0800.mp4", ["North gate", "Gate"], "North gate"),
        ("Car park/20261120.mp4", [], "Car park"),
        ("x/lobby-2.mp4", ["Lobby 2", "Lobby 20"], "Lobby 2"),
        ("exports/campus-2026.mp4", ["Cam 1"], "Campus"),
        ("output/clip.mp4", ["Lobby"], "Lobby"),
        ("output/20261120.mp4", [], "Camera 1"),
    ],
)
def test_the_camera_is_guessed_from_names(path: str, known: list[str], camera: str) -> None:
    assert guess_camera(Path(path), known) == camera


@pytest.mark.usefixtures("desk_app")
def test_what_something_took() -> None:
    assert [words.spent(s) for s in (20, 65, 600, 7_300)] == [
        "less than a minute",
        "1 minute",
        "10 minutes",
        "2 hours",
    ]


def test_every_plural_is_translated() -> None:
    code = Path(words.__file__).read_text(encoding="utf-8")
    asked = set(re.findall(r'"((?:about )?%L?n [^"]+)"', code))
    known = ElementTree.fromstring(resources.read_text("translations/reid_desk_en.ts"))
    assert asked == {message.findtext("source") for message in known.iter("message")}
    assert all(form.text for form in known.iter("numerusform"))
