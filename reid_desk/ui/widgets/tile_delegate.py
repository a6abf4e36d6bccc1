"""Paints a crop as a tile: its picture, where and when it was seen, and how like the query it is."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from reid_desk.site.records import Crop
from reid_desk.ui import words
from reid_desk.ui.appearance import Appearance
from reid_desk.ui.models.roles import CameraRole, CropRole, ScoreRole, VerdictRole
from reid_desk.ui.models.thumbnails import Thumbnails

SIZES = (128, 176, 240)  # heights of the picture in logical pixels
_GAP = 8
_BARS = 3
_FAINT = 0.4
_DISC = 24.0
_TICK = (((0.28, 0.53), (0.44, 0.69)), ((0.44, 0.69), (0.73, 0.35)))  # lines within a disc, in its widths
_CROSS = (((0.33, 0.33), (0.67, 0.67)), ((0.67, 0.33), (0.33, 0.67)))


class TileDelegate(QStyledItemDelegate):
    """Draws tiles of one size.

    Attributes:
        picture_height: logical pixels; change it with :meth:`use_size`.
        size: of a cell, as the view has spread them.
        scored: whether there is a line for the score.
    """

    def __init__(self, appearance: Appearance, thumbnails: Thumbnails, *, scored: bool) -> None:
        super().__init__()
        self._appearance = appearance
        self._thumbnails = thumbnails
        self.scored = scored
        self.picture_height = SIZES[1]
        self.size = QSize()

    def use_size(self, picture_height: int) -> None:
        """Draw pictures of that height."""
        self.picture_height = picture_height

    def cell(self, font: QFont) -> QSize:
        """Return the smallest size of a cell of the grid, gaps included."""
        line = QFontMetrics(_small(font)).height()
        text = (3 if self.scored else 2) * line
        widest = QFontMetrics(_small(font)).horizontalAdvance("0000-00-00 00:00") + 2 * _GAP
        width = max(self.picture_height // 2 + 2 * _GAP, widest) + _GAP
        return QSize(width, self.picture_height + text + 4 * _GAP)

    def sizeHint(  # noqa: N802, D102 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return self.size if self.size.isValid() else self.cell(option.font)

    def paint(  # noqa: D102 - Qt's
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tile = option.rect.adjusted(_GAP // 2, _GAP // 2, -_GAP // 2, -_GAP // 2)
        self._paint_ground(painter, option, QRectF(tile))
        crop: Crop | None = index.data(CropRole)
        picture = QRect(tile.left() + _GAP, tile.top() + _GAP, tile.width() - 2 * _GAP, self.picture_height)
        verdict: bool | None = index.data(VerdictRole)
        place = self._paint_picture(painter, picture, crop, faint=verdict is False)
        if verdict is not None:
            self._paint_verdict(painter, place, same=verdict)
        if crop is not None:
            text = tile.adjusted(_GAP, self.picture_height + _GAP + _GAP // 2, -_GAP, -_GAP // 2)
            self._paint_text(painter, option, text, crop, index)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, tile: QRectF) -> None:
        tones = self._appearance.tones
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(QColor(tones.accent) if selected else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.accent_soft if selected else tones.hover))
            painter.drawRoundedRect(tile.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def _paint_verdict(self, painter: QPainter, picture: QRectF, *, same: bool) -> None:
        """A tick or a cross in a disc on the picture's corner."""
        tones = self._appearance.tones
        disc = QRectF(picture.left() - _DISC / 4, picture.top() - _DISC / 8, _DISC, _DISC)
        painter.setPen(QPen(QColor(tones.surface), 2))
        painter.setBrush(QColor(tones.good if same else tones.bad))
        painter.drawEllipse(disc)
        painter.setPen(QPen(QColor(tones.surface), 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for line in _TICK if same else _CROSS:
            painter.drawLine(*(disc.topLeft() + QPointF(x, y) * _DISC for x, y in line))

    def _paint_picture(self, painter: QPainter, where: QRect, crop: Crop | None, *, faint: bool) -> QRectF:
        """Paint the picture, or its place while it is read; return where."""
        tones = self._appearance.tones
        ratio = painter.device().devicePixelRatio()
        found = self._thumbnails.get(crop.id, round(self.picture_height * ratio)) if crop else None
        width, height = self.picture_height / 2, float(self.picture_height)
        if found is not None and found.width() > 1:
            scale = min(where.width() / found.width(), where.height() / found.height())
            width, height = found.width() * scale, found.height() * scale
        place = QRectF(
            where.center().x() - width / 2 + 0.5, where.top() + (where.height() - height) / 2, width, height
        )
        outline = QPainterPath()
        outline.addRoundedRect(place, 6, 6)
        if found is None:
            painter.fillPath(outline, QColor(tones.sunken))
            return place
        painter.save()
        painter.setClipPath(outline)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(_FAINT if faint else 1.0)
        painter.drawPixmap(place, found, QRectF(found.rect()))
        painter.restore()
        return place

    def _paint_text(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        where: QRect,
        crop: Crop,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        tones = self._appearance.tones
        painter.setFont(_small(option.font))
        metrics = painter.fontMetrics()
        line = metrics.height()
        score = index.data(ScoreRole)
        lines = [(index.data(CameraRole), tones.text), (words.local_minute(crop.time), tones.muted)]
        top = where.top()
        if score is not None:
            self._paint_score(painter, QRect(where.left(), top, where.width(), line), score)
            top += line
        for text, colour in lines:
            painter.setPen(QColor(colour))
            elided = metrics.elidedText(text or "", Qt.TextElideMode.ElideRight, where.width())
            painter.drawText(
                QRect(where.left(), top, where.width(), line), Qt.AlignmentFlag.AlignCenter, elided
            )
            top += line

    def _paint_score(self, painter: QPainter, where: QRect, score: float) -> None:
        """Paint the score as a number, a word, and as many bars as the band is strong."""
        tones = self._appearance.tones
        text = f"{score:.2f} {words.band_word(score)}"
        bars_width = _BARS * 5
        width = bars_width + 5 + painter.fontMetrics().horizontalAdvance(text)
        left = where.left() + max((where.width() - width) // 2, 0)
        painter.setPen(Qt.PenStyle.NoPen)
        for number in range(_BARS):
            height = 5 + 3 * number
            painter.setBrush(QColor(tones.accent if number < words.band(score) else tones.border))
            painter.drawRoundedRect(QRectF(left + 5 * number, where.bottom() - 3 - height, 3.5, height), 1, 1)
        painter.setPen(QColor(tones.text))
        painter.drawText(
            where.adjusted(left - where.left() + bars_width + 5, 0, 0, 0),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            text,
        )


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPointSizeF(font.pointSizeF() * 0.9)
    return small
