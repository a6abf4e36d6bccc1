"""The measurements of a site's models as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, Qt

from reid_desk.site.records import Evaluation
from reid_desk.ui import words
from reid_desk.ui.models.clips import Index
from reid_desk.ui.models.columns import alignment

FIGURES = ("mAP", "rank1", "rank5", "rank10")
_FIRST_FIGURE = 3
_HEADINGS = ("mAP", "Rank-1", "Rank-5", "Rank-10")


def label_words(label: str) -> str:
    """Say what a measurement's label means."""
    known = {
        "before": QCoreApplication.translate("measurements", "before adaptation"),
        "after": QCoreApplication.translate("measurements", "after adaptation"),
        "measured": QCoreApplication.translate("measurements", "measured again"),
    }
    return known.get(label, label)


def as_csv(evaluations: Sequence[Evaluation], models: Mapping[str, str]) -> str:
    """Return all figures, the whole CMC curves included; ``models`` are the models' names by id."""
    longest = max((len(one.metrics.get("cmc") or ()) for one in evaluations), default=0)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ranks = [f"cmc_{rank}" for rank in range(1, longest + 1)]
    writer.writerow(["model", "label", "data", "measured_at", *FIGURES, "queries", "gallery", *ranks])
    for one in evaluations:
        figures = [one.metrics.get(name, "") for name in (*FIGURES, "queries", "gallery")]
        name = models.get(one.model_id, one.model_id)
        when = words.local_time(one.created_at)
        writer.writerow([name, one.label, one.dataset, when, *figures, *(one.metrics.get("cmc") or ())])
    return out.getvalue()


class MeasurementsModel(QAbstractTableModel):
    """One line a measurement, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Evaluation, ...] = ()
        self._models: Mapping[str, str] = {}
        self._headings = (
            self.tr("Model"),
            self.tr("When"),
            self.tr("Measured on"),
            *_HEADINGS,
            self.tr("Queries"),
        )

    def set_rows(self, evaluations: Sequence[Evaluation], models: Mapping[str, str]) -> None:
        """Show these; ``models`` are the models' names by id."""
        rows = tuple(sorted(evaluations, key=lambda one: (one.created_at, one.id), reverse=True))
        if (rows, models) != (self._rows, self._models):
            self.beginResetModel()
            self._rows, self._models = rows, models
            self.endResetModel()

    def at(self, number: int) -> Evaluation:
        """Return line ``number``."""
        return self._rows[number]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._headings)

    def headerData(  # noqa: N802, D102 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._headings[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return alignment(figures=section >= _FIRST_FIGURE)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102 - Qt's
        one = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(one, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.local_time(one.created_at)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(figures=index.column() >= _FIRST_FIGURE)
        return None

    def _text(self, one: Evaluation, column: int) -> str:
        if column >= _FIRST_FIGURE:
            if column == 7:
                return words.number(int(one.metrics.get("queries") or 0))
            value = one.metrics.get(FIGURES[column - _FIRST_FIGURE])
            return words.NOTHING if value is None else words.percent(float(value))
        return (self._models.get(one.model_id, one.model_id), label_words(one.label), one.dataset)[column]
