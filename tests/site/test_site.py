from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reid_desk.errors import SiteError
from reid_desk.site import Site, schema
from tests.site.made_up import add_clip

ROOT = Path(__file__).parents[2]


def test_a_site_keeps_its_name(tmp_path: Path) -> None:
    Site.create(tmp_path / "a", name="Town hall").close()
    Site.create(tmp_path / "b").close()

    with Site.open(tmp_path / "a") as named, Site.open(tmp_path / "b") as unnamed:
        assert named.name == "Town hall"
        assert unnamed.name == "b"


def test_a_site_can_be_made_in_an_empty_folder(tmp_path: Path) -> None:
    with Site.create(tmp_path) as site:
        assert site.path == tmp_path
        assert site.clips() == []


def test_a_second_site_in_the_same_folder_is_refused(site: Site) -> None:
    with pytest.raises(SiteError, match="There is a site in"):
        Site.create(site.path)


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")

    with pytest.raises(SiteError, match=r"holds other things \(holiday.jpg\)"):
        Site.create(tmp_path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_site_is_not_made_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(SiteError, match="is a file; choose a folder"):
        Site.create(tmp_path / "file")


def test_open_or_create_does_either(tmp_path: Path) -> None:
    with Site.open_or_create(tmp_path / "site") as made:
        add_clip(made)
    with Site.open_or_create(tmp_path / "site") as opened:
        assert len(opened.clips()) == 1


def test_a_folder_without_a_site_is_told_from_one(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"is no ReID Desk site \(no site.db\); make one with"):
        Site.open(tmp_path)
    with pytest.raises(SiteError, match="There is no folder"):
        Site.open(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


def test_the_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(SiteError, match="belongs to another program"):
        Site.open(tmp_path)
    with pytest.raises(SiteError, match="already"):
        Site.create(tmp_path)

    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"rubbish" * 1000, b"SQLite format 3\0" + b"\1" * 5000])
def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "site.db").write_bytes(content)
    with pytest.raises(SiteError, match="damaged"):
        Site.open(tmp_path)


def test_a_site_damaged_in_the_middle_is_called_damaged_when_that_is_read(tmp_path: Path) -> None:
    with Site.create(tmp_path / "site") as site:
        for number in range(20):
            add_clip(site, sha256=str(number))
    database = tmp_path / "site" / "site.db"
    content = bytearray(database.read_bytes())
    content[16384 * 2 :] = b"\xff" * (len(content) - 16384 * 2)
    database.write_bytes(content)

    with (
        pytest.raises(SiteError, match=r"damaged; restore it from a backup"),
        Site.open(tmp_path / "site") as opened,
    ):
        opened.crops()


def test_a_sound_site_has_no_problems_and_a_broken_reference_is_one(site: Site) -> None:
    add_clip(site)
    assert site.problems() == []

    connection = sqlite3.connect(site.path / "site.db")
    connection.execute("DELETE FROM tracks WHERE id = 1")
    connection.commit()
    connection.close()

    assert any("of crops refers to a missing row of tracks" in problem for problem in site.problems())


def test_a_creation_that_was_killed_can_be_done_again(tmp_path: Path) -> None:
    (tmp_path / "site.db").write_bytes(b"")
    with pytest.raises(SiteError, match="its making was cut off; finish it with"):
        Site.open(tmp_path)
    with Site.open_or_create(tmp_path) as site:
        assert site.clips() == []


def test_a_creation_on_a_full_disk_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def migrate_on_a_full_disk(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1")
        connection.execute("CREATE TABLE settings (name TEXT PRIMARY KEY)")

    monkeypatch.setattr(schema, "migrate", migrate_on_a_full_disk)
    with pytest.raises(SiteError, match="the disk is full"):
        Site.open_or_create(tmp_path)
    monkeypatch.undo()
    with Site.open_or_create(tmp_path) as site:
        assert site.clips() == []


def test_two_processes_that_make_a_site_at_once_both_have_it(tmp_path: Path) -> None:
    program = (
        "import sys, sqlite_utils; from reid_desk.site import Site; print(flush=True); sys.stdin.readline(); "
        "Site.open_or_create(sys.argv[1]).start_run('import', {})"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "site")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]
    with Site.open(tmp_path / "site") as site:
        assert len(site.runs()) == 3


def test_a_closed_site_says_so(site: Site) -> None:
    site.close()
    with pytest.raises(SiteError, match="is closed"):
        site.clips()


def test_every_thread_may_use_a_site(site: Site) -> None:
    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(add_clip, site, f"camera {number}", sha256=str(number)) for number in range(8)]

    assert len({clip.result() for clip in done}) == 8
    assert len(site.clips()) == 8
    assert site.count_crops() == 8 * 4


def test_a_thread_takes_its_connection_along_when_it_ends(site: Site) -> None:
    def open_files() -> int:
        return sum(link.resolve() == site.path / "site.db" for link in Path("/proc/self/fd").iterdir())

    if not Path("/proc/self/fd").exists():
        pytest.skip("open files are counted in /proc")
    site.clips()
    before = open_files()
    for _ in range(20):
        thread = threading.Thread(target=site.clips)
        thread.start()
        thread.join()

    assert open_files() <= before + 1  # SQLite keeps one for the next connection while another is open


def test_only_one_desk_opens_a_site_while_jobs_may(site: Site) -> None:
    site.close()
    with Site.open(site.path, exclusive=True):
        with pytest.raises(SiteError, match=rf"open in another desk \(process {os.getpid()}\)"):
            Site.open(site.path, exclusive=True)
        with Site.open(site.path) as job:
            add_clip(job)
    with Site.open(site.path, exclusive=True) as next_desk:
        assert len(next_desk.clips()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_desk_that_was_killed_leaves_no_lock(site: Site) -> None:
    site.close()
    program = (
        "import sys, time; from reid_desk.site import Site; "
        "held = Site.open(sys.argv[1], exclusive=True); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(site.path)], stdout=subprocess.PIPE, text=True
    ) as desk:
        assert desk.stdout is not None
        assert desk.stdout.readline() == "open\n"
        with pytest.raises(SiteError, match=rf"process {desk.pid}"):
            Site.open(site.path, exclusive=True)
        desk.send_signal(signal.SIGKILL)

    Site.open(site.path, exclusive=True).close()


def test_a_snapshot_does_not_see_what_others_write_meanwhile(site: Site) -> None:
    with site.snapshot():
        assert site.clips() == []
        thread = threading.Thread(target=add_clip, args=(site,))
        thread.start()
        thread.join()
        assert site.clips() == []
    assert len(site.clips()) == 1


def test_the_window_gets_neither_torch_nor_opencv_from_here() -> None:
    program = (
        "import sys, reid_desk.site, reid_desk.search, reid_desk.investigation; "
        "print([name for name in ('torch', 'cv2', 'faiss', 'onnxruntime', 'onnx', 'sqlite_utils') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
