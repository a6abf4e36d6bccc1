"""What is left of a site when the power, the disk or a process fails it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reid_desk.errors import SiteError
from reid_desk.site import Site
from tests.site.made_up import add_clip, begin, track

ROOT = Path(__file__).parents[2]
needs_sigkill = pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")

IMPORTS_HALF = """
import sys, time
from reid_desk.site import Site
from tests.site.made_up import begin, track

class Half(list):
    def __iter__(self):
        yield from [track(picture=b"x" * 5000)] * 500
        print("half", flush=True)
        time.sleep(60)

with Site.open(sys.argv[1]) as site:
    site.finish_clip(begin(site, sha256="half"), Half(), frames=1, duration=1.0)
"""

IMPORTS_FOR_EVER = """
import itertools, sys
from reid_desk.site import Site
from tests.site.made_up import add_clip, track

with Site.open(sys.argv[1]) as site:
    for number in itertools.count():
        add_clip(site, sys.argv[2], [track(picture=b"x" * 2000)] * 20, sha256=f"{sys.argv[2]} {number}")
        print(number, flush=True)
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@needs_sigkill
def test_a_process_killed_while_it_stores_a_clip_leaves_no_half_clip(site: Site) -> None:
    kept = add_clip(site, sha256="whole")
    with start(IMPORTS_HALF, str(site.path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)

    assert {t.clip_id for t in site.tracks()} == {kept}
    half = site.clip_by_sha256("half")
    assert half is not None
    assert (half.state, half.tracks, half.crops) == ("importing", 0, 0)
    assert site.problems() == []

    site.finish_clip(begin(site, sha256="half"), [track()], frames=1, duration=1.0)
    assert [clip.state for clip in site.clips()] == ["imported", "imported"]


@needs_sigkill
def test_processes_killed_at_random_moments_leave_whole_clips_only(site: Site) -> None:
    moments = random.Random(7)
    reported = 0
    for _ in range(3):
        first, second = (
            start(IMPORTS_FOR_EVER, str(site.path), "a"),
            start(IMPORTS_FOR_EVER, str(site.path), "b"),
        )
        with first, second:
            assert first.stdout is not None
            first.stdout.readline()
            time.sleep(moments.uniform(0.0, 0.2))
            first.send_signal(signal.SIGKILL)
            second.send_signal(signal.SIGKILL)
            reported += 1 + len(first.stdout.readlines())
        imported = [clip for clip in site.clips() if clip.state == "imported"]
        assert len(imported) >= reported
        for clip in imported:
            assert len(site.tracks(clip_id=clip.id)) == clip.tracks == 20
            assert clip.crops == 40
        assert site.count_crops() == 40 * len(imported)
        assert site.problems() == []
        for clip in site.clips():
            site.remove_clip(clip.id)
        reported = 0


def test_two_processes_write_at_the_same_time_and_nothing_is_lost(site: Site) -> None:
    program = """
import sys
from reid_desk.site import Site
from tests.site.made_up import add_clip
with Site.open(sys.argv[1]) as site:
    for number in range(25):
        add_clip(site, "shared", sha256=f"{sys.argv[2]} {number}")
"""
    with start(program, str(site.path), "a") as first, start(program, str(site.path), "b") as second:
        assert first.wait() == 0
        assert second.wait() == 0

    assert len(site.clips("shared")) == 50
    assert site.count_crops() == 200
    assert [camera.name for camera in site.cameras()] == ["shared"]


def test_a_full_disk_is_told_in_a_line_and_leaves_nothing_half_written(site: Site) -> None:
    add_clip(site, sha256="1")
    before = site.crops()
    clip_id = begin(site, sha256="2")
    connection = site._database.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    with pytest.raises(SiteError, match="the disk is full; free some space and try again") as caught:
        site.finish_clip(clip_id, [track(picture=b"x" * 20_000)] * 20, frames=1, duration=1.0)

    assert "\n" not in str(caught.value)
    assert site.crops() == before
    assert site.clip(clip_id).state == "importing"
    connection.execute("PRAGMA max_page_count = 1000000")
    site.finish_clip(clip_id, [track(picture=b"x" * 20_000)] * 20, frames=1, duration=1.0)
    assert site.count_crops() == len(before) + 40


def test_a_write_protected_site_is_told_in_a_line(site: Site) -> None:
    site._database.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(SiteError, match="write-protected"):
        begin(site)


def test_a_writer_that_never_ends_is_told_in_a_line(site: Site) -> None:
    site._database.connection.execute("PRAGMA busy_timeout = 50")
    with (
        Site.open(site.path) as other,
        other._database.transaction(),
        pytest.raises(SiteError, match="another process keeps writing"),
    ):
        begin(site)
    begin(site)


@pytest.fixture
def write_protected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may write anywhere; tests may run as root, whom permissions do not hold back."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)


def test_a_write_protected_site_can_be_read_and_nothing_is_left_in_it(
    site: Site, request: pytest.FixtureRequest
) -> None:
    add_clip(site)
    site.close()
    before = sorted(site.path.rglob("*"))
    request.getfixturevalue("write_protected")
    with Site.open(site.path) as opened:
        assert len(opened.crops()) == 4
        assert opened.problems() == []
        with pytest.raises(SiteError, match="it is write-protected; allow writing"):
            begin(opened, sha256="2")
        assert sorted(site.path.rglob("*")) == before


def test_a_write_protected_site_is_read_with_what_its_log_holds(
    site: Site, request: pytest.FixtureRequest
) -> None:
    add_clip(site)
    assert (site.path / "site.db-wal").stat().st_size
    request.getfixturevalue("write_protected")
    with Site.open(site.path) as opened:
        assert len(opened.crops()) == 4
