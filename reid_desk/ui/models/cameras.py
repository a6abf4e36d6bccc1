"""The cameras of a site as a list, with a picture and what each has recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt

from reid_desk.ui import words
from reid_desk.ui.models.clips import Index

CountsRole = Qt.ItemDataRole.UserRole + 1
PictureRole = Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True)
class CameraRow:
    """One line: a camera, or (``name`` is ``None``) all of them.

    ``picture`` is a crop to show, if there is one.
    """

    name: str | None
    clips: int
    crops: int
    picture: int | None = None


class CamerasModel(QAbstractListModel):
    """All cameras, headed by a line for all together."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[CameraRow] = []

    def set_rows(self, rows: Sequence[CameraRow]) -> None:
        """Show these cameras."""
        together = CameraRow(None, sum(row.clips for row in rows), sum(row.crops for row in rows))
        lines = [together, *rows]
        if [line.name for line in lines] == [line.name for line in self._rows]:
            self._rows = lines
            self.dataChanged.emit(self.index(0), self.index(len(lines) - 1))
            return
        self.beginResetModel()
        self._rows = lines
        self.endResetModel()

    def row_at(self, number: int) -> CameraRow:
        """Return line ``number``."""
        return self._rows[number]

    def row_of(self, name: str | None) -> int:
        """Return the number of a camera's line; that of all cameras if there is no such camera."""
        return next((number for number, row in enumerate(self._rows) if row.name == name), 0)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102 - Qt's
        row = self._rows[index.row()]
        name = self.tr("All cameras") if row.name is None else row.name
        counts = self.tr("{clips}, {crops}").format(
            clips=words.clips(row.clips), crops=words.crops(row.crops)
        )
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return name
            case Qt.ItemDataRole.AccessibleTextRole | Qt.ItemDataRole.ToolTipRole:
                return f"{name}: {counts}"
        return {CountsRole: counts, PictureRole: row.picture}.get(role)
