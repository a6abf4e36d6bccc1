"""A grid of tiles that stays smooth with a hundred thousand of them."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, Qt
from PySide6.QtWidgets import QAbstractItemView, QListView

from reid_desk.ui.models.thumbnails import Thumbnails
from reid_desk.ui.widgets.tile_delegate import TileDelegate

_BATCH = 5_000


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
        self.setGridSize(self._delegate.cell(self.font()))
        self.doItemsLayout()
        if current.isValid():
            self.scrollTo(current)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102 - Qt's name
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.setGridSize(self._delegate.cell(self.font()))
