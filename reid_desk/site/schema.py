"""The tables of ``site.db``, and how older versions of them are brought up to date.

``application_id`` says that a database is a site's; ``user_version`` counts the migrations it has had. A
migration that was released is never edited: a change to the tables is a new function at the end of
``MIGRATIONS``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reid_desk.errors import SiteError

if TYPE_CHECKING:
    import sqlite_utils

APPLICATION_ID = 0x52454944  # "REID"
# Crops and vectors are rows of one to a few KiB; of SQLite's default 4096 they would waste a good part.
PAGE_SIZE = 16384

Migration = Callable[["sqlite_utils.Database"], None]

# AUTOINCREMENT: a removed clip's, track's or crop's number is never given to another one. Notes, verdicts and
# thumbnails that still name it must not come to mean somebody else.
_VERSION_1 = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE cameras (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE clips (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    camera_id INTEGER NOT NULL REFERENCES cameras (id),
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    started_at REAL NOT NULL,
    started_from TEXT NOT NULL,
    fps REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    duration REAL,
    frames INTEGER,
    state TEXT NOT NULL CHECK (state IN ('importing', 'imported', 'failed')),
    message TEXT,
    detector TEXT NOT NULL,
    tracks INTEGER NOT NULL DEFAULT 0,
    crops INTEGER NOT NULL DEFAULT 0,
    imported_at REAL
) STRICT;
CREATE INDEX clips_by_camera ON clips (camera_id, started_at);

CREATE TABLE tracks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES cameras (id),
    first_frame INTEGER NOT NULL,
    last_frame INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL NOT NULL,
    length INTEGER NOT NULL
) STRICT;
CREATE INDEX tracks_by_clip ON tracks (clip_id);
CREATE INDEX tracks_by_camera ON tracks (camera_id, started_at);

CREATE TABLE track_boxes (
    track_id INTEGER PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    boxes BLOB NOT NULL
) STRICT;

CREATE TABLE crops (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES cameras (id),
    frame INTEGER NOT NULL,
    time REAL NOT NULL,
    "left" REAL NOT NULL,
    top REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    score REAL NOT NULL,
    quality REAL NOT NULL
) STRICT;
-- Holds all that listing and counting ask for, so that they never touch the table itself.
CREATE INDEX crops_by_time ON crops (time, id, camera_id);
CREATE INDEX crops_by_camera ON crops (camera_id, time);
CREATE INDEX crops_by_track ON crops (track_id);
CREATE INDEX crops_by_clip ON crops (clip_id);

-- Apart from the crops: a scan over times and places does not wade through pictures.
CREATE TABLE crop_images (
    crop_id INTEGER PRIMARY KEY REFERENCES crops (id) ON DELETE CASCADE,
    jpeg BLOB NOT NULL
) STRICT;

-- What ranking needs to know of each crop, packed clip by clip: a million rows would take seconds to read.
CREATE TABLE clip_crops (
    clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
    crops BLOB NOT NULL
) STRICT;

CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    layout TEXT NOT NULL,
    identities INTEGER NOT NULL,
    cameras INTEGER NOT NULL,
    images INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('source', 'evaluation')),
    added_at REAL NOT NULL
) STRICT;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    spec TEXT NOT NULL,
    report TEXT,
    message TEXT,
    pid INTEGER,
    started_at REAL NOT NULL,
    finished_at REAL
) STRICT;

CREATE TABLE models (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    card TEXT NOT NULL,
    run_id TEXT REFERENCES runs (id),
    created_at REAL NOT NULL
) STRICT;

-- A rowid table: as WITHOUT ROWID, a vector of 512 float16 would spill out of its page.
CREATE TABLE vectors (
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    crop_id INTEGER NOT NULL REFERENCES crops (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    UNIQUE (model_id, crop_id)
) STRICT;
CREATE INDEX vectors_by_crop ON vectors (crop_id);

CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    dataset TEXT NOT NULL,
    metrics TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX evaluations_by_model ON evaluations (model_id);
"""


def _version_1(db: sqlite_utils.Database) -> None:
    # Not executescript: it would commit the transaction that the migration is part of.
    for statement in _VERSION_1.split(";"):
        db.execute(statement)


_VERSION_2 = """
-- What an operator said of a possible match of a track of the site, or of a picture from elsewhere (its SHA-256).
CREATE TABLE verdicts (
    query_track INTEGER REFERENCES tracks (id) ON DELETE CASCADE,
    query_image TEXT,
    track_id INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    crop_id INTEGER NOT NULL REFERENCES crops (id) ON DELETE CASCADE,
    same INTEGER NOT NULL CHECK (same IN (0, 1)),
    judged_at REAL NOT NULL,
    CHECK ((query_track IS NULL) <> (query_image IS NULL))
) STRICT;
CREATE UNIQUE INDEX verdicts_by_query_track ON verdicts (query_track, track_id) WHERE query_track IS NOT NULL;
CREATE UNIQUE INDEX verdicts_by_query_image ON verdicts (query_image, track_id) WHERE query_image IS NOT NULL;
CREATE INDEX verdicts_by_track ON verdicts (track_id);
CREATE INDEX verdicts_by_crop ON verdicts (crop_id)
"""


def _version_2(db: sqlite_utils.Database) -> None:
    for statement in _VERSION_2.split(";"):
        db.execute(statement)


MIGRATIONS: tuple[Migration, ...] = (_version_1, _version_2)


def version_of(connection: sqlite3.Connection) -> int | None:
    """Return the number of migrations a database has had, or ``None`` if it is no site's."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return None
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a site's database, or an empty one, up to date in one transaction.

    Raises:
        SiteError: it was made by a newer version, or would break references between its tables.
    """
    # Rebuilding a table drops the old one, which would take the rows that refer to it along.
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked for under the lock: another process may have migrated it meanwhile.
        version = version_of(connection) or 0
        if version > len(MIGRATIONS):
            raise SiteError(
                f"The site was made by a newer ReID Desk (it is of version {version}, this one knows "
                f"{len(MIGRATIONS)}); update ReID Desk to open it."
            )
        _apply(connection, MIGRATIONS[version:])
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys = ON")


def _apply(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    if not migrations:
        return
    import sqlite_utils  # noqa: PLC0415 - a fifth of a second that only a new version of the tables costs

    db = sqlite_utils.Database(connection)
    for migration in migrations:
        migration(db)
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise SiteError(
            "The site could not be brought up to date: its database is inconsistent; restore a backup."
        )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
