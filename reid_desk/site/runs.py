"""Runs: what jobs did, when, and how it ended."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reid_desk.errors import SiteError
from reid_desk.site.database import Database, storage_errors
from reid_desk.site.records import FINAL_STATES, RUN_STATES, Run

_RUN_COLUMNS = "id, kind, state, spec, report, message, pid, started_at, finished_at"


class Runs:
    """The runs of a site, each with a folder under ``runs/``."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def start_run(self, kind: str, spec: Mapping[str, Any]) -> Run:
        """Register a run of this process, in state ``starting``, and make its folder.

        Args:
            kind: of job.
            spec: what was asked for; anything JSON can hold.
        """
        with self._database.transaction() as connection:
            run_id = self._new_id(connection, kind)
            connection.execute(
                "INSERT INTO runs (id, kind, state, spec, pid, started_at) "
                "VALUES (?, ?, 'starting', ?, ?, ?)",
                (run_id, kind, json.dumps(spec), os.getpid(), time.time()),
            )
            with storage_errors(self._folder):
                (self._folder / run_id).mkdir(parents=True)
        return self.run(run_id)

    def _new_id(self, connection: sqlite3.Connection, kind: str) -> str:
        stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{kind}"
        number, run_id = 1, stem
        while (
            connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is not None
            or (self._folder / run_id).exists()
        ):
            number += 1
            run_id = f"{stem}-{number}"
        return run_id

    def update_run(
        self,
        run_id: str,
        state: str,
        *,
        message: str | None = None,
        report: Mapping[str, Any] | None = None,
        pid: int | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> Run:
        """Note a run's new state; what is not given stays as it is.

        Raises:
            SiteError: there is no such run.
            ValueError: there is no such state.
        """
        if state not in RUN_STATES:
            raise ValueError(f"{state!r} is no state of a run")
        with self._database.transaction() as connection:
            self.run(run_id)
            connection.execute(
                "UPDATE runs SET state = ?, finished_at = ?, message = coalesce(?, message), "
                "report = coalesce(?, report), pid = coalesce(?, pid), spec = coalesce(?, spec) WHERE id = ?",
                (
                    state,
                    time.time() if state in FINAL_STATES else None,
                    message,
                    None if report is None else json.dumps(report),
                    pid,
                    None if spec is None else json.dumps(spec),
                    run_id,
                ),
            )
        return self.run(run_id)

    def runs(self, kind: str | None = None) -> list[Run]:
        """Return the runs of one kind, or all, newest first."""
        where, parameters = ("", ()) if kind is None else (" WHERE kind = ?", (kind,))
        rows = self._database.rows(
            f"SELECT {_RUN_COLUMNS} FROM runs{where} ORDER BY started_at DESC, rowid DESC", parameters
        )
        return [self._from_row(row) for row in rows]

    def run(self, run_id: str) -> Run:
        """Return one run.

        Raises:
            SiteError: there is no such run.
        """
        row = self._database.row(f"SELECT {_RUN_COLUMNS} FROM runs WHERE id = ?", (run_id,))
        if row is None:
            raise SiteError(f"The site has no run {run_id!r}; see its list of jobs.")
        return self._from_row(row)

    def _from_row(self, row: tuple[Any, ...]) -> Run:
        run_id, kind, state, spec, report, message, pid, started_at, finished_at = row
        return Run(
            run_id,
            kind,
            state,
            json.loads(spec),
            None if report is None else json.loads(report),
            message,
            pid,
            started_at,
            finished_at,
            self._folder / run_id,
        )
