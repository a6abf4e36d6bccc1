"""A line across the window for what went wrong or needs a look; never modal, its details can be copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from reid_desk.ui.widgets.buttons import Button, quiet_button
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import column, row
from reid_desk.ui.widgets.text import label

Level = Literal["info", "warning", "bad"]
_ICONS = {"info": "info", "warning": "warning", "bad": "error"}
_DETAILS_HEIGHT = 160


class Banner(QFrame):
    """Shows one message at a time.

    ``shown`` is emitted when there is one, ``closed`` when the operator has dismissed it.
    """

    shown = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Message"))
        self._icon = IconLabel("info", 20)
        self._text = label(wrap=True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setFixedHeight(_DETAILS_HEIGHT)
        self._details.setAccessibleName(self.tr("Details of the message"))
        self._show = self._button(self.tr("Details"), self._toggle_details)
        self._copy = self._button(self.tr("Copy details"), self._copy_details)
        self._dismiss = quiet_button(self.tr("Dismiss the message"), "cancel", self._close)
        top = row(self._icon, self._text, self._show, self._copy, self._dismiss)
        self.setLayout(column(top, self._details, margin=8))
        self.hide()

    def tell(self, text: str, *, level: Level = "info", details: str = "") -> None:
        """Show ``text``; ``details`` are folded away."""
        self.setProperty("role", f"banner-{level}")
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.show_icon(_ICONS[level])
        self._text.setText(text)
        self._text.setAccessibleName(text)
        self._details.setPlainText(details)
        self._details.hide()
        self._show.setVisible(bool(details))
        self._copy.setVisible(bool(details))
        self.show()
        self.shown.emit()

    @property
    def text(self) -> str:
        """The message shown."""
        return self._text.text()

    def _button(self, text: str, act: Callable[[], None]) -> Button:
        made = Button(text, kind="quiet")
        made.clicked.connect(act)
        return made

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._text.text()}\n\n{self._details.toPlainText()}")

    def _close(self) -> None:
        self.hide()
        self.closed.emit()
