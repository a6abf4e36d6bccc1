from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlite_utils

from reid_desk.errors import SiteError
from reid_desk.site import Site, schema
from tests.site.made_up import START, add_clip

VERSION_1 = Path(__file__).parent / "version_1.sql"


@pytest.fixture
def old_site(tmp_path: Path) -> Path:
    """A folder with a site that version 1 made."""
    connection = sqlite3.connect(tmp_path / "site.db")
    connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    connection.close()
    return tmp_path


def add_note(db: sqlite_utils.Database) -> None:
    db.table("clips").add_column("note", str)


def rebuild_clips(db: sqlite_utils.Database) -> None:
    db.table("clips").transform(rename={"note": "remark"})


def break_references(db: sqlite_utils.Database) -> None:
    db.execute("DELETE FROM tracks")


def test_a_site_of_version_1_opens_with_all_it_held(old_site: Path) -> None:
    with Site.open(old_site) as site:
        assert site.name == "Old town"
        (clip,) = site.clips()
        assert (clip.camera, clip.sha256, clip.state, clip.tracks, clip.crops) == (
            "door",
            "aa",
            "imported",
            1,
            1,
        )
        (crop,) = site.crops()
        assert (crop.time, site.crop_image(crop.id)) == (START, b"a picture")
        assert len(site.track_boxes(crop.track_id)) == 3
        model = site.current_model()
        assert model is not None
        assert (model.id, model.name) == ("m1", "adapted")
        ids, vectors = site.vectors("m1")
        assert (ids.tolist(), vectors.shape) == ([1], (1, 2))
        assert site.source("market").images == 12_936
        assert site.evaluations()[0].metrics == {"mAP": 0.5}
        assert site.run("20260101-000000-adapt").state == "finished"
        assert site.problems() == []
        add_clip(site, "door", sha256="new")
        assert site.count_crops() == 5


def test_an_old_site_is_brought_up_to_date_when_it_is_opened(
    old_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_note, rebuild_clips))

    with Site.open(old_site) as site:
        assert site.count_crops() == 1  # rebuilding a table has not taken what refers to it along
        assert site.problems() == []
        connection = site._database.connection
        assert connection.execute("SELECT remark FROM clips").fetchall() == [(None,)]
        assert schema.version_of(connection) == len(schema.MIGRATIONS)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_site_of_a_newer_version_is_refused_untouched(
    old_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(old_site / "site.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SiteError, match=r"made by a newer ReID Desk \(it is of version 99.*update ReID Desk"):
        Site.open(old_site)
    connection = sqlite3.connect(old_site / "site.db")
    assert schema.version_of(connection) == 99
    connection.close()


@pytest.mark.parametrize("last", [break_references, lambda db: db.execute("DELETE FROM nowhere")])
def test_a_migration_that_fails_changes_nothing(
    old_site: Path, monkeypatch: pytest.MonkeyPatch, last: schema.Migration
) -> None:
    before = VERSION_1.read_text(encoding="utf-8").split("BEGIN TRANSACTION")[1]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_note, last))
        with pytest.raises((SiteError, sqlite3.OperationalError)):
            Site.open(old_site)

    connection = sqlite3.connect(old_site / "site.db")
    assert "\n".join(connection.iterdump()).split("BEGIN TRANSACTION")[1].strip() == before.strip()
    assert schema.version_of(connection) == 1
    connection.close()


def test_two_desks_may_bring_a_site_up_to_date_at_once(
    old_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_note))
    with ThreadPoolExecutor(4) as threads:
        opened = [threads.submit(Site.open, old_site) for _ in range(4)]
    for done in opened:
        done.result().close()
    with Site.open(old_site) as site:
        assert schema.version_of(site._database.connection) == len(schema.MIGRATIONS)
        assert site.count_crops() == 1
