"""The real window on a real (virtual) display."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reid_desk.site import Site
from tests.e2e.virtual_display import virtual_display
from tests.ui.filled_site import fill
from tests.ui.videos import write_video

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed (apt-get install xvfb)"),
]
_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def display() -> Iterator[dict[str, str]]:
    with virtual_display() as environment:
        yield environment


@pytest.fixture
def environment(display: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return display | {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHONPATH": str(_ROOT)}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    fill(tmp_path / "harbour", people=9, crops=2, clips=2)
    return tmp_path / "harbour"


def run_scenario(site: Path, name: str, environment: dict[str, str], result: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "tests.e2e.window_scenario", str(site), str(result), name]
    started = environment | {"STARTED": str(time.time())}
    done = subprocess.run(
        command, env=started, cwd=_ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(result.read_text(encoding="utf-8"))


def test_a_person_is_searched_for_by_mouse_and_keyboard(
    site: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    seen = run_scenario(site, "search", environment, tmp_path / "seen.json")
    assert seen["matches"] > 3
    assert seen["code"] == 0
    assert seen["modules"] == seen["modules_after"] == []
    assert (tmp_path / "seen.png").stat().st_size > 10_000


def test_dropped_footage_is_imported_by_the_real_worker(environment: dict[str, str], tmp_path: Path) -> None:
    Site.create(tmp_path / "site").close()
    write_video(tmp_path / "footage" / "cam3_20261120_080000.mp4")
    given = environment | {"FOOTAGE": str(tmp_path / "footage")}
    seen = run_scenario(tmp_path / "site", "footage", given, tmp_path / "seen.json")
    assert seen["at_once"] == "waiting"
    assert seen["camera"] == "Camera 3"
    assert seen["banner"] == "Import of 1 clip from Camera 3: done."
    with Site.open(tmp_path / "site") as site:
        assert [(clip.camera, clip.state, clip.frames) for clip in site.clips()] == [
            ("Camera 3", "imported", 3)
        ]


def test_a_second_desk_on_the_same_site_ends_with_a_clear_message(
    site: Path, environment: dict[str, str]
) -> None:
    with Site.open(site, exclusive=True):
        done = subprocess.run(
            [sys.executable, "-m", "reid_desk", str(site)],
            env=environment, cwd=_ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(os.getpid()) in done.stderr


def test_a_folder_that_is_no_site_ends_with_a_clear_message(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reid_desk", str(tmp_path)],
        env=environment, cwd=_ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "site" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(
    shutil.which("xdotool") is None, reason="xdotool is not installed (apt-get install xdotool)"
)
def test_the_window_answers_to_the_keyboard_of_the_display(site: Path, environment: dict[str, str]) -> None:
    desk = subprocess.Popen([sys.executable, "-m", "reid_desk", str(site)], env=environment, cwd=_ROOT)
    try:
        xdotool = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Harbour - ReID Desk"]
        subprocess.run(xdotool, env=environment, timeout=60, check=True, capture_output=True)
        for _ in range(20):
            subprocess.run(
                [*xdotool, "windowfocus", "key", "ctrl+q"], env=environment, timeout=60, check=False
            )
            try:
                assert desk.wait(timeout=3) == 0
                return
            except subprocess.TimeoutExpired:
                continue
        pytest.fail("Ctrl+Q did not close the desk")
    finally:
        desk.kill()
        desk.wait()
