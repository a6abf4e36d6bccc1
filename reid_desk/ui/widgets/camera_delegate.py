"""Paints a camera's line: picture, name, counts."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from reid_desk.ui import icons
from reid_desk.ui.appearance import Appearance
from reid_desk.ui.models.cameras import CountsRole, PictureRole
from reid_desk.ui.models.thumbnails import Thumbnails

_HEIGHT, _PICTURE, _GAP = 60, 44, 8


class CameraDelegate(QStyledItemDelegate):
    """Draws the lines of :class:`~reid_desk.ui.models.cameras.CamerasModel`."""

    def __init__(self, appearance: Appearance, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._appearance = appearance
        self._thumbnails = thumbnails

    def sizeHint(  # noqa: N802, D102 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(_PICTURE, _HEIGHT)

    def paint(  # noqa: D102 - Qt's
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        tones = self._appearance.tones
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = option.rect.adjusted(4, 2, -4, -2)
        self._paint_ground(painter, option, QRectF(line))
        picture = QRect(line.left() + _GAP, line.top() + (line.height() - _PICTURE) // 2, _PICTURE, _PICTURE)
        self._paint_picture(painter, picture, index.data(PictureRole))
        words = line.adjusted(_PICTURE + 2 * _GAP + 4, 10, -_GAP, -10)
        name = option.fontMetrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, words.width())
        painter.setPen(QColor(tones.text))
        painter.drawText(words, Qt.AlignmentFlag.AlignTop, name)
        small = painter.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        painter.setFont(small)
        painter.setPen(QColor(tones.muted))
        counts = painter.fontMetrics().elidedText(
            index.data(CountsRole), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignBottom, counts)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, line: QRectF) -> None:
        tones = self._appearance.tones
        ground = None
        if option.state & QStyle.StateFlag.State_Selected:
            ground = tones.accent_soft
        elif option.state & QStyle.StateFlag.State_MouseOver:
            ground = tones.hover
        if ground is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ground))
            painter.drawRoundedRect(line, 8, 8)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(tones.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(line.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def _paint_picture(self, painter: QPainter, where: QRect, crop_id: int | None) -> None:
        tones = self._appearance.tones
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(where), 8, 8)
        painter.fillPath(outline, QColor(tones.sunken))
        found = None
        if crop_id is not None:
            found = self._thumbnails.get(crop_id, round(2 * _PICTURE * painter.device().devicePixelRatio()))
        if found is None:
            drawn = icons.pixmap("camera", 22, QColor(tones.muted))
            painter.drawPixmap(where.center().x() - 10, where.center().y() - 10, drawn)
            return
        painter.save()
        painter.setClipPath(outline)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        height = where.width() * found.height() / max(found.width(), 1)
        painter.drawPixmap(
            QRectF(where.left(), where.top(), where.width(), height), found, QRectF(found.rect())
        )
        painter.restore()
