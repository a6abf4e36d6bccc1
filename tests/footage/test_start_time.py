from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reid_desk.footage.start_time import guess_start

LAST_OF_JANUARY = 1_706_745_599.0  # 2024-01-31 23:59:59 UTC


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def hours_east(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The local time zone of the machine, as hours east of UTC."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield {"UTC": 0, "Asia/Tokyo": 9}[request.param]
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "name",
    [
        "20240131_235959.mp4",
        "20240131-235959.mp4",
        "20240131T235959.mkv",
        "20240131235959.avi",
        "cam1_20240131235959.mp4",
        "Gate-2024-01-31T23-59-59.mp4",
        "2024-01-31_23-59-59_cam2.mkv",
        "2024-01-31 23.59.59.mov",
        "2024_01_31_23_59_59.mp4",
        "2024.01.31 23:59:59.mp4",
        "2024-01-31_23h59m59.mp4",
        "20240131_235959_ACCC8E012345.mkv",
        "VID_20240131_235959.mp4",
        "192.168.1.64_01_20240131235959.mp4",
        "NVR_ch1_main_20240131235959_20240201005959.dav",
        "Video 2024-01-31 at 23.59.59.mp4",
        "2024-01-31/13/23.59.59-00.30.00[M][0@0][0].dav",
    ],
)
def test_reads_local_times_as_recorders_write_them(name: str, hours_east: int) -> None:
    assert guess_start(Path(name), {}, modified=0.0, duration=0.0) == (
        LAST_OF_JANUARY - 3600 * hours_east,
        "file name",
    )


@pytest.mark.parametrize(
    ("name", "stamp"),
    [
        ("2024-01-31T23-59-59Z.mp4", LAST_OF_JANUARY),
        ("20240131T235959Z_gate.mp4", LAST_OF_JANUARY),
        ("1706745599.mp4", LAST_OF_JANUARY),
        ("gate_1706745599250.mp4", LAST_OF_JANUARY + 0.25),
    ],
)
@pytest.mark.usefixtures("hours_east")
def test_reads_times_that_say_they_are_utc(name: str, stamp: float) -> None:
    assert guess_start(Path(name), {}, modified=0.0, duration=0.0) == (stamp, "file name")


def test_reads_milliseconds(hours_east: int) -> None:
    stamp, _ = guess_start(Path("20240131235959250.mp4"), {}, modified=0.0, duration=0.0)
    assert stamp == LAST_OF_JANUARY + 0.25 - 3600 * hours_east


@pytest.mark.parametrize(
    "name",
    [
        "clip.mp4",
        "camera12.mp4",
        "2024-01-31.mp4",
        "20241331_235959.mp4",
        "20240131_256199.mp4",
        "1080p_30.mp4",
    ],
)
def test_falls_back_to_when_the_file_was_written(name: str) -> None:
    assert guess_start(Path(name), {}, modified=1_000_000.0, duration=60.0) == (999_940.0, "file time")


@pytest.mark.parametrize(
    "value",
    ["2024-01-31T23:59:59.000000Z", "2024-01-31 23:59:59", "2024-02-01T08:59:59+09:00"],
)
@pytest.mark.usefixtures("hours_east")
def test_metadata_is_utc_unless_it_says_otherwise(value: str) -> None:
    metadata = {"creation_time": value}
    guess = guess_start(Path("20200101_000000.mp4"), metadata, modified=0.0, duration=0.0)
    assert guess == (LAST_OF_JANUARY, "metadata")


@pytest.mark.parametrize(
    "value", ["1970-01-01T00:00:00Z", "1904-01-01T00:00:00Z", "2199-01-01T00:00:00Z", "yesterday"]
)
def test_the_time_of_an_unset_clock_is_not_believed(value: str) -> None:
    guess = guess_start(Path("clip.mp4"), {"creation_time": value}, modified=1e6, duration=0.0)
    assert guess == (1e6, "file time")


def test_a_file_without_a_time_of_its_own_still_has_one_that_calendars_show() -> None:
    assert guess_start(Path("clip.mp4"), {}, modified=0.0, duration=60.0) == (86_400.0, "file time")


def test_a_folder_of_frames_may_carry_the_time_in_its_own_name(hours_east: int) -> None:
    guess = guess_start(
        Path("frame0.jpg"), {}, modified=0.0, duration=0.0, folder=Path("gate_20240131_235959")
    )
    assert guess == (LAST_OF_JANUARY - 3600 * hours_east, "file name")
