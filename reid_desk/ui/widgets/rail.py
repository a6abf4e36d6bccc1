"""The rail of pages on the left."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QWidget

from reid_desk.ui.widgets.layout import UNIT, column
from reid_desk.ui.widgets.text import ElidedLabel

_WIDTH = 200


class Rail(QFrame):
    """The site's name, one button a page, and help at the bottom."""

    def __init__(self, site_name: str, site_path: str, pages: list[QAction], below: list[QAction]) -> None:
        super().__init__()
        self.setProperty("role", "rail")
        self.setFixedWidth(_WIDTH)
        name = ElidedLabel(site_name)
        font = name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.1)
        name.setFont(font)
        name.setToolTip(site_path)
        name.setContentsMargins(12, 0, 12, 0)
        items: list[QWidget | int | None] = [8, name, 8]
        items += [self._button(action) for action in pages]
        items.append(None)
        items += [self._button(action) for action in below]
        inside = column(*items, spacing=4)
        inside.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        self.setLayout(inside)

    def _button(self, action: QAction) -> QToolButton:
        made = QToolButton()
        made.setDefaultAction(action)
        made.setProperty("role", "page")
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setIconSize(QSize(20, 20))
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setAccessibleName(action.text())
        made.setCursor(Qt.CursorShape.PointingHandCursor)
        return made
