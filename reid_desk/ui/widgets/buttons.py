"""Buttons that stay in step with their action and redraw their icon when the window turns light or dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QPushButton

from reid_desk.ui import icons

Kind = Literal["plain", "primary", "quiet"]


class Button(QPushButton):
    """A push button of one of our kinds. ``kind="primary"`` is for the one main thing to do at a place."""

    def __init__(
        self,
        text: str = "",
        *,
        icon: str | None = None,
        kind: Kind = "plain",
        name: str | None = None,
        big: bool = False,
    ) -> None:
        super().__init__(_beside(icon, text))
        self._icon_name = icon
        self._kind = kind
        self.setProperty("kind", kind)
        if big:
            self.setProperty("size", "big")
        self.setAccessibleName(name or text)
        if name and not text:
            self.setToolTip(name)
        self.setIconSize(QSize(18, 18))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._draw_icon()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102 - Qt's name
        # Style sheets replace a widget's palette many times: the icon is drawn anew only in another colour.
        changes = event.type() in (QEvent.Type.PaletteChange, QEvent.Type.EnabledChange)
        if changes and self._icon_name and self._icon_colour() != self._drawn_in:
            self._draw_icon()
        super().changeEvent(event)

    def _draw_icon(self) -> None:
        self._drawn_in = self._icon_colour()
        if self._icon_name is not None:
            self.setIcon(icons.icon(self._icon_name, self._drawn_in))

    def _icon_colour(self) -> QColor:
        primary = self._kind == "primary" and self.isEnabled()
        role = QPalette.ColorRole.HighlightedText if primary else QPalette.ColorRole.WindowText
        return QGuiApplication.palette().color(role)


class ActionButton(Button):
    """A button that is the face of an action: same tool tip, enabled (or, if it ``hides``, visible) with it.

    It has the action's text too, unless there is only room for a shorter ``text``.
    """

    def __init__(
        self,
        action: QAction,
        *,
        icon: str | None = None,
        kind: Kind = "plain",
        big: bool = False,
        hides: bool = False,
        text: str | None = None,
    ) -> None:
        super().__init__(text or _words(action), icon=icon, kind=kind, big=big)
        self._action = action
        self._own_text = text
        self._hides = hides
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setText(_beside(self._icon_name, self._own_text or _words(self._action)))
        self.setAccessibleName(_words(self._action))
        self.setToolTip(self._action.toolTip())
        self.setEnabled(self._action.isEnabled())
        if self._hides:
            self.setVisible(self._action.isEnabled())


def quiet_button(name: str, icon: str, act: Callable[[], object]) -> Button:
    """Return a small button with an icon only; ``name`` is its tool tip and accessible name."""
    made = Button(icon=icon, kind="quiet", name=name)
    made.setFixedWidth(36)
    made.clicked.connect(act)
    return made


def _beside(icon: str | None, text: str) -> str:
    """Keep a little distance between icon and text, for which style sheets have no word."""
    return f" {text}" if icon and text else text


def _words(action: QAction) -> str:
    return action.text().replace("&", "")
