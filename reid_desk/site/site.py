"""A site: one folder on disk that holds all that is known about one place under watch."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from reid_desk.errors import SiteError, printable
from reid_desk.site import schema, settings
from reid_desk.site.clips import Clips
from reid_desk.site.crops import Crops
from reid_desk.site.database import Database, connect, may_be_written, storage_errors
from reid_desk.site.evaluations import Evaluations
from reid_desk.site.lock import DeskLock
from reid_desk.site.models import Models
from reid_desk.site.runs import Runs
from reid_desk.site.sources import Sources
from reid_desk.site.tracks import Tracks
from reid_desk.site.vectors import Vectors
from reid_desk.site.verdicts import Verdicts

DATABASE_NAME = "site.db"


class Site:
    """A site on disk, for any thread of any number of processes.

    Made by :meth:`create`, :meth:`open` or :meth:`open_or_create`. Each group of methods lives in a class of
    its own; here they are only gathered under one name.

    Attributes:
        path: the site's folder.
        name: what operators call it.
    """

    def __init__(self, path: Path, *, exclusive: bool) -> None:  # noqa: PLR0915 - a list, not a program
        self.path = path
        self._lock = DeskLock(path) if exclusive else None
        self._database = Database(path / DATABASE_NAME)
        self.name = settings.read(self._database, settings.NAME) or path.name

        self.snapshot = self._database.snapshot

        clips = Clips(self._database, path / "index")
        self.cameras = clips.cameras
        self.camera = clips.camera
        self.camera_ids = clips.camera_ids
        self.clips = clips.clips
        self.clip = clips.clip
        self.clip_by_sha256 = clips.clip_by_sha256
        self.begin_clip = clips.begin_clip
        self.finish_clip = clips.finish_clip
        self.fail_clip = clips.fail_clip
        self.edit_clip = clips.edit_clip
        self.remove_clip = clips.remove_clip

        tracks = Tracks(self._database, clips.camera_ids)
        self.tracks = tracks.tracks
        self.track = tracks.track
        self.track_boxes = tracks.track_boxes

        crops = Crops(self._database, clips.camera_ids)
        self.crops = crops.crops
        self.count_crops = crops.count_crops
        self.crop = crops.crop
        self.crops_by_id = crops.crops_by_id
        self.crop_image = crops.crop_image
        self.crop_images = crops.crop_images
        self.crop_metadata = crops.crop_metadata

        vectors = Vectors(self._database)
        self.store_vectors = vectors.store_vectors
        self.vectors = vectors.vectors
        self.vector = vectors.vector
        self.count_vectors = vectors.count_vectors
        self.missing_vectors = vectors.missing_vectors
        self.revision = vectors.revision

        models = Models(self._database, path / "models")
        self.add_model = models.add_model
        self.models = models.models
        self.model = models.model
        self.current_model = models.current_model
        self.use_model = models.use_model
        self.use_complete_model = models.use_complete_model

        runs = Runs(self._database, path / "runs")
        self.start_run = runs.start_run
        self.update_run = runs.update_run
        self.runs = runs.runs
        self.run = runs.run

        sources = Sources(self._database)
        self.add_source = sources.add_source
        self.remove_source = sources.remove_source
        self.sources = sources.sources
        self.source = sources.source
        self.evaluation_set = sources.evaluation_set

        evaluations = Evaluations(self._database)
        self.add_evaluation = evaluations.add_evaluation
        self.evaluations = evaluations.evaluations

        verdicts = Verdicts(self._database)
        self.judge = verdicts.judge
        self.verdicts = verdicts.verdicts
        self.count_verdicts = verdicts.count_verdicts

    @classmethod
    def create(cls, path: Path | str, *, name: str | None = None) -> Self:
        """Make a site in a new or empty folder.

        Args:
            path: the folder.
            name: what operators call it; the folder's name by default.

        Raises:
            SiteError: there is a site already, or the folder holds other things.
        """
        path = Path(path).absolute()
        with storage_errors(path):
            _check_free(path)
            path.mkdir(parents=True, exist_ok=True)
            _initialise(path / DATABASE_NAME, name or path.name)
        return cls(path, exclusive=False)

    @classmethod
    def open(cls, path: Path | str, *, exclusive: bool = False) -> Self:
        """Open the site in a folder, bringing it up to date if an older version made it.

        Args:
            path: the folder.
            exclusive: take the lock that only one desk window can hold; jobs do without.

        Raises:
            SiteError: the folder holds no site, a damaged one, one of a newer version, or one that another
                desk has open.
        """
        path = Path(path).absolute()
        _check_site(path)
        return cls(path, exclusive=exclusive)

    @classmethod
    def open_or_create(cls, path: Path | str) -> Self:
        """Open the site in a folder; make it if the folder is new or empty.

        Raises:
            SiteError: as for :meth:`open` and :meth:`create`.
        """
        database = Path(path).absolute() / DATABASE_NAME
        if _has_tables(database):
            return cls.open(path)
        try:
            return cls.create(path)
        except SiteError:
            if not _has_tables(database):
                raise
            return cls.open(path)  # another process has made it meanwhile

    def index_path(self, model_id: str) -> Path:
        """Return where the cached search index of a model lies, or would lie."""
        return self.path / "index" / f"{model_id}.faiss"

    def problems(self) -> list[str]:
        """Return what is wrong with the database, one line each; reads all of it."""
        broken = [str(row[0]) for row in self._database.rows("PRAGMA quick_check")]
        orphans = [
            f"row {row[1]} of {row[0]} refers to a missing row of {row[2]}"
            for row in self._database.rows("PRAGMA foreign_key_check")
        ]
        return [line for line in broken if line != "ok"] + orphans

    def close(self) -> None:
        """Close the site for all threads, and let another desk have it."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_free(path: Path) -> None:
    if str(path) != printable(path):
        raise SiteError(f"The name {printable(path)} is no valid UTF-8; choose another folder for the site.")
    if path.exists() and not path.is_dir():
        raise SiteError(f"{path} is a file; choose a folder for the site.")
    if not path.exists():
        return
    if _has_tables(path / DATABASE_NAME):
        raise SiteError(f"There is a site in {path} already; open it, or choose another folder.")
    others = [entry.name for entry in path.iterdir() if not entry.name.startswith((DATABASE_NAME, "."))]
    if others:
        raise SiteError(
            f"{path} holds other things ({others[0]}); choose a new or empty folder for the site."
        )


