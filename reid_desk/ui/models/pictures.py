"""A few image files as a list of pictures, read at the size shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPixmap

from reid_desk.ui.background import Background, Latest
from reid_desk.ui.models.clips import Index


def read_image(path: Path, height: int) -> QImage:
    """Return the picture in ``path`` scaled to ``height``; a null image if it cannot be read."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and size.height() > 0:
        reader.setScaledSize(QSize(max(round(size.width() * height / size.height()), 1), height))
    return reader.read()


class PicturesModel(QAbstractListModel):
    """Sample images of a data set; those that cannot be read are left out."""

    def __init__(self, background: Background, height: int) -> None:
        super().__init__()
        self._height = height
        self._latest = Latest(background)
        self._pictures: list[tuple[Path, QPixmap]] = []

    def show_files(self, paths: Sequence[Path]) -> None:
        """Read and show these files."""
        height = self._height
        self._take([])
        self._latest.run(lambda: [(path, read_image(path, height)) for path in paths], self._take)

    def _take(self, read: Sequence[tuple[Path, QImage]]) -> None:
        self.beginResetModel()
        self._pictures = [(path, QPixmap.fromImage(image)) for path, image in read if not image.isNull()]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._pictures)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102 - Qt's
        path, picture = self._pictures[index.row()]
        if role == Qt.ItemDataRole.DecorationRole:
            return picture
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return path.name
        return None
