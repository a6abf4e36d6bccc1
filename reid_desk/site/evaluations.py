"""How well the models of a site were found to rank."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from reid_desk.errors import SiteError
from reid_desk.site.database import Database
from reid_desk.site.records import Evaluation

_EVALUATION_COLUMNS = "id, model_id, label, dataset, metrics, created_at"


class Evaluations:
    """The evaluations of a site's models."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_evaluation(
        self, model_id: str, label: str, dataset: str, metrics: Mapping[str, Any]
    ) -> Evaluation:
        """Store how well a model ranks a labelled set.

        Args:
            model_id: the model.
            label: what it stands for, such as ``before`` or ``after``.
            dataset: name of the labelled set.
            metrics: as in :class:`Evaluation`.

        Raises:
            SiteError: there is no such model.
        """
        with self._database.transaction() as connection:
            if self._database.row("SELECT 1 FROM models WHERE id = ?", (model_id,)) is None:
                raise SiteError(f"The site has no model {model_id!r} to evaluate.")
            cursor = connection.execute(
                "INSERT INTO evaluations (model_id, label, dataset, metrics, created_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (model_id, label, dataset, json.dumps(metrics), time.time()),
            )
            row = self._database.row(
                f"SELECT {_EVALUATION_COLUMNS} FROM evaluations WHERE id = ?", (cursor.lastrowid,)
            )
        return _from_row(row)

    def evaluations(self, model_id: str | None = None) -> list[Evaluation]:
        """Return the evaluations of a model, or all, oldest first."""
        where, parameters = ("", ()) if model_id is None else (" WHERE model_id = ?", (model_id,))
        rows = self._database.rows(
            f"SELECT {_EVALUATION_COLUMNS} FROM evaluations{where} ORDER BY id", parameters
        )
        return [_from_row(row) for row in rows]


def _from_row(row: tuple[Any, ...]) -> Evaluation:
    evaluation_id, model_id, label, dataset, metrics, created_at = row
    return Evaluation(evaluation_id, model_id, label, dataset, json.loads(metrics), created_at)
