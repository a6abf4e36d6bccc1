"""An icon as a label, redrawn when the window turns light or dark."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QLabel

from reid_desk.ui import icons


class IconLabel(QLabel):
    """Shows the icon ``name``, ``size`` pixels square, in a palette role (or a fixed colour)."""

    def __init__(
        self, name: str, size: int = 20, *, role: QPalette.ColorRole = QPalette.ColorRole.WindowText
    ) -> None:
        super().__init__()
        self._name, self._size, self._role = name, size, role
        self._colour: QColor | None = None
        self.setFixedSize(size, size)
        self._draw()

    def show_icon(self, name: str, *, colour: QColor | None = None) -> None:
        """Show another icon, in the role's colour or in ``colour``."""
        self._name, self._colour = name, colour
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102 - Qt's name
        if event.type() == QEvent.Type.PaletteChange and self._wanted_colour() != self._drawn_in:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        self._drawn_in = self._wanted_colour()
        self.setPixmap(icons.pixmap(self._name, self._size, self._drawn_in))

    def _wanted_colour(self) -> QColor:
        return self._colour or QGuiApplication.palette().color(self._role)
