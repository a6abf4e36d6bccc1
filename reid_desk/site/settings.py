"""The few single values of a site: its name, its current model, how often its gallery has changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from reid_desk.site.database import Database
from reid_desk.site.records import Revision

NAME = "name"
CREATED_AT = "created_at"
CURRENT_MODEL = "current_model"
_GALLERY = "gallery_revision"
_REWRITTEN = "gallery_rewritten"


def read(database: Database, name: str) -> str | None:
    """Return a setting, or ``None`` if it was never written."""
    row = database.row("SELECT value FROM settings WHERE name = ?", (name,))
    return None if row is None else str(row[0])


def write(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Set a setting."""
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, str(value)),
    )


def gallery_grew(connection: sqlite3.Connection) -> None:
    """Note that crops or vectors were added."""
    _count_up(connection, _GALLERY)


def gallery_was_rewritten(connection: sqlite3.Connection) -> None:
    """Note that crops or vectors that were there have been removed or replaced."""
    _count_up(connection, _GALLERY)
    _count_up(connection, _REWRITTEN)


def revision(database: Database) -> Revision:
    """Return what tells whether the gallery, or the model it is seen by, has changed."""
    values: dict[str, str] = dict(
        database.rows(
            "SELECT name, value FROM settings WHERE name IN (?, ?, ?)", (_GALLERY, _REWRITTEN, CURRENT_MODEL)
        )
    )
    return Revision(int(values.get(_GALLERY, 0)), int(values.get(_REWRITTEN, 0)), values.get(CURRENT_MODEL))


def _count_up(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?, '1') "
        "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        (name,),
    )
