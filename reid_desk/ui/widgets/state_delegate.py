"""Paints a clip's state in a table cell: icon and words, and a thin bar while it is imported."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from reid_desk.ui import icons
from reid_desk.ui.appearance import Appearance
from reid_desk.ui.models.clips import Index, ProgressRole, StateRole
from reid_desk.ui.widgets.state_label import LOOKS, tone_colour

_ICON, _GAP, _BAR = 16, 8, 4


class StateDelegate(QStyledItemDelegate):
    """Draws what :class:`~reid_desk.ui.models.clips.ClipsModel` tells by its state and progress roles."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance

    def paint(  # noqa: D102 - Qt's
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        text, plain.text = plain.text, ""
        plain.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, plain, painter, plain.widget)
        look = LOOKS[index.data(StateRole)]
        colour = tone_colour(self._appearance.tones, look.tone)
        inside = plain.rect.adjusted(_GAP + 2, 0, -_GAP, -3)
        painter.save()
        icon_top = inside.top() + (inside.height() - _ICON) // 2
        painter.drawPixmap(inside.left(), icon_top, icons.pixmap(look.icon, _ICON, colour))
        painter.setPen(colour)
        words = inside.adjusted(_ICON + _GAP, 0, 0, 0)
        progress = index.data(ProgressRole)
        if progress is not None:
            words.setBottom(words.bottom() - 2 * _BAR)
            self._paint_bar(painter, plain.palette, words, progress)
        elided = plain.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
        painter.restore()

    def _paint_bar(self, painter: QPainter, palette: QPalette, words: QRect, progress: float) -> None:
        pen = painter.pen()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(words.left(), words.bottom(), words.width(), _BAR)
        for width, colour in (
            (bar.width(), QColor(self._appearance.tones.border)),
            (bar.width() * progress, palette.color(QPalette.ColorRole.Accent)),
        ):
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), width, bar.height()), 2, 2)
        painter.setPen(pen)