def _has_tables(database: Path) -> bool:
    """Tell a site, or anything else, from what a creation that was killed leaves behind."""
    if not database.exists():
        return False
    connection = _connect_to_look(database)
    try:
        return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
    except sqlite3.DatabaseError:
        return True
    finally:
        connection.close()


def _connect_to_look(database: Path) -> sqlite3.Connection:
    """Open a database that may be no site's, and so is not to be changed at all."""
    return (
        connect(database) if not may_be_written(database) else sqlite3.connect(database, isolation_level=None)
    )


def _initialise(database: Path, name: str) -> None:
    connection = connect(database)
    try:
        schema.migrate(connection)
        connection.execute("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING", (settings.NAME, name))
        connection.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING",
            (settings.CREATED_AT, str(time.time())),
        )
    finally:
        connection.close()


def _check_site(path: Path) -> None:
    database = path / DATABASE_NAME
    if not path.exists():
        raise SiteError(
            f"There is no folder {path}; check the path, or make a site with: reid-desk demo --site DIR."
        )
    if not database.is_file():
        raise SiteError(
            f"{path} is no ReID Desk site (no {DATABASE_NAME}); make one with: "
            f"reid-desk import {path} --camera NAME PATH."
        )
    with storage_errors(database):
        connection = _connect_to_look(database)
        try:
            version = schema.version_of(connection)
        finally:
            connection.close()
        if version is None and not _has_tables(database):
            raise SiteError(
                f"{path} is no ReID Desk site yet: its making was cut off; finish it with: "
                f"reid-desk import {path} --camera NAME PATH."
            )
        if version is None:
            raise SiteError(f"{path} is no ReID Desk site: its {DATABASE_NAME} belongs to another program.")
        if version != len(schema.MIGRATIONS):
            connection = connect(database)
            try:
                schema.migrate(connection)
            finally:
                connection.close()
