"""Labelled data sets that a site knows: those to learn from, and those to be evaluated on."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

import time
from pathlib import Path

from reid_desk.errors import SiteError, SourceError
from reid_desk.site.database import Database
from reid_desk.site.names import checked_name
from reid_desk.site.records import Source

ROLES = ("source", "evaluation")

_SOURCE_COLUMNS = "id, name, path, layout, identities, cameras, images, role, added_at"


class Sources:
    """The labelled data sets of a site; they stay where they are and are referenced by path."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_source(  # noqa: PLR0917 - in the order a data set describes itself
        self,
        name: str,
        path: Path | str,
        layout: str,
        identities: int,
        cameras: int,
        images: int,
        role: str = "source",
        replace: bool = False,
    ) -> Source:
        """Register a labelled data set.

        Args:
            name: unique in the site.
            path: its folder.
            layout: how it is laid out, as recognised.
            identities, cameras, images: how many of each it has.
            role: ``source`` or ``evaluation``.
            replace: take the place of a data set of the same name.

        Raises:
            SourceError: the name is taken, or nothing can be called so.
            ValueError: there is no such role.
        """
        if role not in ROLES:
            raise ValueError(f"{role!r} is no role of a data set")
        checked_name(name, "source", SourceError)
        with self._database.transaction() as connection:
            if not replace and self._find(name) is not None:
                raise SourceError(f"The site has a source named {name!r} already; choose another name.")
            connection.execute(
                "INSERT INTO sources (name, path, layout, identities, cameras, images, role, added_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET path = excluded.path, "
                "layout = excluded.layout, identities = excluded.identities, cameras = excluded.cameras, "
                "images = excluded.images, role = excluded.role, added_at = excluded.added_at",
                (name, str(path), layout, identities, cameras, images, role, time.time()),
            )
        return self.source(name)

    def remove_source(self, name: str) -> None:
        """Forget the data set of that name, whatever its role; its images and what was measured on it stay.

        Raises:
            SiteError: there is none.
        """
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM sources WHERE id = ?", (self.source(name).id,))

    def sources(self, role: str = "source") -> list[Source]:
        """Return the data sets of a role, in the order they were first added."""
        rows = self._database.rows(
            f"SELECT {_SOURCE_COLUMNS} FROM sources WHERE role = ? ORDER BY id", (role,)
        )
        return [Source(*row) for row in rows]

    def evaluation_set(self) -> Source | None:
        """Return the data set that models of this site are measured on: the evaluation set added last, if any."""
        return max(self.sources("evaluation"), key=lambda source: (source.added_at, source.id), default=None)

    def source(self, name: str) -> Source:
        """Return the data set of that name, whatever its role.

        Raises:
            SiteError: there is none.
        """
        found = self._find(name)
        if found is None:
            known = ", ".join(row[0] for row in self._database.rows("SELECT name FROM sources ORDER BY id"))
            raise SiteError(f"The site has no source named {name!r}; its sources are: {known or 'none yet'}.")
        return found

    def _find(self, name: str) -> Source | None:
        row = self._database.row(f"SELECT {_SOURCE_COLUMNS} FROM sources WHERE name = ?", (name,))
        return None if row is None else Source(*row)
