"""A line across the window for what went wrong or needs a look; never modal, its details can be copied."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from reid_desk.ui import words
from reid_desk.ui.widgets.buttons import Button, quiet_button
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import column, row
from reid_desk.ui.widgets.text import label

Level = Literal["info", "warning", "bad"]
_MOST_KEPT = 50
_ICONS = {"info": "info", "warning": "warning", "bad": "error"}
_DETAILS_HEIGHT = 160


@dataclass(frozen=True)
class _Told:
    text: str
    level: Level = "info"
    details: str = ""


class Banner(QFrame):
    """Shows one message at a time, the newest first; the earlier ones come back as it is dismissed.

    ``shown`` is emitted when there is one, ``closed`` when the operator has dismissed the last.
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
        self._kept: deque[_Told] = deque(maxlen=_MOST_KEPT)
        self._more = label(tone="muted")
        self._show = self._button(self.tr("Details"), self._toggle_details)
        self._copy = self._button(self.tr("Copy details"), self._copy_details)
        self._dismiss = quiet_button(self.tr("Dismiss the message"), "cancel", self._close)
        top = row(self._icon, self._text, self._more, self._show, self._copy, self._dismiss)
        self.setLayout(column(top, self._details, margin=8))
        self.hide()

    def tell(self, text: str, *, level: Level = "info", details: str = "") -> None:
        """Show ``text`` until it is dismissed; ``details`` are folded away."""
        told = _Told(text, level, details)
        if told in self._kept:
            self._kept.remove(told)
        self._kept.append(told)
        self._show_told(told)

    def note(self, text: str) -> None:
        """Show ``text`` if there is nothing more important to see; the next message takes its place."""
        if not self._kept:
            self._show_told(_Told(text))

    @property
    def text(self) -> str:
        """The message shown."""
        return self._text.text()

    def _show_told(self, told: _Told) -> None:
        self.setProperty("role", f"banner-{told.level}")
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.show_icon(_ICONS[told.level])
        self._text.setText(told.text)
        self._text.setAccessibleName(told.text)
        self._details.setPlainText(told.details)
        self._details.hide()
        self._show.setVisible(bool(told.details))
        self._copy.setVisible(bool(told.details))
        more = len(self._kept) - 1
        self._more.setText(self.tr("{n} more").format(n=words.number(more)))
        self._more.setVisible(more > 0)
        self.show()
        self.shown.emit()

    def _button(self, text: str, act: Callable[[], None]) -> Button:
        made = Button(text, kind="quiet")
        made.clicked.connect(act)
        return made

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._text.text()}\n\n{self._details.toPlainText()}")

    def _close(self) -> None:
        if self._kept:
            self._kept.pop()
        if self._kept:
            self._show_told(self._kept[-1])
            return
        self.hide()
        self.closed.emit()
