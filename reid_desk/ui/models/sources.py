"""The labelled data sets of a site as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt

from reid_desk.site.records import Source
from reid_desk.ui import words
from reid_desk.ui.models.clips import Index
from reid_desk.ui.models.columns import alignment

_FIRST_FIGURE = 3


class SourcesModel(QAbstractTableModel):
    """One line a data set."""

    def __init__(self) -> None:
        super().__init__()
        self._sources: tuple[Source, ...] = ()
        self._headings = (
            self.tr("Source"),
            self.tr("Used"),
            self.tr("Layout"),
            self.tr("People"),
            self.tr("Cameras"),
            self.tr("Images"),
        )

    def set_sources(self, sources: Sequence[Source]) -> None:
        """Show these."""
        if tuple(sources) != self._sources:
            self.beginResetModel()
            self._sources = tuple(sources)
            self.endResetModel()

    def source_at(self, number: int) -> Source:
        """Return line ``number``."""
        return self._sources[number]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._sources)

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
        source = self._sources[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                source.name,
                self.tr("to learn from") if source.role == "source" else self.tr("to measure with"),
                source.layout,
                words.number(source.identities),
                words.number(source.cameras),
                words.number(source.images),
            )[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return source.path
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(figures=index.column() >= _FIRST_FIGURE)
        return None
