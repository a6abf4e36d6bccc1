"""A grid of tiles that stays smooth with a hundred thousand of them."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView

from reid_desk.ui.models.thumbnails import Thumbnails
from reid_desk.ui.widgets.tile_delegate import TileDelegate

_BATCH = 5_000
_FRAME = 8


class TileView(QListView):
    """Lists ``model`` as tiles, painted by ``delegate``; ``name`` is its accessible name."""

    def __init__(
        self, model: QAbstractItemModel, delegate: TileDelegate, thumbnails: Thumbnails, name: str
    ) -> None:
        super().__init__()
        self._delegate = delegate
        self.setAccessibleName(name)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(_BATCH)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(48)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setModel(model)
        self.setItemDelegate(delegate)
        self.use_size(delegate.picture_height)
        thumbnails.changed.connect(self.viewport().update)

    def use_size(self, picture_height: int) -> None:
        """Draw pictures of that height; what is in view stays in view."""
        current = self.currentIndex()
        self._delegate.use_size(picture_height)
        self._fit()
        self.doItemsLayout()
        if current.isValid():
            self.scrollTo(current)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102 - Qt's name
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102 - Qt's name
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        """Spread the columns over the width, so that no strip stays empty on the right."""
        cell = self._delegate.cell(self.font())
        room = self.width() - self.verticalScrollBar().sizeHint().width() - _FRAME
        columns = max(room // cell.width(), 1)
        size = QSize(max(room // columns, cell.width()), cell.height())
        if size != self.gridSize():
            self._delegate.size = size
            self.setGridSize(size)
