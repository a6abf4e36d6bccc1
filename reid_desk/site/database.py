"""Connections to ``site.db``: one a thread, one transaction at a time, failures told in words."""

from __future__ import annotations

import errno
import json
import operator
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from reid_desk.errors import SiteError, printable
from reid_desk.site import schema

BUSY_SECONDS = 30.0  # how long a writer waits for another process that is writing
PRIMARY_CODE = 0xFF  # SQLite's extended result codes carry the primary one in their low byte

_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_BUSY: "another process keeps writing to it; wait for its jobs and try again",
    sqlite3.SQLITE_READONLY: "it is write-protected; allow writing to the site's folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of the site's folder",
    sqlite3.SQLITE_PERM: "access is denied; check the permissions of the site's folder",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check the disk, and that it is not full",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "it is damaged or not a database; restore it from a backup",
}

# Ids and figures often come out of arrays; SQLite takes only Python's own numbers.
for _number in (np.int32, np.int64, np.float32):
    sqlite3.register_adapter(_number, operator.methodcaller("item"))


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, a damaged database, text that is none and their like into a ``SiteError`` about ``path``."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        reason = _REASONS.get(getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE)
        if reason is None:
            raise
        raise SiteError(f"Cannot use {path}: {reason}.") from error
    except UnicodeEncodeError as error:
        raise SiteError(
            f"Cannot keep the name {printable(error.object)}: it is no valid UTF-8; choose another, or rename it."
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SiteError(
                f"Cannot write to {path}: the disk is full; free some space and try again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise SiteError(f"Cannot write to {path}: access is denied; check the permissions.") from error
        raise


class _ThreadConnection:
    """A connection that is closed when its thread ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.close = weakref.finalize(self, connection.close)


class Database:
    """The database of one site, for any thread of this process.

    Attributes:
        path: the ``site.db``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: weakref.WeakSet[_ThreadConnection] = weakref.WeakSet()
        self._closed = False

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises:
            SiteError: the site was closed.
        """
        if self._closed:
            raise SiteError(f"The site at {self.path.parent} is closed; open it again.")
        held: _ThreadConnection | None = getattr(self._local, "held", None)
        if held is None:
            held = _ThreadConnection(connect(self.path))
            self._local.held = held
            self._connections.add(held)
        return held.connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a query, as tuples."""
        with storage_errors(self.path):
            return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or ``None``."""
        with storage_errors(self.path):
            return self.connection.execute(sql, parameters).fetchone()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; a transaction inside a transaction is part of it."""
        with storage_errors(self.path):
            connection = self.connection
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads of this thread see the site as it is now, whatever others write meanwhile."""
        with storage_errors(self.path):
            connection = self.connection
            connection.execute("BEGIN")
            try:
                yield
            finally:
                _roll_back(connection)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._closed = True
        for held in list(self._connections):
            held.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that commits nothing on its own and may be closed from another thread.

    A database that may not be written can be read all the same, and nothing is left beside it.
    """
    with storage_errors(path):
        if path.exists() and not may_be_written(path):
            return _connect_to_read(path)
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute(f"PRAGMA page_size = {schema.PAGE_SIZE}")
            _keep_a_log(connection)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection


def may_be_written(path: Path) -> bool:
    """Whether a file can be changed, and others be made beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    # SQLite wants to make its log's files. Where there is no log, nobody is writing: it need not guard against that.
    log = path.with_name(f"{path.name}-wal")
    way = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{way}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _keep_a_log(connection: sqlite3.Connection) -> None:
    # SQLite's own patience does not cover two processes that do this to a new database at once.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _roll_back(connection: sqlite3.Connection) -> None:
    # A full disk may have rolled it back already.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def id_list(ids: Iterable[int]) -> str:
    """Return ids as the one parameter of ``IN (SELECT value FROM json_each(?))``; any number of them."""
    return json.dumps([int(i) for i in ids])
