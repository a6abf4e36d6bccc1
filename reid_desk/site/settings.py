"""The few single values of a site: its name, its current model, how often its gallery has changed."""

from __future__ import annotations

import sqlite3
from typing import Any

from reid_desk.site.database import Database
from reid_desk.site.records import Revision

NAME = "name"
CREATED_AT = "created_at"
CURRENT_MODEL = "current_model"
_CROPS = "crops_revision"
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


def crops_grew(connection: sqlite3.Connection) -> None:
    """Note that crops were added."""
    _count_up(connection, _CROPS)


def vectors_grew(connection: sqlite3.Connection, model_id: str) -> None:
    """Note that crops have got vectors by a model that had none by it."""
    _count_up(connection, _vectors(model_id))


def gallery_was_rewritten(connection: sqlite3.Connection) -> None:
    """Note that crops or vectors that were there have been removed or replaced."""
    _count_up(connection, _CROPS)
    _count_up(connection, _REWRITTEN)


def revision(database: Database) -> Revision:
    """Return what tells whether the gallery, or the model it is seen by, has changed."""
    values: dict[str, str] = dict(database.rows("SELECT name, value FROM settings"))
    model_id = values.get(CURRENT_MODEL)
    vectors = values.get(_vectors(model_id), 0) if model_id is not None else 0
    return Revision(int(values.get(_CROPS, 0)), int(vectors), int(values.get(_REWRITTEN, 0)), model_id)


def _vectors(model_id: str) -> str:
    return f"vectors_revision {model_id}"


def _count_up(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?, '1') "
        "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        (name,),
    )
