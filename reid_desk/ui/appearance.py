"""Light and dark: follows the system unless the operator chose one."""

from __future__ import annotations

import os
from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

import resources
from reid_desk.ui.preferences import Preferences
from reid_desk.ui.style_sheet import style_sheet
from reid_desk.ui.tones import DARK, LIGHT, Tones, palette

_SMALLEST_POINT_SIZE = 10.0


class Scheme(StrEnum):
    """What the operator can choose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


_QT_SCHEMES = {
    Scheme.SYSTEM: Qt.ColorScheme.Unknown,
    Scheme.LIGHT: Qt.ColorScheme.Light,
    Scheme.DARK: Qt.ColorScheme.Dark,
}


class Appearance(QObject):
    """Dresses the application.

    ``changed`` is emitted after the palette was replaced; whoever holds recoloured icons draws them anew.
    The environment variable ``REID_DESK_APPEARANCE`` (``light``, ``dark``) overrides the stored choice.
    """

    changed = Signal()

    def __init__(self, app: QApplication, preferences: Preferences) -> None:
        super().__init__(app)
        self._app = app
        self._preferences = preferences
        self.scheme = _chosen(preferences)
        self.tones: Tones = LIGHT
        app.setStyle("Fusion")
        font = app.font()
        font.setPointSizeF(max(font.pointSizeF(), _SMALLEST_POINT_SIZE))
        app.setFont(font)
        app.styleHints().colorSchemeChanged.connect(self._dress)
        app.styleHints().setColorScheme(_QT_SCHEMES[self.scheme])
        self._dress()

    def choose(self, scheme: Scheme) -> None:
        """Use ``scheme`` from now on, and at the next start."""
        self.scheme = scheme
        self._preferences.set_text("appearance", scheme.value)
        self._app.styleHints().setColorScheme(_QT_SCHEMES[scheme])
        self._dress()

    @property
    def dark(self) -> bool:
        """Whether the window is dark now."""
        if self.scheme is Scheme.SYSTEM:
            return self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self.scheme is Scheme.DARK

    def _dress(self) -> None:
        self.tones = DARK if self.dark else LIGHT
        icons = resources.path("icons").as_posix()
        self._app.setPalette(palette(self.tones))
        self._app.setStyleSheet(style_sheet(self.tones, icons=icons, scheme="dark" if self.dark else "light"))
        self.changed.emit()


def _chosen(preferences: Preferences) -> Scheme:
    wanted = os.environ.get("REID_DESK_APPEARANCE") or preferences.text("appearance")
    return Scheme(wanted) if wanted in set(Scheme) else Scheme.SYSTEM
